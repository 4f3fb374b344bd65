"""R1 to R4 and O1 to O4 of referrals: random histories against a model, audited after every step, on every store."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.core.requests.commands import Command
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.random_referrals import NAMES, PROGRAMS, USERS, RandomReferrals
from rewardkit.testing.referral_model import Model

SCALE = int(os.environ.get("REWARDKIT_SCALE", "1"))
FIRST = int(os.environ.get("REWARDKIT_SEED", "0"))
STEPS = 50
HISTORIES = {"memory": 40, "sqlite": 10, "postgresql": 3}
"""A share of what `REWARDKIT_SCALE=50` runs: 2,000, 500 and 150."""


@pytest.fixture(params=list(HISTORIES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Store]]:
    texts = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = open_store(texts.get(request.param) or request.getfixturevalue("postgres_dsn"), prefix="rewardkit_")
    store.migrate()
    yield request.param, store
    store.close()


class Told:
    """A kit and a model that are told the same."""

    def __init__(self, store: Store, tenant: str, seed: int) -> None:
        self.store, self.tenant = store, tenant
        self.clock = FakeClock()
        self.kit = rk.RewardKit(store, clock=self.clock, tenant=tenant)
        self.model = Model()
        self.draw = RandomReferrals(seed)
        self.done: Counter[str] = Counter()
        self.ids = 0

    def open(self) -> None:
        self.kit.run(rk.DefineReward("five"))
        self.kit.run(rk.DefineReward("ten"))
        for name in PROGRAMS:
            self._program(name)
        self._fallback()
        self.codes = {user: self.kit.run(rk.GiveReferralCode(user)).code for user in USERS}

    def step(self) -> None:
        chance = self.draw.chance
        draws = {
            self._emit: 45,
            self._wait: 12,
            self._make: 12,
            self._enter: 14,
            self._void: 2,
            self._define: 3,
            self._fallback: 4,
            self._launch: 6,
            self._terms: 6,
        }
        (draw,) = chance.choices(list(draws), list(draws.values()))
        draw()

    def agree(self) -> None:
        """What is kept is what the model says, and holds every promise."""
        self.model.decide(self.clock())
        self.kit.run_due()
        found = self.kit.ask(rk.Referrals(limit=1_000)).items
        assert sorted(
            (one.sender, one.recipient, one.program, one.campaign, one.variant, one.status, one.sender_reward)
            for one in found
        ) == sorted(
            (one.sender, one.recipient, one.terms.name, one.campaign, one.variant, one.status, one.sender_reward)
            for one in self.model.referrals
        )
        grants = Counter((one.user, one.program, one.side) for one in self.kit.ask(rk.Grants(limit=1_000)).items)
        assert grants == self.model.grants()
        assert violations(snapshot_of(self.store, self.tenant, USERS)) == ()

    # --- what is done ------------------------------------------------------------------------------

    def _program(self, name: str) -> None:
        terms = self.draw.program(name)
        self.kit.run(terms)
        self.model.programs[name] = terms

    def _campaign(self, terms: rk.DefineCampaign) -> None:
        self.kit.run(terms)
        self.kit.run(rk.LaunchCampaign(terms.name))
        _, launched_at = self.model.campaigns.get(terms.name, (terms, self.clock()))
        self.model.campaigns[terms.name] = terms, launched_at

    def _emit(self) -> None:
        user, name = self.draw.chance.choice(USERS), self.draw.chance.choice(NAMES)
        self.ids += 1
        event = rk.Event(name, self.clock(), f"{self.ids:04}", user, 0, {"p": self.draw.chance.randint(1, 2)})
        self.model.events.setdefault(user, []).append(event)
        self.model.decide(self.clock(), user)
        self.kit.emit_many([event])

    def _wait(self) -> None:
        self.clock.set(self.clock() + self.draw.wait())
        self.model.decide(self.clock())
        self.kit.run_due()

    def _make(self) -> None:
        sender, recipient = self.draw.pair()
        program = self.draw.chance.choice(PROGRAMS)
        self._refer(rk.MakeReferral(program, sender, recipient), program, "", sender, recipient)

    def _enter(self) -> None:
        sender, recipient = self.draw.pair()
        campaign = self.model.offered(sender, self.clock())
        assert campaign is not None
        full = [name for name, (terms, _) in self.model.campaigns.items() if not self._has_room(name, terms)]
        self.done["full"] += bool(full)
        program = self._variant(sender, campaign).program
        self._refer(rk.EnterReferralCode(self.codes[sender], recipient), program, campaign, sender, recipient)

    def _variant(self, sender: str, campaign: str) -> rk.Variant:
        found = self.model.variant(sender, campaign)
        if found.name:
            self.done["stays" if found != self.model.drawn(sender, campaign) else "drawn"] += 1
        return found

    def _has_room(self, name: str, terms: rk.DefineCampaign) -> bool:
        return self.model.has_room(name, terms, self.clock())

    def _refer(self, command: Command[rk.Referral], program: str, campaign: str, sender: str, recipient: str) -> None:
        refusal = self.model.refusal(program, campaign, sender, recipient)
        answer = self.kit.attempt(command)
        if isinstance(answer, rk.Refused):
            assert answer.code == refusal
            self.done[refusal] += 1
            return
        assert (answer.program, answer.campaign, refusal) == (program, campaign, "")
        assert answer.variant == (self.model.variant(sender, campaign).name if campaign else "")
        way = {"": "hand", "always": "always"}.get(campaign, "another campaign")
        self.done[f"by {way}"] += 1
        self.model.refer(program, campaign, sender, recipient, self.clock())

    def _void(self) -> None:
        found = self.kit.ask(rk.Referrals(status="open")).items
        if found:
            voided = self.kit.run(rk.VoidReferral(self.draw.chance.choice(found).id))
            for one in self.model.referrals:
                if (one.recipient, one.terms.name) == (voided.recipient, voided.program):
                    one.status = "voided"

    def _define(self) -> None:
        self._program(self.draw.chance.choice(PROGRAMS))

    def _fallback(self) -> None:
        self._campaign(rk.DefineCampaign("always", **self.draw.programs()))

    def _launch(self) -> None:
        terms = self.draw.campaign(self.draw.chance.choice(("c1", "c2", "c3")), self.clock())
        self._campaign(terms)

    def _terms(self) -> None:
        sender = self.draw.chance.choice(USERS)
        offered = self.kit.ask(rk.SenderTerms(sender))
        assert offered.campaign == self.model.offered(sender, self.clock())
        variant = self._variant(sender, offered.campaign)
        assert (offered.variant, offered.program) == (variant.name, variant.program)
        if offered.until is not None:
            before, until = FakeClock(offered.until)() - 1, FakeClock(offered.until)()
            assert self.model.offered(sender, before) == offered.campaign
            assert self.model.offered(sender, until) != offered.campaign
            self.done["until"] += 1


def test_random_histories_of_referrals_come_to_what_a_model_says(store: tuple[str, Store]) -> None:
    kind, opened = store
    done: Counter[str] = Counter()
    for seed in range(FIRST, FIRST + HISTORIES[kind] * SCALE):
        told = Told(opened, f"company {seed}", seed)
        told.open()
        try:
            for _ in range(STEPS):
                told.step()
                told.agree()
        except BaseException as error:
            error.add_note(f"rerun by REWARDKIT_SEED={seed}")
            raise
        done += told.done
        done.update(what for one in told.model.referrals for what in (one.status, one.sender_reward))
    if kind == "memory":
        # Everything that can happen did, often enough to mean something.
        seen = {name for name, count in done.items() if count >= 3}
        ways = {"by hand", "by always", "by another campaign", "until", "full", "drawn", "stays"}
        assert ways | {"already_referred", "self_referral", "referral_circular"} <= seen
        assert {"open", "completed", "expired", "voided", "granted", "capped"} <= seen
