"""Campaigns: who gets which offer, when, how many, and at what cost."""
