"""R2 and R3 where many recipients of one sender complete at once: threads on both databases, and a seeded bug."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.ports import Store
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.faults_world import BEGAN_AT, kit_at
from rewardkit.testing.read_then_write import ReadThenWrite

WORKERS = int(os.environ.get("REWARDKIT_WORKERS", "8"))
COUNTER = "referral/0/ever/sue"


def define(kit: rk.RewardKit, recipients: int, **caps: Any) -> None:
    kit.run(rk.DefineReward("gift"))
    kit.run(rk.DefineReferralProgram("friends", "gift", "gift", "Bought", **caps))
    for number in range(recipients):
        kit.run(rk.MakeReferral("friends", "sue", f"r{number}"))


def rewarded(snapshot: Snapshot) -> int:
    """How many grants the sender has; each one is audited to be that of a completed referral."""
    return sum(row.user == "sue" for row in snapshot.grants)


@pytest.mark.parametrize(
    "caps, most", [({"sender_cap": 1}, 1), ({"period_cap": 10}, 10), ({"sender_cap": 1_000}, 1_000)]
)
def test_as_many_rewards_as_the_caps_allow_are_earned_by_many_workers(
    store: Store, caps: dict[str, int], most: int, scale: float
) -> None:
    recipients = max(4 * WORKERS, round(400 * scale))
    define(kit_at(store, "acme", BEGAN_AT), recipients, **caps)
    voided: list[str] = []
    gate = threading.Barrier(WORKERS)

    def work(worker: int) -> None:
        kit = kit_at(store, "acme", BEGAN_AT)
        gate.wait()
        for number in range(worker, recipients, WORKERS):
            if number % 5 == 4:
                # Voiding races with the same recipient's purchase, which another worker makes.
                made = kit.ask(rk.Referrals(recipient=f"r{number - 1}")).items[0]
                if not isinstance(kit.attempt(rk.VoidReferral(made.id)), rk.Refused):
                    voided.append(made.recipient)
            kit.emit("Bought", user=f"r{number}", id="bought")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot = snapshot_of(store, "acme")
    assert violations(snapshot) == ()
    completed = [row for row in snapshot.referrals if row.status == "completed"]
    assert len(completed) == recipients - len(voided)
    assert rewarded(snapshot) == min(most, len(completed))


def race(store: Store, *, sabotaged: bool) -> Snapshot:
    """One recipient completes while the other's sender is between the reading and the writing of her counter."""
    honest = kit_at(store, "acme", BEGAN_AT)
    define(honest, 3, sender_cap=2)
    honest.emit("Bought", user="r0", id="bought")

    def between() -> None:
        honest.emit("Bought", user="r1", id="bought")

    if sabotaged:
        kit_at(ReadThenWrite(store, COUNTER, between), "acme", BEGAN_AT).emit("Bought", user="r2", id="bought")
    else:
        between()
        honest.emit("Bought", user="r2", id="bought")
    return snapshot_of(store, "acme")


@pytest.mark.parametrize("sabotaged", [True, False])
def test_the_audit_catches_a_sender_whose_counter_is_read_and_then_written(store: Store, *, sabotaged: bool) -> None:
    snapshot = race(store, sabotaged=sabotaged)
    broken = [line for line in violations(snapshot) if line.startswith(("R3", "C7"))]
    assert (rewarded(snapshot) > 2, bool(broken)) == (sabotaged, sabotaged)


def test_the_counter_is_the_one_that_is_sabotaged() -> None:
    program = ReferralProgram(0, "friends", 1, 1, 1, "a", 1, "b", 1, "A", "A", None, None, None, "month", "UTC")
    assert program.counter("sue") == COUNTER
