"""A kit and its receivers: what an answer means for the notices that follow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.hostility import Hostility
from rewardkit.testing.receiver import Receiver, answer
from rewardkit.webhooks import generate_secret, verify

SECRET = generate_secret()
START = "2026-01-01T00:00:00Z"


def kit_for(*notifiers: rk.Notifier, clock: FakeClock, store: str = ":memory:") -> rk.RewardKit:
    kit = rk.RewardKit(store, clock=clock, notifiers=notifiers)
    kit.run(rk.DefineReward("welcome"))
    kit.run(rk.DefineOffer("activate", reward="welcome", condition='"User Activated"'))
    kit.run(rk.DefineCampaign("spring", offer="activate", entry='"User Signed Up"'))
    kit.run(rk.LaunchCampaign("spring"))
    return kit


def webhook(receiver: Receiver, clock: FakeClock, **settings: float) -> rk.WebhookNotifier:
    timeout_seconds = settings.get("timeout_seconds", 5)
    return rk.WebhookNotifier(receiver.url, SECRET, guard=receiver.guard, clock=clock, timeout_seconds=timeout_seconds)


def test_a_ready_reward_is_told_and_stays_ready_until_it_is_fulfilled() -> None:
    clock = FakeClock(START)
    with Receiver() as receiver, kit_for(webhook(receiver, clock), clock=clock) as kit:
        kit.emit("User Signed Up", user="amanda")
        kit.emit("User Activated", user="amanda")
        kit.deliver()
        now = clock.now.timestamp()
        told = [verify(one.body, one.headers, SECRET, now=now).body for one in receiver.received]
        (grant,) = kit.ready()
    assert [grant.id.encode() in body for body in told] == [False, True]


def test_after_410_a_receiver_is_told_nothing_and_others_are() -> None:
    clock = FakeClock(START)
    with Receiver(answer(410)) as gone, Receiver() as other:
        leaving, staying = webhook(gone, clock), webhook(other, clock)
        with kit_for(leaving, staying, clock=clock) as kit:
            for number in range(5):
                kit.emit("User Signed Up", user=f"user {number}")
                kit.deliver()
                clock.advance("1h")
            (state,) = kit.ask(rk.Endpoints())
    assert (len(gone.received), len(other.received)) == (1, 5)
    assert (state.name, state.status) == (leaving.endpoint, "gone")


def test_a_receiver_is_left_alone_for_as_long_as_it_asks() -> None:
    clock = FakeClock(START)
    with (
        Receiver(answer(429, {"Retry-After": "7200"})) as receiver,
        kit_for(webhook(receiver, clock), clock=clock) as kit,
    ):
        kit.emit("User Signed Up", user="amanda")
        for _ in range(11):
            kit.deliver()
            clock.advance("10m")
        assert len(receiver.received) == 1
        receiver.behaviour = answer(204)
        clock.advance("20m")
        assert kit.deliver() == rk.Delivery(delivered=1)


@pytest.mark.parametrize("seed", range(2))
def test_a_hostile_receiver_loses_nothing_and_gets_every_notice_as_it_was(seed: int, tmp_path: Path) -> None:
    clock, hostility = FakeClock(START), Hostility(seed, 0.1)
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    with (
        Receiver(hostility, shuts=hostility.shuts) as receiver,
        kit_for(webhook(receiver, clock, timeout_seconds=0.1), clock=clock, store=store) as kit,
    ):
        for number in range(20):
            kit.emit("User Signed Up", user=f"user {number}")
        for _ in range(3):
            kit.deliver()
            clock.advance("1d")
        hostility.relent()
        for _ in range(3):
            kit.deliver()
            clock.advance("1d")
        notices = kit.ask(rk.Notices()).items
    told = {(one.headers["webhook-id"], one.body) for one in receiver.received}
    assert {(notice.id, notice.body) for notice in notices} == told
    assert Counter(notice.status for notice in notices) == {"delivered": 20}


def test_an_offer_is_pushed_as_it_is_made_and_not_as_it_is_earned() -> None:
    with Receiver(answer(200)) as receiver:
        push = rk.AppriseNotifier(f"json://127.0.0.1:{receiver.port}/", kinds=["offer.made"])
        kit = kit_for(push, clock=FakeClock())
        for event in ("User Signed Up", "User Activated"):
            kit.emit(event, user="amanda")
            kit.deliver()
        (request,) = receiver.received
    assert "offer.made" in request.body.decode()
