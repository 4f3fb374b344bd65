"""Why a grant was earned: its evidence, rebuilt from the events that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.definitions.campaign import Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.folding.members import known_events
from rewardkit.core.grants.granting import covering, grant_of, step_of
from rewardkit.core.grants.life import missing
from rewardkit.core.requests.queries import Evidence, Explain, Explained, GrantHistory
from rewardkit.core.requests.records import GrantStep
from rewardkit.core.storing.needs import GrantSeen, StepsOf, UserOfferOf, ask
from rewardkit.core.storing.referral_needs import ReferralOf
from rewardkit.core.storing.rows import GrantRow, UserOfferRow
from rewardkit.core.values.input import text
from rewardkit.errors import InvariantError
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, Position, moment


def history(query: GrantHistory, context: Context) -> Deciding[Decision[tuple[GrantStep, ...]]]:
    """The steps of a grant."""
    row = yield from ask(GrantSeen(text(query.grant, "a grant's id")))
    if row is None:
        return Decision(missing(query.grant))
    return Decision((yield from _steps(row)))


def explain(query: Explain, context: Context) -> Deciding[Decision[Explained]]:
    """Judge the stored events anew, as of the instant of earning, under the versions that it was earned under."""
    row = yield from ask(GrantSeen(text(query.grant, "a grant's id")))
    if row is None:
        return Decision(missing(query.grant))
    catalogue = yield from covering(context, (row,))
    if row.referral:
        return Decision((yield from _of_a_referral(row, catalogue)), (), catalogue)
    return Decision((yield from _of_an_offer(row, catalogue)), (), catalogue)


def _of_an_offer(row: GrantRow, catalogue: Catalogue) -> Deciding[Explained]:
    made = yield from ask(UserOfferOf(row.user_offer))
    if made is None:
        raise InvariantError(f"grant `{row.id}` names user offer `{row.user_offer}`, which is not there")
    events = yield from known_events(row.user)
    campaign = catalogue.campaign_versions[made.campaign, made.campaign_version]
    offer = catalogue.offer_versions[row.offer, row.offer_version]
    start = Position(made.made_at, made.start_order, made.start_id)
    earned = _evidence(offer.condition, events, start, row.earned_at, made.ends_at, campaign.zone)
    return Explained(
        grant_of(row, catalogue),
        offer.condition,
        tuple(event.id for event in earned.events),
        earned.sentences,
        earned=earned,
        deciding_event=row.event_id,
        made_at=moment(made.made_at),
        campaign_version=made.campaign_version,
        variant=made.variant,
        entered=_entered(campaign, events, made),
        steps=(yield from _steps(row)),
    )


def _of_a_referral(row: GrantRow, catalogue: Catalogue) -> Deciding[Explained]:
    """One side of a referral was earned by what its recipient did."""
    made = yield from ask(ReferralOf(row.referral))
    if made is None:
        raise InvariantError(f"grant `{row.id}` names referral `{row.referral}`, which is not there")
    events = yield from known_events(made.recipient)
    program = catalogue.referrals.program_versions[made.program, made.program_version]
    start = Position(made.made_at)
    earned = _evidence(program.condition, events, start, row.earned_at, made.ends_at, program.zone)
    return Explained(
        grant_of(row, catalogue),
        program.condition,
        tuple(event.id for event in earned.events),
        earned.sentences,
        earned=earned,
        deciding_event=row.event_id,
        made_at=moment(made.made_at),
        variant=made.variant,
        steps=(yield from _steps(row)),
    )


def _steps(row: GrantRow) -> Deciding[tuple[GrantStep, ...]]:
    return tuple(map(step_of, (yield from ask(StepsOf(row.id)))))


def _entered(campaign: Campaign, events: Sequence[Event], made: UserOfferRow) -> Evidence | None:
    """Why the offer was made, where its campaign's entry condition held by then."""
    if campaign.entry is None:
        return None
    found = _evidence(campaign.entry, events, None, made.made_at, None, campaign.zone)
    return found if found.upheld else None


def _evidence(
    condition: str, events: Iterable[Event], start: Position | None, now: int, end: int | None, zone: str
) -> Evidence:
    known = tuple(events)
    proof = Condition.parse(condition).explain(known, start=start, now=now, end=end, zone=zone)
    proving = set(proof.event_ids)
    return Evidence(
        condition,
        proof.status == "satisfied",
        None if proof.decided_at is None else moment(proof.decided_at),
        tuple(event for event in known if event.id in proving),
        tuple(proof.sentences),
    )
