"""How much is run: a small share by default, everything with `REWARDKIT_SCALE=1`."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def scale() -> float:
    """The share of the full numbers that is to be run."""
    return float(os.environ.get("REWARDKIT_SCALE", "0.05"))
