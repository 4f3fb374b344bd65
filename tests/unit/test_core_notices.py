"""Telling the outside: every notice at least once, under one id with one body, and none is silently lost."""

from __future__ import annotations

import json

import pytest

import rewardkit as rk
from rewardkit.core.notices.outbox import SCHEDULE_SECONDS, Attempt, LeaseOutbox, Marked, MarkOutbox
from rewardkit.testing.clock import FakeClock


class Receiver:
    """A notifier that fails as long as it is told to."""

    def __init__(self) -> None:
        self.fails = False
        self.told: list[rk.Notice] = []

    def __call__(self, notice: rk.Notice) -> None:
        self.told.append(notice)
        if self.fails:
            raise ConnectionError("no answer\x00 \ud800")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def kit(clock: FakeClock, receiver: Receiver) -> rk.RewardKit:
    kit = rk.RewardKit(clock=clock, notifiers=[receiver], jitter=lambda: 0.5)
    kit.run(rk.DefineReward("disc", {"sku": "CD-1"}))
    kit.run(rk.DefineOffer("o", "disc", "A", expires_after="10d"))
    kit.run(rk.DefineCampaign("c", "o", user_cap=3))
    kit.run(rk.LaunchCampaign("c"))
    kit.run(rk.MakeOffer("c", "amanda"))
    return kit


def test_each_thing_that_happens_is_told_once(kit: rk.RewardKit, clock: FakeClock, receiver: Receiver) -> None:
    kit.emit("A", user="amanda")
    clock.advance("1s")
    cancelled = kit.run(rk.MakeOffer("c", "amanda"))
    kit.run(rk.CancelUserOffer(cancelled.id))
    kit.run(rk.MakeOffer("c", "bea"))
    clock.advance("10d")
    kit.run_due()
    assert kit.deliver() == rk.Delivery(delivered=6, failed=0)
    assert kit.deliver() == rk.Delivery(delivered=0, failed=0)
    kinds = sorted((notice.user, notice.kind) for notice in receiver.told)
    assert kinds == [
        ("amanda", "grant.ready"),
        ("amanda", "offer.ended"),
        ("amanda", "offer.made"),
        ("amanda", "offer.made"),
        ("bea", "offer.ended"),
        ("bea", "offer.made"),
    ]


def test_the_body_of_a_grant_says_what_was_earned(kit: rk.RewardKit, receiver: Receiver) -> None:
    (earned,) = kit.emit("A", user="amanda").earned
    kit.deliver()
    (notice,) = (notice for notice in receiver.told if notice.kind == "grant.ready")
    assert json.loads(notice.body) == {
        "kind": "grant.ready",
        "tenant": "default",
        "user": "amanda",
        "subject": earned.grant,
        "campaign": "c",
        "offer": "o",
        "reward": "disc",
        "properties": {"sku": "CD-1"},
        "earned_at": "2026-01-01T00:00:00Z",
    }


def test_a_reward_of_the_largest_size_can_be_told(kit: rk.RewardKit, receiver: Receiver) -> None:
    kit.run(rk.DefineReward("disc", {"text": "x" * 65_500}))
    kit.run(rk.MakeOffer("c", "bea"))
    assert len(kit.emit("A", user="bea").earned) == 1
    kit.deliver()
    assert max(len(notice.body) for notice in receiver.told) > 65_536


def test_a_failing_receiver_is_told_on_schedule_under_one_id_and_the_notice_is_dead_at_last(
    kit: rk.RewardKit, clock: FakeClock, receiver: Receiver
) -> None:
    receiver.fails = True
    for number, seconds in enumerate((*SCHEDULE_SECONDS, 1), start=1):
        assert kit.deliver() == rk.Delivery(delivered=0, failed=1)
        assert kit.deliver() == rk.Delivery()
        assert len(receiver.told) == number
        clock.set(clock() + seconds * 1_000_000 - 1)
        assert kit.deliver() == rk.Delivery()
        clock.set(clock() + 1)
    assert len({(notice.id, notice.body) for notice in receiver.told}) == 1
    assert [notice.attempt for notice in receiver.told] == list(range(1, len(SCHEDULE_SECONDS) + 2))
    assert kit.deliver() == rk.Delivery()
    (dead,) = kit.ask(rk.Notices(status="dead")).items
    receiver.fails = False
    revived = kit.run(rk.RetryNotice(dead.id))
    assert (revived.id, revived.body) == (dead.id, dead.body)
    assert kit.deliver() == rk.Delivery(delivered=1)
    assert receiver.told[-1].id == dead.id


def test_a_notice_that_is_not_dead_is_not_revived(kit: rk.RewardKit) -> None:
    (pending,) = kit.ask(rk.Notices()).items
    for name, code in ((pending.id, "notice_not_dead"), ("no_such", "notice_unknown")):
        refused = kit.attempt(rk.RetryNotice(name))
        assert isinstance(refused, rk.Refused)
        assert refused.code == code


def test_a_worker_that_dies_leaves_its_notices_due_again(kit: rk.RewardKit, clock: FakeClock) -> None:
    (row,) = kit.run(LeaseOutbox(10, 60)).rows
    assert kit.run(LeaseOutbox(10, 60)).rows == ()
    clock.advance("60s")
    (again,) = kit.run(LeaseOutbox(10, 60)).rows
    assert (again.id, again.body) == (row.id, row.body)
    told = {"shop": rk.Delivered()}
    assert kit.run(MarkOutbox((Attempt(row.id, row.lease, told),))) == Marked(overtaken=1)
    assert kit.run(MarkOutbox((Attempt(again.id, again.lease, told),))) == Marked(delivered=1)
    assert [notice.id for notice in kit.ask(rk.Notices(status="delivered")).items] == [row.id]


def test_one_receiver_that_fails_is_told_again_alone(clock: FakeClock) -> None:
    first, second = Receiver(), Receiver()
    second.fails = True
    kit = rk.RewardKit(clock=clock, notifiers=[first, second], jitter=lambda: 0.5)
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("o", "disc", "A"))
    kit.run(rk.DefineCampaign("c", "o"))
    kit.run(rk.LaunchCampaign("c"))
    kit.run(rk.MakeOffer("c", "amanda"))
    assert kit.deliver().failed == 1
    second.fails = False
    clock.advance("5s")
    assert kit.deliver().delivered == 1
    assert [len(first.told), len(second.told)] == [1, 2]


def test_without_notifiers_notices_wait(clock: FakeClock, kit: rk.RewardKit) -> None:
    assert rk.RewardKit(clock=clock).deliver() == rk.Delivery()
    assert len(kit.ask(rk.Notices(status="pending")).items) == 1
