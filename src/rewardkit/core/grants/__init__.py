"""Grants: earned, held at gates, leased, paid, failed, taken back."""
