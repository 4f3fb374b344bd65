"""When a campaign is open, when a user may enter again, and how many may: its terms as they are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, mapping, show
from rewardkit.errors import ValidationError
from rewardkit.language.civil import bucket, bucket_date, local_date

NEVER: Final = "never"
AFTER_EARNING: Final = "after_earning"
UNITS: Final = ("day", "week", "month", "quarter", "year")
"""Of the calendar, as conditions know them. Weeks are ISO's."""

REENTRIES: Final = (NEVER, AFTER_EARNING, *UNITS)


def read_reentry(given: object) -> str:
    """When a user may enter again, checked.

    Raises:
        ValidationError: it is none of `REENTRIES`.
    """
    if isinstance(given, str) and given in REENTRIES:
        return given
    raise ValidationError(f"reentry must be one of `{'`, `'.join(REENTRIES)}`, not `{show(str(given))}`")


def read_caps_per(given: object) -> dict[str, int]:
    """Caps by the unit of the calendar, checked.

    Raises:
        ValidationError: a unit is unknown, or a cap is no whole number from 1.
    """
    found = {}
    for unit, cap in mapping(given, "caps_per").items():
        if unit not in UNITS:
            raise ValidationError(f"caps_per has caps by `{'`, `'.join(UNITS)}`, not by `{show(str(unit))}`")
        found[unit] = integer(cap, f"caps_per.{unit}", least=1, most=limits.CAP)
    return {unit: found[unit] for unit in UNITS if unit in found}


def next_period(at: int, unit: str, zone: str) -> int:
    """The first instant after the day, week, … that holds an instant."""
    return bucket(at, unit, zone)[1]


def period_of(at: int, unit: str, zone: str) -> str:
    """The period that holds an instant, by its first date."""
    return bucket_date(local_date(at, zone), unit).isoformat()


def units_of(caps_per: Mapping[str, int]) -> int:
    """The units that have caps, a bit each, as a user's row keeps them."""
    return sum(1 << UNITS.index(unit) for unit in caps_per)


def units_in(bits: int) -> tuple[str, ...]:
    """The units of some bits."""
    return tuple(unit for place, unit in enumerate(UNITS) if bits >> place & 1)
