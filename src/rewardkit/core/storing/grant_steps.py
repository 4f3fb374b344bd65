"""Rows of what has happened to grants."""

from __future__ import annotations

from typing import NamedTuple


class GrantStepRow(NamedTuple):
    """A change of a grant after its earning, never changed itself. Key: (grant, number)."""

    grant: str
    number: int
    """From 1."""
    at: int
    move: str
    """Its name in the table of a grant's life."""
    status: str
    """After it; the same below."""
    held_for: str
    by: str
    """Who did it, as the caller said."""
    reason: str
    amount: str
    """Taken back by it, as a decimal; empty where it takes nothing back."""
