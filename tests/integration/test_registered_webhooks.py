"""Registered endpoints over real connections: guarded when they are registered and when they are told, and signed."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import standardwebhooks

import rewardkit as rk
from rewardkit.notify.registered_webhooks import derived_secret
from rewardkit.storage import open_store
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.receiver import Receiver, answer, reset
from rewardkit.webhooks import NotVerified, generate_secret, verify

MASTER = rk.Secret("whsec_" + "canary00" * 6)
PUBLIC = "93.184.216.34"


@pytest.fixture(params=["memory", "SQLite", "PostgreSQL"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[rk.Store]:
    match request.param:
        case "SQLite":
            text = f"sqlite:///{tmp_path / 'shop.db'}"
        case "PostgreSQL":
            text = request.getfixturevalue("postgres_dsn")
        case _:
            text = ":memory:"
    store = open_store(text, prefix="rewardkit_")
    store.migrate()
    yield store
    store.close()


def kit_of(store: str | rk.Store, webhooks: rk.RegisteredWebhooks, clock: FakeClock) -> rk.RewardKit:
    kit = rk.RewardKit(store, clock=clock, webhooks=webhooks, tenant="acme", jitter=lambda: 0.5)
    kit.run(rk.DefineReward("welcome"))
    kit.run(rk.DefineOffer("activate", reward="welcome", condition='"User Activated"'))
    kit.run(rk.DefineCampaign("spring", offer="activate", entry='"User Signed Up"'))
    kit.run(rk.LaunchCampaign("spring"))
    return kit


def webhooks_for(*receivers: Receiver, clock: FakeClock, masters: object = MASTER) -> rk.RegisteredWebhooks:
    guard = rk.UrlGuard(
        allow_http=True,
        allowed_ports=[receiver.port for receiver in receivers],
        allowed_networks=["127.0.0.0/8"],
        resolver=lambda _host, _port: ["127.0.0.1"],
    )
    return rk.RegisteredWebhooks(masters, guard=guard, clock=clock, timeout_seconds=5)  # type: ignore[arg-type]


def verified(receiver: Receiver, secret: rk.Secret, clock: FakeClock) -> list[tuple[str, bytes]]:
    now = clock.now.timestamp()
    found = [verify(one.body, one.headers, secret, now=now) for one in receiver.received]
    return [(one.id, one.body) for one in found]


def test_each_endpoint_is_told_with_a_secret_of_its_own_that_the_tenant_is_shown(store: rk.Store) -> None:
    clock = FakeClock()
    with Receiver() as first, Receiver() as second:
        with kit_of(store, webhooks_for(first, second, clock=clock), clock) as kit:
            kit.run(rk.RegisterEndpoint("first", first.url))
            kit.run(rk.RegisterEndpoint("second", second.url, kinds=["grant.ready"]))
            secrets = [kit.endpoint_secret(name) for name in ("first", "second")]
            kit.emit("User Signed Up", user="amanda")
            kit.emit("User Activated", user="amanda")
            assert kit.deliver() == rk.Delivery(delivered=2 + 3)
            listed = {
                name: sorted((notice.id, notice.body) for notice in kit.ask(rk.Notices(endpoint=name)).items)
                for name in ("first", "second")
            }
        assert sorted(verified(first, secrets[0], clock)) == listed["first"]
        assert verified(second, secrets[1], clock) == listed["second"]
        assert [json.loads(body)["kind"] for _, body in listed["second"]] == ["grant.ready"]
        for receiver, other in ((first, secrets[1]), (second, secrets[0])):
            with pytest.raises(NotVerified):
                verified(receiver, other, clock)


def test_410_stops_one_endpoint_and_a_failure_delays_one(store: rk.Store) -> None:
    clock = FakeClock()
    with Receiver(answer(410)) as leaving, Receiver(answer(503)) as failing, Receiver() as well:
        with kit_of(store, webhooks_for(leaving, failing, well, clock=clock), clock) as kit:
            for name, receiver in (("leaving", leaving), ("failing", failing), ("well", well)):
                kit.run(rk.RegisterEndpoint(name, receiver.url))
            for number in range(4):
                kit.emit("User Signed Up", user=f"user {number}")
                kit.deliver()
                clock.advance("1s")
            assert [len(one.received) for one in (leaving, failing, well)] == [1, 4, 4]
            failing.behaviour = answer()
            clock.advance("1h")
            kit.deliver()
            assert [len(one.received) for one in (leaving, failing, well)] == [1, 8, 4]
            assert {one.status for one in kit.ask(rk.Notices(endpoint="leaving")).items} == {"dead"}
            assert {one.status for one in kit.ask(rk.Notices(endpoint="failing")).items} == {"delivered"}
            states = {one.name: one.status for one in kit.ask(rk.RegisteredEndpoints())}
        assert states == {"leaving": "gone", "failing": "enabled", "well": "enabled"}
        # Every attempt had the id and the body of the first one.
        sent = [(one.headers["webhook-id"], one.body) for one in failing.received]
        assert len(set(sent)) == 4


def test_while_a_secret_is_rotated_both_sign_and_then_the_new_one_alone(store: rk.Store) -> None:
    clock = FakeClock()
    with Receiver() as receiver, kit_of(store, webhooks_for(receiver, clock=clock), clock) as kit:
        kit.run(rk.RegisterEndpoint("shop", receiver.url))
        secrets = [kit.endpoint_secret("shop")]

        def verifying() -> list[bool]:
            receiver.received.clear()
            kit.run(rk.SendTestNotice("shop"))
            assert kit.deliver() == rk.Delivery(delivered=1)
            (request,) = receiver.received
            found = []
            for secret in secrets:
                try:
                    verify(request.body, request.headers, secret, now=clock.now.timestamp())
                except NotVerified:
                    found.append(False)
                else:
                    found.append(True)
            return found

        assert verifying() == [True]
        kit.run(rk.RotateEndpointSecret("shop", overlap_seconds=60))
        secrets.append(kit.endpoint_secret("shop"))
        assert verifying() == [True, True]
        clock.set(clock() + 60_000_000 - 1)
        assert verifying() == [True, True]
        clock.set(clock() + 1)
        assert verifying() == [False, True]
        kit.run(rk.RotateEndpointSecret("shop", overlap_seconds=60))
        kit.run(rk.RotateEndpointSecret("shop", overlap_seconds=60))
        secrets.append(kit.endpoint_secret("shop"))
        assert verifying() == [False, False, True]
        kit.run(rk.RotateEndpointSecret("shop", overlap_seconds=0))
        assert verifying() == [False, False, False]


def test_the_standards_package_verifies_while_secrets_and_masters_are_rotated() -> None:
    clock = FakeClock()
    # The package verifies by this machine's clock.
    clock.set(int(time.time() * 1_000_000))
    old, new = generate_secret(), generate_secret()
    with Receiver() as receiver:
        kit = kit_of(":memory:", webhooks_for(receiver, clock=clock, masters=[new, old]), clock)
        kit.run(rk.RegisterEndpoint("shop", receiver.url))
        kit.run(rk.RotateEndpointSecret("shop"))
        kit.run(rk.SendTestNotice("shop"))
        kit.deliver()
        (request,) = receiver.received
    assert len(request.headers["webhook-signature"].split(" ")) == 4
    assert kit.endpoint_secret("shop") == derived_secret(new, "acme", "shop", 2)
    for master in (old, new):
        for generation in (1, 2):
            oracle = standardwebhooks.Webhook(derived_secret(master, "acme", "shop", generation).reveal())
            assert oracle.verify(request.body, dict(request.headers)) == json.loads(request.body)
    for others in (("acme", "shop", 3), ("acme", "shop2", 2), ("acme2", "shop", 2)):
        oracle = standardwebhooks.Webhook(derived_secret(new, *others).reveal())
        with pytest.raises(standardwebhooks.webhooks.WebhookVerificationError):
            oracle.verify(request.body, dict(request.headers))


def test_secrets_differ_wherever_anything_that_they_stand_for_does() -> None:
    masters = [generate_secret() for _ in range(2)]
    # No two of these may run into each other, whatever separates their parts.
    names = ["a", "b", "a b", 'a","b', "a\\", "é", "1", ""]
    found = [
        derived_secret(master, tenant, endpoint, generation).reveal()
        for master in masters
        for tenant in names
        for endpoint in names
        for generation in (1, 2, 11)
    ]
    assert len(set(found)) == len(found)
    assert derived_secret(masters[0], "a", "b", 1) == derived_secret(masters[0], "a", "b", 1)
    standardwebhooks.Webhook(found[0])


@pytest.mark.parametrize(
    "url, addresses, reason",
    [
        ("http://shop.example/", [PUBLIC], "scheme"),
        ("ftp://shop.example/", [PUBLIC], "malformed"),
        ("https://shop.example:22/", [PUBLIC], "port"),
        ("https://user:pass@shop.example/", [PUBLIC], "malformed"),
        ("https://[::1]/", ["::1"], "malformed"),
        ("https://127.0.0.1\x00.example.com/", ["127.0.0.1"], "malformed"),
        ("https://１２７.0.0.1/", ["127.0.0.1"], "malformed"),
        ("https://2130706433/", ["127.0.0.1"], "address"),
        ("https://0x7f000001/", ["127.0.0.1"], "address"),
        ("https://shop.example/", ["169.254.169.254"], "address"),
        ("https://shop.example/", [PUBLIC, "10.0.0.1"], "address"),
        ("https://shop.example/", ["64:ff9b::7f00:1"], "address"),
        ("https://shop.example/", ["2002:7f00:1::"], "address"),
        ("https://shop.example/", ["::ffff:127.0.0.1"], "address"),
        ("https://shop.example/", [], "unresolved"),
        ("https://shop.example/", None, "unresolved"),
        ("https://shop.example/" + "x" * 3_000, [PUBLIC], "malformed"),
    ],
)
def test_a_url_that_the_guard_refuses_is_refused_with_its_reason_and_not_kept(
    url: str, addresses: list[str] | None, reason: str
) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        if addresses is None:
            raise OSError("no such host")
        return addresses

    guard = rk.UrlGuard(resolver=resolve)
    with rk.RewardKit(webhooks=rk.RegisteredWebhooks(MASTER, guard=guard)) as kit:
        refused = kit.attempt(rk.RegisterEndpoint("shop", url))
        assert isinstance(refused, rk.Refused)
        assert (refused.code, refused.facts) == ("url_refused", {"reason": reason})
        assert kit.ask(rk.RegisteredEndpoints()) == ()
    assert rk.RewardKit(webhooks=rk.RegisteredWebhooks(MASTER, guard=rk.UrlGuard(resolver=lambda *_: [PUBLIC]))).run(
        rk.RegisterEndpoint("shop", "https://shop.example/hook")
    )


def test_a_host_that_moves_after_it_was_registered_is_not_connected_to() -> None:
    addresses = [PUBLIC]
    asked: list[str] = []
    clock = FakeClock()

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return addresses

    with Receiver() as inside:
        guard = rk.UrlGuard(allowed_ports=[inside.port], allow_http=True, resolver=resolve)
        kit = kit_of(":memory:", rk.RegisteredWebhooks(MASTER, guard=guard, clock=clock), clock)
        kit.run(rk.RegisterEndpoint("shop", f"http://shop.example:{inside.port}/"))
        addresses[:] = ["127.0.0.1"]
        kit.run(rk.SendTestNotice("shop"))
        assert kit.deliver() == rk.Delivery(failed=1)
        (notice,) = kit.ask(rk.Notices(endpoint="shop")).items
        assert inside.received == []
    assert (notice.status, asked) == ("pending", ["shop.example", "shop.example"])
    assert "not open to webhooks (this machine)" in notice.error


def test_a_stricter_guard_holds_for_what_was_registered_before() -> None:
    clock = FakeClock()
    with Receiver() as receiver:
        store = open_store(":memory:", prefix="rewardkit_")
        kit = kit_of(store, webhooks_for(receiver, clock=clock), clock)
        kit.run(rk.RegisterEndpoint("shop", receiver.url))
        kit.run(rk.SendTestNotice("shop"))
        strict = rk.RewardKit(store, tenant="acme", clock=clock, webhooks=rk.RegisteredWebhooks(MASTER))
        assert strict.deliver() == rk.Delivery(failed=1)
        assert receiver.received == []
    assert "begins with `https://`" in strict.ask(rk.Notices()).items[0].error


def test_inside_a_hosts_transaction_nothing_is_registered(tmp_path: Path) -> None:
    guard = rk.UrlGuard(resolver=lambda *_: [PUBLIC])
    with rk.RewardKit(f"sqlite:///{tmp_path / 'shop.db'}", webhooks=rk.RegisteredWebhooks(MASTER, guard=guard)) as kit:
        kit.migrate()
        connection = sqlite3.connect(tmp_path / "shop.db", isolation_level=None)
        connection.execute("BEGIN")
        with pytest.raises(rk.ValidationError, match="the kit that `on` was called on"):
            kit.on(connection).run(rk.RegisterEndpoint("shop", "https://shop.example/"))
        connection.execute("COMMIT")
        connection.close()
        assert kit.ask(rk.RegisteredEndpoints()) == ()


def test_no_secret_is_kept_and_none_is_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    path = tmp_path / "shop.db"
    shown: list[str] = []
    with Receiver(reset) as receiver, caplog.at_level(logging.DEBUG):
        webhooks = webhooks_for(receiver, clock=clock)
        kit = kit_of(f"sqlite:///{path}", webhooks, clock)
        registered = kit.run(rk.RegisterEndpoint("shop", receiver.url), key="1")
        rotated = kit.run(rk.RotateEndpointSecret("shop"), key="2")
        kit.run(rk.SendTestNotice("shop"), key="3")
        assert kit.deliver() == rk.Delivery(failed=1)
        receiver.behaviour = answer()
        clock.advance("1h")
        assert kit.deliver() == rk.Delivery(delivered=1)
        shown += [repr(webhooks), repr(registered), repr(rotated), repr(kit.ask(rk.Notices())), repr(vars(webhooks))]
        shown += [repr(rk.RegisterEndpoint("shop", receiver.url)), repr(kit.endpoint_secret("shop")), caplog.text]
        kit.close()
        secrets = [MASTER, *(derived_secret(MASTER, "acme", "shop", generation) for generation in (1, 2))]
        assert len(receiver.received) == 2
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"path-canary" in kept
    for secret in secrets:
        for text in (secret.reveal(), secret.reveal().removeprefix("whsec_")[:16]):
            assert text.encode() not in kept
            assert not [one for one in shown if text in one]
    assert not [one for one in shown if "path-canary" in one]


@pytest.mark.parametrize("master", ["", "short", "whsec_short", [], [generate_secret()] * 3, 5])
def test_a_master_that_could_be_guessed_is_refused(master: object) -> None:
    with pytest.raises(rk.ValidationError):
        rk.RegisteredWebhooks(master)  # type: ignore[arg-type]
