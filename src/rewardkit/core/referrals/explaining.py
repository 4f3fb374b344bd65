"""Why one side of a referral was earned: by what its recipient did."""

from __future__ import annotations

from rewardkit.core.context import Context, Deciding, Decision
from rewardkit.core.folding import known_events
from rewardkit.core.grants.granting import covering, grant_of
from rewardkit.core.needs import ask
from rewardkit.core.queries import Explained
from rewardkit.core.referrals.needs import ReferralOf
from rewardkit.core.rows import GrantRow
from rewardkit.errors import InvariantError
from rewardkit.language.condition import Condition
from rewardkit.language.event import Position


def explain_side(row: GrantRow, context: Context) -> Deciding[Decision[Explained]]:
    """Judge the recipient's stored events anew, under the terms that she entered under."""
    made = yield from ask(ReferralOf(row.referral))
    if made is None:
        raise InvariantError(f"grant `{row.id}` names referral `{row.referral}`, which is not there")
    events = yield from known_events(made.recipient)
    catalogue = yield from covering(context, (row,))
    program = catalogue.referrals.program_versions[made.program, made.program_version]
    proof = Condition.parse(program.condition).explain(
        events, start=Position(made.made_at), now=row.earned_at, end=made.ends_at, zone=program.zone
    )
    return Decision(
        Explained(grant_of(row, catalogue), program.condition, tuple(proof.event_ids), tuple(proof.sentences)),
        (),
        catalogue,
    )
