"""Random histories of commands: after every step, what is kept follows from the meaning of the conditions."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import attrs
import pytest

import rewardkit as rk
from rewardkit.core.requests.commands import Backfill, ClaimGrants, Command, DefineCampaign, RunDue
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.model import Model
from rewardkit.testing.model_step import step_of
from rewardkit.testing.random_commands import USERS, RandomCommands, Step

SCALE = int(os.environ.get("REWARDKIT_SCALE", "1"))
SEEDS = range(int(os.environ.get("REWARDKIT_SEED", "0")), int(os.environ.get("REWARDKIT_SEED", "0")) + 40 * SCALE)
STEPS = 60


class History:
    """One kit under one random history, compared with the model after each step."""

    def __init__(self, seed: int) -> None:
        self.store = MemoryStore()
        self.clock = FakeClock()
        self.kit = rk.RewardKit(self.store, clock=self.clock)
        self.draw = RandomCommands(seed, self.clock())
        self.model = Model()
        self.log: list[Any] = []
        self.snapshot = self._snapshot()

    def play(self) -> None:
        for kind, body in self.draw.opening():
            self._do(kind, body)
        for _ in range(STEPS):
            self._do(*self.draw.step())
        self._do("backfill", None)
        self._do("run", RunDue(100))

    def _do(self, kind: str, body: Any) -> None:
        if kind == "wait":
            self.log.append(("wait", body))
            self.clock.set(self.clock() + body)
        elif kind == "restart":
            self.kit = rk.RewardKit(self.store, clock=self.clock)
        elif kind == "all":
            for command in body:
                self._run(command)
        elif kind == "backfill":
            tried = self._run(Backfill())
            done = self._run(Backfill(dry_run=False))
            assert attrs.evolve(tried, dry_run=False) == done
        else:
            self._run(body)

    def _snapshot(self) -> Snapshot:
        return snapshot_of(self.store, "default", USERS)

    def _run(self, command: Command[Any]) -> Any:
        before = self.snapshot
        self.log.append(command)
        answer: Any
        try:
            answer = self.kit.attempt(command)
        except (rk.Conflict, rk.ValidationError) as error:
            answer = error
        after = self.snapshot = self._snapshot()
        self.log.append(answer)
        held_out = isinstance(answer, rk.Refused) and answer.code == "held_out"
        if (isinstance(answer, Exception) and not held_out) or (isinstance(command, Backfill) and command.dry_run):
            assert after == before, self.log
        self.draw.user_offers = [row.id for row in after.user_offers]
        self.draw.grants = [row.id for row in after.grants]
        step = step_of(command, answer, self.clock(), before, after)
        found = [*violations(after), *self.model.violations(before, after, step)]
        assert found == [], "\n".join(map(str, self.log[-400:]))
        return answer


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_kept_follows_from_the_events(seed: int) -> None:
    History(seed).play()


def _without_caps(command: Command[Any]) -> Command[Any]:
    # Places under a cap go to those who are noticed first.
    if not isinstance(command, DefineCampaign):
        return command
    return attrs.evolve(command, cap=None, caps_per={}, budget=None, at_exhaustion="stop")


def _outcome(steps: list[Step], *, work: bool) -> list[object]:
    """What offers came to, with or without the work that no event asks for, all of which is done in the end."""
    clock = FakeClock()
    kit = rk.RewardKit(clock=clock)
    for kind, body in steps:
        if kind == "wait":
            clock.set(clock() + body)
        elif kind == "backfill":
            if work:
                kit.run(Backfill(dry_run=False))
        elif kind != "restart" and (work or not isinstance(body, RunDue)):
            with contextlib.suppress(rk.Conflict):
                kit.attempt(_without_caps(body))
    kit.run(Backfill(dry_run=False))
    kit.run_due()
    found = kit.ask(rk.UserOffers(limit=500)).items
    earned = kit.ask(rk.Grants(limit=500)).items
    return [*found, *((grant.id, grant.earned_at, grant.reward) for grant in earned)]


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_do_not_depend_on_when_due_work_and_backfill_were_run(seed: int) -> None:
    draw = RandomCommands(seed, FakeClock()(), late=False, redefine=False)
    steps = draw.opening()
    while len(steps) < 80:
        kind, body = draw.step()
        if not isinstance(body, ClaimGrants):
            steps.append((kind, body))
    assert _outcome(steps, work=True) == _outcome(steps, work=False)
