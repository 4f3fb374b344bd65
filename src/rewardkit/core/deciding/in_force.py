"""The definitions in force, as a decision finds them."""

from __future__ import annotations

from collections.abc import Iterable

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.storing.needs import Accepted, Definitions, ask
from rewardkit.core.storing.rows import MemberRow
from rewardkit.core.storing.seen_needs import InForce


def current(context: Context, accepted: Accepted, members: Iterable[MemberRow]) -> Deciding[Catalogue]:
    """The catalogue to fold these rows under: the cached one, or read anew where it, or a row, shows it to be stale."""
    catalogue = context.catalogue
    newest = max((row.epoch for row in members), default=0)
    if (
        catalogue.fingerprint == accepted.fingerprint
        and catalogue.epoch == accepted.epoch
        and newest <= catalogue.epoch
    ):
        return catalogue
    return Catalogue.of((yield from ask(Definitions())))


def newest(context: Context) -> Deciding[Catalogue]:
    """The catalogue as it is now: the cached one, or read anew where it is stale."""
    epoch, fingerprint = yield from ask(InForce())
    return (yield from current(context, Accepted(epoch, fingerprint, frozenset()), ()))
