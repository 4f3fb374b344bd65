"""The definitions in force, for queries."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.settling.emit import current
from rewardkit.core.storing.needs import Accept, ask


def newest(context: Context) -> Deciding[Catalogue]:
    """The catalogue as it is now: the cached one, or read anew where it is stale."""
    return (yield from current(context, (yield from ask(Accept((), ()))), ()))
