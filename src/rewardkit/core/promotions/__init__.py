"""Promo codes: codes of a pool whose redemption makes a campaign's offer, kept from being guessed."""
