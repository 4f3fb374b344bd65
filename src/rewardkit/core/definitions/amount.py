"""How much a reward is worth, where it says so: what can be taken back of it in parts."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Final

from rewardkit.core.requests.records import Reward
from rewardkit.core.values import limits
from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError

PROPERTY: Final = "amount"
"""The property of a reward that says how much it is, as a whole number of minor units, or a decimal, also as text."""

_EXACT: Final = Context(prec=64)
"""Room for every digit of a sum: the default context would round beyond 28."""

_DECIMAL: Final = re.compile(r"\d{1,38}(\.\d{1,18})?", re.ASCII)


def amount_of(reward: Reward) -> Decimal | None:
    """The amount of a reward; None where it has none that is more than nothing."""
    found = _read(reward.properties.get(PROPERTY))
    return found if found is not None and found > 0 else None


def is_nothing(reward: Reward) -> bool:
    """Whether a reward says that it costs nothing, or says nothing of it."""
    return PROPERTY not in reward.properties or _read(reward.properties[PROPERTY]) == 0


def read_amount(value: object) -> Decimal:
    """An amount as a caller gives it.

    Raises:
        ValidationError: it is not a whole number, a decimal, or the text of one, or not more than nothing.
    """
    found = _read(value)
    if found is None or found <= 0:
        raise ValidationError(
            f'an amount is a whole number or a decimal above 0, such as `Decimal("2.50")`, not `{show(repr(value))}`'
        )
    return found


def _read(value: object) -> Decimal | None:
    if type(value) is int:
        return Decimal(value) if 0 <= value <= limits.INTEGER else None
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or abs(exponent) > limits.DECIMAL_EXPONENT:
            return None
        value = format(value, "f")
    return Decimal(value) if isinstance(value, str) and _DECIMAL.fullmatch(value) else None


def shown(amount: Decimal) -> str:
    """An amount as it is kept and told: every digit, no exponent."""
    return format(amount, "f")


def plus(first: Decimal, second: Decimal) -> Decimal:
    """The exact sum."""
    return _EXACT.add(first, second)


def minus(first: Decimal, second: Decimal) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(first, second)


def times(amount: Decimal, count: int) -> Decimal:
    """The exact product."""
    return _EXACT.multiply(amount, Decimal(count))


def shortest(amount: Decimal) -> Decimal:
    """The same without zeros at the end of its decimals, and without an exponent above 0."""
    whole = amount.to_integral_value(context=_EXACT)
    return whole if whole == amount else amount.normalize(_EXACT)


def total(taken: str) -> Decimal:
    """What a row keeps of amounts, as a number; the empty text is nothing."""
    return Decimal(taken) if taken else Decimal(0)
