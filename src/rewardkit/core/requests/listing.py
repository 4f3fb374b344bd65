"""Pages of lists: what callers say of them, and what they are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from rewardkit.core.requests.queries import Page
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import ValidationError


class Listable(Protocol):
    """A row that has an id."""

    @property
    def id(self) -> str:
        """Which breaks ties between instants."""
        ...


Listed = TypeVar("Listed", bound=Listable)
Shown = TypeVar("Shown")


def page_of(
    rows: Sequence[Listed], limit: int, public: Callable[[Listed], Shown], at: Callable[[Listed], int]
) -> Page[Shown]:
    """A page of these rows; where it is full, more may follow."""
    after = f"{at(rows[-1])}/{rows[-1].id}" if len(rows) == limit else None
    return Page(tuple(public(row) for row in rows), after)


def place_of(after: str | None) -> tuple[int, str] | None:
    """The place that a page's `after` stands for.

    Raises:
        ValidationError: it was not made by a page.
    """
    if after is None:
        return None
    at, slash, row_id = text(after, "after").partition("/")
    if not slash or not at.isdecimal() or len(at) > 18:
        raise ValidationError(f"`{show(after)}` is not a place in a list: pass a page's `after`")
    return int(at), row_id


def status_of(status: str | None, known: tuple[str, ...], what: str = "a status here") -> str | None:
    """A status to filter by.

    Raises:
        ValidationError: there is none of this name.
    """
    if status is not None and status not in known:
        raise ValidationError(f"{what} is one of `{'`, `'.join(known)}`, not `{show(str(status))}`")
    return status


def limit_of(limit: int) -> int:
    """How many rows at most.

    Raises:
        ValidationError: none, or more than a page holds.
    """
    return integer(limit, "limit", least=1, most=limits.PAGE_ROWS)


def optional_text(value: str | None, what: str) -> str | None:
    """A text to filter by, if there is one.

    Raises:
        ValidationError: it is no name.
    """
    return None if value is None else text(value, what)
