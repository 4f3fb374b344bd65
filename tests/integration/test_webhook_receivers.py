"""Webhooks over real connections: to receivers as they should be, and to all others."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import attrs
import pytest
import standardwebhooks
import trustme

from rewardkit.core.notices.notice import BODY_BYTES
from rewardkit.core.notices.outcomes import Delivered, EndpointGone, RetryLater
from rewardkit.core.requests.records import Notice
from rewardkit.errors import UrlRefused, ValidationError
from rewardkit.notify.url_guard import UrlGuard
from rewardkit.notify.webhook_notifier import WebhookNotifier
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.receiver import Behaviour, Receiver, Request, answer, drip, flood, reset
from rewardkit.webhooks import generate_secret, verify

SECRET = generate_secret()
NOTICE = Notice("no_1", "grant.ready", "amanda", '{"note":"für Zoë 🎁"}'.encode(), datetime(2026, 1, 1, tzinfo=UTC), 1)


def notifier_for(receiver: Receiver, *, timeout_seconds: float = 5) -> WebhookNotifier:
    return WebhookNotifier(receiver.url, SECRET, guard=receiver.guard, timeout_seconds=timeout_seconds)


def failure_of(behaviour: Behaviour, *, timeout_seconds: float = 5) -> RetryLater | EndpointGone:
    with Receiver(behaviour) as receiver:
        failed = notifier_for(receiver, timeout_seconds=timeout_seconds)(NOTICE)
    assert isinstance(failed, RetryLater | EndpointGone)
    assert "canary" not in failed.reason
    return failed


def reason_of(notifier: WebhookNotifier, notice: Notice = NOTICE) -> str:
    outcome = notifier(notice)
    assert isinstance(outcome, RetryLater)
    return outcome.reason


def test_every_attempt_has_the_same_id_and_body_and_a_timestamp_of_its_own() -> None:
    clock = FakeClock("2026-01-01T00:00:00Z")
    old = generate_secret()
    with Receiver() as receiver:
        notifier = WebhookNotifier(receiver.url, [SECRET, old], guard=receiver.guard, clock=clock)
        notifier(NOTICE)
        clock.advance("1h")
        notifier(attrs.evolve(NOTICE, attempt=2))
    first, second = receiver.received
    assert first.line == "POST /hook?token=path-canary HTTP/1.1"
    assert first.headers["host"] == f"localhost:{receiver.port}"
    assert first.headers["content-type"] == "application/json"
    assert (first.body, first.headers["webhook-id"]) == (NOTICE.body, NOTICE.id)
    assert (second.body, second.headers["webhook-id"]) == (NOTICE.body, NOTICE.id)
    start = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    assert first.headers["webhook-timestamp"] == str(start)
    assert second.headers["webhook-timestamp"] == str(start + 3600)
    for secret in (SECRET, old):
        assert verify(second.body, second.headers, secret, now=start + 3600).id == NOTICE.id


def test_the_standards_package_verifies_a_delivery() -> None:
    with Receiver() as receiver:
        notifier_for(receiver)(NOTICE)
    oracle = standardwebhooks.Webhook(SECRET.reveal())
    request = receiver.received[0]
    assert oracle.verify(request.body, dict(request.headers)) == json.loads(NOTICE.body)


def test_the_largest_notice_arrives_whole() -> None:
    body = b'"' + b"x" * (BODY_BYTES - 2) + b'"'
    with Receiver() as receiver:
        notifier_for(receiver)(attrs.evolve(NOTICE, body=body))
    assert receiver.received[0].body == body


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_told(status: int) -> None:
    with Receiver(answer(status, body=b"" if status == 204 else b"ok")) as receiver:
        assert notifier_for(receiver)(NOTICE) == Delivered()
    assert len(receiver.received) == 1


def test_the_status_is_the_answer_whatever_follows_it() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n"
    broken_chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    for behaviour in (flood(head), drip(b"", 0, head=head), drip(broken_chunk, 0), drip(b"x" * 40, 0.1, head=head)):
        with Receiver(behaviour) as receiver:
            began = time.monotonic()
            assert notifier_for(receiver, timeout_seconds=1)(NOTICE) == Delivered()
            assert time.monotonic() - began < 2


@pytest.mark.parametrize("status", [200, 500])
def test_a_receiver_is_heard_out(status: int) -> None:
    finished: list[bytes] = []

    def speak_slowly(connection: socket.socket, request: Request) -> None:
        head = f"HTTP/1.1 {status} Answer\r\nContent-Length: 20\r\n\r\n".encode()
        drip(b"x" * 20, 0.01, head=head)(connection, request)
        finished.append(connection.recv(1))

    with Receiver(speak_slowly) as receiver:
        notifier_for(receiver)(NOTICE)
        for _ in range(100):
            if finished:
                break
            time.sleep(0.01)
    # It said all, and then saw the line closed in good order.
    assert finished == [b""]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with Receiver() as elsewhere:
        failed = failure_of(answer(status, {"Location": elsewhere.url}))
    assert failed.reason.endswith(f"answered {status}; redirects are not followed, register where it leads")
    assert elsewhere.received == []


@pytest.mark.parametrize(
    "status", [100, 101, 103, 199, 300, 304, 400, 401, 404, 408, 409, 429, 451, 500, 502, 503, 599]
)
def test_no_other_status_is_told(status: int) -> None:
    failed = failure_of(answer(status), timeout_seconds=1)
    assert isinstance(failed, RetryLater)
    # 100 announces an answer, and none comes.
    assert (f" answered {status}" in failed.reason) == (status != 100)


def test_410_says_that_nothing_more_is_wanted() -> None:
    failed = failure_of(answer(410))
    assert isinstance(failed, EndpointGone)
    assert failed.reason.endswith("answered 410: it wants nothing more")


@pytest.mark.parametrize("status", [429, 503, 500, 302])
@pytest.mark.parametrize("header, seconds", [("120", 120), ("1e99", 0), ("9" * 60, 86_400), ("", 0)])
def test_when_to_come_back_is_passed_on_within_the_schedule(status: int, header: str, seconds: int) -> None:
    failed = failure_of(answer(status, {"Retry-After": header}))
    assert isinstance(failed, RetryLater)
    assert failed.after_seconds == seconds


def test_a_date_to_come_back_at_counts_from_the_kits_clock() -> None:
    clock = FakeClock("2026-01-01T12:00:00Z")
    with Receiver(answer(429, {"Retry-After": "Thu, 01 Jan 2026 12:10:00 GMT"})) as receiver:
        notifier = WebhookNotifier(receiver.url, SECRET, guard=receiver.guard, clock=clock)
        failed = notifier(NOTICE)
    assert isinstance(failed, RetryLater)
    assert failed.after_seconds == 600


@pytest.mark.parametrize(
    "behaviour",
    [
        lambda _connection, _request: time.sleep(3),
        drip(b"HTTP/1.1 200 OK\r\n", 0.2),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.01),
        drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50, 0.02),
    ],
    ids=["silence", "slow status", "endless continues", "slow headers"],
)
def test_the_deadline_is_for_all_of_it_and_not_for_a_read(behaviour: Behaviour) -> None:
    began = time.monotonic()
    failed = failure_of(behaviour, timeout_seconds=0.5)
    assert time.monotonic() - began < 1.5
    assert failed.reason.endswith("did not answer within 0.5 seconds")


def test_a_receiver_that_takes_nothing_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        monkeypatch.setattr("rewardkit.testing.receiver._read", lambda _connection: time.sleep(3))
        notifier = notifier_for(receiver, timeout_seconds=0.5)
        began = time.monotonic()
        reason = reason_of(notifier, attrs.evolve(NOTICE, body=b"x" * 20_000_000))
        assert reason.endswith("did not answer within 0.5 seconds")
        assert time.monotonic() - began < 1.5


def test_a_receiver_that_takes_a_little_now_and_then_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def sip(connection: socket.socket) -> None:
        while connection.recv(500_000):
            time.sleep(0.02)

    with Receiver() as receiver:
        monkeypatch.setattr("rewardkit.testing.receiver._read", sip)
        notifier = notifier_for(receiver, timeout_seconds=0.5)
        began = time.monotonic()
        reason = reason_of(notifier, attrs.evolve(NOTICE, body=b"x" * 60_000_000))
        assert reason.endswith("did not answer within 0.5 seconds")
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    "behaviour",
    [
        reset,
        lambda _connection, _request: None,
        lambda connection, _request: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
        lambda connection, _request: connection.sendall(b"HTTP/1.1 abc OK\r\n\r\n"),
        lambda connection, _request: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
        flood(b"HTTP/1.1 200 OK\r\nX: "),
        flood(b""),
        lambda connection, _request: connection.sendall(b"\x00\xff\r\n\r\n"),
    ],
    ids=[
        "reset",
        "hang up",
        "another protocol",
        "no status",
        "many headers",
        "endless header",
        "endless line",
        "bytes",
    ],
)
def test_what_is_no_answer_in_http_is_not_told(behaviour: Behaviour) -> None:
    assert " answered " not in failure_of(behaviour).reason


@pytest.mark.parametrize("head", [b"HTTP/1.1 500 No\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: ", b""])
def test_of_a_huge_answer_a_little_is_read(head: bytes) -> None:
    sent = [0]

    def count(connection: socket.socket, _: Request) -> None:
        connection.sendall(head)
        for _number in range(1_024):
            connection.sendall(b"x" * 65_536)
            sent[0] += 65_536

    with Receiver(count) as receiver:
        assert isinstance(notifier_for(receiver)(NOTICE), RetryLater)
    # What the two ends' buffers hold was sent as well.
    assert sent[0] < 32 * 2**20


def test_a_closed_port_is_not_told() -> None:
    with Receiver() as receiver:
        pass
    expected = f"the connection to `http://localhost:{receiver.port}/…` failed: Connection refused"
    assert reason_of(notifier_for(receiver)) == expected


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        notifier_for(receiver)(NOTICE)
        assert (len(proxy.received), len(receiver.received)) == (0, 1)


def rebinding(*answers: str) -> Callable[[str, int], Sequence[str]]:
    """A name whose owner changes its address from one question to the next."""
    left = iter(answers)
    return lambda _host, _port: [next(left)]


def test_a_name_that_is_bound_anew_after_its_registration_does_not_lead_inside() -> None:
    with Receiver() as inside:
        guard = UrlGuard(
            allow_http=True, allowed_ports={inside.port}, resolver=rebinding("93.184.216.34", "127.0.0.1", "10.0.0.1")
        )
        guard.admit(inside.url)
        notifier = WebhookNotifier(inside.url, SECRET, guard=guard)
        for _ in range(2):
            assert "not open to webhooks" in reason_of(notifier)
        assert inside.received == []


def test_a_host_is_resolved_once_an_attempt_and_the_address_judged_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected: list[str] = []

    def refuse(address: tuple[str, int], timeout: float) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("socket.create_connection", refuse)
    guard = UrlGuard(resolver=rebinding("93.184.216.34", "127.0.0.1"))
    assert "Connection refused" in reason_of(WebhookNotifier("https://example.com/", SECRET, guard=guard))
    assert connected == ["93.184.216.34"]


def test_further_addresses_of_a_host_are_tried() -> None:
    with Receiver() as receiver:
        guard = attrs.evolve(receiver.guard, resolver=lambda _host, _port: ["127.0.0.9", "127.0.0.1"])
        WebhookNotifier(receiver.url, SECRET, guard=guard)(NOTICE)
        assert len(receiver.received) == 1


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def speaking_tls(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def test_tls_is_spoken_to_the_urls_host_at_the_address_that_was_judged(authority: trustme.CA) -> None:
    with Receiver(tls=speaking_tls(authority, "shop.example")) as receiver:
        url = receiver.url.replace("localhost", "shop.example")
        WebhookNotifier(url, SECRET, guard=receiver.guard, tls=trusting(authority))(NOTICE)
        assert receiver.server_names == ["shop.example"]
        assert receiver.received[0].headers["host"] == f"shop.example:{receiver.port}"


def test_a_certificate_of_another_host_is_not_told(authority: trustme.CA) -> None:
    with Receiver(tls=speaking_tls(authority, "other.example")) as receiver:
        notifier = WebhookNotifier(receiver.url, SECRET, guard=receiver.guard, tls=trusting(authority))
        assert "did not prove who it is: Hostname mismatch" in reason_of(notifier)
        assert receiver.received == []


def test_a_certificate_of_an_unknown_authority_is_not_told(authority: trustme.CA) -> None:
    with Receiver(tls=speaking_tls(authority, "localhost")) as receiver:
        assert "did not prove who it is: unable to get local issuer" in reason_of(notifier_for(receiver))
        assert receiver.received == []


def test_an_address_in_the_url_needs_a_certificate_for_it(authority: trustme.CA) -> None:
    with Receiver(tls=speaking_tls(authority, "127.0.0.1")) as receiver:
        url = receiver.url.replace("localhost", "127.0.0.1")
        WebhookNotifier(url, SECRET, guard=receiver.guard, tls=trusting(authority))(NOTICE)
        assert len(receiver.received) == 1


def test_a_context_that_verifies_too_little_is_refused() -> None:
    lax, old = ssl.create_default_context(), ssl.create_default_context()
    lax.check_hostname = False
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    for tls in (lax, old):
        with pytest.raises(ValidationError, match="`tls` must"):
            WebhookNotifier("https://example.com/", SECRET, tls=tls)


def test_a_notifier_is_refused_what_cannot_be_meant() -> None:
    with pytest.raises(UrlRefused):
        WebhookNotifier("http://example.com/", SECRET)
    with pytest.raises(ValidationError, match="2 secrets at most"):
        WebhookNotifier("https://example.com/", [generate_secret() for _ in range(3)])
    for seconds in (0, -1, 21, float("nan")):
        with pytest.raises(ValidationError, match="timeout_seconds"):
            WebhookNotifier("https://example.com/", SECRET, timeout_seconds=seconds)


def test_without_a_guard_this_machine_is_closed() -> None:
    assert "not open to webhooks" in reason_of(WebhookNotifier("https://localhost/", SECRET))


def test_a_name_is_made_from_the_url_and_shows_nothing_of_its_path() -> None:
    def name(url: str, **settings: str) -> str:
        return WebhookNotifier(url, SECRET, **settings).endpoint  # type: ignore[arg-type] # it is the endpoint's name

    assert name("https://example.com/canary") == name("https://EXAMPLE.com:443/canary")
    assert len({name(f"https://example.com/{path}") for path in ("", "canary", "a", "?a")}) == 4
    assert "canary" not in name("https://example.com/canary")
    assert name("https://example.com/", endpoint="billing") == "billing"
    assert len(name("https://" + "a." * 120 + "com/")) <= 255


def test_an_endpoint_chooses_kinds() -> None:
    assert WebhookNotifier("https://example.com/", SECRET, kinds=["grant.ready"]).kinds == frozenset(["grant.ready"])
    assert WebhookNotifier("https://example.com/", SECRET).kinds is None
    for kinds in ("grant.ready", [""], [5]):
        with pytest.raises(ValidationError):
            WebhookNotifier("https://example.com/", SECRET, kinds=kinds)  # type: ignore[arg-type] # on purpose
