"""What budgets of campaigns of either kind must have taken, and what they must pay, added up from rows and commands.

Money is in ten-thousandths. One that stops its campaign has reserved what is promised; one that queues pays what is
earned, first come, first served.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from rewardkit.core.campaigns.replenishing import ReplenishBudget
from rewardkit.core.requests.answers import Defined, Replenished
from rewardkit.core.requests.commands import DefineCampaign
from rewardkit.core.storing.rows import GrantRow
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.deed import Deed
from rewardkit.testing.grant_book import GrantBook
from rewardkit.testing.offering_book import MONEY, is_offering

UNITS = 10_000
"""Of money, in one."""

_SIDES = {"offer": {"": "reward"}, "referral_program": {"sender": "sender_reward", "recipient": "recipient_reward"}}
"""What definitions call the rewards that they promise, by their kind and by the side of their grants."""

Costs: TypeAlias = Mapping[tuple[str, int], Mapping[str, int]]
"""By the name and the version of an offer or a program: what each of its rewards costs."""


class Promise(NamedTuple):
    """A reward that was earned, or can be."""

    campaign: str
    of: tuple[str, str]
    """The user offer, or the referral and the side."""
    cost: int
    earned: bool


class BudgetBook:
    """Compares the counters of budgets with rows after each step, and both with the money that there is.

    Args:
        grants: knows what rewards cost.
    """

    def __init__(self, grants: GrantBook) -> None:
        self._grants = grants
        self._terms: dict[str, DefineCampaign] = {}
        """Of campaigns with a budget: whether they have one, and of which kind, is pinned by their launch."""
        self._replenished: Counter[str] = Counter()

    def learn(self, deed: Deed) -> None:
        """Take note of budgets, and of what they were given."""
        command = deed.command
        if isinstance(command, DefineCampaign) and isinstance(deed.answer, Defined):
            self._terms.pop(command.name, None)
            if command.budget is not None:
                self._terms[command.name] = command
        elif isinstance(command, ReplenishBudget) and isinstance(deed.answer, Replenished):
            self._replenished[command.campaign] += _units(Decimal(str(command.amount)))

    def covers(self, name: str, program: str, snapshot: Snapshot) -> bool:
        """Whether there is money for both rewards of one more referral, where they have to be reserved."""
        terms = self._terms.get(name)
        if terms is None or terms.at_exhaustion == "queue":
            return True
        newest = max(
            row.version for row in snapshot.definitions if (row.kind, row.name) == ("referral_program", program)
        )
        cost = sum(self._costs(snapshot, "referral_program")[program, newest].values())
        taken = sum(counts[self._counter(name)] for counts in self._taken(snapshot))
        return cost <= self._money(name) - taken

    def violations(self, deed: Deed) -> Iterator[str]:
        """What does not add up, and what was not paid in its turn."""
        reserved, confirmed = self._taken(deed.after)
        rows = self._kept(deed.after)
        for name in sorted(reserved.keys() | confirmed.keys() | rows.keys()):
            if rows.get(name, (0, 0)) != (reserved[name], confirmed[name]):
                yield f"C7: `{name}` keeps {rows.get(name)}, the rows say {reserved[name], confirmed[name]}"
        before = self._kept(deed.before)
        for campaign in sorted(self._terms):
            name, most = self._counter(campaign), self._money(campaign)
            whole, had = sum(rows.get(name, ())), sum(before.get(name, ()))
            if whole > had and whole > most:
                yield f"C3: {whole} of {most} are taken of `{name}`, {had} were"
        yield from self._unpaid(deed, rows)
        yield from self._out_of_turn(deed, before)
        if isinstance(deed.answer, Replenished):
            money = self._money(deed.answer.campaign)
            left = max(0, money - sum(rows.get(self._counter(deed.answer.campaign), ())))
            if (_units(deed.answer.budget), _units(deed.answer.left)) != (money, left):
                yield f"C7: {money} is the budget and {left} is left, not {deed.answer}"

    def _counter(self, name: str) -> str:
        terms = self._terms[name]
        return f"{MONEY}{name}" if is_offering(terms) and terms.at_exhaustion == "stop" else f"budget/{name}"

    def _kept(self, snapshot: Snapshot) -> Mapping[str, tuple[int, int]]:
        ours = (row for row in snapshot.counters if row.name.startswith(("budget/", MONEY)))
        return {row.name: (row.reserved, row.confirmed) for row in ours}

    def _money(self, name: str) -> int:
        return _units(Decimal(str(self._terms[name].budget))) + self._replenished[name]

    def _costs(self, snapshot: Snapshot, kind: str) -> Costs:
        found = {}
        for row in snapshot.definitions:
            if row.kind == kind:
                body = json.loads(row.body)
                rewards = {side: (body[name], body[f"{name}_version"]) for side, name in _SIDES[kind].items()}
                found[row.name, row.version] = {
                    side: _units(self._grants.amount(*reward)) for side, reward in rewards.items()
                }
        return found

    def _promises(self, snapshot: Snapshot) -> Iterator[Promise]:
        """Of what ended otherwise nothing is promised, and nothing to a sender who has had all that she may have."""
        offers, programs = self._costs(snapshot, "offer"), self._costs(snapshot, "referral_program")
        for row in snapshot.user_offers:
            if row.status in ("active", "earned"):
                cost = offers[row.offer, row.offer_version][""]
                yield Promise(row.campaign, (row.id, ""), cost, row.status == "earned")
        for one in snapshot.referrals:
            if one.status not in ("open", "completed"):
                continue
            for side, cost in programs[one.program, one.program_version].items():
                if side == "recipient" or one.sender_reward != "capped":
                    yield Promise(one.campaign, (one.id, side), cost, one.status == "completed")

    def _taken(self, snapshot: Snapshot) -> tuple[Counter[str], Counter[str]]:
        """By the name of the counter: reserved for what can be earned, and confirmed by what was."""
        reserved, confirmed = Counter[str](), Counter[str]()
        paid = {_of(row) for row in snapshot.grants} - _waiting(snapshot)
        for promise in self._promises(snapshot):
            terms = self._terms.get(promise.campaign)
            if terms is not None and (terms.at_exhaustion == "stop" or promise.of in paid):
                (confirmed if promise.earned else reserved)[self._counter(promise.campaign)] += promise.cost
        return reserved, confirmed

    def _unpaid(self, deed: Deed, rows: Mapping[str, tuple[int, int]]) -> Iterator[str]:
        """What waits for money waits because there is not enough."""
        known = {row.id for row in deed.before.grants}
        new = {_of(row) for row in deed.after.grants if row.id not in known} & _waiting(deed.after)
        for promise in self._promises(deed.after):
            if promise.of in new:
                left = self._money(promise.campaign) - sum(rows.get(self._counter(promise.campaign), ()))
                if left >= promise.cost:
                    yield f"C3: {left} is left in the budget of `{promise.campaign}`, and {promise} waits"

    def _out_of_turn(self, deed: Deed, before: Mapping[str, tuple[int, int]]) -> Iterator[str]:
        """A queue pays referrals as they were completed, the recipient first, each reward for which there is enough."""
        known = {row.id for row in deed.before.grants}
        recipients = {row.id: row.recipient for row in deed.after.referrals}
        costs = {promise.of: promise.cost for promise in self._promises(deed.after)}
        waiting = _waiting(deed.after)
        left = {name: self._money(name) - sum(before.get(self._counter(name), ())) for name in self._terms}
        new = [row for row in deed.after.grants if row.id not in known and row.referral and row.campaign in left]
        for row in sorted(new, key=lambda row: (row.earned_at, recipients[row.referral], row.side)):
            if self._terms[row.campaign].at_exhaustion == "stop":
                continue
            enough = costs[_of(row)] <= left[row.campaign]
            if enough == (_of(row) in waiting):
                yield f"C3: {left[row.campaign]} is left in the budget of `{row.campaign}` for {row}"
            left[row.campaign] -= costs[_of(row)] * enough


def _of(row: GrantRow) -> tuple[str, str]:
    return row.user_offer or row.referral, row.side


def _waiting(snapshot: Snapshot) -> set[tuple[str, str]]:
    """The promises whose grants no budget has paid for."""
    held = {step.grant for step in snapshot.grant_steps if (step.move, step.held_for) == ("earn", "budget")}
    held -= {step.grant for step in snapshot.grant_steps if step.move == "fund"}
    return {_of(row) for row in snapshot.grants if row.id in held}


def _units(amount: Decimal) -> int:
    return int(amount * UNITS)
