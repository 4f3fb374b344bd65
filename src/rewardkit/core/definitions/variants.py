"""Variants of a campaign: who is given which offer, who is held out, and what each is told.

Both follow from a hash of campaign and user alone, so that no state is needed to agree on them. What a user was drawn
for stays with her from her first entry on: other weights, or another share, move nobody who is in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import attrs

from rewardkit.core.values import limits, payload
from rewardkit.core.values.input import integer, mapping, show, text
from rewardkit.errors import ValidationError

WHOLE: Final = 1_000_000
"""Shares are kept in millionths."""

DRAWN: Final = 0x4000
HELD_OUT: Final = 0x8000
_NUMBER: Final = 0x3FFF
_DIGITS: Final = 16
_SHARE = re.compile(rf"(?P<number>\d{{1,{_DIGITS}}}(\.\d{{1,{_DIGITS}}})?)\s*(?P<percent>%?)", re.ASCII)


@attrs.frozen
class Variant:
    """One of the offers that a campaign gives.

    Args:
        name: unique in its campaign.
        offer: the name of an offer.
        weight: of the users that are not held out, as many as its part of all weights; 0 takes no new ones.
        copy: free texts that the user is shown, such as `name` and `description`, over those of the campaign.
    """

    name: str
    offer: str
    weight: int = attrs.field(default=1, kw_only=True)
    copy: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)


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


def read_variants(given: object) -> tuple[Variant, ...]:
    """Variants as a caller gave them, checked.

    Raises:
        ValidationError: for no weight at all, a name given twice, or anything that is no variant.
    """
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ValidationError(f"variants come as a list of `Variant`, not as `{type(given).__name__}`")
    found: list[Variant] = []
    for one in given:
        if not isinstance(one, Variant):
            raise ValidationError(f"variants come as `Variant`, not as `{type(one).__name__}`")
        name = text(one.name, "a variant's name")
        found.append(
            Variant(
                name,
                text(one.offer, "an offer's name"),
                weight=integer(one.weight, f"variants.{show(name)}.weight", least=0, most=limits.WEIGHT),
                copy=read_copy(one.copy, f"variants.{show(name)}.copy"),
            )
        )
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise ValidationError(f"variants name `{show(name)}` twice")
    if len(found) > limits.VARIANTS:
        raise ValidationError(f"variants are at most {limits.VARIANTS}, not {len(found)}")
    if found and not any(one.weight for one in found):
        raise ValidationError("variants need a weight above 0, at least one of them")
    return tuple(found)


def read_copy(given: object, what: str = "copy") -> dict[str, str]:
    """Texts for people by name, checked.

    Raises:
        ValidationError: one of them is no text, or too long.
    """
    found = {}
    for name, value in mapping(given, what).items():
        key = text(name, f"a name in {what}")
        if not isinstance(value, str):
            raise ValidationError(f"{what}.{show(key)} must be text, not `{type(value).__name__}`")
        if len(value) > limits.COPY_CHARACTERS:
            raise ValidationError(f"{what}.{show(key)} has {len(value)} characters, at most {limits.COPY_CHARACTERS}")
        found[key] = value
    payload.write(found, what)
    return found


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
        raise ValidationError(f"holdout must be a share below the whole, not `{show(str(given))}`")
    if share != int(share):
        raise ValidationError(f"holdout has at most six decimals, not `{show(str(given))}`")
    return int(share)


def variant_body(variant: Variant) -> dict[str, Any]:
    """What a row's body says of a variant."""
    return {"name": variant.name, "offer": variant.offer, "weight": variant.weight, "copy": dict(variant.copy)}


def numbered(variants: Iterable[Variant], known: Mapping[str, int]) -> dict[str, int]:
    """The numbers of all variants that a campaign ever had; one that comes back has the number that it had."""
    numbers = dict(known)
    for variant in variants:
        numbers.setdefault(variant.name, len(numbers) + 1)
    if len(numbers) > _NUMBER:
        raise ValidationError(f"a campaign has had {_NUMBER} variants: define a new campaign")
    return numbers
