"""One of the offers that a campaign gives, as it is asked for, and as it is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from rewardkit.core.values import limits, payload
from rewardkit.core.values.input import integer, mapping, show, text
from rewardkit.errors import ValidationError


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


def variant_body(variant: Variant) -> dict[str, Any]:
    """What a row's body says of a variant."""
    return {"name": variant.name, "offer": variant.offer, "weight": variant.weight, "copy": dict(variant.copy)}
