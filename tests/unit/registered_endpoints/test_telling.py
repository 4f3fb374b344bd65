"""What each registered endpoint is told, and what becomes of it when one of them fails."""

from __future__ import annotations

import json

import pytest

import rewardkit as rk
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.endpoints import KeptWebhooks, happen, refused

URL = "https://shop.example/hook"


def by_endpoint(kit: rk.RewardKit, endpoint: str) -> list[tuple[str, str]]:
    return [(notice.status, notice.error) for notice in kit.ask(rk.Notices(endpoint=endpoint)).items]


def test_every_endpoint_is_told_once_under_an_id_of_its_own_what_the_kits_own_notifiers_are_told(
    store: MemoryStore, webhooks: KeptWebhooks, kit: rk.RewardKit, clock: FakeClock
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
    kit: rk.RewardKit, webhooks: KeptWebhooks
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


def test_one_endpoints_failures_are_its_own(kit: rk.RewardKit, webhooks: KeptWebhooks, clock: FakeClock) -> None:
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
    kit: rk.RewardKit, webhooks: KeptWebhooks, clock: FakeClock
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
    store: MemoryStore, kit: rk.RewardKit, webhooks: KeptWebhooks, clock: FakeClock
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
    kit: rk.RewardKit, webhooks: KeptWebhooks, clock: FakeClock
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
    kit: rk.RewardKit, webhooks: KeptWebhooks, clock: FakeClock, store: MemoryStore
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


def test_a_test_goes_to_one_endpoint_alone_whatever_it_wants(kit: rk.RewardKit, webhooks: KeptWebhooks) -> None:
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
    store: MemoryStore, kit: rk.RewardKit, webhooks: KeptWebhooks, clock: FakeClock
) -> None:
    kit.run(rk.RegisterEndpoint("shop", URL))
    happen(kit, 3)
    own: list[rk.Notice] = []
    other = rk.RewardKit(store, clock=clock, notifiers=[own.append])
    assert other.deliver() == rk.Delivery(delivered=3)
    assert (len(own), webhooks.told) == (3, [])
    assert kit.deliver() == rk.Delivery(delivered=3)
    assert len(webhooks.told) == 3


def test_a_tenants_endpoints_are_told_as_this_tenants(kit: rk.RewardKit, webhooks: KeptWebhooks) -> None:
    acme = kit.tenant("acme")
    acme.run(rk.RegisterEndpoint("shop", URL))
    acme.run(rk.SendTestNotice("shop"))
    kit.deliver()
    assert webhooks.told == []
    acme.deliver()
    assert [tenant for tenant, _, _ in webhooks.told] == ["acme"]
    assert acme.endpoint_secret("shop").reveal() == "acme/shop/1"


def test_a_slow_endpoint_delays_itself_alone(
    kit: rk.RewardKit, webhooks: KeptWebhooks, monkeypatch: pytest.MonkeyPatch
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


def test_copies_are_delivered_in_the_call_that_made_them_up_to_its_limit(
    kit: rk.RewardKit, webhooks: KeptWebhooks
) -> None:
    for name in ("a", "b", "c"):
        kit.run(rk.RegisterEndpoint(name, URL))
    happen(kit, 60)
    assert kit.deliver(limit=60).taken == 60
    assert kit.deliver(limit=10).taken == 10
    while kit.deliver(limit=100).taken:
        pass
    assert len(webhooks.told) == 180
    assert len({notice.id for _, _, notice in webhooks.told}) == 180
