"""R1–R4, O1–O4 and E1–E3 after every step of random histories of offers, referrals and campaigns, on every store.

One machine does everything that can be asked of them; after each step `IncentiveModel` says what does not follow.
The same history is played beside it in another order of events, and by three workers in turn.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.engine import ConjectureRunner
from hypothesis.stateful import precondition, rule, run_state_machine_as_test
from psycopg import sql

import rewardkit as rk
from rewardkit.core.requests.commands import Command
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.sql.sqlite import SqliteStore
from rewardkit.testing import incentive_draws as draws
from rewardkit.testing.incentive_draws import CAMPAIGNS, CHOICES, NAMES, OFFERINGS, PROGRAMS, USERS
from rewardkit.testing.incentive_history import OFTEN, IncentiveHistory
from rewardkit.testing.incentive_model import PROMISES
from rewardkit.testing.random_commands import LAUNCHES, SECOND

SCALE = float(os.environ.get("REWARDKIT_SCALE", "0.01"))
SEED = int(os.environ.get("REWARDKIT_SEED", "0"))
STEPS = 50
HISTORIES = {"memory": 2_000, "sqlite": 500, "postgresql": 150}
"""With `REWARDKIT_SCALE=1`."""

users = st.sampled_from(USERS)
senders = st.sampled_from((*USERS[:1] * 3, *USERS))
"""Mostly one, who so comes to her caps."""
campaigns = st.sampled_from(CAMPAIGNS)
lags = st.sampled_from((0, 0, 0, 0, 0, -1, -3, -8, 2))
"""Seconds by which an event is late, or ahead."""
drawn_events = st.tuples(st.sampled_from(NAMES), users, lags, st.sampled_from((0, 0, 1, -1)), st.integers(0, 2))

PAYING = {
    "claim": "ready",
    "claim one": "ready",
    "fulfil": "ready",
    "fail": "ready",
    "give up": "ready",
    "retry": "undeliverable",
}
"""The places of grants that moves are for; the same of their review."""
REVIEWING = {
    "claim": "review",
    "check": "review",
    "check it": "review",
    "approve": "review",
    "deny": "review",
    "approve flagged": "flagged",
    "deny flagged": "flagged",
}
AMOUNTS: st.SearchStrategy[int | str] = st.sampled_from((0, 1, "1.5", 2, "7.5"))
FUNDING = {"replenish": "budget"}
REVERSING = {"paid": "fulfilled", "unpaid": "ready"}


class Incentives(IncentiveHistory):
    """Everything that is asked of offers, referrals, campaigns and grants."""

    # --- events ------------------------------------------------------------------------------------

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

    @rule(data=st.data(), names=st.sampled_from(("EA", "A", "EAA", "E", "AB", "EB")))
    def rush(self, data: st.DataObject, names: str) -> None:
        """Some do the same, one after the other; mostly those who have something open, what conditions wait for."""
        found = self.kits.snapshot
        waiting = {row.user for row in found.user_offers if row.status == "active"}
        waiting |= {row.recipient for row in found.referrals if row.status == "open"}
        some = st.lists(st.sampled_from((*sorted(waiting) * OFTEN, *USERS)), min_size=1, max_size=4, unique=True)
        drawn = [(name, user, 0, 0, 0) for user in data.draw(some) for name in names]
        self.do(rk.Emit(tuple(map(self.event, drawn))))

    @precondition(lambda self: self.events)
    @rule(data=st.data(), same=st.booleans(), drawn=st.none() | drawn_events)
    def emit_again(self, data: st.DataObject, drawn: tuple[str, str, int, int, int] | None, *, same: bool) -> None:
        known = data.draw(st.sampled_from(self.events))
        again = known if same else rk.Event("A", known.at, known.id, known.user, known.order, {"p": 99})
        self.do(rk.Emit((again,) if drawn is None else (again, self.event(drawn))))

    # --- time and machines -------------------------------------------------------------------------

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

    # --- referrals ---------------------------------------------------------------------------------

    @rule(sender=senders, recipients=st.lists(users, min_size=1, max_size=3), data=st.data(), acting=st.booleans())
    def refer(self, sender: str, recipients: list[str], data: st.DataObject, *, acting: bool) -> None:
        """One refers some, who perhaps do what most conditions wait for."""
        way = data.draw(st.sampled_from(("code", "code", "code", *PROGRAMS, *self.known(OFFERINGS))))
        if way == "code":
            answer = self.do(rk.GiveReferralCode(sender))
            assert self.codes.setdefault(sender, answer.code) == answer.code
        for recipient in recipients:
            entering = rk.EnterReferralCode(self.codes[sender], recipient) if way == "code" else None
            self.do(entering or rk.MakeReferral(way, sender, recipient))
        if acting:
            self.do(rk.Emit(tuple(self.event(("A", recipient, 0, 0, 0)) for recipient in recipients)))
        try:
            terms = self.kits.kit.ask(rk.SenderTerms(sender))
            offered = terms.campaign, terms.variant, terms.program
        except rk.Refused:
            offered = "", "", ""
        assert offered == self.kits.model.referrals.offered(sender, self.kits.snapshot, self.now)

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

    @rule(data=st.data(), what=st.sampled_from(("offering", "program", "offering", "fallback")))
    def define_referrals(self, data: st.DataObject, what: str) -> None:
        if what == "program":
            self.do(data.draw(draws.programs))
            return
        if what == "fallback":
            self.do(data.draw(draws.fallbacks))
            return
        terms = data.draw(draws.offerings(self.flavours, self.now))
        self.do(terms)
        self.do(rk.LaunchCampaign(terms.name, acknowledge=LAUNCHES))

    @rule(data=st.data(), move=st.sampled_from(("pause", "resume", "pause", "resume", "launch", "end")))
    def operate(self, data: st.DataObject, move: str) -> None:
        names = self.known(CAMPAIGNS)
        name = data.draw(st.sampled_from((*names, *names, *self.known(OFFERINGS))))
        moves: dict[str, Command[Any]] = {
            "pause": rk.PauseCampaign(name),
            "resume": rk.ResumeCampaign(name),
            "launch": rk.LaunchCampaign(name, acknowledge=LAUNCHES),
            "end": rk.EndCampaign(name),
        }
        self.do(moves[move])

    @precondition(lambda self: self.can(FUNDING))
    @rule(data=st.data(), times=st.integers(1, 3))
    def replenish(self, data: st.DataObject, times: int) -> None:
        """By little, so that what waited longest is too dear still while something behind it is not."""
        names = [name for name in self.known((*CAMPAIGNS, *OFFERINGS[1:])) if self.flavours[name].budget]
        for _ in range(times):
            waiting = [row.campaign for row in self.kits.snapshot.grants if row.held_for == "budget"]
            name = data.draw(st.sampled_from((*names, *waiting * OFTEN)))
            amount = data.draw(AMOUNTS if name in waiting else st.sampled_from((0, 0, 1)))
            self.do(rk.ReplenishBudget(name, amount, limit=1 if amount == 0 else 100))

    # --- grants ------------------------------------------------------------------------------------

    @precondition(lambda self: self.can(PAYING))
    @rule(data=st.data(), times=st.integers(1, 3), later=st.sampled_from((None, "2s")))
    def pay(self, data: st.DataObject, times: int, later: str | None) -> None:
        for _ in range(times):
            grant, what = self.grant(data, PAYING)
            lease = self.lease(data, grant)
            moves: dict[str, Command[Any]] = {
                "claim": rk.ClaimGrants(2, 3),
                "claim one": rk.ClaimGrant(grant.id, 3),
                "fulfil": rk.FulfilGrant(grant.id, lease=lease),
                "fail": rk.FailGrant(grant.id, "no answer", lease=lease, retry_after=later),
                "give up": rk.FailGrant(grant.id, "no answer", lease=lease, final=True),
                "retry": rk.RetryGrant(grant.id, by="clerk"),
            }
            self.do(moves[what])

    @precondition(lambda self: self.can(REVIEWING))
    @rule(data=st.data(), times=st.integers(1, 3), flags=st.sampled_from(((), (), ("odd",), ("a", "b"))), frees=CHOICES)
    def review(self, data: st.DataObject, times: int, flags: tuple[str, ...], *, frees: bool | None) -> None:
        for _ in range(times):
            grant, what = self.grant(data, REVIEWING)
            moves: dict[str, Command[Any]] = {
                "claim": rk.ClaimChecks(2, 3),
                "check": rk.RecordCheck(grant.id, flags, lease=self.lease(data, grant)),
                "check it": rk.RecordCheck(grant.id, flags),
                "approve": rk.ApproveGrant(grant.id, by="clerk"),
                "deny": rk.DenyGrant(grant.id, "made up", by="clerk", frees=frees),
                "approve flagged": rk.ApproveGrant(grant.id, by="clerk"),
                "deny flagged": rk.DenyGrant(grant.id, "made up", by="clerk", frees=frees),
            }
            self.do(moves[what])

    @precondition(lambda self: self.can(REVERSING))
    @rule(data=st.data(), amount=st.sampled_from((None, "1", "2.5", None, 3, "99")), frees=CHOICES)
    def reverse(self, data: st.DataObject, amount: object, *, frees: bool | None) -> None:
        grant, _ = self.grant(data, REVERSING)
        frees = frees if amount is None else None
        self.do(rk.ReverseGrant(grant.id, "refunded", amount=amount, by="clerk", frees=frees))  # type: ignore[arg-type]


@pytest.fixture(params=list(HISTORIES))
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[type[Incentives], int]]:
    """The machine on a store, and how many histories it plays there."""
    count = max(5, round(HISTORIES[request.param] * SCALE))
    fields: dict[str, Any] = {"done": Counter[str](), "facts": Counter[str](), "played": Counter[bytes]()}
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


def test_random_histories_hold_every_promise_after_every_step(
    machine: tuple[type[Incentives], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    histories, count = machine
    # It plays each history up to five times more with a part of it doubled, in place of other ones.
    monkeypatch.setattr(ConjectureRunner, "generate_mutations_from", lambda _runner, _data: None)
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
    print(f"{histories.played.total():,} histories, {len(histories.played):,} different ones")
    if count >= 20:
        assert len(histories.played) >= 0.9 * count
        assert [letter for letter in PROMISES if not histories.facts[letter]] == []
