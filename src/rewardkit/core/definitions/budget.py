"""A campaign's money: exact, counted in ten-thousandths of whatever unit its rewards' amounts are in.

A budget that stops the campaign is reserved when an offer is made, confirmed when it is earned and released when it
ends unearned, so that every promise can be kept. One that queues is asked when an offer is earned: a grant that it does
not cover is held, and released, oldest first, when it is replenished.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from rewardkit.core.definitions.amount import amount_of, read_amount, shown
from rewardkit.core.requests.records import Reward
from rewardkit.core.values import limits
from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError

STOP: Final = "stop"
QUEUE: Final = "queue"

UNITS: Final = 10_000
"""Of one: no currency has finer coins."""


def read_money(given: object, what: str) -> int:
    """An amount of money in ten-thousandths.

    Raises:
        ValidationError: it is no whole number, decimal or text of one above 0, or has more than four decimals.
    """
    try:
        amount = read_amount(given)
    except ValidationError:
        raise ValidationError(
            f'{what} must be a whole number or a decimal above 0, such as `500` or `"500.00"`, never a float,'
            f" not `{show(repr(given))}`"
        ) from None
    units = _units(amount)
    if units is None or units > limits.CAP:
        raise ValidationError(f"{what} has more than four decimals, or is too large: `{shown(amount)[:64]}`")
    return units


def read_exhaustion(given: object) -> str:
    """What happens where a budget has run out, checked.

    Raises:
        ValidationError: it is neither `stop` nor `queue`.
    """
    if given in (STOP, QUEUE):
        return str(given)
    raise ValidationError(f"at_exhaustion must be `{STOP}` or `{QUEUE}`, not `{show(str(given))}`")


def money(units: int) -> Decimal:
    """Ten-thousandths as an amount."""
    amount = Decimal(units).scaleb(-4)
    return amount.quantize(Decimal("0.01")) if units % 100 == 0 else amount


def cost_of(reward: Reward) -> int:
    """What a reward costs, in ten-thousandths; 0 where it does not say, or says it too finely."""
    amount = amount_of(reward)
    return 0 if amount is None else _units(amount) or 0


def _units(amount: Decimal) -> int | None:
    if amount.adjusted() > 15:
        return None
    scaled = amount * UNITS
    return int(scaled) if scaled == int(scaled) else None
