"""What came of campaigns and referral programs: counted by the store, compared with whoever was held out."""
