"""Drawing users for the variants of a campaign: who is given which offer, and who is held out.

Both follow from a hash of campaign and user alone, so that no state is needed to agree on them. What a user was drawn
for stays with her from her first entry on: other weights, or another share, move nobody who is in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Final

import attrs

from rewardkit.core.requests.variant import Variant
from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError

WHOLE: Final = 1_000_000
"""Shares are kept in millionths."""

DRAWN: Final = 0x4000
HELD_OUT: Final = 0x8000
_NUMBER: Final = 0x3FFF
_DIGITS: Final = 16
_SHARE = re.compile(rf"(?P<number>\d{{1,{_DIGITS}}}(\.\d{{1,{_DIGITS}}})?)\s*(?P<percent>%?)", re.ASCII)


@attrs.frozen
class Drawn:
    """What a user was drawn for in a campaign, as her row keeps it in two bytes."""

    number: int
    """Of the variant; 0 where the campaign has none."""
    held_out: bool

    def packed(self) -> int:
        """The bytes as a number; 0 is nobody's."""
        return DRAWN | (HELD_OUT if self.held_out else 0) | self.number

    @staticmethod
    def of(packed: int) -> Drawn | None:
        """What `packed` gave; None where nothing was drawn yet."""
        return Drawn(packed & _NUMBER, bool(packed & HELD_OUT)) if packed & DRAWN else None


def position(purpose: str, campaign: str, user: str) -> int:
    """Where a user stands among all users of a campaign: a whole number from 0 up to 2**64, evenly spread.

    The first eight bytes, the highest first, of the BLAKE2b digest of eight bytes of the UTF-8 text
    `purpose` + U+001F + `campaign` + U+001F + `user`.
    """
    return int.from_bytes(blake2b(f"{purpose}\x1f{campaign}\x1f{user}".encode(), digest_size=8).digest(), "big")


def is_held_out(campaign: str, user: str, holdout: int) -> bool:
    """Whether a user is among the share, in millionths, that is held out."""
    return position("holdout", campaign, user) * WHOLE >> 64 < holdout


def chosen(campaign: str, user: str, variants: Iterable[Variant]) -> Variant:
    """The variant that a user is drawn for, by their weights, in their order."""
    known = tuple(variants)
    place = position("variant", campaign, user) * sum(variant.weight for variant in known) >> 64
    for variant in known:
        if place < variant.weight:
            return variant
        place -= variant.weight
    raise AssertionError("the weights of the variants are their sum")


# --- as they are given, and as they are kept ---------------------------------------------------------


def read_share(given: object) -> int:
    """A share such as `0.1` or `"10%"`, in millionths.

    Raises:
        ValidationError: it is no share from 0 up to 1, or finer than millionths.
    """
    written = given if isinstance(given, str) else repr(given)
    if isinstance(given, Decimal):
        # Digits of a huge exponent are never written out.
        written = f"{given:f}" if given.is_finite() and abs(given.adjusted()) < _DIGITS else ""
    found = None if isinstance(given, bool) else _SHARE.fullmatch(written)
    if found is None:
        raise ValidationError(f'holdout must be a share such as `0.1` or `"10%"`, not `{show(str(given))}`')
    share = Decimal(found["number"]) * (WHOLE // 100 if found["percent"] else WHOLE)
    if share >= WHOLE:
        raise ValidationError(
            f'holdout must be a share below the whole, such as `0.1` or `"10%"`, not `{show(str(given))}`'
        )
    if share != int(share):
        raise ValidationError(f"holdout has at most six decimals, not `{show(str(given))}`")
    return int(share)


def numbered(variants: Iterable[Variant], known: Mapping[str, int]) -> dict[str, int]:
    """The numbers of all variants that a campaign ever had; one that comes back has the number that it had."""
    numbers = dict(known)
    for variant in variants:
        numbers.setdefault(variant.name, len(numbers) + 1)
    if len(numbers) > _NUMBER:
        raise ValidationError(f"a campaign has had {_NUMBER} variants: define a new campaign")
    return numbers
