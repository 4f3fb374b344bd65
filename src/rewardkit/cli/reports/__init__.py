"""What came of a campaign or of referrals, for people: in a terminal, and as a page with plots."""
