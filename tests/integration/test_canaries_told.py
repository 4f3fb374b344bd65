"""Canaries in secrets, codes and personal fields, whatever a kit does with them: no log, span, error or repr sings."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.faults import Step, WatchedStore
from rewardkit.testing.receiver import Receiver, answer

SECRET = "whsec_" + "Q2FuYXJ5" * 5
PATH = "path-canary"
USER = "user-canary@example.com"
EMAIL = "amanda-canary@example.com"
CODE = "CANARYCODE2026"
SAID = "what-the-endpoint-said-canary"
WRONG = "CANARYWRONGCODE"
PLANTED = (SECRET, PATH, USER, EMAIL, CODE, SAID, WRONG)


class Traces:
    """Everything that was logged or traced, as the most talkative handlers and exporters would show it."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.spans = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        self.observer = rk.OpenTelemetryObserver(provider.get_tracer("shop"))
        self._caplog = caplog

    def shown(self) -> str:
        logged = [repr(vars(record)) + record.getMessage() for record in self._caplog.records]
        return "\n".join([*logged, *(span.to_json() for span in self.spans.get_finished_spans())])

    def events(self) -> list[dict[str, object]]:
        return [vars(record)["rewardkit"] for record in self._caplog.records if hasattr(record, "rewardkit")]

    def found(self) -> list[str]:
        return [canary for canary in PLANTED if canary in self.shown()]


@pytest.fixture
def traces(caplog: pytest.LogCaptureFixture) -> Iterator[Traces]:
    with caplog.at_level(logging.DEBUG):
        yield Traces(caplog)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param != "postgresql":
        return ":memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/rewards.db"
    dsn: str = request.getfixturevalue("postgres_dsn")
    opened = open_store(dsn)
    opened.migrate()
    opened.close()
    return dsn


def saying(notice: rk.Notice) -> rk.Outcome:
    """An endpoint whose answers quote what it was told, as mail servers do."""
    return rk.RetryLater(f"550 {SAID} {notice.body!r}")


def raising(notice: rk.Notice) -> None:
    raise RuntimeError(f"{SAID} {notice.body!r}")


def define(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("gift", "disc", "Purchase"))
    kit.run(rk.DefineCampaign("spring", "gift", entry='"Sign Up"', code=CODE, user_cap=5))
    kit.run(rk.LaunchCampaign("spring"))


def wrong(call: Callable[[], object]) -> str:
    """The whole traceback of a call that fails, and what the error holds."""
    with pytest.raises(rk.RewardKitError) as failed:
        call()
    return "".join(traceback.format_exception(failed.value)) + repr(failed.value) + repr(vars(failed.value))


def test_neither_logs_nor_spans_nor_tracebacks_show_what_was_planted(store: str, traces: Traces) -> None:
    with Receiver(answer(500)) as receiver:
        assert PATH in receiver.url
        webhook = rk.WebhookNotifier(receiver.url, SECRET, guard=receiver.guard)
        notifiers: list[rk.Notifier] = [saying, raising, webhook]
        clock = FakeClock()
        with rk.RewardKit(store, notifiers=notifiers, observer=traces.observer, clock=clock) as kit:
            define(kit)
            properties = {"email": EMAIL, "amount": 5}
            kit.emit("Sign Up", user=USER, id="1", properties=properties)
            kit.emit_many([rk.Event("Purchase", user=USER, id="2", properties=properties)])
            kit.run(rk.EnterOfferCode(CODE.lower(), USER))
            errors = [
                wrong(lambda: kit.run(rk.EnterOfferCode(WRONG, "bea"))),
                wrong(lambda: kit.emit("Sign Up", user=USER, id="1", properties=properties | {"email": "other"})),
                wrong(lambda: kit.emit("Sign Up", user="bea", properties={"email": f"{EMAIL}\ud800"})),
                wrong(lambda: kit.emit("Sign Up", user="bea", properties={"email": {EMAIL}})),
            ]
            kit.deliver()
            for _ in range(9):
                clock.advance("3d")
                kit.deliver()
            assert kit.ask(rk.Notices(status="dead")).items != ()
            for grant in kit.claim():
                kit.explain(grant.id)
                kit.run(rk.FulfilGrant(grant.id))
    assert [] == traces.found()
    assert [] == [canary for canary in (SECRET, PATH, EMAIL, CODE, SAID, WRONG) if canary in "".join(errors)]
    events = {
        record.__dict__["rewardkit"]["event"] for record in traces._caplog.records if record.name != "rewardkit.sql"
    }
    assert {"run.answered", "run.refused", "run.failed", "tell.retry", "tell.exhausted", "deliver.done"} <= events
    assert len(traces.spans.get_finished_spans()) > 30


def test_codes_of_pools_and_those_who_have_them_are_not_shown_either(store: str, traces: Traces) -> None:
    with rk.RewardKit(store, observer=traces.observer) as kit:
        made = rk.CreatePool("spring", low_threshold=1, notification_email_address=EMAIL)
        shown: list[object] = [made, kit.run(made), rk.ChangePool("spring", notification_email_address=EMAIL)]
        shown += [kit.run(rk.ImportCodes("spring", (CODE, CODE, WRONG)))]
        issued = rk.IssueCode("spring", EMAIL, code=CODE, referring_application="shop")
        shown += [issued, kit.run(issued), kit.run(rk.ReserveCode(CODE, external_issuee_id=EMAIL, reservation="o-1"))]
        shown += [kit.run(rk.ConfirmReservation("o-1")), kit.ask(rk.CodeStatus(CODE))]
        errors = [
            wrong(lambda: kit.run(rk.RedeemCode(CODE, external_issuee_id=EMAIL))),
            wrong(lambda: kit.run(rk.RedeemCode(f"{WRONG}X", public=True))),
            wrong(lambda: kit.run(rk.IssueCode("spring", "bea", code=CODE))),
        ]
        shown += [kit.run(rk.DeactivateCode(WRONG)), kit.ask(rk.Issuances()), kit.ask(rk.Codes("spring"))]
    assert [] == traces.found()
    assert [] == [canary for canary in PLANTED if canary in "".join(errors)]
    assert [] == [canary for canary in PLANTED if canary in repr(shown)]


def test_codes_of_senders_are_not_shown_either(store: str, traces: Traces) -> None:
    with rk.RewardKit(store, observer=traces.observer) as kit:
        kit.run(rk.DefineReward("disc"))
        kit.run(rk.DefineReferralProgram("friends", "disc", "disc", "Purchase"))
        given = kit.run(rk.GiveReferralCode("sue", base_url="https://shop.example/"))
        shown = [given, kit.ask(rk.SenderTerms("sue")), kit.run(rk.EnterReferralCode(given.code, "rob"))]
        errors = [
            wrong(lambda: kit.run(rk.EnterReferralCode(given.code, "sue"))),
            wrong(lambda: kit.run(rk.EnterReferralCode(CODE, "bea"))),
        ]
    assert [] == traces.found()
    assert [] == [canary for canary in (given.code, CODE) if canary in "".join(errors) + repr(shown)]


def test_the_text_of_an_error_reaches_no_span_and_no_log(traces: Traces) -> None:
    def fail(step: Step) -> None:
        if step == Step("commit", "before"):
            raise rk.StoreError(f"of a driver that quotes {EMAIL} and {SAID}")

    kit = rk.RewardKit(WatchedStore(open_store(":memory:"), fail), observer=traces.observer)
    with pytest.raises(rk.StoreError):
        kit.emit("Sign Up", user=USER)
    (span,) = traces.spans.get_finished_spans()
    assert (span.status.description, span.events) == ("StoreError", ())
    assert [] == traces.found()


def test_a_store_that_is_away_does_not_show_its_password(traces: Traces) -> None:
    kit = rk.RewardKit(f"postgresql://shop:{SAID}@127.0.0.1:1/shop", notifiers=[saying], observer=traces.observer)
    stop = threading.Event()
    worker = threading.Thread(target=kit.deliver_forever, args=(stop,), kwargs={"poll_seconds": 0.01})
    worker.start()
    until = time.monotonic() + 20
    while not traces.events() and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    worker.join()
    assert "deliver.interrupted" in {facts["event"] for facts in traces.events()}
    assert [] == traces.found()
    assert SAID not in wrong(lambda: kit.emit("Sign Up", user="bea")) + repr(kit)


SHOWN: tuple[object, ...] = (
    rk.EnterOfferCode(CODE, "bea"),
    rk.EnterReferralCode(CODE, "bea"),
    rk.RedeemCode(CODE, external_issuee_id=EMAIL),
    rk.Emit((rk.Event("Sign Up", user=USER, properties={"email": EMAIL}),)),
    rk.WebhookNotifier(f"https://example.com/{PATH}", SECRET),
    rk.EmailNotifier("localhost", sender="shop@example.com", to=EMAIL),
    rk.Secret(SECRET),
)


@pytest.mark.parametrize("thing", SHOWN, ids=lambda thing: type(thing).__name__)
def test_a_repr_shows_neither_codes_nor_secrets_nor_personal_fields(thing: object) -> None:
    assert [] == [canary for canary in PLANTED if canary in repr(thing)]


def test_a_notice_shows_no_body() -> None:
    told: list[rk.Notice] = []
    kit = rk.RewardKit(notifiers=[told.append])
    kit.run(rk.DefineReward("disc", {"for": EMAIL}))
    kit.run(rk.DefineOffer("gift", "disc", "Purchase"))
    kit.run(rk.DefineCampaign("spring", "gift", entry='"Sign Up"'))
    kit.run(rk.LaunchCampaign("spring"))
    kit.emit_many([{"name": name, "user": "amanda"} for name in ("Sign Up", "Purchase")])
    kit.deliver()
    assert any(EMAIL.encode() in notice.body for notice in told)
    assert EMAIL not in repr(told) + repr(kit)


def test_the_search_finds_what_is_told(traces: Traces) -> None:
    logging.getLogger("rewardkit.decisions").debug("of %s", USER)
    traces.observer("run", {"command": CODE})({"outcome": "answered"})
    assert [USER, CODE] == traces.found()
