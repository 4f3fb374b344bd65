"""What a definition says of the grants that are earned under it."""

from __future__ import annotations

from typing import Final

import attrs

from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError

CHECK: Final = "check"
ALWAYS: Final = "always"
REVIEWS: Final = ("", CHECK, ALWAYS)
"""Who has to agree: nobody; nobody, unless the kit's check flags it; somebody, always."""

PARTS: Final = "parts"
WHOLE: Final = "whole"
REVERSALS: Final = (PARTS, WHOLE)
"""How much can be taken back: any part of the amount, or nothing but all of it."""


@attrs.frozen
class Terms:
    """Of a version of a definition; what was earned under it keeps them."""

    hold: int | None = None
    """Microseconds from the earning, before which nothing is given."""
    review: str = ""
    reversal: str = PARTS
    reversal_frees: bool = False
    """Whether what is denied or reversed as a whole gives its places under the caps back."""


def one_of(value: object, what: str, known: tuple[str, ...]) -> str:
    """A word that is one of a few.

    Raises:
        ValidationError: it is not.
    """
    if isinstance(value, str) and value in known:
        return value
    words = "`, `".join(word for word in known if word)
    raise ValidationError(f"{what} is one of `{words}`, not `{show(str(value))}`")
