"""E-mail to a real server: what arrives, and what happens where it does not."""

# ruff: noqa: ARG002 - aiosmtpd names what it passes

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import attrs
import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

import rewardkit as rk
from rewardkit import CreatePool, ImportCodes, IssueCode, RewardKit, pool_address, pool_letter
from rewardkit.core.notices.outcomes import Delivered, FailedForGood, RetryLater
from rewardkit.core.requests.records import Notice
from rewardkit.errors import ValidationError
from rewardkit.notify.email_notifier import EmailNotifier
from rewardkit.notify.letter import Letter
from rewardkit.secret import Secret

PASSWORD = Secret("canary-7d2e")
NOTICE = Notice("no_1", "pool.low", "amanda", '{"note":"für Zoë 🎁"}'.encode(), datetime(2026, 1, 1, 12, tzinfo=UTC), 1)


class Sink:
    """Keeps what comes in; refuses recipients, and whole messages, where it is told to."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.logins: list[bytes] = []
        self.refuse_data = ""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith(("gone", "full")):
            return "550 canary no such user" if address.startswith("gone") else "452 canary mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refuse_data:
            return self.refuse_data
        self.envelopes.append(envelope)
        return "250 OK"

    def log_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any) -> AuthResult:
        assert isinstance(login, LoginPassword)
        self.logins.append(login.password)
        return AuthResult(success=login.password == PASSWORD.reveal().encode(), handled=False)

    def message(self) -> EmailMessage:
        content = self.envelopes[-1].content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        return message


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def notifier(port: int, **settings: Any) -> EmailNotifier:
    usual: dict[str, Any] = {"sender": "shop@example.com", "to": "owner@example.com", "port": port}
    return EmailNotifier("localhost", **usual | settings)


@contextmanager
def serving(sink: Sink, **settings: Any) -> Iterator[int]:
    controller = Controller(sink, hostname="127.0.0.1", port=free_port(), **settings)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def plain(sink: Sink) -> Iterator[Callable[..., EmailNotifier]]:
    with serving(sink) as port:

        def make(**settings: Any) -> EmailNotifier:
            return notifier(port, security="none", **settings)

        yield make


def test_a_notice_arrives_readable_and_byte_for_byte(plain: Callable[..., EmailNotifier], sink: Sink) -> None:
    plain(to=["owner@example.com", "second@example.com"])(NOTICE)
    message = sink.message()
    assert sink.envelopes[0].rcpt_tos == ["owner@example.com", "second@example.com"]
    assert sink.envelopes[0].mail_from == "shop@example.com"
    assert message["Subject"] == "pool.low: no_1"
    assert message["From"] == "shop@example.com"
    assert message["Message-ID"] == "<no_1@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOTICE.created_at
    body = message.get_body()
    assert body is not None
    assert body.get_content() == NOTICE.body.decode() + "\r\n"
    (attachment,) = message.iter_attachments()
    assert (attachment.get_content_type(), attachment.get_filename()) == ("application/json", "no_1.json")
    assert attachment.get_content() == NOTICE.body


def test_every_attempt_is_the_same_e_mail(plain: Callable[..., EmailNotifier], sink: Sink) -> None:
    made = plain()
    made(NOTICE)
    first = sink.message()
    made(attrs.evolve(NOTICE, attempt=2))
    assert len(sink.envelopes) == 2
    assert (sink.message()["Message-ID"], sink.message()["Date"]) == (first["Message-ID"], first["Date"])


def test_the_host_says_who_is_told_and_in_which_words(plain: Callable[..., EmailNotifier], sink: Sink) -> None:
    made = plain(
        to=lambda notice: f"{notice.user}@example.org" if notice.user != "nobody" else (),
        write=lambda notice: Letter(f"Grüße, {notice.user} – 🎁", "a line\n.\n.dots\n" + "x" * 2_000),
    )
    assert made(NOTICE) == Delivered()
    assert made(attrs.evolve(NOTICE, user="nobody")) == Delivered()
    assert len(sink.envelopes) == 1
    assert sink.envelopes[0].rcpt_tos == ["amanda@example.org"]
    assert sink.message()["Subject"] == "Grüße, amanda – 🎁"
    body = sink.message().get_body()
    assert body is not None
    assert body.get_content().splitlines() == ["a line", ".", ".dots", "x" * 2_000]


@pytest.mark.parametrize(
    "to",
    [
        "",
        "amanda",
        "amanda@",
        "@example.com",
        "a@b@example.com",
        "a@example.com, b@example.com",
        "Amanda <a@example.com>",
        "<a@example.com>",
        "a@example.com\r\nRCPT TO:<b@example.com>",
        "a@example.com\n",
        "a\x00@example.com",
        "a b@example.com",
        '"a\r\nb"@example.com',
        "a@exam\u2028ple.com",
        "a@[127.0.0.1]",
        "a" * 250 + "@example.com",
        None,
    ],
)
def test_what_is_no_bare_address_is_refused_wherever_it_comes_from(
    plain: Callable[..., EmailNotifier], sink: Sink, to: Any
) -> None:
    made = plain(to=lambda _: [to])
    assert made(NOTICE) == FailedForGood("a recipient must be one bare address such as `amanda@example.com`")
    with pytest.raises(ValidationError, match="a recipient must be one bare address"):
        plain(to=[to])
    with pytest.raises(ValidationError, match="a sender must be one bare address"):
        plain(sender=to)
    assert sink.envelopes == []


@pytest.mark.parametrize(
    "end", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\ud800"]
)
def test_a_subject_stays_one_line(plain: Callable[..., EmailNotifier], sink: Sink, end: str) -> None:
    made = plain(write=lambda _: Letter(f"Hello{end}Bcc: thief@example.com", "text"))
    outcome = made(NOTICE)
    assert isinstance(outcome, FailedForGood)
    assert outcome.reason.startswith("a subject is one line")
    assert sink.envelopes == []


def test_a_text_cannot_reach_the_headers_or_end_the_message(plain: Callable[..., EmailNotifier], sink: Sink) -> None:
    plain(write=lambda _: Letter("s", "\r\n.\r\nMAIL FROM:<thief@example.com>\r\nBcc: b@example.com"))(NOTICE)
    assert len(sink.envelopes) == 1
    assert sink.message()["Bcc"] is None


def test_starttls_is_spoken_before_the_password(sink: Sink, server_tls: ssl.SSLContext, tls: ssl.SSLContext) -> None:
    settings = {"tls_context": server_tls, "require_starttls": True, "authenticator": sink.log_in}
    with serving(sink, **settings) as port:
        notifier(port, username="shop", password=PASSWORD, tls=tls)(NOTICE)
    assert sink.logins == [PASSWORD.reveal().encode()]
    assert len(sink.envelopes) == 1


def test_tls_from_the_start(sink: Sink, server_tls: ssl.SSLContext, tls: ssl.SSLContext) -> None:
    with serving(sink, ssl_context=server_tls) as port:
        notifier(port, security="tls", tls=tls)(NOTICE)
    assert len(sink.envelopes) == 1


def failure_of(port: int, **settings: Any) -> str:
    failed = notifier(port, **settings)(NOTICE)
    assert isinstance(failed, RetryLater)
    assert "canary" not in failed.reason
    return failed.reason.removeprefix("the mail server `localhost` ")


def test_a_server_that_does_not_prove_its_name_or_offers_no_tls_gets_neither_password_nor_message(
    sink: Sink, authority: trustme.CA, server_tls: ssl.SSLContext, tls: ssl.SSLContext
) -> None:
    other = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("other.example").configure_cert(other)
    login = {"username": "shop", "password": PASSWORD}
    with serving(sink, tls_context=other, authenticator=sink.log_in) as port:
        assert failure_of(port, tls=tls, **login).startswith("did not prove who it is: Hostname mismatch")
    with serving(sink, tls_context=server_tls, authenticator=sink.log_in) as port:
        assert failure_of(port, **login).startswith("did not prove who it is: unable to get local issuer")
    with serving(sink, authenticator=sink.log_in, auth_require_tls=False) as port:
        assert failure_of(port, tls=tls, **login) == "cannot be used (SMTPNotSupportedError)"
    assert (sink.logins, sink.envelopes) == ([], [])


def test_a_wrong_password_is_told_by_its_code_alone(
    sink: Sink, server_tls: ssl.SSLContext, tls: ssl.SSLContext
) -> None:
    with serving(sink, tls_context=server_tls, authenticator=sink.log_in) as port:
        assert failure_of(port, tls=tls, username="shop", password="canary-wrong") == "refused the log-in (535)"


@pytest.mark.parametrize(
    "to, outcome",
    [
        (["gone@example.com"], FailedForGood("the mail server `localhost` refused 1 of 1 recipients (550)")),
        (
            ["a@example.com", "gone@example.com"],
            FailedForGood("the mail server `localhost` refused 1 of 2 recipients (550)"),
        ),
        (["full@example.com"], RetryLater("the mail server `localhost` refused 1 of 1 recipients (452)")),
        (
            ["a@example.com", "full@example.com", "gone@example.com"],
            RetryLater("the mail server `localhost` refused 2 of 3 recipients (452, 550)"),
        ),
    ],
)
def test_one_refused_recipient_of_several_is_a_failure_for_good_or_for_now(
    plain: Callable[..., EmailNotifier], sink: Sink, to: list[str], outcome: RetryLater | FailedForGood
) -> None:
    assert plain(to=to)(NOTICE) == outcome
    assert len(sink.envelopes) == ("a@example.com" in to)


def test_a_refused_message_is_a_failure_for_good_or_for_now(plain: Callable[..., EmailNotifier], sink: Sink) -> None:
    sink.refuse_data = "452 canary try later"
    assert plain()(NOTICE) == RetryLater("the mail server `localhost` did not take it (452)")
    sink.refuse_data = "554 canary no"
    assert plain()(NOTICE) == FailedForGood("the mail server `localhost` did not take it (554)")


@contextmanager
def speaking(*lines: bytes, seconds: float = 0, silence: float = 0) -> Iterator[int]:
    """A server that says the same whatever it hears, byte by byte."""

    def serve() -> None:
        try:
            connection, _ = listener.accept()
            with connection:
                for line in lines:
                    for number in range(len(line)):
                        connection.sendall(line[number : number + 1])
                        time.sleep(seconds)
                    connection.recv(1_000)
                time.sleep(silence)
        except OSError:
            return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(5)


def test_the_deadline_is_for_all_of_it_and_not_for_a_read() -> None:
    for lines in ([], [b"220 hello\r\n"], [b"220-slow\r\n" * 50]):
        with speaking(*lines, seconds=0.05, silence=1) as port:
            began = time.monotonic()
            assert failure_of(port, security="none", timeout_seconds=0.8) == "did not answer within 0.8 seconds"
            assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "greeting, failure",
    [
        (b"554 no\r\n", "did not take it (554)"),
        (b"HTTP/1.1 400 Bad Request\r\n", "did not take it (-1)"),
        (b"220 " + b"x" * 20_000 + b"\r\n", "did not take it (500)"),
        (b"\r\n", "did not take it (-1)"),
    ],
)
def test_what_is_no_mail_server_is_a_failure(greeting: bytes, failure: str) -> None:
    with speaking(greeting) as port:
        assert failure_of(port, security="none") == failure


def test_a_closed_port_is_a_failure() -> None:
    assert failure_of(free_port(), security="none") == "cannot be reached: Connection refused"


@pytest.mark.parametrize(
    "settings",
    [
        {"security": "ssl"},
        {"username": "shop", "password": "canary-ü"},
        {"username": "shop"},
        {"password": "canary"},
        {"security": "none", "username": "shop", "password": "canary"},
        {"timeout_seconds": 0},
        {"timeout_seconds": 21},
        {"password": "", "username": "shop"},
        {"to": [f"a{number}@example.com" for number in range(101)]},
    ],
)
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        notifier(25, **settings)
    assert "canary" not in str(refused.value)


def test_a_pool_that_falls_to_its_threshold_sends_one_e_mail_a_fall_to_its_own_address(
    plain: Callable[..., EmailNotifier], sink: Sink, store: rk.Store
) -> None:
    notifier = plain(to=pool_address, write=pool_letter, kinds=["pool.low"])
    kit = RewardKit(store, notifiers=[notifier])
    pool = kit.run(CreatePool("coupons", low_threshold=1, notification_email_address="amanda@example.com"))
    sent = []
    for codes in (["one", "two", "three"], ["four"], ["five", "six"]):
        kit.run(ImportCodes("coupons", codes))
        for _ in codes:
            kit.run(IssueCode("coupons"))
            kit.deliver()
            sent.append(len(sink.envelopes))
    assert sent == [0, 1, 1, 1, 2, 2]  # a pool that is filled up to its threshold has not been above it
    assert [envelope.rcpt_tos for envelope in sink.envelopes] == [["amanda@example.com"]] * 2
    assert sink.message()["Subject"] == f"1 codes remain in pool {pool.id}: coupons"


def test_a_user_who_is_created_gets_one_welcome_however_often_that_is_said(
    plain: Callable[..., EmailNotifier], sink: Sink, store: rk.Store
) -> None:
    kit = RewardKit(store, notifiers=[plain(to=lambda notice: f"{notice.user}@example.com", kinds=["offer.made"])])
    kit.run(rk.DefineReward("welcome"))
    kit.run(rk.DefineOffer("activate", "welcome", '"User Activated"'))
    kit.run(rk.DefineCampaign("welcome", "activate", entry='"User Created"'))
    kit.run(rk.LaunchCampaign("welcome"))
    for event in ("signed-up", "signed-up", "signed-up-elsewhere"):
        kit.emit("User Created", user="amanda", id=event)
        kit.deliver()
    kit.emit("User Created", user="bea")
    kit.deliver()
    assert [["amanda@example.com"], ["bea@example.com"]] == [envelope.rcpt_tos for envelope in sink.envelopes]
