"""Pools of incentive codes: what a code is, how codes are issued and redeemed, and what each of these records."""
