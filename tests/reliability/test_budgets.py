"""A budget that queues, under threads that earn and one that replenishes: nobody is paid twice, nobody too early."""

from __future__ import annotations

import os
import threading

import rewardkit as rk
from rewardkit.ports import Store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.faults_world import BEGAN_AT, kit_at

WORKERS = int(os.environ.get("REWARDKIT_WORKERS", "6"))


def test_as_many_grants_are_ready_as_the_money_covers_and_the_others_wait(store: Store, scale: float) -> None:
    earners = max(4 * WORKERS, round(600 * scale))
    kit = kit_at(store, "acme", BEGAN_AT)
    kit.run(rk.DefineReward("gift", {"amount": "5.00"}))
    kit.run(rk.DefineOffer("activate", "gift", "Activated"))
    kit.run(rk.DefineCampaign("queue", "activate", entry="Signed", budget="15.00", at_exhaustion="queue"))
    kit.run(rk.LaunchCampaign("queue"))
    released: list[str] = []
    gate = threading.Barrier(WORKERS + 1)

    def earn(worker: int) -> None:
        mine = kit_at(store, "acme", BEGAN_AT)
        gate.wait()
        for number in range(worker, earners, WORKERS):
            for order, name in enumerate(("Signed", "Activated")):
                mine.emit(name, user=f"user {number}", id=name, order=order)

    def replenish() -> None:
        mine = kit_at(store, "acme", BEGAN_AT)
        gate.wait()
        for _ in range(4):
            released.extend(one.grant for one in mine.run(rk.ReplenishBudget("queue", "10.00")).released)

    threads = [threading.Thread(target=earn, args=(number,)) for number in range(WORKERS)]
    threads.append(threading.Thread(target=replenish))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    released += [one.grant for one in kit.run(rk.ReplenishBudget("queue", 0)).released]
    snapshot = snapshot_of(store, "acme")
    assert () == violations(snapshot)
    assert len(released) == len(set(released))
    statuses = [row.status for row in snapshot.grants]
    assert (11, earners - 11) == (statuses.count("ready"), statuses.count("held"))
