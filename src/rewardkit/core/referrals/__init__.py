"""Referrals: a sender, a recipient, a condition on the recipient, and a reward for each of the two."""
