"""What becomes of a notice when its endpoints answer differently, and of an endpoint that is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.notices.outbox import SCHEDULE_SECONDS
from rewardkit.shell.deliver import PATIENCE_SECONDS, endpoints_of
from rewardkit.testing.clock import FakeClock

HOUR = 3_600_000_000
DAY_SECONDS = 86_400


class Endpoint:
    """Answers what it is told to, and remembers what it was told."""

    def __init__(self, endpoint: str, answer: Any = None, kinds: Any = None) -> None:
        self.endpoint = endpoint
        self.kinds = kinds
        self.answer = answer
        self.told: list[rk.Notice] = []

    def __call__(self, notice: rk.Notice) -> Any:
        self.told.append(notice)
        return self.answer


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def kit_of(clock: FakeClock, *notifiers: rk.Notifier, jitter: float = 0.5, offers: int = 1) -> rk.RewardKit:
    kit = rk.RewardKit(clock=clock, notifiers=notifiers, jitter=lambda: jitter)
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("o", "disc", "A"))
    kit.run(rk.DefineCampaign("c", "o", user_cap=100))
    kit.run(rk.LaunchCampaign("c"))
    for _ in range(offers):
        kit.run(rk.MakeOffer("c", "amanda"))
    return kit


def only(kit: rk.RewardKit) -> rk.Notice:
    (notice,) = kit.ask(rk.Notices()).items
    return notice


def waits_until_told(kit: rk.RewardKit, clock: FakeClock, endpoint: Endpoint, seconds: float) -> None:
    told = len(endpoint.told)
    clock.set(clock() + int(seconds * 1_000_000) - 1)
    assert kit.deliver() == rk.Delivery()
    clock.set(clock() + 1)
    kit.deliver()
    assert len(endpoint.told) == told + 1


def test_the_schedule_takes_about_three_days() -> None:
    assert 2.9 * DAY_SECONDS < sum(SCHEDULE_SECONDS) < 3.5 * DAY_SECONDS


@pytest.mark.parametrize("jitter, seconds", [(0.0, 1), (0.01, 1), (0.25, 2.5), (0.5, 5), (0.999999, 9.99999)])
def test_a_wait_is_drawn_from_all_of_twice_its_mean(clock: FakeClock, jitter: float, seconds: float) -> None:
    endpoint = Endpoint("shop", rk.RetryLater("busy"))
    kit = kit_of(clock, endpoint, jitter=jitter)
    assert kit.deliver() == rk.Delivery(failed=1)
    waits_until_told(kit, clock, endpoint, seconds)


@pytest.mark.parametrize(
    "after, seconds", [(0, 5), (4, 5), (-9, 5), (120, 120), (DAY_SECONDS, DAY_SECONDS), (10**30, DAY_SECONDS)]
)
def test_an_endpoint_that_wants_time_gets_it_within_the_longest_wait(
    clock: FakeClock, after: int, seconds: float
) -> None:
    endpoint = Endpoint("shop", rk.RetryLater("429", after))
    kit = kit_of(clock, endpoint)
    kit.deliver()
    waits_until_told(kit, clock, endpoint, seconds)


def test_a_failure_for_good_is_a_dead_letter_at_once_and_can_be_replayed(clock: FakeClock) -> None:
    endpoint = Endpoint("shop", rk.FailedForGood("400 no such user"))
    kit = kit_of(clock, endpoint)
    assert kit.deliver() == rk.Delivery(failed=1)
    dead = only(kit)
    assert (dead.status, dead.error, dead.told, dead.attempt) == ("dead", "shop: 400 no such user", (), 1)
    endpoint.answer = None
    assert kit.run(rk.ReplayDeadLetters()) == 1
    assert kit.run(rk.ReplayDeadLetters()) == 0
    assert kit.deliver() == rk.Delivery(delivered=1)
    assert [(notice.id, notice.body) for notice in endpoint.told] == [(dead.id, dead.body)] * 2
    assert (only(kit).status, only(kit).error, only(kit).told) == ("delivered", "", ("shop",))


def test_a_replay_tells_only_those_who_have_not_had_it(clock: FakeClock) -> None:
    has, refuses = Endpoint("has"), Endpoint("refuses", rk.FailedForGood("no"))
    kit = kit_of(clock, has, refuses)
    kit.deliver()
    assert (only(kit).status, only(kit).told) == ("dead", ("has",))
    refuses.answer = rk.Delivered()
    kit.run(rk.RetryNotice(only(kit).id))
    assert kit.deliver() == rk.Delivery(delivered=1)
    assert [len(has.told), len(refuses.told)] == [1, 2]


def test_a_failure_for_good_waits_for_the_others_before_the_notice_is_dead(clock: FakeClock) -> None:
    refuses, busy = Endpoint("refuses", rk.FailedForGood("no")), Endpoint("busy", rk.RetryLater("503"))
    kit = kit_of(clock, refuses, busy)
    kit.deliver()
    assert (only(kit).status, only(kit).error) == ("pending", "busy: 503; refuses: no")
    busy.answer = None
    clock.advance("5s")
    kit.deliver()
    assert (only(kit).status, only(kit).error, only(kit).told) == ("dead", "refuses: no", ("busy",))
    assert [len(refuses.told), len(busy.told)] == [1, 2]


def test_a_gone_endpoint_is_told_nothing_until_it_is_enabled_and_what_it_missed_is_dead(clock: FakeClock) -> None:
    stays, leaves = Endpoint("stays"), Endpoint("leaves", rk.EndpointGone("410"))
    kit = kit_of(clock, stays, leaves, offers=3)
    assert kit.deliver() == rk.Delivery(failed=3)
    kit.run(rk.MakeOffer("c", "amanda"))
    assert kit.deliver() == rk.Delivery(failed=1)
    assert [len(stays.told), len(leaves.told)] == [4, 1]
    (gone,) = kit.ask(rk.Endpoints())
    assert gone == rk.EndpointState("leaves", "gone", clock.now, "410")
    leaves.answer = None
    assert kit.run(rk.EnableEndpoint("leaves")).status == "enabled"
    assert kit.run(rk.ReplayDeadLetters(3)) == 3
    assert kit.run(rk.ReplayDeadLetters(3)) == 1
    assert kit.deliver() == rk.Delivery(delivered=4)
    assert [len(stays.told), len({notice.id for notice in leaves.told}), len(leaves.told)] == [4, 4, 5]


def test_only_an_endpoint_that_was_gone_can_be_enabled(clock: FakeClock) -> None:
    kit = kit_of(clock, Endpoint("shop"))
    refused = kit.attempt(rk.EnableEndpoint("shop"))
    assert isinstance(refused, rk.Refused)
    assert refused.code == "endpoint_unknown"
    assert kit.ask(rk.Endpoints()) == ()


def test_an_endpoint_is_told_the_kinds_that_it_wants(clock: FakeClock) -> None:
    wants, all_kinds = Endpoint("wants", kinds={"grant.ready"}), Endpoint("all")
    kit = kit_of(clock, wants, all_kinds)
    kit.emit("A", user="amanda")
    assert kit.deliver() == rk.Delivery(delivered=2)
    assert [notice.kind for notice in wants.told] == ["grant.ready"]
    assert len(all_kinds.told) == 2


@pytest.mark.parametrize(
    "answer, reason",
    [
        (False, "shop: the notifier answered a `bool`, which is no outcome"),
        ("ok", "shop: the notifier answered a `str`, which is no outcome"),
        (rk.RetryLater("x" * 9_999), "shop: " + "x" * 494),
        (rk.RetryLater(""), "shop: no reason given"),
        (rk.RetryLater("\x00a \ud800"), "shop: a ?"),
    ],
)
def test_an_answer_that_is_no_outcome_is_a_retry_with_its_reason(clock: FakeClock, answer: Any, reason: str) -> None:
    kit = kit_of(clock, Endpoint("shop", answer))
    assert kit.deliver() == rk.Delivery(failed=1)
    assert (only(kit).status, only(kit).error) == ("pending", reason)


def test_a_notifier_that_cannot_even_say_how_it_failed_is_a_retry(clock: FakeClock) -> None:
    unfit: Any = float("inf")

    def notify(_notice: rk.Notice) -> rk.RetryLater:
        return rk.RetryLater("busy", unfit)

    kit = kit_of(clock, notify)
    assert kit.deliver() == rk.Delivery(failed=1)
    assert "OverflowError" in only(kit).error


def test_a_slow_worker_gives_back_what_it_has_not_begun(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [0.0]
    monkeypatch.setattr("rewardkit.shell.deliver.time.monotonic", lambda: seconds[0])
    endpoint = Endpoint("shop")

    def slow(notice: rk.Notice) -> None:
        seconds[0] += PATIENCE_SECONDS / 2 + 1
        endpoint(notice)

    kit = kit_of(clock, slow, offers=5)
    assert kit.deliver(limit=5) == rk.Delivery(delivered=2)
    assert kit.deliver(limit=5) == rk.Delivery(delivered=2)
    assert kit.deliver(limit=5) == rk.Delivery(delivered=1)
    assert len({notice.id for notice in endpoint.told}) == len(endpoint.told) == 5
    assert {notice.attempt for notice in endpoint.told} == {1}


def test_a_410_is_recorded_before_anything_else_is_told(clock: FakeClock) -> None:
    known: list[list[str]] = []
    gone = Endpoint("gone", rk.EndpointGone("410"))

    def other(_notice: rk.Notice) -> None:
        known.append([state.name for state in kit.ask(rk.Endpoints())])

    kit = kit_of(clock, gone, other, offers=3)
    assert kit.deliver() == rk.Delivery(failed=3)
    assert known == [[], ["gone"], ["gone"]]
    assert len(gone.told) == 1


def named(name: Any) -> rk.Notifier:
    return Endpoint(name)


def test_notifiers_have_names_of_their_own() -> None:
    told: list[rk.Notice] = []
    names = [one.name for one in endpoints_of([named("shop"), told.append, told.append, rk.LoggingNotifier()])]
    assert names == ["shop", "list.append", "list.append 2", "LoggingNotifier"]


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: [named("shop"), named("shop")], "two notifiers have the endpoint `shop`"),
        (lambda: [named("")], "the endpoint of notifier 0 must not be empty"),
        (lambda: [named(5)], "the endpoint of notifier 0 must be text"),
        (lambda: [Endpoint("shop", kinds="grant.ready")], "the kinds of notifier 0 come as a list"),
        (lambda: [named("shop"), 5], "notifier 1 must be callable"),
        (lambda: 5, "notifiers come as a list"),
    ],
)
def test_notifiers_that_cannot_be_meant_are_refused_early(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(rk.ValidationError, match=message):
        rk.RewardKit(notifiers=make())


def test_a_kit_without_notifiers_says_that_notices_wait(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    kit = kit_of(clock)
    assert kit.deliver() == rk.Delivery()
    assert only(kit).status == "pending"
    assert "notices wait" in caplog.text
