"""Spans by OpenTelemetry: within the host's own, in every form of a kit, and only where the host asks for them."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

import rewardkit as rk


class Recorder:
    """A tracer, and the spans that were made by it."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = provider.get_tracer("shop")
        self.observer = rk.OpenTelemetryObserver(self.tracer)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._exporter.get_finished_spans()}

    def tree(self) -> dict[str, str]:
        """Each span's parent, by name."""
        spans = self._exporter.get_finished_spans()
        names = {span.context.span_id: span.name for span in spans if span.context is not None}
        return {span.name: "" if span.parent is None else names[span.parent.span_id] for span in spans}


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def define(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("gift", "disc", "Purchase"))
    kit.run(rk.DefineCampaign("spring", "gift", entry='"Sign Up"'))
    kit.run(rk.LaunchCampaign("spring"))


def test_a_span_lies_within_the_hosts_and_holds_what_happens_in_it(recorder: Recorder) -> None:
    def mail(_notice: rk.Notice) -> None:
        with recorder.tracer.start_as_current_span("SMTP"):
            pass

    define(kit := rk.RewardKit(notifiers=[mail], observer=recorder.observer, tenant="acme"))
    with recorder.tracer.start_as_current_span("POST /orders"):
        kit.emit("Sign Up", user="amanda")
        assert trace.get_current_span().is_recording()
    kit.deliver()
    tree = recorder.tree()
    assert tree["rewardkit.run Emit"] == "POST /orders"
    assert (tree["SMTP"], tree["rewardkit.tell"]) == ("rewardkit.tell", "rewardkit.deliver")
    assert tree["rewardkit.run LeaseOutbox"] == tree["rewardkit.run MarkOutbox"] == "rewardkit.deliver"
    assert recorder.spans["rewardkit.run Emit"].attributes == {
        "rewardkit.tenant": "acme",
        "rewardkit.command": "Emit",
        "rewardkit.events": 1,
        "rewardkit.event_ids": 1,
        "rewardkit.entered": 1,
        "rewardkit.outcome": "answered",
    }


def test_only_what_failed_is_an_error(recorder: Recorder) -> None:
    kit = rk.RewardKit(notifiers=[lambda _: rk.FailedForGood("no")], observer=recorder.observer)
    define(kit)
    kit.emit("Sign Up", user="amanda")
    kit.attempt(rk.EnterOfferCode("no such code", "amanda"))
    with pytest.raises(rk.ValidationError):
        kit.run(rk.ClaimGrants(0))
    kit.deliver()
    unset, error = trace.StatusCode.UNSET, trace.StatusCode.ERROR
    found = {name: (span.status.status_code, span.status.description) for name, span in recorder.spans.items()}
    assert found["rewardkit.run EnterOfferCode"] == (unset, None)
    assert found["rewardkit.run ClaimGrants"] == (error, "ValidationError")
    assert found["rewardkit.tell"] == (error, "rejected")
    assert found["rewardkit.deliver"] == (unset, None)


def test_spans_of_an_asynchronous_kit_lie_within_the_span_of_its_caller(recorder: Recorder) -> None:
    async def request(name: str, kit: rk.AsyncRewardKit) -> None:
        with recorder.tracer.start_as_current_span(name):
            await (kit.ready() if name == "polling" else kit.claim())

    async def main() -> None:
        async with rk.AsyncRewardKit(observer=recorder.observer) as kit:
            await asyncio.gather(request("polling", kit), request("claiming", kit.tenant("acme")))

    asyncio.run(main())
    tree = recorder.tree()
    assert (tree["rewardkit.ask Grants"], tree["rewardkit.run ClaimGrants"]) == ("polling", "claiming")


def test_spans_inside_an_asynchronous_hosts_transaction_lie_within_its_span(recorder: Recorder, tmp_path: Path) -> None:
    async def main() -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/rewards.db")
        async with rk.AsyncRewardKit(f"sqlite:///{tmp_path}/rewards.db", observer=recorder.observer) as kit:
            await kit.migrate()
            async with AsyncSession(engine) as session, session.begin():
                with recorder.tracer.start_as_current_span("POST /orders"):
                    await kit.on(session).tenant("acme").emit("Sign Up", user="amanda")
                    assert trace.get_current_span().get_span_context() != trace.INVALID_SPAN_CONTEXT
        await engine.dispose()

    asyncio.run(main())
    assert recorder.tree()["rewardkit.run Emit"] == "POST /orders"
    attributes = recorder.spans["rewardkit.run Emit"].attributes
    assert attributes is not None
    assert attributes["rewardkit.tenant"] == "acme"


def test_without_the_package_the_pip_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(rk.ExtraNotInstalled, match=r"rewardkit\[otel\]"):
        rk.OpenTelemetryObserver()


def test_without_a_tracer_the_hosts_global_one_is_used() -> None:
    kit = rk.RewardKit(observer=rk.OpenTelemetryObserver())
    assert kit.emit("Sign Up", user="amanda").event_ids != ()
