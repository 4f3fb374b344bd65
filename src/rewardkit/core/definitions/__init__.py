"""What is in force: rewards, offers, campaigns and referral programs, and the catalogue of all of them."""
