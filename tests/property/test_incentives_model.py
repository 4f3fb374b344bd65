"""R1–R4, O1–O4 and E1–E3 after every step of random histories of offers, referrals and campaigns, on every store.

One machine does everything that can be asked of them; after each step `IncentiveModel` says what does not follow.
The same history is played beside it in another order of events, and by three workers in turn.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import attrs
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from psycopg import sql

import rewardkit as rk
from rewardkit.core.requests.commands import Command
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.memory import MemoryStore
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing import incentive_draws as draws
from rewardkit.testing.incentive_draws import CAMPAIGNS, CHOICES, NAMES, OFFERINGS, PROGRAMS, USERS, Flavour
from rewardkit.testing.incentive_kits import IncentiveKits
from rewardkit.testing.incentive_model import PROMISES
from rewardkit.testing.random_commands import LAUNCHES, SECOND

SCALE = float(os.environ.get("REWARDKIT_SCALE", "0.01"))
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

    empty: ClassVar[Callable[[], Store]] = MemoryStore
    """Makes a store that holds nothing; ids derive from what is in it, so that a history is the same every time."""

    done: ClassVar[Counter[str]] = Counter()
    """What was asked and what came of it, over all histories."""
    facts: ClassVar[Counter[str]] = Counter()

    @initialize(data=st.data(), flavours=st.tuples(*(draws.flavours for _ in CAMPAIGNS)))
    def begin(self, data: st.DataObject, flavours: tuple[Flavour, ...]) -> None:
        self.kits = IncentiveKits(type(self).empty(), "acme")
        plain, *others = CAMPAIGNS
        self.flavours = dict(zip(CAMPAIGNS, flavours, strict=True))
        self.flavours[plain] = Flavour("never", budget=True, at_exhaustion=flavours[0].at_exhaustion)
        self.events: list[rk.Event] = []
        self.fault_at = self.keys = 0
        self.codes: dict[str, str] = {}
        self.kits.open(rk.DefineReward("cash", {"amount": 3}))
        self.kits.open(rk.DefineReward("thanks", {"amount": "2.50"}))
        # Whoever does what most events say is made an offer, and earns it, from the first step on.
        self.kits.open(attrs.evolve(data.draw(draws.offers(plain)), condition="A"))
        terms = data.draw(draws.campaigns(plain, self.flavours[plain], self.now))
        self.kits.open(attrs.evolve(terms, entry="E", audience=None, start=None, end=None))
        self.kits.open(data.draw(draws.offers(others[0])))
        self.kits.open(data.draw(draws.campaigns(others[0], self.flavours[others[0]], self.now)))
        for name in (plain, others[0]):
            self.kits.open(rk.LaunchCampaign(name, acknowledge=LAUNCHES))
        for name in PROGRAMS:
            self.kits.open(attrs.evolve(data.draw(draws.programs), name=name))
        self.kits.open(rk.DefineCampaign(OFFERINGS[0], program=PROGRAMS[0]))
        self.kits.open(rk.LaunchCampaign(OFFERINGS[0]))
        self.kits.begin()

    @property
    def now(self) -> int:
        return self.kits.clock()

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

    @rule(what=st.sampled_from(("due", "backfill", "restart", "fault", "fault")), fault_at=st.integers(1, 12))
    def keep_going(self, what: str, fault_at: int) -> None:
        """Work that no event asks for; a restart; a fault at a step of what is asked next, which is asked again."""
        if what == "due":
            self.do(rk.RunDue(1 + fault_at % 2))
        elif what == "backfill":
            tried = self.do(rk.Backfill())
            done = self.do(rk.Backfill(dry_run=False))
            assert (tried.users, tried.entered, tried.earned) == (done.users, done.entered, done.earned)
        elif what == "restart":
            self.kits.restart()
        else:
            self.fault_at = fault_at

    # --- offers ------------------------------------------------------------------------------------

    @rule(data=st.data(), user=users, way=st.sampled_from(("directly", "by code", "directly", "not at all")))
    def offer(self, data: st.DataObject, user: str, way: str) -> None:
        found = [row.id for row in self.kits.snapshot.user_offers if row.status == "active"]
        found = found or [row.id for row in self.kits.snapshot.user_offers]
        campaign = data.draw(st.sampled_from(self.known(CAMPAIGNS)))
        if way == "by code":
            self.do(rk.EnterOfferCode(f"code-{campaign}", user))
        elif way == "directly" or not found:
            self.do(rk.MakeOffer(campaign, user))
        else:
            self.do(rk.CancelUserOffer(data.draw(st.sampled_from(found))))

    def known(self, names: Sequence[str]) -> list[str]:
        """Those that are defined."""
        defined = {row.name for row in self.kits.snapshot.definitions}
        return [name for name in names if name in defined]

    # --- referrals ---------------------------------------------------------------------------------

    @rule(sender=users, recipient=users, data=st.data())
    def refer(self, sender: str, recipient: str, data: st.DataObject) -> None:
        way = data.draw(st.sampled_from(("code", "code", "code", *PROGRAMS, *self.known(OFFERINGS))))
        if way == "code":
            answer = self.do(rk.GiveReferralCode(sender))
            assert self.codes.setdefault(sender, answer.code) == answer.code
            self.do(rk.EnterReferralCode(self.codes[sender], recipient))
        else:
            self.do(rk.MakeReferral(way, sender, recipient))
        try:
            offered = self.kits.kit.ask(rk.SenderTerms(recipient)).campaign
        except rk.Refused:
            offered = ""
        assert offered == self.kits.model.referrals.offered(recipient, self.now)

    @precondition(lambda self: self.kits.snapshot.referrals)
    @rule(data=st.data(), open_one=st.booleans())
    def void(self, data: st.DataObject, *, open_one: bool) -> None:
        found = [row for row in self.kits.snapshot.referrals if (row.status == "open") == open_one]
        if found:
            self.do(rk.VoidReferral(data.draw(st.sampled_from(found)).id))

    # --- definitions -------------------------------------------------------------------------------

    @rule(data=st.data(), name=campaigns, what=st.sampled_from(("campaign", "campaign", "offer", "reward")))
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

    @rule(data=st.data(), what=st.sampled_from(("offering", "program", "offering")))
    def define_referrals(self, data: st.DataObject, what: str) -> None:
        if what == "program":
            self.do(data.draw(draws.programs))
            return
        terms = data.draw(draws.offerings(self.now))
        self.do(terms)
        self.do(rk.LaunchCampaign(terms.name))

    @rule(
        data=st.data(),
        move=st.sampled_from(("pause", "resume", "replenish", "pause", "resume", "replenish", "launch", "end")),
        amount=st.sampled_from((5, 0, "7.5")),
    )
    def operate(self, data: st.DataObject, move: str, amount: object) -> None:
        names = [name for name in self.known(CAMPAIGNS) if move != "replenish" or self.flavours[name].budget]
        others = [] if move == "replenish" else self.known(OFFERINGS)
        name = data.draw(st.sampled_from((*names, *names, *others)))
        moves: dict[str, Command[Any]] = {
            "pause": rk.PauseCampaign(name),
            "resume": rk.ResumeCampaign(name),
            "replenish": rk.ReplenishBudget(name, amount, limit=1 if amount == 0 else 100),  # type: ignore[arg-type]
            "launch": rk.LaunchCampaign(name, acknowledge=LAUNCHES),
            "end": rk.EndCampaign(name),
        }
        self.do(moves[move])

    # --- grants ------------------------------------------------------------------------------------

    def grant(self, data: st.DataObject, place: str) -> str:
        """One of those that are at a place, or any where there is none."""
        rows = self.kits.snapshot.grants
        here = [row.id for row in rows if place in (row.status, row.held_for)]
        return data.draw(st.sampled_from((*here, *here, *here, *(row.id for row in rows))))

    @precondition(lambda self: self.kits.snapshot.grants)
    @rule(data=st.data(), what=st.sampled_from(("fulfil", "fail", "claim", "claim one", "fulfil", "fail", "retry")))
    def pay(self, data: st.DataObject, what: str) -> None:
        grant = self.grant(data, "undeliverable" if what == "retry" else "ready")
        lease = data.draw(LEASES)
        later, final = data.draw(st.sampled_from(((None, False), (None, True), ("2s", False), (None, True))))
        moves: dict[str, Command[Any]] = {
            "claim": rk.ClaimGrants(2, 3),
            "claim one": rk.ClaimGrant(grant, 3),
            "fulfil": rk.FulfilGrant(grant, lease=lease),
            "fail": rk.FailGrant(grant, "no answer", lease=lease, retry_after=later, final=final),
            "retry": rk.RetryGrant(grant, by="clerk"),
        }
        self.do(moves[what])

    @precondition(lambda self: self.kits.snapshot.grants)
    @rule(
        data=st.data(),
        what=st.sampled_from(("check", "approve", "deny", "claim checks", "check", "approve")),
        flags=st.sampled_from(((), (), ("odd",), ("a", "b"))),
        frees=CHOICES,
    )
    def review(self, data: st.DataObject, what: str, flags: tuple[str, ...], *, frees: bool | None) -> None:
        grant = self.grant(data, "review")
        moves: dict[str, Command[Any]] = {
            "claim checks": rk.ClaimChecks(2, 3),
            "check": rk.RecordCheck(grant, flags, lease=data.draw(LEASES)),
            "approve": rk.ApproveGrant(grant, by="clerk"),
            "deny": rk.DenyGrant(grant, "made up", by="clerk", frees=frees),
        }
        self.do(moves[what])

    @precondition(lambda self: self.kits.snapshot.grants)
    @rule(data=st.data(), amount=st.sampled_from((None, "1", "2.5", None, 3, "99")), frees=CHOICES)
    def reverse(self, data: st.DataObject, amount: object, *, frees: bool | None) -> None:
        grant = self.grant(data, "fulfilled")
        frees = frees if amount is None else None
        self.do(rk.ReverseGrant(grant, "refunded", amount=amount, by="clerk", frees=frees))  # type: ignore[arg-type]


@pytest.fixture(params=list(HISTORIES))
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[type[Incentives], int]]:
    """The machine on a store, and how many histories it plays there."""
    count = max(5, round(HISTORIES[request.param] * SCALE))
    fields: dict[str, Any] = {"done": Counter[str](), "facts": Counter[str]()}
    opened: list[Store] = []
    if request.param == "sqlite":
        template, numbers = tmp_path / "empty.db", itertools.count()
        with closing(SqliteStore(template)) as first:
            first.migrate()

        def copy() -> Store:
            while opened:
                opened.pop().close()
            path = tmp_path / f"{next(numbers)}.db"
            shutil.copy(template, path)
            opened.append(SqliteStore(path))
            return opened[0]

        fields["empty"] = staticmethod(copy)
    elif request.param == "postgresql":
        dsn = request.getfixturevalue("postgres_dsn")
        opened.append(open_store(dsn))
        opened[0].migrate()

        def emptied() -> Store:
            empty_postgres(dsn)
            return opened[0]

        fields["empty"] = staticmethod(emptied)
    yield type(f"On{request.param.title()}", (Incentives,), fields), count
    for store in opened:
        store.close()


def empty_postgres(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '%migration%'"
        ).fetchall()
        tables = sql.SQL(", ").join(sql.Identifier(name) for (name,) in names)
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(tables))


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
            # A long run tells at once what it has found; a short one takes the time to make it small.
            phases=(Phase.generate,) if SCALE >= 0.05 else (Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    for name, times in sorted(histories.done.items()):
        print(f"{times:8,} {name}")
    print({letter: f"{histories.facts[letter]:,}" for letter in PROMISES})
    if count >= 20:
        assert [letter for letter in PROMISES if not histories.facts[letter]] == []
