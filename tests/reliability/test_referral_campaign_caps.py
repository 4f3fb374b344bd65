"""R3 where many recipients enter one campaign at once, and others are voided: threads on both databases, and a bug."""

from __future__ import annotations

import os
from functools import partial
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
COUNTER = "at-entry/ever/double"
SENDERS = ("sue", "tom", "una")


def define(kit: rk.RewardKit, campaigns: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Campaigns with caps beside the fallback; the code of each sender."""
    kit.run(rk.DefineReward("gift"))
    kit.run(rk.DefineReferralProgram("friends", "gift", "gift", "Bought"))
    for name, terms in {"normal": {}, **campaigns}.items():
        kit.run(rk.DefineCampaign(name, program="friends", **terms))
        kit.run(rk.LaunchCampaign(name))
    return {sender: kit.run(rk.GiveReferralCode(sender)).code for sender in SENDERS}


def kept(snapshot: Snapshot, campaign: str = "double") -> int:
    """How many referrals have a place of a campaign; each one is audited to be counted."""
    return sum(row.campaign == campaign and row.status in ("open", "completed") for row in snapshot.referrals)


@pytest.mark.parametrize("most", [1, 10, 1_000])
@pytest.mark.parametrize("limit", ["cap", "caps_per"])
def test_as_many_enter_as_the_caps_allow_by_many_workers_while_others_are_voided_and_complete(
    store: Store, limit: str, most: int, scale: float
) -> None:
    recipients = max(4 * WORKERS, round(400 * scale))
    cap: dict[str, Any] = {"cap": most} if limit == "cap" else {"caps_per": {"year": most}}
    # The second campaign is asked together with the first, in whatever order their names sort.
    codes = define(kit_at(store, "acme", BEGAN_AT), {"double": {**cap, "priority": 1}, "also": {"cap": 2}})

    def work(worker: int) -> None:
        kit = kit_at(store, "acme", BEGAN_AT)
        for number in range(worker, recipients, WORKERS):
            made = kit.run(rk.EnterReferralCode(codes[SENDERS[number % 3]], f"r{number}"))
            if number % 3 == 0:
                kit.run(rk.VoidReferral(made.id))
            elif number % 3 == 1:
                kit.emit("Bought", user=f"r{number}", id="bought")

    at_once(*(partial(work, number) for number in range(WORKERS)))
    snapshot = snapshot_of(store, "acme")
    assert violations(snapshot) == ()
    assert len(snapshot.referrals) == recipients
    assert kept(snapshot) <= most
    # Whoever comes when all is quiet takes what was left over, until nothing is.
    kit = kit_at(store, "acme", BEGAN_AT)
    left = min(most - kept(snapshot), 20)
    entered = [kit.run(rk.EnterReferralCode(codes["sue"], f"late {number}")).campaign for number in range(left + 1)]
    assert ["double"] * left == entered[:left]
    assert (entered[left] == "double") == (most - kept(snapshot) > left)
    assert violations(snapshot_of(store, "acme")) == ()


def race(store: Store, *, sabotaged: bool) -> Snapshot:
    """One recipient enters while another's entry is between the reading and the writing of the campaign's counter."""
    honest = kit_at(store, "acme", BEGAN_AT)
    codes = define(honest, {"double": {"cap": 2}})
    honest.run(rk.EnterReferralCode(codes["sue"], "r0"))

    def between() -> None:
        honest.run(rk.EnterReferralCode(codes["tom"], "r1"))

    if sabotaged:
        kit_at(ReadThenWrite(store, COUNTER, between), "acme", BEGAN_AT).run(rk.EnterReferralCode(codes["sue"], "r2"))
    else:
        between()
        honest.run(rk.EnterReferralCode(codes["sue"], "r2"))
    return snapshot_of(store, "acme")


@pytest.mark.parametrize("sabotaged", [True, False])
def test_the_audit_catches_a_campaign_whose_counter_is_read_and_then_written(store: Store, *, sabotaged: bool) -> None:
    snapshot = race(store, sabotaged=sabotaged)
    broken = [line for line in violations(snapshot) if line.startswith(("R3", "C7"))]
    assert (kept(snapshot) > 2, bool(broken)) == (sabotaged, sabotaged)
