"""The definitions in force, for queries."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.settling.emit import current
from rewardkit.core.storing.needs import Accepted, ask
from rewardkit.core.storing.seen_needs import InForce


def newest(context: Context) -> Deciding[Catalogue]:
    """The catalogue as it is now: the cached one, or read anew where it is stale."""
    epoch, fingerprint = yield from ask(InForce())
    return (yield from current(context, Accepted(epoch, fingerprint, frozenset()), ()))
