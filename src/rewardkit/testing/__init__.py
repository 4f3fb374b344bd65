"""What the tests of an application that uses rewardkit need: contracts, strategies, samples."""

import sys

from rewardkit.testing.clock import FakeClock

__all__ = ["FakeClock"]

if "pytest" in sys.modules:
    # A failed promise shows its values only where pytest has rewritten the assertion before the import.
    sys.modules["pytest"].register_assert_rewrite(
        f"{__name__}.killed_shop",
        f"{__name__}.notifier_contract",
        f"{__name__}.store_contract",
        f"{__name__}.store_interleavings",
        f"{__name__}.store_takings",
    )
