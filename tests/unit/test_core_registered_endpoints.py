"""Endpoints that are registered at run time: what each is told, and what becomes of it when one of them fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.catalogue import EMPTY
from rewardkit.core.context import Context, Judgement
from rewardkit.core.decide import decide
from rewardkit.core.limits import ENDPOINTS
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

URL = "https://shop.example/hook"


class Webhooks:
    """Keeps what every endpoint is told, and answers for it what a test wants."""

    def __init__(self) -> None:
        self.refusal: rk.UrlRefused | None = None
        self.judged: list[str] = []
        self.answers: dict[str, Any] = {}
        self.told: list[tuple[str, str, rk.Notice]] = []

    def admit(self, url: rk.Secret) -> None:
        self.judged.append(url.reveal())
        if self.refusal is not None:
            raise self.refusal

    def tell(self, notice: rk.Notice, endpoint: rk.RegisteredEndpoint, tenant: str) -> rk.Outcome | None:
        self.told.append((tenant, endpoint.url, notice))
        answer = self.answers.get(endpoint.name)
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    def secret(self, endpoint: rk.RegisteredEndpoint, tenant: str) -> rk.Secret:
        return rk.Secret(f"{tenant}/{endpoint.name}/{endpoint.generation}")

    def kinds_of(self, endpoint: str) -> list[str]:
        return [notice.kind for _, _, notice in self.told if notice.endpoint == endpoint]


@pytest.fixture
def webhooks() -> Webhooks:
    return Webhooks()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def kit(store: MemoryStore, webhooks: Webhooks, clock: FakeClock) -> rk.RewardKit:
    kit = rk.RewardKit(store, clock=clock, webhooks=webhooks, jitter=lambda: 0.5)
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("o", "disc", "A"))
    kit.run(rk.DefineCampaign("c", "o", user_cap=100))
    kit.run(rk.LaunchCampaign("c"))
    return kit


def happen(kit: rk.RewardKit, times: int = 1) -> None:
    for _ in range(times):
        kit.run(rk.MakeOffer("c", "amanda"))


def refused(kit: rk.RewardKit, command: Any) -> rk.Refused:
    answer = kit.attempt(command)
    assert isinstance(answer, rk.Refused)
    return answer


def by_endpoint(kit: rk.RewardKit, endpoint: str) -> list[tuple[str, str]]:
    return [(notice.status, notice.error) for notice in kit.ask(rk.Notices(endpoint=endpoint)).items]


def test_a_registered_endpoint_is_listed_as_it_was_registered(kit: rk.RewardKit, clock: FakeClock) -> None:
    registered = kit.run(rk.RegisterEndpoint("shop", URL, kinds=["offer.made", "grant.ready", "offer.made"]))
    at = clock.now
    expected = rk.RegisteredEndpoint("shop", URL, ("grant.ready", "offer.made"), "enabled", at, "", at, 1, at, None)
    assert registered == expected
    assert kit.ask(rk.RegisteredEndpoints()) == (expected,)
    assert kit.tenant("other").ask(rk.RegisteredEndpoints()) == ()


def test_every_endpoint_is_told_once_under_an_id_of_its_own_what_the_kits_own_notifiers_are_told(
    store: MemoryStore, webhooks: Webhooks, kit: rk.RewardKit, clock: FakeClock
) -> None:
    own: list[rk.Notice] = []
    kit = rk.RewardKit(store, clock=clock, notifiers=[own.append], webhooks=webhooks)
    for name in ("a", "b"):
        kit.run(rk.RegisterEndpoint(name, f"{URL}/{name}"))
    happen(kit, 2)
    assert kit.deliver() == rk.Delivery(delivered=6)
    assert kit.deliver() == rk.Delivery()
    assert len({notice.id for _, _, notice in webhooks.told} | {notice.id for notice in own}) == 6
    for name in ("a", "b"):
        told = [(url, notice.body) for _, url, notice in webhooks.told if notice.endpoint == name]
        assert sorted(told) == sorted((f"{URL}/{name}", notice.body) for notice in own)
    assert violations(snapshot_of(store, "default")) == ()


def test_an_endpoint_is_told_the_kinds_that_it_chose_and_what_happens_once_it_is_there(
    kit: rk.RewardKit, webhooks: Webhooks
) -> None:
    kit.run(rk.RegisterEndpoint("some", URL, kinds="grant.ready"))
    happen(kit)
    kit.deliver()
    kit.run(rk.RegisterEndpoint("all", URL))
    kit.emit("A", user="amanda")
    kit.deliver()
    assert (webhooks.kinds_of("some"), webhooks.kinds_of("all")) == (["grant.ready"], ["grant.ready"])
    kit.run(rk.RegisterEndpoint("some", URL, kinds=["offer.made"]))
    happen(kit)
    kit.emit("A", user="amanda")
    kit.deliver()
    assert webhooks.kinds_of("some") == ["grant.ready", "offer.made"]


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


def test_one_endpoints_failures_are_its_own(kit: rk.RewardKit, webhooks: Webhooks, clock: FakeClock) -> None:
    webhooks.answers = {
        "busy": rk.RetryLater("503"),
        "never": rk.FailedForGood("400"),
        "broken": ValueError("what"),
        "leaves": rk.EndpointGone("410"),
    }
    names = ("busy", "never", "broken", "leaves", "well")
    for name in names:
        kit.run(rk.RegisterEndpoint(name, URL))
    happen(kit, 2)
    assert kit.deliver() == rk.Delivery(delivered=2 + 2, failed=8)
    assert by_endpoint(kit, "well") == [("delivered", "")] * 2
    assert by_endpoint(kit, "busy") == [("pending", "busy: 503")] * 2
    assert by_endpoint(kit, "broken") == [("pending", "broken: ValueError: what")] * 2
    assert by_endpoint(kit, "never") == [("dead", "never: 400")] * 2
    assert by_endpoint(kit, "leaves") == [("dead", "leaves: 410")] * 2
    assert {name: len(webhooks.kinds_of(name)) for name in names} == dict.fromkeys(names, 2) | {"leaves": 1}
    assert {one.name: one.status for one in kit.ask(rk.RegisteredEndpoints())} == dict.fromkeys(names, "enabled") | {
        "leaves": "gone"
    }
    clock.advance("5s")
    webhooks.answers["busy"] = None
    assert kit.deliver() == rk.Delivery(delivered=2, failed=2)
    assert len(webhooks.kinds_of("well")) == 2


def test_a_gone_endpoint_is_told_nothing_until_it_is_registered_again_and_then_what_it_missed(
    kit: rk.RewardKit, webhooks: Webhooks, clock: FakeClock
) -> None:
    webhooks.answers["shop"] = rk.EndpointGone("410")
    kit.run(rk.RegisterEndpoint("shop", URL))
    happen(kit)
    kit.deliver()
    clock.advance("1h")
    happen(kit)
    assert kit.deliver() == rk.Delivery(delivered=1, failed=1)
    assert len(webhooks.told) == 1
    assert refused(kit, rk.SendTestNotice("shop")).code == "endpoint_gone"
    webhooks.answers.clear()
    enabled = kit.run(rk.RegisterEndpoint("shop", URL))
    assert (enabled.status, enabled.since, enabled.generation) == ("enabled", clock.now, 1)
    assert kit.run(rk.ReplayDeadLetters()) == 2
    assert kit.deliver() == rk.Delivery(delivered=2)
    assert by_endpoint(kit, "shop") == [("delivered", "")] * 2


def test_a_gone_endpoint_says_nothing_of_a_notifier_of_the_same_name(
    store: MemoryStore, kit: rk.RewardKit, webhooks: Webhooks, clock: FakeClock
) -> None:
    class Mailer:
        endpoint = "mailer"
        told = 0

        def __call__(self, _notice: rk.Notice) -> None:
            self.told += 1

    mailer = Mailer()
    kit = rk.RewardKit(store, clock=clock, notifiers=[mailer], webhooks=webhooks)
    webhooks.answers["mailer"] = rk.EndpointGone("410")
    kit.run(rk.RegisterEndpoint("mailer", URL))
    happen(kit)
    kit.deliver()
    happen(kit)
    kit.deliver()
    assert (mailer.told, kit.ask(rk.Endpoints())) == (2, ())
    assert kit.ask(rk.RegisteredEndpoints())[0].status == "gone"


def test_what_the_old_url_says_is_not_said_of_the_new_one(
    kit: rk.RewardKit, webhooks: Webhooks, clock: FakeClock
) -> None:
    def moves_meanwhile() -> rk.Outcome:
        clock.advance("1s")
        kit.run(rk.RegisterEndpoint("shop", f"{URL}/new"))
        return rk.EndpointGone("410")

    webhooks.answers["shop"] = moves_meanwhile
    kit.run(rk.RegisterEndpoint("shop", URL))
    happen(kit)
    kit.deliver()
    (shop,) = kit.ask(rk.RegisteredEndpoints())
    assert (shop.url, shop.status) == (f"{URL}/new", "enabled")


def test_a_removed_endpoint_is_told_nothing_and_what_waited_for_it_is_dead(
    kit: rk.RewardKit, webhooks: Webhooks, clock: FakeClock, store: MemoryStore
) -> None:
    webhooks.answers["shop"] = rk.RetryLater("503")
    kit.run(rk.RegisterEndpoint("shop", URL))
    happen(kit)
    kit.deliver()
    removed = kit.run(rk.RemoveEndpoint("shop"))
    assert (removed.status, removed.url, removed.kinds) == ("removed", "", None)
    assert kit.ask(rk.RegisteredEndpoints()) == ()
    clock.advance("1h")
    happen(kit)
    assert kit.deliver() == rk.Delivery(delivered=1, failed=1)
    assert by_endpoint(kit, "shop") == [("dead", "shop: it has been removed")]
    assert len(webhooks.told) == 1
    for command in (rk.RemoveEndpoint("shop"), rk.RotateEndpointSecret("shop"), rk.SendTestNotice("shop")):
        assert refused(kit, command).code == "endpoint_unknown"
    with pytest.raises(rk.Refused, match="endpoint_unknown"):
        kit.endpoint_secret("shop")
    assert violations(snapshot_of(store, "default")) == ()


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


def test_a_refused_url_is_not_kept_and_changes_nothing(kit: rk.RewardKit, webhooks: Webhooks) -> None:
    kit.run(rk.RegisterEndpoint("shop", URL))
    webhooks.refusal = rk.UrlRefused("leads into a network of yours", "address")
    for name in ("shop", "other"):
        answer = refused(kit, rk.RegisterEndpoint(name, "https://inside.example/"))
        assert (answer.code, answer.facts) == ("url_refused", {"reason": "address"})
    assert [(one.name, one.url) for one in kit.ask(rk.RegisteredEndpoints())] == [("shop", URL)]
    assert webhooks.judged == [URL, "https://inside.example/", "https://inside.example/"]


@pytest.mark.parametrize("url", [None, 5, "", ["https://shop.example"]])
def test_a_url_that_is_no_text_is_refused_before_anybody_judges_it(
    kit: rk.RewardKit, webhooks: Webhooks, url: Any
) -> None:
    answer = refused(kit, rk.RegisterEndpoint("shop", url))
    assert (answer.code, answer.facts, webhooks.judged) == ("url_refused", {"reason": "malformed"}, [])


def test_a_repeat_under_a_key_answers_what_was_answered_whatever_the_guard_says_by_now(
    kit: rk.RewardKit, webhooks: Webhooks
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


def test_a_test_goes_to_one_endpoint_alone_whatever_it_wants(kit: rk.RewardKit, webhooks: Webhooks) -> None:
    for name in ("a", "b"):
        kit.run(rk.RegisterEndpoint(name, URL, kinds=["grant.ready"]))
    notice = kit.run(rk.SendTestNotice("a"))
    assert (notice.kind, notice.endpoint, notice.status) == ("test", "a", "pending")
    assert kit.deliver() == rk.Delivery(delivered=1)
    ((tenant, url, told),) = webhooks.told
    assert (tenant, url, told.id, told.kind) == ("default", URL, notice.id, "test")
    assert json.loads(told.body) == {
        "kind": "test", "tenant": "default", "user": "", "subject": "a", "sent_at": "2026-01-01T00:00:00Z"
    }  # fmt: skip
    assert kit.run(rk.SendTestNotice("a")).id != notice.id
    assert kit.run(rk.SendTestNotice("a"), key="1") == kit.run(rk.SendTestNotice("a"), key="1")


def test_a_worker_without_webhooks_copies_notices_and_leaves_the_copies(
    store: MemoryStore, kit: rk.RewardKit, webhooks: Webhooks, clock: FakeClock
) -> None:
    kit.run(rk.RegisterEndpoint("shop", URL))
    happen(kit, 3)
    own: list[rk.Notice] = []
    other = rk.RewardKit(store, clock=clock, notifiers=[own.append])
    assert other.deliver() == rk.Delivery(delivered=3)
    assert (len(own), webhooks.told) == (3, [])
    assert kit.deliver() == rk.Delivery(delivered=3)
    assert len(webhooks.told) == 3


def test_a_tenants_endpoints_are_told_as_this_tenants(kit: rk.RewardKit, webhooks: Webhooks) -> None:
    acme = kit.tenant("acme")
    acme.run(rk.RegisterEndpoint("shop", URL))
    acme.run(rk.SendTestNotice("shop"))
    kit.deliver()
    assert webhooks.told == []
    acme.deliver()
    assert [tenant for tenant, _, _ in webhooks.told] == ["acme"]
    assert acme.endpoint_secret("shop").reveal() == "acme/shop/1"


def test_a_slow_endpoint_delays_itself_alone(
    kit: rk.RewardKit, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [0.0]
    monkeypatch.setattr("rewardkit.shell.deliver.time.monotonic", lambda: seconds[0])

    def hang() -> rk.Outcome:
        seconds[0] += 15
        return rk.RetryLater("did not answer within 15 seconds")

    webhooks.answers["slow"] = hang
    for name in ("slow", "well"):
        kit.run(rk.RegisterEndpoint(name, URL))
    happen(kit, 10)
    assert kit.deliver() == rk.Delivery(delivered=20, failed=1)
    assert (len(webhooks.kinds_of("slow")), len(webhooks.kinds_of("well"))) == (1, 10)
    happen(kit)
    assert kit.deliver() == rk.Delivery(delivered=2, failed=2)
    assert (len(webhooks.kinds_of("slow")), len(webhooks.kinds_of("well"))) == (3, 11)
    webhooks.answers.clear()
    assert kit.deliver() == rk.Delivery(delivered=8)


def test_copies_are_delivered_in_the_call_that_made_them_up_to_its_limit(kit: rk.RewardKit, webhooks: Webhooks) -> None:
    for name in ("a", "b", "c"):
        kit.run(rk.RegisterEndpoint(name, URL))
    happen(kit, 60)
    assert kit.deliver(limit=60).taken == 60
    assert kit.deliver(limit=10).taken == 10
    while kit.deliver(limit=100).taken:
        pass
    assert len(webhooks.told) == 180
    assert len({notice.id for _, _, notice in webhooks.told}) == 180
