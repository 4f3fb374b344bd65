"""Secrets that were planted are not found again: in no log, representation, error or traceback, locals included."""

from __future__ import annotations

import logging
import ssl
import traceback
from collections.abc import Callable
from datetime import timedelta

import pytest

import rewardkit as rk
from rewardkit.notify.registered_webhooks import derived_secret
from rewardkit.storage.memory.rows import MemoryRows
from rewardkit.testing.notifier_contract import NOTICE
from rewardkit.testing.receiver import Receiver, answer, reset
from rewardkit.webhooks import verify

PATH = "path-canary"
SIGNING = rk.Secret("whsec_" + "canary00" * 5)
PASSWORD = rk.Secret("password-canary")
PLANTED = (PATH, SIGNING.reveal(), SIGNING.reveal().removeprefix("whsec_")[:16], PASSWORD.reveal())


def everything_shown(error: BaseException) -> str:
    """The traceback as the most talkative reporter shows it: every frame of the package with its locals."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(whole.format()) + repr(error) + repr(vars(error))


def shown_by_answer(call: Callable[[], object], caplog: pytest.LogCaptureFixture) -> list[str]:
    """What of the planted is shown by a call that says that it has failed."""
    with caplog.at_level(logging.DEBUG):
        outcome = call()
    assert isinstance(outcome, rk.RetryLater | rk.EndpointGone)
    return [canary for canary in PLANTED if canary in repr(outcome) + caplog.text]


def shown_by_error(call: Callable[[], object], caplog: pytest.LogCaptureFixture) -> list[str]:
    """What of the planted is shown by a call that raises."""
    with caplog.at_level(logging.DEBUG), pytest.raises(rk.RewardKitError) as failed:
        call()
    # This file's own frames name the canaries; what comes after them is the package's.
    inside = failed.tb
    while inside.tb_next is not None and inside.tb_frame.f_code.co_filename == __file__:
        inside = inside.tb_next
    shown = everything_shown(failed.value.with_traceback(inside)) + caplog.text
    return [canary for canary in PLANTED if canary in shown]


@pytest.mark.parametrize("behaviour", [reset, answer(500), answer(302), answer(410), lambda _line, _request: None])
def test_a_failed_webhook_shows_neither_its_secret_nor_its_path(
    behaviour: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    with Receiver(behaviour) as receiver:
        assert PATH in receiver.url
        notifier = rk.WebhookNotifier(receiver.url, SIGNING, guard=receiver.guard)
        assert [] == [canary for canary in PLANTED if canary in repr(notifier) + notifier.endpoint]
        assert shown_by_answer(lambda: notifier(NOTICE), caplog) == []


def test_a_webhook_that_is_not_let_out_shows_neither(caplog: pytest.LogCaptureFixture) -> None:
    for addresses in (["10.0.0.1"], []):
        guard = rk.UrlGuard(resolver=lambda _host, _port: addresses)  # noqa: B023 - called before the next turn
        notifier = rk.WebhookNotifier(f"https://example.com/{PATH}", SIGNING, guard=guard)
        assert shown_by_answer(lambda: notifier(NOTICE), caplog) == []  # noqa: B023 - called before the next turn


def test_what_fails_beneath_a_webhook_shows_neither(caplog: pytest.LogCaptureFixture) -> None:
    def failing(_host: str, _port: int) -> list[str]:
        raise rk.StoreError("a resolver of the host's own")

    guard = rk.UrlGuard(resolver=failing)
    notifier = rk.WebhookNotifier(f"https://example.com/{PATH}", SIGNING, guard=guard)
    assert shown_by_error(lambda: notifier(NOTICE), caplog) == []


@pytest.mark.parametrize("url", [f"http://example.com/{PATH}", f"https://a@example.com/{PATH}", f"https://x:1/{PATH}"])
def test_a_refused_url_is_not_shown(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert shown_by_error(lambda: rk.WebhookNotifier(url, SIGNING), caplog) == []


def test_malformed_secrets_and_what_does_not_verify_show_nothing(caplog: pytest.LogCaptureFixture) -> None:
    short = SIGNING.reveal()[:30]
    plain = SIGNING.reveal()
    assert shown_by_error(lambda: rk.WebhookNotifier("https://example.com/", short), caplog) == []
    assert shown_by_error(lambda: verify(b"{}", {}, plain, now=0), caplog) == []
    headers = {"webhook-id": "a", "webhook-timestamp": "0", "webhook-signature": "v1,abc"}
    assert shown_by_error(lambda: verify(b"{}", headers, [plain], now=0), caplog) == []


def test_a_registered_endpoint_shows_neither_its_secret_nor_the_master_nor_its_path(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = rk.UrlGuard(resolver=lambda _host, _port: ["10.0.0.1"])
    webhooks = rk.RegisteredWebhooks(SIGNING, guard=guard)
    kit = rk.RewardKit(webhooks=webhooks)
    for url in (f"https://example.com/{PATH}", f"http://example.com/{PATH}", f"https://a@example.com/{PATH}"):
        assert shown_by_error(lambda: kit.run(rk.RegisterEndpoint("shop", url)), caplog) == []  # noqa: B023 - called here
    assert shown_by_error(lambda: rk.RegisteredWebhooks(SIGNING.reveal()[:30]), caplog) == []
    at = NOTICE.created_at
    shop = rk.RegisteredEndpoint(
        "shop", f"https://example.com/{PATH}", None, "enabled", at, "", at, 2, at, at + timedelta(days=99_999)
    )
    derived = [derived_secret(SIGNING, "acme", "shop", generation).reveal()[6:22] for generation in (1, 2)]
    assert shown_by_answer(lambda: webhooks.tell(NOTICE, shop, "acme"), caplog) == []

    def failing(_host: str, _port: int) -> list[str]:
        raise rk.StoreError("a resolver of the host's own")

    broken = rk.RegisteredWebhooks([SIGNING, SIGNING], guard=rk.UrlGuard(resolver=failing))
    with pytest.raises(rk.StoreError) as failed:
        broken.tell(NOTICE, shop, "acme")
    inside = failed.tb.tb_next
    assert inside is not None
    shown = everything_shown(failed.value.with_traceback(inside)) + caplog.text
    assert [canary for canary in (*PLANTED, *derived) if canary in shown] == []


@pytest.mark.parametrize("method", ["published", "registered_endpoints_of", "write"])
def test_a_store_that_fails_does_not_show_the_url_that_was_to_be_registered(
    method: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise rk.StoreError("the disk is full")

    kit = rk.RewardKit(
        webhooks=rk.RegisteredWebhooks(SIGNING, guard=rk.UrlGuard(resolver=lambda *_: ["93.184.216.34"]))
    )
    monkeypatch.setattr(MemoryRows, method, fail)
    command = rk.RegisterEndpoint("shop", f"https://example.com/{PATH}")
    assert shown_by_error(lambda: kit.run(command), caplog) == []


def test_a_failed_log_in_does_not_show_its_password(caplog: pytest.LogCaptureFixture) -> None:
    with Receiver() as no_mail_server:
        for settings in ({"security": "tls", "tls": ssl.create_default_context()}, {}):
            mail = rk.EmailNotifier(
                "localhost",
                port=no_mail_server.port,
                sender="a@example.com",
                to="b@example.com",
                username="shop",
                password=PASSWORD.reveal(),
                timeout_seconds=0.5,
                **settings,  # type: ignore[arg-type] # one of them is not the other
            )
            assert PASSWORD.reveal() not in repr(mail)
            assert shown_by_answer(lambda: mail(NOTICE), caplog) == []  # noqa: B023 - called before the next turn
    with pytest.raises(rk.ValidationError):
        rk.EmailNotifier("localhost", sender="a@example.com", to="b", username="shop", password=PASSWORD.reveal())


def test_a_url_of_apprise_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    assert shown_by_error(lambda: rk.AppriseNotifier(f"nothing://{PASSWORD.reveal()}"), caplog) == []
    with Receiver(answer(500)) as receiver:
        notifier = rk.AppriseNotifier(f"json://shop:{PASSWORD.reveal()}@127.0.0.1:{receiver.port}/{PATH}")
        assert PASSWORD.reveal() not in repr(notifier)
        outcome = notifier(NOTICE)
    assert isinstance(outcome, rk.RetryLater)
    assert [] == [canary for canary in PLANTED if canary in repr(outcome) + notifier.endpoint]


def test_the_search_finds_what_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    def showing() -> None:
        raise rk.StoreError(f"with {PASSWORD.reveal()}")

    assert shown_by_error(showing, caplog) == [PASSWORD.reveal()]
