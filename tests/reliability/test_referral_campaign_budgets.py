"""A referral campaign's money where many enter, are voided and complete at once, and others replenish it; and a bug."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.ports import Store
from rewardkit.testing.at_once import at_once
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.faults_world import BEGAN_AT, kit_at
from rewardkit.testing.read_then_write import ReadThenWrite

WORKERS = int(os.environ.get("REWARDKIT_WORKERS", "8"))
SENDERS = ("sue", "tom", "una")
RESERVED, PAID = "at-entry/budget/double", "budget/double"


def define(kit: rk.RewardKit, **campaigns: dict[str, Any]) -> dict[str, str]:
    """Campaigns of which a referral costs 15.00, beside the fallback; the code of each sender."""
    kit.run(rk.DefineReward("ten", {"amount": 10}))
    kit.run(rk.DefineReward("five", {"amount": 5}))
    kit.run(rk.DefineReferralProgram("friends", "ten", "five", "Bought", sender_cap=5))
    for name, terms in {"normal": {}, **campaigns}.items():
        kit.run(rk.DefineCampaign(name, program="friends", **terms))
        kit.run(rk.LaunchCampaign(name))
    return {sender: kit.run(rk.GiveReferralCode(sender)).code for sender in SENDERS}


def entering(store: Store, codes: dict[str, str], worker: int, recipients: int) -> Callable[[], None]:
    """Every third recipient is voided, and every third completes."""

    def work() -> None:
        kit = kit_at(store, "acme", BEGAN_AT)
        for number in range(worker, recipients, WORKERS):
            made = kit.run(rk.EnterReferralCode(codes[SENDERS[number % 3]], f"r{number}"))
            if number // WORKERS % 3 == 0:
                kit.run(rk.VoidReferral(made.id))
            elif number // WORKERS % 3 == 1:
                kit.emit("Bought", user=f"r{number}", id="bought")

    return work


def counter(snapshot: Snapshot, name: str) -> tuple[int, int]:
    """What a counter has reserved and confirmed, in ten-thousandths."""
    return next((row.reserved, row.confirmed) for row in snapshot.counters if row.name == name)


@pytest.mark.parametrize("budget", [15, 155, 15_000])
def test_what_is_promised_at_once_is_never_more_than_the_budget(store: Store, budget: int, scale: float) -> None:
    recipients = max(6 * WORKERS, round(400 * scale))
    # Others take money of two campaigns together, in whatever order their names sort.
    campaigns = {"double": {"budget": budget, "priority": 1}, "also": {"budget": 40, "cap": 9}}
    codes = define(kit_at(store, "acme", BEGAN_AT), **campaigns)

    def replenish() -> None:
        kit = kit_at(store, "acme", BEGAN_AT)
        for _ in range(3):
            kit.run(rk.ReplenishBudget("double", 20))

    at_once(*(entering(store, codes, number, recipients) for number in range(WORKERS)), replenish)
    snapshot = snapshot_of(store, "acme")
    assert violations(snapshot) == ()
    assert recipients == len(snapshot.referrals)
    money = budget + 60
    taken = sum(counter(snapshot, RESERVED)) // 10_000
    assert 0 < taken <= money
    # Whoever comes when all is quiet takes what was left over, until nothing is.
    kit = kit_at(store, "acme", BEGAN_AT)
    left = min((money - taken) // 15, 20)
    entered = [kit.run(rk.EnterReferralCode(codes["sue"], f"late {number}")).campaign for number in range(left + 1)]
    assert ["double"] * left == entered[:left]
    assert (entered[left] == "double") == ((money - taken) // 15 > left)
    assert violations(snapshot_of(store, "acme")) == ()


def test_what_is_earned_at_once_is_paid_as_far_as_the_money_goes_and_the_others_wait(
    store: Store, scale: float
) -> None:
    recipients = max(6 * WORKERS, round(400 * scale))
    kit = kit_at(store, "acme", BEGAN_AT)
    codes = define(kit, double={"budget": 30, "at_exhaustion": "queue", "cap": recipients})
    released: list[str] = []

    def replenish() -> None:
        mine = kit_at(store, "acme", BEGAN_AT)
        for _ in range(4):
            released.extend(one.grant for one in mine.run(rk.ReplenishBudget("double", 10)).released)

    at_once(*(entering(store, codes, number, recipients) for number in range(WORKERS)), replenish)
    last = kit.run(rk.ReplenishBudget("double", 0))
    released += [one.grant for one in last.released]
    snapshot = snapshot_of(store, "acme")
    assert violations(snapshot) == ()
    assert len(released) == len(set(released))
    paid = sum(10 if row.side == "sender" else 5 for row in snapshot.grants if row.status == "ready")
    assert (0, paid * 10_000) == counter(snapshot, PAID)
    # What is left covers none of those that wait: the oldest of them is a sender's, if there is anything left.
    assert 60 <= paid <= 70
    waiting = kit.ask(rk.Grants(held_for="budget")).items
    assert {"ready", "held"} == {row.status for row in snapshot.grants}
    assert last.left < int(waiting[0].reward.properties["amount"])


def race(store: Store, name: str, *, sabotaged: bool) -> Snapshot:
    """One takes money while another does between the reading and the writing of the budget's counter."""
    honest = kit_at(store, "acme", BEGAN_AT)
    kind = {"at_exhaustion": "queue"} if name == PAID else {}
    codes = define(honest, double={"budget": 30, **kind})

    def take(kit: rk.RewardKit, recipient: str) -> None:
        if name == RESERVED:
            kit.run(rk.EnterReferralCode(codes["sue"], recipient))
        else:
            kit.emit("Bought", user=recipient, id="bought")

    for recipient in ("r0", "r1", "r2") if name == PAID else ():
        honest.run(rk.EnterReferralCode(codes["sue"], recipient))
    take(honest, "r0")
    if sabotaged:
        take(kit_at(ReadThenWrite(store, name, lambda: take(honest, "r1")), "acme", BEGAN_AT), "r2")
    else:
        take(honest, "r1")
        take(honest, "r2")
    return snapshot_of(store, "acme")


@pytest.mark.parametrize("name", [RESERVED, PAID])
@pytest.mark.parametrize("sabotaged", [True, False])
def test_the_audit_catches_a_budget_whose_counter_is_read_and_then_written(
    store: Store, name: str, *, sabotaged: bool
) -> None:
    snapshot = race(store, name, sabotaged=sabotaged)
    broken = [line for line in violations(snapshot) if line.startswith(("R3", "C3", "C7"))]
    assert bool(broken) == sabotaged
    promised = sum(15 for row in snapshot.referrals if row.campaign == "double") if name == RESERVED else 0
    paid = sum(10 if row.side == "sender" else 5 for row in snapshot.grants if row.status == "ready")
    assert (max(promised, paid) > 30) == sabotaged
