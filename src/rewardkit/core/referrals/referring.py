"""Making referrals directly and by a sender's code, and voiding them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import attrs

from rewardkit.core.attempts.attempt import Attempt, require_uncounted
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.deciding.in_force import current
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.drafts.defining import unknown
from rewardkit.core.drafts.unknown_campaign import OF_OFFERS, other_kind
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.members import fold_members, fold_with_history
from rewardkit.core.folding.open_referral import OpenReferral
from rewardkit.core.folding.reading import HistoryNeeded
from rewardkit.core.referrals.choosing import Terms, choosing, offered, terms_in_turn
from rewardkit.core.referrals.codes import sender_of
from rewardkit.core.referrals.commands import EnterReferralCode, MakeReferral, VoidReferral
from rewardkit.core.referrals.places import give_back, take, uses_of
from rewardkit.core.referrals.queries import BudgetUse
from rewardkit.core.requests.referral_records import Referral
from rewardkit.core.settling.settle import settle
from rewardkit.core.storing.needs import Accept, Members, ask
from rewardkit.core.storing.progress import Progress
from rewardkit.core.storing.referral_needs import ReferralOf, ReferralsInto
from rewardkit.core.storing.referral_rows import ReferralRow
from rewardkit.core.storing.rows import MemberRow
from rewardkit.core.values.input import masked, show, text
from rewardkit.errors import InvariantError, Refused
from rewardkit.language.event import moment

UNIFORM: Final = Refused("referral_code_not_valid", "the referral code is not valid", {})


def make_referral(command: MakeReferral, context: Context) -> Deciding[Decision[Referral]]:
    """Refer a recipient on the terms of a campaign that the sender may offer now, or of a program."""
    sender, recipient = text(command.sender, "a sender"), text(command.recipient, "a recipient")
    name = text(command.program, "a referral program's name")
    if sender == recipient:
        return Decision(_herself(sender))
    catalogue, rows = yield from _both(sender, recipient, context)
    register = catalogue.referrals
    fold = None
    if name in register.campaigns:
        known, fold = yield from choosing(catalogue, rows[sender], context.at)
        terms = offered(register.campaigns[name], known, sender, context.at)
    elif name in register.programs:
        terms = Terms(register.programs[name], None)
    else:
        if name in catalogue.campaigns:
            raise other_kind(name, OF_OFFERS, "make its offer, with `MakeOffer`")
        raise unknown("referral_program", name, {**register.programs, **register.campaigns})
    return (yield from _refer((terms,), rows[sender], fold, rows[recipient], catalogue, context))


def enter_referral_code(command: EnterReferralCode, context: Context) -> Deciding[Decision[Referral]]:
    """Refer whoever entered a code, on the terms that its sender offers now."""
    if not command.public:
        require_uncounted(command.origin)
        return (yield from _entered(command, context))
    attempt = Attempt(context, text(command.recipient, "a recipient"), command.origin, command.limits)
    return (yield from attempt.made(_entered(command, context), uniform=UNIFORM))


def _entered(command: EnterReferralCode, context: Context) -> Deciding[Decision[Referral]]:
    recipient = text(command.recipient, "a recipient")
    sender = yield from sender_of(command.code)
    if sender is None:
        shown = masked(command.code)
        return Decision(Refused("referral_code_not_valid", f"referral code `{shown}` is not valid", {"code": shown}))
    if sender == recipient:
        return Decision(_herself(sender))
    catalogue, rows = yield from _both(sender, recipient, context)
    known, fold = yield from choosing(catalogue, rows[sender], context.at)
    terms = terms_in_turn(known, catalogue.referrals, sender, context.at)
    return (yield from _refer(terms, rows[sender], fold, rows[recipient], catalogue, context))


def _both(sender: str, recipient: str, context: Context) -> Deciding[tuple[Catalogue, dict[str, MemberRow]]]:
    """Both users' rows, held: neither is referred meanwhile, and the sender's history stands still."""
    users = tuple(sorted((sender, recipient)))
    accepted = yield from ask(Accept((), users))
    rows = yield from ask(Members(users))
    catalogue = yield from current(context, accepted, rows)
    return catalogue, {row.user: row for row in rows}


def _refer(
    turns: Sequence[Terms],
    sender: MemberRow,
    caught_up: Fold | None,
    row: MemberRow,
    catalogue: Catalogue,
    context: Context,
) -> Deciding[Decision[Referral]]:
    """Make the referral on the first terms that have a place left.

    The sender's fold is kept, where her row was brought up to date for it.
    """
    before = yield from ask(ReferralsInto(tuple(sorted((sender.user, row.user)))))
    referrals = [_referral(sender.user, row.user, one) for one in turns]
    refusals = [_refusal(one, before) for one in referrals]
    if refusals[0] is not None and all(refusals):
        return Decision(refusals[0])
    taken = yield from take(turns, catalogue, context.at)
    if taken is None:
        return Decision((yield from _full(turns[0], catalogue, context.at)))
    terms, refusal = turns[taken.number], refusals[taken.number]
    if refusal is not None:
        # What a refused attempt has taken is kept, where attempts are counted.
        yield from give_back(terms.campaign, taken)
        return Decision(refusal)
    referral = attrs.evolve(referrals[taken.number], places=taken.places)
    fold = (yield from fold_members(catalogue, (row,), {}, context.at)).folds[0]
    try:
        fold.referrals.open(referral, context.at, max(context.at, fold.position.at), terms.held_out)
    except HistoryNeeded:
        fold = yield from fold_with_history(catalogue, row, context.at)
        fold.referrals.open(referral, context.at, max(context.at, fold.position.at), terms.held_out)
    folds = (fold,) if caught_up is None else tuple(sorted((fold, caught_up), key=lambda one: one.row.user))
    settled = yield from settle(context, catalogue, folds)
    settled.members += _drawn(terms, sender, caught_up)
    made = next(one for one in settled.referral_rows if one.id == referral.id(context.tenant))
    return Decision(referral_of(made), settled.effects(folds), catalogue)


def _referral(sender: str, recipient: str, terms: Terms) -> OpenReferral:
    campaign = "" if terms.campaign is None else terms.campaign.name
    return OpenReferral(sender, recipient, terms.program, campaign, variant=terms.variant)


def _drawn(terms: Terms, sender: MemberRow, caught_up: Fold | None) -> tuple[MemberRow, ...]:
    """Keep with a sender what she refers on, so that other weights do not move her.

    Returns:
        her row, where no fold of hers is written.
    """
    campaign = terms.campaign
    if campaign is None or not terms.variant:
        return ()
    progress = Progress(sender.state) if caught_up is None else caught_up.progress
    number = campaign.numbers[terms.variant]
    if progress.sent(campaign.id) == number:
        return ()
    progress.send(campaign.id, number)
    return (sender._replace(state=progress.pack()),) if caught_up is None else ()


def _refusal(referral: OpenReferral, before: Iterable[ReferralRow]) -> Refused | None:
    """Why this cannot be made beside the referrals into which its recipient, or its sender, has entered before."""
    for row in before:
        if not (row.program == referral.program.name or (row.campaign and referral.campaign)):
            continue
        facts = {"referral": row.id, "program": row.program, "status": row.status}
        if row.recipient == referral.recipient:
            sentence = f"user `{show(row.recipient)}` has been referred before, and the first counts"
            return Refused("already_referred", sentence, facts)
        if row.sender == referral.recipient:
            sentence = f"user `{show(row.sender)}` has referred `{show(row.recipient)}`, who cannot refer her back"
            return Refused("referral_circular", sentence, facts)
    return None


def _full(terms: Terms, catalogue: Catalogue, at: int) -> Deciding[Refused]:
    """The refusal where no place is left under a campaign's limits, with the first one that is full."""
    campaign = terms.campaign
    if campaign is None:
        raise InvariantError("a referral without a campaign found no place")
    use = (yield from uses_of(((campaign, terms.program),), catalogue, at))[campaign.name]
    # Somebody may have given back what was missing a moment ago.
    full = use.full or next(iter(use.caps), use.budget)
    facts: dict[str, Any] = {"campaign": campaign.name}
    if full is None:
        raise InvariantError(f"referral campaign `{campaign.name}` has no limits and found no place")
    if isinstance(full, BudgetUse):
        sentence = f"the budget of referral campaign `{campaign.name}` does not cover another referral: {full.sentence}"
        return Refused("budget_exhausted", sentence, {"budget": str(full.budget)} | facts)
    sentence = f"referral campaign `{campaign.name}` has no place left: {full.sentence}"
    return Refused("campaign_capped", sentence, {"cap": full.cap, "taken": full.taken} | facts)


def _herself(user: str) -> Refused:
    return Refused("self_referral", f"user `{show(user)}` cannot refer herself", {})


def void_referral(command: VoidReferral, context: Context) -> Deciding[Decision[Referral]]:
    """From open to voided; what had been decided by now cannot be voided."""
    reason = text(command.reason, "a reason")
    found = yield from ask(ReferralOf(text(command.referral, "a referral's id")))
    if found is None:
        return Decision(Refused("referral_unknown", f"referral `{show(command.referral)}` does not exist", {}))
    accepted = yield from ask(Accept((), (found.recipient,)))
    rows = yield from ask(Members((found.recipient,)))
    catalogue = yield from current(context, accepted, rows)
    # Read again, now that its recipient is held.
    found = yield from ask(ReferralOf(found.id))
    if found is None:
        raise InvariantError("a referral vanished while its recipient was held")
    if found.status != "open":
        return Decision(_over(found.id, found.status))
    fold = (yield from fold_members(catalogue, rows, {}, context.at)).folds[0]
    for closing in fold.referrals.closings:
        if closing.referral.id(context.tenant) == found.id:
            return Decision(_over(found.id, "completed" if closing.outcome.status == "earned" else "expired"))
    program = catalogue.referrals.program_versions[found.program, found.program_version]
    referral = OpenReferral(found.sender, found.recipient, program, found.campaign, found.places, found.variant)
    if not fold.referrals.void(referral, context.at, reason):
        raise InvariantError(f"referral `{found.id}` is open, and its recipient's progress does not know it")
    settled = yield from settle(context, catalogue, (fold,))
    after = next(ending for ending in settled.referral_endings if ending.id == found.id)
    return Decision(referral_of(found._replace(**after._asdict())), settled.effects((fold,)), catalogue)


def _over(referral: str, status: str) -> Refused:
    return Refused("referral_over", f"referral `{referral}` is {status} already", {"status": status})


def referral_of(row: ReferralRow) -> Referral:
    """The public record of a row."""
    return Referral(
        id=row.id,
        sender=row.sender,
        recipient=row.recipient,
        program=row.program,
        program_version=row.program_version,
        campaign=row.campaign,
        status=row.status,
        made_at=moment(row.made_at),
        ends_at=None if row.ends_at is None else moment(row.ends_at),
        ended_at=None if row.ended_at is None else moment(row.ended_at),
        reason=row.reason,
        sender_reward=row.sender_reward,
        held_out=row.held_out,
        variant=row.variant,
    )
