"""What referrals must have come to, row by row: who refers on which terms, what was decided when, and who was paid.

Conditions are judged over all stored events by the language's specification; nothing is folded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rewardkit.core.referrals.commands import DefineReferralProgram, EnterReferralCode, MakeReferral, VoidReferral
from rewardkit.core.requests.answers import Defined, Recorded
from rewardkit.core.requests.referral_records import Referral
from rewardkit.core.requests.variant import Variant
from rewardkit.core.storing.referral_rows import ReferralRow
from rewardkit.language.event import Event, Instant, Position
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.audit_catalogue import event_at
from rewardkit.testing.budget_book import BudgetBook
from rewardkit.testing.decision import Decided, decided
from rewardkit.testing.deed import Deed
from rewardkit.testing.offering_book import OfferingBook
from rewardkit.testing.referral_model import DAY

_STATUS = {"satisfied": "completed", "impossible": "expired"}


class ReferralStory:
    """Compares referrals after each step with what was asked and with what conditions mean.

    Of what no row says it remembers the commands that defined things, and the terms of each referral.

    Args:
        budgets: know whether there is money for another referral.
    """

    def __init__(self, budgets: BudgetBook) -> None:
        self._budgets = budgets
        self._programs: dict[str, DefineReferralProgram] = {}
        self._offerings = OfferingBook()
        self._terms: dict[str, DefineReferralProgram] = {}
        self._events: dict[str, list[Event]] = {}

    def learn(self, deed: Deed) -> None:
        """Take note of what was defined, launched and ended."""
        command = deed.command
        if isinstance(command, DefineReferralProgram) and isinstance(deed.answer, Defined):
            self._programs[command.name] = command
        self._offerings.learn(deed)

    def offered(self, sender: str, snapshot: Snapshot, now: Instant) -> tuple[str, str, str]:
        """The campaign that a sender offers, its variant that she was drawn for, and the program; or nothing."""
        self._know(snapshot)
        turns = self._offerings.turns(sender, self._events.get(sender, ()), now)
        for name, _ in turns:
            variant = self._offerings.variant(name, sender)
            if not self._full(name, variant.program, snapshot, now):
                return name, variant.name, variant.program
        return "", "", ""

    def violations(self, deed: Deed, read: Mapping[str, Instant]) -> Iterator[str]:
        """What does not follow; `read` says up to when everything must have been decided about whom."""
        self._know(deed.before)
        if isinstance(deed.command, MakeReferral | EnterReferralCode):
            yield from self._referred(deed, deed.command)
        self._know(deed.after)
        old = {row.id: row for row in deed.before.referrals}
        for row in deed.after.referrals:
            known = old.get(row.id)
            if known is None and not (isinstance(deed.answer, Referral) and deed.answer.id == row.id):
                yield f"R1: nobody has made {row}"
            if known is None:
                self._offerings.enter(row)
                yield from self._made(row, deed.at)
            if known is None or known.status == "open":
                yield from self._decided(row, deed, read.get(row.recipient))
        yield from self._offerings.violations(deed.before, deed.after)
        yield from self._paid(deed, old)
        yield from self._late(deed)

    def _know(self, snapshot: Snapshot) -> None:
        self._events = {}
        for stored in snapshot.events:
            self._events.setdefault(stored.user, []).append(event_at(stored))

    def _full(self, name: str, program: str, snapshot: Snapshot, now: Instant) -> str:
        """Why a campaign has no place left for another referral by a program, or nothing."""
        if not self._offerings.has_room(name, snapshot.referrals, now):
            return "campaign_capped"
        return "" if self._budgets.covers(name, program, snapshot) else "budget_exhausted"

    # --- who refers on which terms -----------------------------------------------------------------

    def _referred(self, deed: Deed, command: MakeReferral | EnterReferralCode) -> Iterator[str]:
        refusal, sender, turns = self._asked(deed, command)
        before = deed.before.referrals
        directly = Variant("", program=getattr(command, "program", ""))
        drawn = [self._offerings.variant(name, sender) if name else directly for name, _ in turns]
        known = [
            _known(before, variant.program, name, sender, command.recipient)
            for variant, (name, _) in zip(drawn, turns, strict=True)
        ]
        full = [
            name and self._full(name, variant.program, deed.before, deed.at)
            for variant, (name, _) in zip(drawn, turns, strict=True)
        ]
        number = next((number for number, reason in enumerate(full) if not reason), None)
        if not refusal and all(known):
            # Whichever has a place left: the best that she offers tells why.
            refusal = known[0]
        elif not refusal:
            refusal = full[0] if number is None else known[number]
        if deed.refusal != refusal:
            yield f"R1: `{refusal}` was expected of {command}, not {deed.answer}"
        elif not refusal and number is not None:
            made, variant, (campaign, withheld) = deed.answer, drawn[number], turns[number]
            terms = sender, command.recipient, variant.program, campaign, variant.name, withheld
            if (made.sender, made.recipient, made.program, made.campaign, made.variant, made.held_out) != terms:
                yield f"R1: {terms} was expected, not {made}"

    def _asked(self, deed: Deed, command: MakeReferral | EnterReferralCode) -> tuple[str, str, list[tuple[str, str]]]:
        """Why nothing is offered, or nothing; the sender, and what she offers in its turn."""
        if isinstance(command, MakeReferral):
            sender, campaign = command.sender, command.program if command.program in self._offerings else ""
        else:
            sender, campaign = {row.code: row.user for row in deed.before.referral_codes}.get(command.code, ""), ""
        history = self._events.get(sender, ())
        if not sender:
            return "referral_code_not_valid", sender, []
        if sender == command.recipient:
            return "self_referral", sender, []
        if isinstance(command, EnterReferralCode):
            turns = self._offerings.turns(sender, history, deed.at)
            return "" if turns else "nothing_offered", sender, turns
        reason = self._offerings.unavailable(campaign, sender, history, deed.at) if campaign else ""
        return reason, sender, [(campaign, "")]

    def _made(self, row: ReferralRow, now: Instant) -> Iterator[str]:
        terms = self._terms[row.id] = self._programs[row.program]
        lasts = None if terms.expires_after is None else int(terms.expires_after[:-1]) * 1_000_000
        if (row.made_at, row.ends_at) != (now, None if lasts is None else now + lasts):
            yield f"O2: a referral that is made at {now} has another beginning or end: {row}"

    # --- what was decided when, and who was paid ---------------------------------------------------

    def _outcome(self, row: ReferralRow, now: Instant, events: Sequence[Event] | None = None) -> Decided | None:
        known = self._events.get(row.recipient, []) if events is None else events
        terms = self._terms[row.id]
        return decided(terms.condition, known, Position(row.made_at), max(now, row.made_at), row.ends_at, terms.zone)

    def _horizon(self, user: str, now: Instant) -> Instant:
        return max(now, *(event.at for event in self._events.get(user, ())), 0)

    def _decided(self, row: ReferralRow, deed: Deed, until: Instant | None) -> Iterator[str]:
        if row.status == "voided":
            if not isinstance(deed.command, VoidReferral) or deed.command.referral != row.id or row.ended_at != deed.at:
                yield f"O2: nobody has voided {row}"
        elif row.status == "open":
            if until is not None and (outcome := self._outcome(row, until)):
                yield f"O2: {outcome} is not noticed at {until}: {row}"
        else:
            outcome = self._outcome(row, self._horizon(row.recipient, deed.at))
            if outcome is None or (_STATUS[outcome.status], outcome.at) != (row.status, row.ended_at):
                yield f"O2: {outcome} is recorded otherwise: {row}"

    def _paid(self, deed: Deed, old: Mapping[str, ReferralRow]) -> Iterator[str]:
        """R2, R3: of those who completed, senders are paid while there is room, whoever completed first."""
        freed = {row.referral for row in deed.before.grants if row.side == "sender" and row.freed}
        taken: Counter[tuple[str, ...]] = Counter()
        for row in old.values():
            if row.sender_reward == "granted" and row.id not in freed:
                taken.update(_places(row, counted=bool(row.period)))
        order = list(self._programs)
        new = [row for row in deed.after.referrals if row.status == "completed" and row.id not in _completed(old)]
        for row in sorted(new, key=lambda row: (row.ended_at or 0, row.recipient, order.index(row.program))):
            terms = self._programs[row.program]
            ever, day = (row.program, row.sender), (row.program, row.sender, str((row.ended_at or 0) // DAY))
            full = terms.sender_cap is not None and taken[ever] >= terms.sender_cap
            full |= terms.period_cap is not None and taken[day] >= terms.period_cap
            if row.sender_reward != ("capped" if full else "granted"):
                yield f"R3: {taken[ever]} and {taken[day]} were paid before, and now {row}"
            if row.sender_reward == "granted":
                taken.update(_places(row, counted=terms.period_cap is not None))

    def _late(self, deed: Deed) -> Iterator[str]:
        """A decision that an event would have changed stands, and the answer says so."""
        if not isinstance(deed.answer, Recorded):
            return
        told = {(one.user, one.campaign) for one in deed.answer.late}
        stored = {(event.user, event.id) for event in deed.before.events}
        fresh = {event.user for event in deed.after.events if (event.user, event.id) not in stored}
        for row in deed.before.referrals:
            if row.recipient not in fresh or row.status not in ("completed", "expired") or row.ended_at is None:
                continue
            timely = [event for event in self._events[row.recipient] if (event.user, event.id) in stored]
            then = self._outcome(row, row.ended_at, timely)
            if then is None or _STATUS[then.status] != row.status:
                continue
            nows = row.ended_at, self._horizon(row.recipient, deed.at)
            corrected = [found and _STATUS[found.status] for found in (self._outcome(row, now) for now in nows)]
            if row.status not in corrected and (row.recipient, row.campaign or row.program) not in told:
                yield f"O4: an event changes {row} and was not reported as late"


def _known(rows: Sequence[ReferralRow], program: str, campaign: str, sender: str, recipient: str) -> str:
    """Why two users cannot refer each other beside what was made before; those of whoever comes first by name count."""
    for one in sorted(rows, key=lambda one: (one.recipient, one.made_at, one.id)):
        if one.program != program and not (one.campaign and campaign):
            continue
        if one.recipient == recipient:
            return "already_referred"
        if (one.sender, one.recipient) == (recipient, sender):
            return "referral_circular"
    return ""


def _completed(rows: Mapping[str, ReferralRow]) -> set[str]:
    return {row.id for row in rows.values() if row.status == "completed"}


def _places(row: ReferralRow, *, counted: bool) -> list[tuple[str, ...]]:
    """What a reward takes: a place of all, and one of its day where days were counted."""
    found: list[tuple[str, ...]] = [(row.program, row.sender)]
    return [*found, (row.program, row.sender, str((row.ended_at or 0) // DAY))] if counted else found
