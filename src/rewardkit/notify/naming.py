"""What a notifier of ours is called, and what it wants to be told."""

from __future__ import annotations

from collections.abc import Iterable

from rewardkit.core.notices.notice import kind_of_notices
from rewardkit.core.values.identity import derive
from rewardkit.core.values.input import text
from rewardkit.errors import ValidationError

_SHOWN_CHARACTERS = 128


def endpoint_name(given: str | None, kind: str, shown: str, *whole: str) -> str:
    """The given name, or one that is the same in every process: what may be shown, and a digest of what may not."""
    if given is not None:
        return text(given, "an endpoint")
    return f"{kind} {shown[:_SHOWN_CHARACTERS]} {derive('ep', *whole)[-8:]}"


def kinds_of(given: Iterable[str] | None) -> frozenset[str] | None:
    """Of notices that are wanted; None is all.

    Raises:
        ValidationError: they are no list, or one is no kind of notices.
    """
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ValidationError(f'kinds come as a list, such as `["grant.ready"]`, not as `{type(given).__name__}`')
    return frozenset(map(kind_of_notices, given))
