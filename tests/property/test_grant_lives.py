"""Random lives of grants on every store: what is answered and kept is what a second account of the rules says."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import rewardkit as rk
from rewardkit.core.requests.commands import Command
from rewardkit.language.event import instant
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.grant_model import SECOND, GrantModel, claimable, release

SCALE = float(os.environ.get("REWARDKIT_SCALE", "1"))
TERMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "held": {"hold": "3s"},
    "checked": {"review": "check", "reversal_frees": True},
    "watched": {"review": "always", "hold": "2s"},
    "whole": {"reversal": "whole", "reversal_frees": True},
}
CHOICES = st.sampled_from((None, None, True, False))
LEASES = st.sampled_from((None, None, "own", "own", 0, 7))
_TENANTS = itertools.count()


class GrantLives(RuleBasedStateMachine):
    """A kit and the model side by side."""

    store: ClassVar[Store | None] = None

    @initialize()
    def begin(self) -> None:
        self.place = MemoryStore() if self.store is None else self.store
        self.tenant = f"company {next(_TENANTS)}"
        self.clock = FakeClock()
        self.kit = rk.RewardKit(self.place, clock=self.clock, tenant=self.tenant)
        self.grants: dict[str, GrantModel] = {}
        self.users = itertools.count()
        self.kit.run(rk.DefineReward("cash", {"amount": 10}))
        for name, terms in TERMS.items():
            self.kit.run(rk.DefineOffer(name, "cash", "Purchase", **terms))
            self.kit.run(rk.DefineCampaign(name, name, cap=1_000))
            self.kit.run(rk.LaunchCampaign(name))
        self.earn("plain")

    def now(self) -> int:
        return self.clock()

    def pick(self, data: st.DataObject) -> GrantModel:
        return data.draw(st.sampled_from(list(self.grants.values())), label="grant")

    def lease(self, drawn: object, grant: GrantModel) -> int | None:
        return grant.lease if drawn == "own" else drawn if isinstance(drawn, int) else None

    def expect(self, command: Command[Any], code: str) -> Any:
        answer = self.kit.attempt(command)
        assert (answer.code if isinstance(answer, rk.Refused) else "") == code
        return answer

    @rule(offer=st.sampled_from(list(TERMS)))
    def earn(self, offer: str) -> None:
        user = f"user {next(self.users)}"
        self.kit.run(rk.MakeOffer(offer, user))
        self.clock.advance("1ms")
        (earned,) = self.kit.emit("Purchase", user=user).earned
        terms = TERMS[offer]
        model = GrantModel(
            earned.grant,
            instant(earned.earned_at),
            hold=int(terms.get("hold", "0s")[:-1]) * SECOND,
            review=terms.get("review", ""),
            divisible=terms.get("reversal") != "whole",
            frees=terms.get("reversal_frees", False),
        )
        model.born(self.now())
        self.grants[model.id] = model

    @rule(passed=st.sampled_from(("1ms", "500ms", "1s", "2s", "5s", "1h")))
    def wait(self, passed: str) -> None:
        self.clock.advance(passed)

    @rule(limit=st.integers(1, 3))
    def run_due(self, limit: int) -> None:
        done = self.kit.run(rk.RunDue(limit))
        assert [one.grant for one in done.released] == release(self.grants.values(), self.now(), limit)

    @rule(limit=st.integers(1, 3), seconds=st.integers(1, 4))
    def claim(self, limit: int, seconds: int) -> None:
        expected = claimable(self.grants.values(), self.now(), limit, "ready")
        claimed = self.kit.claim(limit=limit, lease_seconds=seconds)
        assert [one.id for one in claimed] == [one.id for one in expected]
        for one in expected:
            one.take(self.now(), seconds)

    @rule(data=st.data(), seconds=st.integers(1, 4))
    def claim_one(self, data: st.DataObject, seconds: int) -> None:
        grant = self.pick(data)
        self.expect(rk.ClaimGrant(grant.id, seconds), grant.claim_one(self.now(), seconds))

    @rule(data=st.data(), lease=LEASES)
    def fulfil(self, data: st.DataObject, lease: object) -> None:
        grant = self.pick(data)
        named = self.lease(lease, grant)
        self.expect(rk.FulfilGrant(grant.id, lease=named), grant.fulfil(named))

    @rule(data=st.data(), lease=LEASES, after=st.sampled_from((None, None, None, 1, 3)), final=st.booleans())
    def fail(self, data: st.DataObject, lease: object, after: int | None, *, final: bool) -> None:
        grant = self.pick(data)
        named, final = self.lease(lease, grant), final and after is None
        expected = grant.fail(self.now(), named, after=None if after is None else after * SECOND, final=final)
        later = None if after is None else f"{after}s"
        answer = self.expect(rk.FailGrant(grant.id, "no", lease=named, retry_after=later, final=final), expected)
        if not expected and grant.where == "ready" and after is None:
            assert instant(answer.retry_at) > self.now()
            grant.waits_until = instant(answer.retry_at)

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        grant = self.pick(data)
        self.expect(rk.RetryGrant(grant.id), grant.retry())

    @rule(limit=st.integers(1, 3), seconds=st.integers(1, 4))
    def claim_checks(self, limit: int, seconds: int) -> None:
        expected = claimable(self.grants.values(), self.now(), limit, "review")
        claimed = self.kit.run(rk.ClaimChecks(limit, seconds)).grants
        assert [one.id for one in claimed] == [one.id for one in expected]
        for one in expected:
            one.take(self.now(), seconds)

    @rule(data=st.data(), flags=st.sampled_from(((), (), ("odd",), ("a", "b"))), lease=LEASES)
    def check(self, data: st.DataObject, flags: tuple[str, ...], lease: object) -> None:
        grant = self.pick(data)
        named = self.lease(lease, grant)
        self.expect(rk.RecordCheck(grant.id, flags, lease=named), grant.check(self.now(), flags, named))

    @rule(data=st.data())
    def approve(self, data: st.DataObject) -> None:
        grant = self.pick(data)
        self.expect(rk.ApproveGrant(grant.id, by="ann"), grant.approve(self.now()))

    @rule(data=st.data(), frees=CHOICES)
    def deny(self, data: st.DataObject, *, frees: bool | None) -> None:
        grant = self.pick(data)
        self.expect(rk.DenyGrant(grant.id, "no", by="ann", frees=frees), grant.deny(frees=frees))

    @rule(data=st.data(), amount=st.sampled_from((None, "1", "2.5", "10", "11")), frees=CHOICES)
    def reverse(self, data: st.DataObject, amount: str | None, *, frees: bool | None) -> None:
        grant = self.pick(data)
        frees = frees if amount is None else None
        expected = grant.reverse(self.now(), None if amount is None else Decimal(amount), frees=frees)
        self.expect(rk.ReverseGrant(grant.id, "no", amount=amount, frees=frees), expected)

    @invariant()
    def everything_kept_is_what_the_model_says(self) -> None:
        if not hasattr(self, "grants"):
            return
        found = {one.id: one for one in self.kit.ask(rk.Grants(limit=999)).items}
        assert found.keys() == self.grants.keys()
        for model in self.grants.values():
            one = found[model.id]
            assert (one.held_for or one.status, one.lease, one.failures) == (model.where, model.lease, model.failures)
            assert (one.reversed, one.due) == (model.taken, model.whole - model.taken)
            assert one.flags == (model.flags or ())
        taken = sum(one.reserved + one.confirmed for one in self.kit.ask(rk.Campaigns()))
        assert taken == sum(not model.freed for model in self.grants.values())
        assert violations(snapshot_of(self.place, self.tenant)) == ()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def lives(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[type[GrantLives], int]]:
    """The machine on a store, and how many histories it plays there."""
    if request.param == "memory":
        yield type("MemoryLives", (GrantLives,), {}), 25
        return
    text = f"sqlite:///{tmp_path}/rewards.db" if request.param == "sqlite" else request.getfixturevalue("postgres_dsn")
    store = open_store(text)
    store.migrate()
    yield type("StoredLives", (GrantLives,), {"store": store}), 4
    store.close()


def test_random_lives_are_what_the_model_says(lives: tuple[type[GrantLives], int]) -> None:
    machine, histories = lives
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, round(histories * SCALE)),
            stateful_step_count=40,
            deadline=None,
            phases=(Phase.explicit, Phase.generate) if SCALE == 1 else tuple(Phase),
            suppress_health_check=list(HealthCheck),
        ),
    )
