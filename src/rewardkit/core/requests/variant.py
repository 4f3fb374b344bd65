"""One of the offers, or of the referral programs, that a campaign gives, as it is asked for, and as it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from rewardkit.core.values import limits, payload
from rewardkit.core.values.input import integer, mapping, show, text
from rewardkit.errors import ValidationError


@attrs.frozen
class Variant:
    """One of the offers that a campaign gives, or of the referral programs that senders offer by it.

    Args:
        name: unique in its campaign.
        offer: the name of an offer; empty in a referral campaign.
        program: the name of a referral program, in a referral campaign; empty in others.
        weight: of the users that are not held out, as many as its part of all weights; 0 takes no new ones.
        copy: free texts that the user is shown, such as `name` and `description`, over those of the campaign.
    """

    name: str
    offer: str = ""
    program: str = attrs.field(default="", kw_only=True)
    weight: int = attrs.field(default=1, kw_only=True)
    copy: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)


Gives = Literal["offer", "program"]
"""What all variants of a campaign give."""


def read_variants(given: object, gives: Gives) -> tuple[Variant, ...]:
    """Variants as a caller gave them, checked.

    Raises:
        ValidationError: for no weight at all, a name given twice, one that gives something else, or anything that is
            no variant.
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
                **_given(one, name, gives),
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


def _given(one: Variant, name: str, gives: Gives) -> dict[str, str]:
    """What a variant gives: one of both, the same as all others of its campaign."""
    other: Gives = "program" if gives == "offer" else "offer"
    if getattr(one, other):
        wrong, right = ("offers", "referral programs") if other == "offer" else ("referral programs", "offers")
        raise ValidationError(
            f"variants.{show(name)}.{other} is of campaigns with {wrong}, and this is one with {right}:"
            f" each variant has one `{gives}`, and nothing else"
        )
    if not getattr(one, gives):
        raise ValidationError(f"variants.{show(name)}.{gives} is missing: each variant has one `{gives}`")
    return {gives: text(getattr(one, gives), "an offer's name" if gives == "offer" else "a referral program's name")}


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


def variant_body(variant: Variant) -> dict[str, Any]:
    """What a row's body says of a variant."""
    given = {"program": variant.program} if variant.program else {"offer": variant.offer}
    return {"name": variant.name, **given, "weight": variant.weight, "copy": dict(variant.copy)}


def copy_with(copy: Mapping[str, str], variants: Iterable[Variant], name: str) -> dict[str, str]:
    """The texts of a variant, by name, over those of its campaign."""
    return {**copy, **next((one.copy for one in variants if one.name == name), {})}
