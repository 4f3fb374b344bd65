"""Answering queries about referrals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import newest
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.core.folding.open_referral import unpack
from rewardkit.core.referrals.choosing import Choosing, Terms, choosing, terms_of
from rewardkit.core.referrals.places import full_until, uses_of
from rewardkit.core.referrals.queries import LimitsUse, Referrals, SenderTerms, TermsOffered, TermsPassedOver
from rewardkit.core.referrals.referring import referral_of
from rewardkit.core.requests.listing import limit_of, optional_text, place_of, status_of
from rewardkit.core.requests.queries import Page
from rewardkit.core.requests.referral_records import Referral
from rewardkit.core.storing.needs import Counters, ask
from rewardkit.core.storing.progress import Progress
from rewardkit.core.storing.referral_needs import ListReferrals, ReferralCodeOf
from rewardkit.core.storing.referral_rows import ReferralRow
from rewardkit.core.storing.rows import unheard
from rewardkit.core.storing.seen_needs import MembersSeen
from rewardkit.core.values.input import text
from rewardkit.language.event import moment, rfc3339
from rewardkit.language.folding.program import IMPOSSIBLE

REFERRAL_STATUSES: Final = ("open", "completed", "expired", "voided")


def referrals(query: Referrals, context: Context) -> Deciding[Decision[Page[Referral]]]:
    """A page of referrals, read by the clock: an open one whose end has come counts as expired."""
    sender, recipient = optional_text(query.sender, "a sender"), optional_text(query.recipient, "a recipient")
    program = optional_text(query.program, "a referral program's name")
    status, limit = status_of(query.status, REFERRAL_STATUSES), limit_of(query.limit)
    # An expired one may be kept as open until somebody notices.
    kept_as = None if status == "expired" else status
    after = place_of(query.after)
    found: list[Referral] = []
    while True:
        rows = yield from ask(ListReferrals(sender, recipient, program, kept_as, after, limit))
        for row in (yield from _by_the_clock(rows, context)):
            after = row.made_at, row.id
            if status in (None, row.status):
                found.append(referral_of(row))
            if len(found) == limit:
                return Decision(Page(tuple(found), f"{row.made_at}/{row.id}"))
        if len(rows) < limit:
            return Decision(Page(tuple(found), None))


def _by_the_clock(rows: Sequence[ReferralRow], context: Context) -> Deciding[tuple[ReferralRow, ...]]:
    """Rows with what is over by now as expired, unless it was completed in time and nobody has noticed yet."""
    over = {row.id for row in rows if row.status == "open" and row.ends_at is not None and row.ends_at <= context.at}
    if not over:
        return tuple(rows)
    catalogue = yield from newest(context)
    members = yield from ask(MembersSeen(tuple(sorted({row.recipient for row in rows if row.id in over}))))
    progress = {member.user: Progress(member.state) for member in members}

    def judged(row: ReferralRow) -> ReferralRow:
        register = catalogue.referrals
        payload = progress[row.recipient].get(register.programs[row.program].slot) if row.id in over else None
        if payload is None:
            return row
        referral, packed = unpack(payload, row.recipient, register.programs_by_number)
        program = referral.program.folding
        state = program.advance(program.unpack(packed), context.at)
        if state.status != IMPOSSIBLE:
            return row
        return row._replace(status="expired", ended_at=state.decided_at, reason=program.verdict(state).reason)

    return tuple(map(judged, rows))


def sender_terms(query: SenderTerms, context: Context) -> Deciding[Decision[TermsOffered]]:
    """What a sender offers now; refused where she offers nothing."""
    sender = text(query.sender, "a sender")
    catalogue = yield from newest(context)
    rows = yield from ask(MembersSeen((sender,)))
    row = rows[0] if rows else unheard(sender, catalogue.epoch)
    known, _ = yield from choosing(catalogue, row, context.at)
    launched = catalogue.referrals.launched
    uses = yield from uses_of(known.offers, catalogue, context.at)
    known = known.among(full_until(launched, uses, context.at))
    terms = terms_of(known, catalogue.referrals, sender, context.at)
    code = yield from ask(ReferralCodeOf(sender))
    left = yield from _left(terms.program, sender, context.at)
    until = None if terms.campaign is None else known.until()
    rewards = catalogue.reward_versions
    return Decision(
        TermsOffered(
            sender=sender,
            campaign="" if terms.campaign is None else terms.campaign.name,
            program=terms.program.name,
            program_version=terms.program.version,
            sender_reward=rewards[terms.program.sender_reward, terms.program.sender_reward_version],
            recipient_reward=rewards[terms.program.recipient_reward, terms.program.recipient_reward_version],
            condition=terms.program.source,
            copy={} if terms.campaign is None else terms.campaign.copy_for(terms.variant),
            reason=_why(terms, known, context.at),
            until=None if until is None else moment(until),
            left=left,
            code="" if code is None else code.code,
            passed_over=tuple(
                TermsPassedOver(campaign.name, _why_not(campaign, known, uses[campaign.name], context.at))
                for campaign in launched
                if campaign is not terms.campaign
            ),
            variant=terms.variant,
        ),
        (),
        catalogue,
    )


def _left(program: ReferralProgram, sender: str, at: int) -> Deciding[int | None]:
    """Rewards that a sender can still earn, all time's and the period's caps together."""
    period = program.period_of(at)
    caps = {program.counter(sender): program.sender_cap, program.counter(sender, period): program.period_cap}
    if not period:
        caps = {program.counter(sender): program.sender_cap}
    rows = yield from ask(Counters(tuple(sorted(caps))))
    taken = {row.name: row.reserved for row in rows}
    return min((max(0, cap - taken.get(name, 0)) for name, cap in caps.items() if cap is not None), default=None)


def _why(terms: Terms, known: Choosing, at: int) -> str:
    if terms.campaign is None:
        return "the only referral program, and there is no referral campaign"
    verdict = known.verdict(terms.campaign, at)
    if verdict is not None:
        return verdict.reason
    return (
        "the fallback: everybody offers it" if terms.campaign.is_evergreen else "everybody offers it while it is open"
    )


def _why_not(campaign: ReferralCampaign, known: Choosing, use: LimitsUse, at: int) -> str:
    if at < campaign.opens_at:
        return f"it starts at {rfc3339(campaign.opens_at)}"
    if campaign.end is not None and campaign.end <= at:
        return f"it ended at {rfc3339(campaign.end)}"
    if not campaign.is_open_at(at):
        return "it is paused"
    verdict = known.verdict(campaign, at)
    if known.admits(campaign, at) and not known.holds(campaign, at):
        return (
            "she is held out of it, to compare with" if use.full is None else f"no place is left: {use.full.sentence}"
        )
    if verdict is None or verdict.status == "satisfied":
        return "another one comes before it"
    return f"its condition on the sender does not hold: {verdict.reason}"
