"""Registering endpoints at run time: what is kept of them, what is refused, and which secret is theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.decide import decide
from rewardkit.core.deciding.context import Context, Judgement
from rewardkit.core.definitions.catalogue import EMPTY
from rewardkit.core.values.limits import ENDPOINTS
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.endpoints import KeptWebhooks, refused

URL = "https://shop.example/hook"


def test_a_registered_endpoint_is_listed_as_it_was_registered(kit: rk.RewardKit, clock: FakeClock) -> None:
    registered = kit.run(rk.RegisterEndpoint("shop", URL, kinds=["offer.made", "grant.ready", "offer.made"]))
    at = clock.now
    expected = rk.RegisteredEndpoint("shop", URL, ("grant.ready", "offer.made"), "enabled", at, "", at, 1, at, None)
    assert registered == expected
    assert kit.ask(rk.RegisteredEndpoints()) == (expected,)
    assert kit.tenant("other").ask(rk.RegisteredEndpoints()) == ()


@pytest.mark.parametrize(
    "kinds, message",
    [
        (["grant.redy"], "`grant.redy` is no kind of notices: did you mean `grant.ready`?"),
        (["grant.ready", "test"], "`test` is no kind of notices: there are `grant."),
        ([], "an endpoint that wants no kind of notices is told nothing"),
        ([5], "a kind of notices must be text"),
    ],
)
def test_kinds_that_no_notice_has_are_refused(kit: rk.RewardKit, kinds: Any, message: str) -> None:
    with pytest.raises(rk.ValidationError) as error:
        kit.run(rk.RegisterEndpoint("shop", URL, kinds=kinds))
    assert message in str(error.value)
    assert kit.ask(rk.RegisteredEndpoints()) == ()


def test_a_secret_that_was_never_comes_back_under_its_name(kit: rk.RewardKit) -> None:
    generations = []
    for _ in range(3):
        generations.append(kit.run(rk.RegisterEndpoint("shop", URL)).generation)
        generations.append(kit.run(rk.RotateEndpointSecret("shop")).generation)
        kit.run(rk.RemoveEndpoint("shop"))
    assert generations == [1, 2, 3, 4, 5, 6]


def test_rotating_leaves_the_secret_before_for_as_long_as_is_said(kit: rk.RewardKit, clock: FakeClock) -> None:
    kit.run(rk.RegisterEndpoint("shop", URL))
    assert kit.endpoint_secret("shop").reveal() == "default/shop/1"
    began = clock.advance("1h")
    rotated = kit.run(rk.RotateEndpointSecret("shop", overlap_seconds=60))
    assert rotated.previous_until is not None
    assert (rotated.generation, rotated.rotated_at) == (2, began)
    assert (rotated.previous_until - began).total_seconds() == 60
    assert kit.endpoint_secret("shop").reveal() == "default/shop/2"
    assert kit.run(rk.RotateEndpointSecret("shop", overlap_seconds=0)).previous_until is None
    for overlap in (-1, 30 * 86_400 + 1, True, 1.5):
        with pytest.raises(rk.ValidationError, match="overlap_seconds"):
            kit.run(rk.RotateEndpointSecret("shop", overlap_seconds=overlap))  # type: ignore[arg-type]


def test_registering_as_before_changes_nothing(kit: rk.RewardKit, clock: FakeClock) -> None:
    first = kit.run(rk.RegisterEndpoint("shop", URL))
    kit.run(rk.RotateEndpointSecret("shop"))
    clock.advance("1h")
    again = kit.run(rk.RegisterEndpoint("shop", URL))
    assert (again.since, again.registered_at, again.generation) == (first.since, first.registered_at, 2)


def test_a_refused_url_is_not_kept_and_changes_nothing(kit: rk.RewardKit, webhooks: KeptWebhooks) -> None:
    kit.run(rk.RegisterEndpoint("shop", URL))
    webhooks.refusal = rk.UrlRefused("leads into a network of yours", "address")
    for name in ("shop", "other"):
        answer = refused(kit, rk.RegisterEndpoint(name, "https://inside.example/"))
        assert (answer.code, answer.facts) == ("url_refused", {"reason": "address"})
    assert [(one.name, one.url) for one in kit.ask(rk.RegisteredEndpoints())] == [("shop", URL)]
    assert webhooks.judged == [URL, "https://inside.example/", "https://inside.example/"]


@pytest.mark.parametrize("url", [None, 5, "", ["https://shop.example"]])
def test_a_url_that_is_no_text_is_refused_before_anybody_judges_it(
    kit: rk.RewardKit, webhooks: KeptWebhooks, url: Any
) -> None:
    answer = refused(kit, rk.RegisterEndpoint("shop", url))
    assert (answer.code, answer.facts, webhooks.judged) == ("url_refused", {"reason": "malformed"}, [])


def test_a_repeat_under_a_key_answers_what_was_answered_whatever_the_guard_says_by_now(
    kit: rk.RewardKit, webhooks: KeptWebhooks
) -> None:
    first = kit.run(rk.RegisterEndpoint("shop", URL), key="1")
    webhooks.refusal = rk.UrlRefused("does not resolve", "unresolved")
    assert kit.run(rk.RegisterEndpoint("shop", URL), key="1") == first
    with pytest.raises(rk.Conflict):
        kit.run(rk.RegisterEndpoint("shop", f"{URL}/other"), key="1")


def test_nobody_registers_what_nobody_has_judged(store: MemoryStore, kit: rk.RewardKit) -> None:
    plain = rk.RewardKit(store)
    calls: tuple[Callable[[], object], ...] = (
        lambda: plain.run(rk.RegisterEndpoint("shop", URL)),
        lambda: plain.endpoint_secret("shop"),
    )
    for call in calls:
        with pytest.raises(rk.ValidationError, match="webhooks"):
            call()
    assert kit.ask(rk.RegisteredEndpoints()) == ()


def test_a_url_is_registered_only_as_it_was_judged() -> None:
    command = rk.RegisterEndpoint("shop", URL)
    for judgement in (None, Judgement(f"{URL}/other", None)):
        with pytest.raises(rk.ValidationError, match="judge its URL"):
            next(decide(command, Context("default", 0, "1", EMPTY, judgement=judgement)))


def test_a_tenant_has_so_many_endpoints_at_most(kit: rk.RewardKit) -> None:
    for number in range(ENDPOINTS):
        kit.run(rk.RegisterEndpoint(f"shop {number}", URL))
    full = refused(kit, rk.RegisterEndpoint("one more", URL))
    assert (full.code, full.facts) == ("endpoints_full", {"registered": ENDPOINTS, "most": ENDPOINTS})
    kit.run(rk.RegisterEndpoint("shop 0", f"{URL}/new"))
    kit.run(rk.RemoveEndpoint("shop 1"))
    kit.run(rk.RegisterEndpoint("one more", URL))
    assert refused(kit, rk.RegisterEndpoint("shop 1", URL)).code == "endpoints_full"
    kit.tenant("other").run(rk.RegisterEndpoint("shop", URL))
