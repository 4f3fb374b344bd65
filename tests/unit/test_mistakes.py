"""Mistakes that callers make: each is answered with what to do instead, before anything is asked of the store."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.webhooks import generate_secret, verify


@pytest.fixture
def kit() -> rk.RewardKit:
    return rk.RewardKit(":memory:")


CALLS: tuple[tuple[Callable[[Any], Any], str], ...] = (
    (
        lambda kit: kit.run("launch"),
        '`str` is not a command: pass one, such as `MakeOffer("spring", "ann")`, to `run` or `attempt`',
    ),
    (lambda kit: kit.run(rk.Campaigns()), "`Campaigns` is a query, not a command: pass it to `ask`"),
    (
        lambda kit: kit.run(rk.MakeOffer),
        '`MakeOffer` is a class: pass a command made from one, such as `MakeOffer("spring", "ann")`',
    ),
    (lambda kit: kit.ask(rk.LaunchCampaign("c")), "`LaunchCampaign` is a command, not a query: pass it to `run`"),
    (lambda kit: kit.ask(None), "`NoneType` is not a query: pass one, such as `Grants()`, to `ask`"),
    (lambda kit: kit.run(rk.Backfill(dry_run=None)), "dry_run must be True or False, not `None`"),  # type: ignore[arg-type]
    (
        lambda kit: kit.emit_many({"name": "A", "user": "ann"}),
        "events come as a list, not as one `dict`; `emit` takes one",
    ),
    (lambda kit: kit.emit_many(rk.Event("A", user="ann")), "events come as a list, not as one `Event`"),
    (lambda kit: kit.emit_many(5), "events come as a list, not as one `int`"),
    (lambda kit: kit.emit_many([{"nmae": "A", "user": "ann"}]), "event 0: `nmae` is no key of an event: did you mean"),
    (
        lambda kit: kit.emit_many([{"name": "A", "user": "ann", "total": 5}]),
        "event 0: `total` is no key of an event: put it under `properties`",
    ),
    (lambda kit: kit.emit_many([{"name": "A", "user": "ann"}, {"name": "A"}]), "event 1: `user` is missing"),
    (lambda kit: kit.emit_many([{"name": "A", "user": "ann"}, {"user": "a"}]), "event 1: `name` is missing"),
)


@pytest.mark.parametrize("call, answer", CALLS, ids=[answer[:40] for _, answer in CALLS])
def test_a_call_that_cannot_be_meant_is_answered_with_what_can(
    kit: rk.RewardKit, call: Callable[[Any], Any], answer: str
) -> None:
    with pytest.raises(rk.ValidationError, match=f"^{re.escape(answer)}"):
        call(kit)


async def awaited(_notice: rk.Notice) -> None: ...


class Awaited:
    async def __call__(self, _notice: rk.Notice) -> None: ...


class Choosing:
    kinds = ("grant.redy",)

    def __call__(self, _notice: rk.Notice) -> None: ...


KITS: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: rk.RewardKit(None), "a store is a text or a `Store`, not `NoneType`; write `:memory:`"),  # type: ignore[arg-type]
    (lambda: rk.RewardKit(Path("x.db")), "a store is a text or a `Store`, not `PosixPath`; write"),  # type: ignore[arg-type]
    (lambda: rk.RewardKit("sqlite:///:memory:"), "`sqlite:///:memory:` names no store that threads can share; write"),
    (lambda: rk.RewardKit(clock=5), "a clock is called for the time of each decision, and `int` is none"),  # type: ignore[arg-type]
    (lambda: rk.RewardKit(notifiers=print), "notifiers come as a list, not as one `builtin_function_or_method`"),  # type: ignore[arg-type]
    (lambda: rk.RewardKit(notifiers=["x"]), "notifier 0 must be callable with a notice, not a `str`"),  # type: ignore[list-item]
    (
        lambda: rk.RewardKit(notifiers=[rk.LoggingNotifier]),  # type: ignore[list-item]
        "notifier 0 is the class `LoggingNotifier`: make a notifier of it, `LoggingNotifier(…)`",
    ),
    (
        lambda: rk.RewardKit(notifiers=[rk.RegisteredWebhooks(generate_secret())]),  # type: ignore[list-item]
        "notifier 0 tells registered endpoints: give it as `webhooks=` instead",
    ),
    (lambda: rk.RewardKit(notifiers=[awaited]), "notifier 0 is asynchronous, and notifiers are called on a thread"),  # type: ignore[list-item]
    (lambda: rk.RewardKit(notifiers=[Awaited()]), "notifier 0 is asynchronous, and notifiers are called on a thread"),  # type: ignore[list-item]
    (lambda: rk.RewardKit(notifiers=[Choosing()]), "`grant.redy` is no kind of notices: did you mean `grant.ready`?"),
    (
        lambda: rk.RewardKit(webhooks=generate_secret()),  # type: ignore[arg-type]
        "`webhooks` must be such as `RegisteredWebhooks(master)`, not a `Secret`; a `WebhookNotifier` belongs among",
    ),
)


@pytest.mark.parametrize("make, answer", KITS, ids=[answer[:40] for _, answer in KITS])
def test_a_kit_that_could_not_work_is_not_made(make: Callable[[], Any], answer: str) -> None:
    with pytest.raises(rk.ValidationError, match=f"^{re.escape(answer)}"):
        make()


PARTS: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: hook(kinds=["grant.redy"]), "`grant.redy` is no kind of notices: did you mean `grant.ready`?"),
    (lambda: hook(kinds=["money"]), "`money` is no kind of notices: there are `grant.denied`, `grant.ready`,"),
    (lambda: hook(kinds=5), 'kinds come as a list, such as `["grant.ready"]`, not as `int`'),
    (lambda: rk.UrlGuard(allowed_ports=8443), "ports come as a list, such as `[8443]`, not as one `int`"),  # type: ignore[arg-type]
    (
        lambda: rk.UrlGuard(allowed_networks=8),  # type: ignore[arg-type]
        "networks come as a list of texts such as `10.1.0.0/16`, not as one `int`",
    ),
    (lambda: rk.RegisteredWebhooks(b"x"), "master secrets must be text, a `Secret` or several of them, not `bytes`"),  # type: ignore[arg-type]
    (lambda: verify(b"", None, generate_secret()), "headers come as the request's mapping of names, not as `NoneType`"),  # type: ignore[arg-type]
)


def hook(**given: Any) -> rk.WebhookNotifier:
    return rk.WebhookNotifier("https://example.com", generate_secret(), **given)


@pytest.mark.parametrize("make, answer", PARTS, ids=[answer[:40] for _, answer in PARTS])
def test_a_part_that_could_not_work_is_not_made(make: Callable[[], Any], answer: str) -> None:
    with pytest.raises(rk.ValidationError, match=f"^{re.escape(answer)}"):
        make()


@pytest.mark.parametrize(
    "arguments, answer",
    [
        ((True, 5.0), "a worker ends when a `threading.Event` is set, and `bool` is none"),
        ((threading.Event(), 0), "poll_seconds must be above 0, not `0`"),
    ],
)
def test_a_worker_that_could_not_end_or_rest_does_not_begin(arguments: tuple[Any, float], answer: str) -> None:
    stop, poll_seconds = arguments
    with pytest.raises(rk.ValidationError, match=f"^{re.escape(answer)}"):
        rk.RewardKit(notifiers=[print]).deliver_forever(stop, poll_seconds=poll_seconds)


def test_a_name_that_is_not_defined_is_answered_with_the_one_that_was_meant(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReward("welcome"))
    with pytest.raises(rk.Refused, match=r"^reward `welcme` is not defined: did you mean `welcome`\?") as near:
        kit.run(rk.DefineOffer("o", "welcme", "A"))
    assert {"name": "welcme", "defined": ["welcome"]} == near.value.facts
    with pytest.raises(rk.Refused, match=r"^reward `disc` is not defined \(reward_unknown\)$"):
        kit.run(rk.DefineOffer("o", "disc", "A"))


def test_a_public_name_that_does_not_exist_tells_python_what_to_compare_it_with() -> None:
    with pytest.raises(AttributeError) as caught:
        rk.RewardKitt  # noqa: B018 - looking it up is the case
    assert ("RewardKitt", rk) == (caught.value.name, caught.value.obj)
    assert "RewardKit" in dir(rk)
