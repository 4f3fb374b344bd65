"""Drives one decision in one transaction, and delivers notices after it."""
