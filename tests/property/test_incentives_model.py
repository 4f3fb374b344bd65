"""R1–R4, O1–O4 and E1–E3 after every step of random histories of offers, referrals and campaigns, on every store.

One machine does everything that can be asked of them; after each step `IncentiveModel` says what does not follow.
The same history is played beside it in another order of events, and by three workers in turn.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

import rewardkit as rk
from rewardkit.core.requests.commands import Command
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing import incentive_draws as draws
from rewardkit.testing.incentive_draws import CAMPAIGNS, CHOICES, NAMES, OFFERINGS, PROGRAMS, USERS, Flavour
from rewardkit.testing.incentive_kits import IncentiveKits
from rewardkit.testing.incentive_model import PROMISES
from rewardkit.testing.random_commands import LAUNCHES, SECOND

SCALE = float(os.environ.get("REWARDKIT_SCALE", "0.02"))
SEED = int(os.environ.get("REWARDKIT_SEED", "0"))
STEPS = 50
HISTORIES = {"memory": 2_000, "sqlite": 500, "postgresql": 150}
"""With `REWARDKIT_SCALE=1`."""

users = st.sampled_from(USERS)
campaigns = st.sampled_from(CAMPAIGNS)
lags = st.sampled_from((0, 0, 0, 0, 0, -1, -3, -8, 2))
"""Seconds by which an event is late, or ahead."""
drawn_events = st.tuples(st.sampled_from(NAMES), users, lags, st.sampled_from((0, 0, 1, -1)), st.integers(0, 2))
LEASES = st.sampled_from((None, None, 0, 1, 1, 2, 3))


class Incentives(RuleBasedStateMachine):
    """Everything that is asked of offers, referrals, campaigns and grants."""

    store: ClassVar[Store | None] = None
    done: ClassVar[Counter[str]] = Counter()
    """What was asked and what came of it, over all histories."""
    facts: ClassVar[Counter[str]] = Counter()
    tenants = itertools.count()

    @initialize(data=st.data(), flavours=st.tuples(*(draws.flavours for _ in CAMPAIGNS)))
    def begin(self, data: st.DataObject, flavours: tuple[Flavour, ...]) -> None:
        store = MemoryStore() if self.store is None else self.store
        self.kits = IncentiveKits(store, f"company {next(self.tenants)}")
        self.flavours = dict(zip(CAMPAIGNS, flavours, strict=True))
        self.events: list[rk.Event] = []
        self.fault_at = self.keys = 0
        self.codes: dict[str, str] = {}
        self.kits.open(rk.DefineReward("cash", {"amount": 3}))
        self.kits.open(rk.DefineReward("thanks", {"amount": "2.50"}))
        for name in CAMPAIGNS[:2]:
            self.kits.open(data.draw(draws.offers(name)))
            self.kits.open(data.draw(draws.campaigns(name, self.flavours[name], self.now)))
            self.kits.open(rk.LaunchCampaign(name, acknowledge=LAUNCHES))
        for name in PROGRAMS:
            self.kits.open(data.draw(draws.programs.map(lambda terms, name=name: _named(terms, name))))
        self.kits.open(rk.DefineCampaign(OFFERINGS[0], program=PROGRAMS[0]))
        self.kits.open(rk.LaunchCampaign(OFFERINGS[0]))
        self.kits.begin()
        self.give_code(USERS[0])

    @property
    def now(self) -> int:
        return self.kits.clock()

    @property
    def grants(self) -> list[str]:
        return [row.id for row in self.kits.snapshot.grants]

    def do(self, command: Command[Any], *, key: str | None = None) -> Any:
        """Ask, look at everything, and count what came of it."""
        fault_at, self.fault_at = self.fault_at, 0
        if fault_at:
            self.keys += 1
            key = f"key {self.keys}"
        deed, found = self.kits.do(command, key=key, fault_at=fault_at)
        came_to = deed.refusal or (type(deed.answer).__name__ if deed.failed else "done")
        self.done[f"{type(command).__name__}: {came_to}"] += 1
        self.facts.update(self.kits.facts)
        self.kits.facts.clear()
        assert found == [], f"{command} -> {deed.answer}\n" + "\n".join(found)
        if key is not None and not deed.failed:
            assert self.kits.kit.run(command, key=key) == deed.answer
            self.done["the same key again"] += 1
        return deed.answer

    # --- events ------------------------------------------------------------------------------------

    def event(self, drawn: tuple[str, str, int, int, int]) -> rk.Event:
        name, user, lag, order, size = drawn
        event_id = f"e{len(self.events):03}"
        event = rk.Event(name, self.now + lag * SECOND, event_id, user, order, {"p": size} if size else {})
        self.events.append(event)
        return event

    @rule(drawn=drawn_events, passed=st.sampled_from((0, 1, SECOND)))
    def emit(self, drawn: tuple[str, str, int, int, int], passed: int) -> None:
        self.pass_time(passed)
        self.do(rk.Emit((self.event(drawn),)))

    @rule(drawn=st.lists(drawn_events, min_size=2, max_size=6))
    def emit_many(self, drawn: list[tuple[str, str, int, int, int]]) -> None:
        self.do(rk.Emit(tuple(map(self.event, drawn))))

    @rule(drawn=st.lists(drawn_events, min_size=2, max_size=4), passed=st.integers(1, 3))
    def emit_later(self, drawn: list[tuple[str, str, int, int, int]], passed: int) -> None:
        self.pass_time(passed * SECOND)
        self.do(rk.Emit(tuple(map(self.event, drawn))))

    @precondition(lambda self: self.events)
    @rule(data=st.data(), same=st.booleans(), drawn=st.none() | drawn_events)
    def emit_again(self, data: st.DataObject, drawn: tuple[str, str, int, int, int] | None, *, same: bool) -> None:
        known = data.draw(st.sampled_from(self.events))
        again = known if same else rk.Event("A", known.at, known.id, known.user, known.order, {"p": 99})
        self.do(rk.Emit((again,) if drawn is None else (again, self.event(drawn))))

    # --- time and machines -------------------------------------------------------------------------

    def pass_time(self, passed: int) -> None:
        self.kits.clock.set(self.now + passed)

    @rule(passed=st.sampled_from((1, SECOND, 2 * SECOND, 5 * SECOND - 1, 86_400 * SECOND)))
    def wait(self, passed: int) -> None:
        self.pass_time(passed)
        self.do(rk.RunDue(100))

    @rule(limit=st.sampled_from((1, 2, 100)), silent=st.booleans())
    def catch_up(self, limit: int, *, silent: bool) -> None:
        if silent:
            tried = self.do(rk.Backfill())
            done = self.do(rk.Backfill(dry_run=False))
            assert (tried.users, tried.entered, tried.earned) == (done.users, done.entered, done.earned)
        else:
            self.do(rk.RunDue(limit))

    @rule(fault_at=st.integers(0, 12))
    def break_down(self, fault_at: int) -> None:
        """A restart; and the next thing that is asked fails at a step, and is asked again."""
        self.kits.restart()
        self.fault_at = fault_at

    # --- offers ------------------------------------------------------------------------------------

    @rule(campaign=campaigns, user=users, by_code=st.booleans())
    def offer(self, campaign: str, user: str, *, by_code: bool) -> None:
        self.do(rk.EnterOfferCode(f"code-{campaign}", user) if by_code else rk.MakeOffer(campaign, user))

    @precondition(lambda self: self.kits.snapshot.user_offers)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        open_first = sorted(self.kits.snapshot.user_offers, key=lambda row: (row.status != "active", row.id))
        self.do(rk.CancelUserOffer(data.draw(st.sampled_from([row.id for row in open_first]))))

    # --- referrals ---------------------------------------------------------------------------------

    def give_code(self, user: str) -> None:
        answer = self.do(rk.GiveReferralCode(user))
        assert self.codes.setdefault(user, answer.code) == answer.code

    @rule(sender=users, recipient=users, way=st.sampled_from((*PROGRAMS, *OFFERINGS, "code", "code", "code")))
    def refer(self, sender: str, recipient: str, way: str) -> None:
        known = {row.name for row in self.kits.snapshot.definitions}
        if way == "code":
            self.give_code(sender)
            self.do(rk.EnterReferralCode(self.codes[sender], recipient))
        else:
            self.do(rk.MakeReferral(way if way in known else PROGRAMS[0], sender, recipient))

    @precondition(lambda self: self.kits.snapshot.referrals)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        found = [row.id for row in self.kits.snapshot.referrals]
        self.do(rk.VoidReferral(data.draw(st.sampled_from(found))))

    @rule(sender=users)
    def terms(self, sender: str) -> None:
        """What she offers is what the model says, up to the instant at which she offers something else."""
        story, now = self.kits.model.referrals, self.now
        answer = self.kits.kit.ask(rk.SenderTerms(sender))
        assert (answer.campaign or "") == story.offered(sender, now)
        self.done["SenderTerms: done"] += 1

    # --- definitions -------------------------------------------------------------------------------

    @rule(data=st.data(), name=campaigns, what=st.sampled_from(("reward", "offer", "campaign", "campaign")))
    def define(self, data: st.DataObject, name: str, what: str) -> None:
        if what == "reward":
            self.do(data.draw(draws.rewards))
            return
        known = {row.name for row in self.kits.snapshot.definitions}
        if what == "offer" or f"{name}-offer" not in known:
            self.do(data.draw(draws.offers(name)))
        if what == "campaign":
            self.do(data.draw(draws.campaigns(name, self.flavours[name], self.now)))
            if name not in known:
                self.do(rk.LaunchCampaign(name, acknowledge=LAUNCHES))

    @rule(data=st.data(), what=st.sampled_from(("program", "offering", "offering")))
    def define_referrals(self, data: st.DataObject, what: str) -> None:
        if what == "program":
            self.do(data.draw(draws.programs))
            return
        terms = data.draw(draws.offerings(self.now))
        self.do(terms)
        self.do(rk.LaunchCampaign(terms.name))

    @rule(
        name=st.sampled_from((*CAMPAIGNS, *CAMPAIGNS, *OFFERINGS)),
        move=st.sampled_from(("pause", "resume", "resume", "launch", "end")),
    )
    def operate(self, name: str, move: str) -> None:
        moves = {
            "pause": rk.PauseCampaign(name),
            "resume": rk.ResumeCampaign(name),
            "launch": rk.LaunchCampaign(name, acknowledge=LAUNCHES),
            "end": rk.EndCampaign(name),
        }
        self.do(moves[move])

    @rule(data=st.data(), amount=st.sampled_from((0, 5, "7.5")), limit=st.sampled_from((1, 100)))
    def replenish(self, data: st.DataObject, amount: object, limit: int) -> None:
        with_budget = [name for name, flavour in self.flavours.items() if flavour.budget]
        name = data.draw(st.sampled_from(with_budget or CAMPAIGNS))
        self.do(rk.ReplenishBudget(name, amount, limit=limit))  # type: ignore[arg-type]

    # --- grants ------------------------------------------------------------------------------------

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), what=st.sampled_from(("claim", "claim one", "fulfil", "fulfil", "fail", "retry")))
    def pay(self, data: st.DataObject, what: str) -> None:
        grant, lease = data.draw(st.sampled_from(self.grants)), data.draw(LEASES)
        later, final = data.draw(st.sampled_from(((None, False), (None, False), ("2s", False), (None, True))))
        moves: dict[str, Command[Any]] = {
            "claim": rk.ClaimGrants(2, 3),
            "claim one": rk.ClaimGrant(grant, 3),
            "fulfil": rk.FulfilGrant(grant, lease=lease),
            "fail": rk.FailGrant(grant, "no answer", lease=lease, retry_after=later, final=final),
            "retry": rk.RetryGrant(grant, by="clerk"),
        }
        self.do(moves[what])

    @precondition(lambda self: self.grants)
    @rule(
        data=st.data(),
        what=st.sampled_from(("claim checks", "check", "check", "approve", "deny")),
        flags=st.sampled_from(((), (), ("odd",), ("a", "b"))),
        frees=CHOICES,
    )
    def review(self, data: st.DataObject, what: str, flags: tuple[str, ...], *, frees: bool | None) -> None:
        held = [row.id for row in self.kits.snapshot.grants if row.held_for == "review"]
        grant = data.draw(st.sampled_from((*held, *self.grants)))
        moves: dict[str, Command[Any]] = {
            "claim checks": rk.ClaimChecks(2, 3),
            "check": rk.RecordCheck(grant, flags, lease=data.draw(LEASES)),
            "approve": rk.ApproveGrant(grant, by="clerk"),
            "deny": rk.DenyGrant(grant, "made up", by="clerk", frees=frees),
        }
        self.do(moves[what])

    @precondition(lambda self: self.grants)
    @rule(data=st.data(), amount=st.sampled_from((None, None, "1", "2.5", 3, "99")), frees=CHOICES)
    def reverse(self, data: st.DataObject, amount: object, *, frees: bool | None) -> None:
        grant = data.draw(st.sampled_from(self.grants))
        frees = frees if amount is None else None
        self.do(rk.ReverseGrant(grant, "refunded", amount=amount, by="clerk", frees=frees))  # type: ignore[arg-type]


def _named(terms: Any, name: str) -> Any:
    return attrs.evolve(terms, name=name)


@pytest.fixture(params=list(HISTORIES))
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[type[Incentives], int]]:
    """The machine on a store, and how many histories it plays there."""
    count = max(3, round(HISTORIES[request.param] * SCALE))
    counters = {"done": Counter[str](), "facts": Counter[str]()}
    if request.param == "memory":
        yield type("InMemory", (Incentives,), counters), count
        return
    text = f"sqlite:///{tmp_path}/rewards.db" if request.param == "sqlite" else request.getfixturevalue("postgres_dsn")
    store = open_store(text)
    store.migrate()
    yield type("Stored", (Incentives,), {"store": store, **counters}), count
    store.close()


def test_random_histories_hold_every_promise_after_every_step(machine: tuple[type[Incentives], int]) -> None:
    histories, count = machine
    seed(SEED)(histories)
    run_state_machine_as_test(
        histories,
        settings=settings(
            max_examples=count,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    for name, times in sorted(histories.done.items()):
        print(f"{times:8,} {name}")
    print({letter: f"{histories.facts[letter]:,}" for letter in PROMISES})
    assert all(histories.facts[letter] > 0 for letter in PROMISES)
