"""What a kit tells of itself: events of the log, and an observer around every operation; and nothing unless asked."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.ports import Facts
from rewardkit.storage import open_store
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.faults import Step, WatchedStore

Shown = dict[str, Any]


class Heard:
    """An observer that keeps what it is told, each operation with how deep it lies in others."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Shown]] = []
        self._open: list[str] = []

    def __call__(self, operation: str, facts: Facts) -> Callable[[Facts], None]:
        self._open.append(operation)
        path = " > ".join(self._open)
        begun = dict(facts)

        def end(facts: Facts) -> None:
            self._open.pop()
            self.told.append((path, begun | dict(facts)))

        return end


def define(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("gift", "disc", "Purchase"))
    kit.run(rk.DefineCampaign("spring", "gift", entry='"Sign Up"', code="SPRING"))
    kit.run(rk.LaunchCampaign("spring"))


def events(caplog: pytest.LogCaptureFixture) -> list[Shown]:
    """The structured events of the log, but for how long they took."""
    found = [record.__dict__["rewardkit"] for record in caplog.records if record.name != "rewardkit.sql"]
    return [{key: value for key, value in one.items() if key != "microseconds"} for one in found]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgresql":
        dsn: str = request.getfixturevalue("postgres_dsn")
        opened = open_store(dsn)
        opened.migrate()
        opened.close()
        yield dsn
    else:
        yield ":memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/rewards.db"


def test_decisions_and_deliveries_are_events_of_the_log(store: str, caplog: pytest.LogCaptureFixture) -> None:
    notices: list[rk.Notice] = []
    with rk.RewardKit(store, notifiers=[notices.append], tenant="acme") as kit:
        define(kit)
        with caplog.at_level(logging.DEBUG, "rewardkit"):
            kit.emit_many([{"name": "Sign Up", "user": "amanda"}, {"name": "Purchase", "user": "amanda"}])
            kit.attempt(rk.EnterOfferCode("no such code", "bea"))
            kit.ask(rk.Grants())
            with pytest.raises(rk.ValidationError):
                kit.run(rk.ClaimGrants(0))
            kit.deliver()
    ids = {notice.kind: notice.id for notice in notices}
    acme = {"tenant": "acme"}
    assert events(caplog)[:4] == [
        {"event": "run.answered", **acme, "command": "Emit", "events": 2, "event_ids": 2, "entered": 1, "earned": 1},
        {"event": "run.refused", **acme, "command": "EnterOfferCode", "refusal": "code_not_valid"},
        {"event": "ask.answered", **acme, "query": "Grants", "items": 1},
        {"event": "run.failed", **acme, "command": "ClaimGrants", "error": "ValidationError"},
    ]
    delivering = events(caplog)[4:]
    assert [one["event"] for one in delivering] == [
        "run.answered",
        "tell.delivered",
        "tell.delivered",
        "run.answered",
        "deliver.done",
    ]
    told = {**acme, "endpoint": "list.append", "attempt": 1, "event": "tell.delivered"}
    assert {one["kind"]: one for one in delivering[1:3]} == {
        kind: {**told, "kind": kind, "notice": ids[kind]} for kind in ("offer.made", "grant.ready")
    }
    assert delivering[-1] == {"event": "deliver.done", **acme, "delivered": 2}


def test_a_line_of_the_log_says_the_same_to_people(caplog: pytest.LogCaptureFixture) -> None:
    kit = rk.RewardKit(tenant="acme and sons")
    with caplog.at_level(logging.DEBUG, "rewardkit"):
        kit.emit("Sign Up", user="amanda")
    line = caplog.records[-1].getMessage()
    assert line.startswith("run.answered tenant='acme and sons' command=Emit events=1 event_ids=1 microseconds=")


@pytest.mark.parametrize("observed", [False, True])
def test_what_comes_with_every_event_is_below_info(
    store: str, caplog: pytest.LogCaptureFixture, *, observed: bool
) -> None:
    # An observed kit makes up the log's events whatever its level, and leaves out the quiet ones one by one.
    observer = Heard() if observed else None
    with rk.RewardKit(store, notifiers=[lambda _: None], observer=observer) as kit, caplog.at_level(logging.INFO):
        define(kit)
        kit.emit("Sign Up", user="amanda")
        kit.emit("Purchase", user="amanda")
        kit.attempt(rk.EnterOfferCode("no such code", "bea"))
        kit.run_due()
        kit.deliver()
        for grant in kit.claim():
            kit.run(rk.FulfilGrant(grant.id))
        with pytest.raises(rk.ValidationError):
            kit.claim(limit=0)
    assert [] == caplog.records


@pytest.mark.parametrize(
    "outcome, event, level",
    [
        (rk.Delivered(), "tell.delivered", logging.DEBUG),
        (rk.RetryLater("busy"), "tell.retry", logging.INFO),
        (rk.FailedForGood("no"), "tell.rejected", logging.WARNING),
        (rk.EndpointGone("410"), "tell.gone", logging.WARNING),
    ],
)
def test_an_attempt_is_as_loud_as_what_came_of_it(
    outcome: rk.Outcome, event: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    kit = rk.RewardKit(notifiers=[lambda _: outcome])
    define(kit)
    kit.run(rk.MakeOffer("spring", "amanda"))
    with caplog.at_level(logging.DEBUG, "rewardkit.notices"):
        kit.deliver()
    (record,) = [one for one in caplog.records if one.__dict__["rewardkit"]["event"].startswith("tell")]
    assert (event, level) == (record.__dict__["rewardkit"]["event"], record.levelno)


def test_the_last_attempt_that_fails_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    kit = rk.RewardKit(notifiers=[lambda _: rk.RetryLater("busy")], clock=clock)
    define(kit)
    kit.run(rk.MakeOffer("spring", "amanda"))
    with caplog.at_level(logging.INFO, "rewardkit.notices"):
        while kit.deliver().taken:
            clock.advance("3d")
    (dead,) = kit.ask(rk.Notices(status="dead")).items
    assert [one["event"] for one in events(caplog)] == ["tell.retry"] * 9 + ["tell.exhausted"]
    assert events(caplog)[-1]["notice"] == dead.id


def test_a_library_without_a_hosts_handler_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("rewardkit")
    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    program = "import rewardkit as rk\nrk.RewardKit().deliver()"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ("", "") == (done.stdout, done.stderr)


# --- observers ---------------------------------------------------------------------------------------


def test_an_observer_stands_around_every_operation(store: str) -> None:
    heard = Heard()
    with rk.RewardKit(store, notifiers=[lambda _: None], observer=heard) as kit:
        define(kit)
        del heard.told[:]
        kit.emit("Sign Up", user="amanda")
        kit.attempt(rk.EnterOfferCode("no such code", "bea"))
        kit.ready()
        kit.deliver()
    default = {"tenant": "default"}
    assert heard.told[:3] == [
        ("run", {**default, "command": "Emit", "events": 1, "outcome": "answered", "event_ids": 1, "entered": 1}),
        ("run", {**default, "command": "EnterOfferCode", "outcome": "refused", "refusal": "code_not_valid"}),
        ("ask", {**default, "query": "Grants", "outcome": "answered"}),
    ]
    assert [path for path, _ in heard.told[3:]] == ["deliver > run", "deliver > tell", "deliver > run", "deliver"]
    assert heard.told[-1] == ("deliver", {**default, "outcome": "done", "delivered": 1})


def test_a_worker_that_finds_nothing_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    commits: list[Step] = []

    def look_again() -> None:
        enough = len(commits) + 3
        wait_until(lambda: len(commits) >= enough)

    heard, stop = Heard(), threading.Event()
    store = WatchedStore(open_store(":memory:"), lambda step: commits.extend([step] * (step.call == "commit")))
    kit = rk.RewardKit(store, notifiers=[lambda _: None], observer=heard)
    define(kit)
    del heard.told[:]
    worker = threading.Thread(target=kit.deliver_forever, args=(stop,), kwargs={"poll_seconds": 0.001})
    with caplog.at_level(logging.DEBUG, "rewardkit"):
        worker.start()
        look_again()
        assert ([], []) == (heard.told, events(caplog))
        rk.RewardKit(store).run(rk.MakeOffer("spring", "amanda"))
        wait_until(lambda: len(heard.told) >= 3)
        look_again()
        stop.set()
        worker.join()
    assert ["deliver > tell", "deliver > run", "deliver"] == [path for path, _ in heard.told]
    assert heard.told[-1] == ("deliver", {"tenant": "default", "outcome": "done", "delivered": 1})


def test_a_worker_that_cannot_look_tells_of_it() -> None:
    heard, stop = Heard(), threading.Event()

    def fail(step: Step) -> None:
        if step == Step("commit", "before"):
            stop.set()
            raise rk.StoreError("away")

    kit = rk.RewardKit(WatchedStore(open_store(":memory:"), fail), notifiers=[print], observer=heard)
    kit.deliver_forever(stop, poll_seconds=0.001)
    failed = {"tenant": "default", "outcome": "failed", "error": "StoreError", "applied": "not_applied"}
    assert heard.told == [("deliver", failed)]


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.001)


def test_every_form_of_a_kit_carries_its_observer(tmp_path: Path) -> None:
    heard = Heard()
    shop = sqlite3.connect(tmp_path / "rewards.db")
    with rk.RewardKit(f"sqlite:///{tmp_path}/rewards.db", observer=heard) as kit:
        kit.tenant("acme").ready()
        with shop:
            kit.on(shop).tenant("bolt").emit("Sign Up", user="amanda")
        kit.ready()
    shop.close()
    assert ["acme", "bolt", "default"] == [facts["tenant"] for _, facts in heard.told]


WITHIN: ContextVar[str] = ContextVar("WITHIN", default="nothing")


def test_an_asynchronous_kit_observes_in_its_callers_context() -> None:
    places: list[tuple[str, Any]] = []

    def place(_operation: str, facts: Facts) -> Callable[[Facts], object]:
        places.append((WITHIN.get(), facts["tenant"]))
        return lambda _: None

    async def request(name: str, kit: rk.AsyncRewardKit) -> None:
        WITHIN.set(name)
        await kit.emit("Sign Up", user="amanda")

    async def main() -> None:
        async with rk.AsyncRewardKit(observer=place) as kit:
            await asyncio.gather(request("first", kit), request("second", kit.tenant("acme")))

    asyncio.run(main())
    assert {("first", "default"), ("second", "acme")} == set(places)


def test_a_failure_is_observed_by_its_kind() -> None:
    def fail(step: Step) -> None:
        if step == Step("commit", "before"):
            raise rk.StoreError("the disk is full of a secret", "unknown")

    heard = Heard()
    watched = WatchedStore(open_store(":memory:"), fail)
    with pytest.raises(rk.StoreError):
        rk.RewardKit(watched, observer=heard).emit("Sign Up", user="amanda")
    facts = {"tenant": "default", "command": "Emit", "events": 1}
    assert heard.told == [("run", {**facts, "outcome": "failed", "error": "StoreError", "applied": "unknown"})]


def test_a_decision_that_was_made_again_says_how_often() -> None:
    failures = [rk.StoreError("a deadlock", transient=True) for _ in range(2)]

    def fail(step: Step) -> None:
        if step == Step("commit", "before") and failures:
            raise failures.pop()

    heard = Heard()
    kit = rk.RewardKit(WatchedStore(open_store(":memory:"), fail), observer=heard)
    kit.emit("Sign Up", user="amanda")
    kit.emit("Sign Up", user="amanda")
    assert [3, None] == [facts.get("tries") for _, facts in heard.told]


def broken(when: str) -> Callable[[str, Facts], Callable[[Facts], object]]:
    def failing(*_: object) -> Any:
        raise RuntimeError(when)

    return failing if when == "at the beginning" else lambda *_: failing


@pytest.mark.parametrize("when", ["at the beginning", "at the end"])
def test_an_observer_that_fails_changes_nothing(when: str, caplog: pytest.LogCaptureFixture) -> None:
    told: list[rk.Notice] = []
    kit = rk.RewardKit(notifiers=[told.append], observer=broken(when))
    define(kit)
    assert kit.emit("Sign Up", user="amanda").entered[0].user == "amanda"
    assert isinstance(kit.attempt(rk.EnterOfferCode("no such code", "bea")), rk.Refused)
    with pytest.raises(rk.ValidationError):
        kit.run(rk.ClaimGrants(0))
    assert kit.deliver() == rk.Delivery(delivered=1)
    assert {"event": "observer.failed", "tenant": "default", "error": "RuntimeError"} in events(caplog)


def test_what_cannot_be_called_is_no_observer() -> None:
    with pytest.raises(rk.ValidationError, match="observer"):
        rk.RewardKit(observer="datadog")  # type: ignore[arg-type]


# --- nothing unless asked -----------------------------------------------------------------------------


def calls_into_observe(call: Callable[[], object]) -> list[str]:
    found: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and "/rewardkit/observe/" in Path(frame.f_code.co_filename).as_posix():
            found.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return found


def test_an_unobserved_kit_asks_once_whether_anybody_listens() -> None:
    kit = rk.RewardKit(notifiers=[lambda _: None])
    define(kit)
    assert ["deciding"] == calls_into_observe(lambda: kit.emit("Sign Up", user="amanda"))
    assert ["deciding"] == calls_into_observe(lambda: kit.emit_many([{"name": "Purchase", "user": "amanda"}] * 100))
    assert ["deciding"] == calls_into_observe(kit.ready)
    # One for the call, two for its lease and its record, one for each notice.
    assert ["delivering", "deciding", "telling", "telling", "deciding"] == calls_into_observe(kit.deliver)


def test_observing_sends_no_statement(store: str, caplog: pytest.LogCaptureFixture) -> None:
    def sent(kit: rk.RewardKit) -> list[str]:
        define(kit)
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "rewardkit.sql"):
            kit.emit("Sign Up", user="amanda")
            kit.emit("Purchase", user="amanda")
            kit.deliver()
        return [record.getMessage() for record in caplog.records if record.name == "rewardkit.sql"]

    with rk.RewardKit(store, notifiers=[print], tenant="quiet") as quiet:
        without = sent(quiet)
    with rk.RewardKit(store, notifiers=[print], tenant="observed", observer=Heard()) as observed:
        assert without == sent(observed)
    assert (store == ":memory:") == (without == [])
