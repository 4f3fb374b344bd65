"""Offers that are made to one user by a call, or withdrawn."""
