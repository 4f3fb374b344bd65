"""Referrals of a recipient whose events came out of order: what is open is folded anew, what has ended stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rewardkit.core.definitions.replay import replay
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.open_referral import OpenReferral
from rewardkit.core.folding.refold import revisions_of
from rewardkit.core.requests.answers import Late
from rewardkit.core.storing.referral_rows import ReferralRow
from rewardkit.language.event import Event, Position


def refold_referrals(fold: Fold, late: Sequence[Event], rows: Iterable[ReferralRow]) -> list[Late]:
    """Put events in their place among those that were read before.

    Args:
        fold: its history includes the events.
        late: events that sort before the fold's position.
        rows: all referrals whose recipient the user is.
    """
    names = {event.name for event in late}
    revisions: list[Late] = []
    for row in rows:
        program = fold.catalogue.referrals.program_versions[row.program, row.program_version]
        start = Position(row.made_at)
        if not program.folding.names & names:
            continue
        if row.status == "open":
            state, event_id = replay(program.folding, start, row.ends_at, fold.history or (), fold.position.at)
            referral = OpenReferral(row.sender, row.recipient, program, row.campaign, row.places, row.variant)
            fold.referrals.replace(referral, state, event_id)
        elif row.status != "voided":
            told = row.campaign or row.program
            revisions += revisions_of(fold, told, program.folding, start, row.ends_at, late)
    return revisions
