"""Every notifier that ships, and any callable, keeps the contract."""

from __future__ import annotations

import json
import logging
import re
import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

import rewardkit as rk
from rewardkit.testing.notifier_contract import NOTICE, NotifierContract, RemoteNotifierContract
from rewardkit.testing.receiver import Receiver, answer
from rewardkit.webhooks import generate_secret, verify


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class TestLogging(NotifierContract):
    def setup_method(self) -> None:
        self.kept = _Kept()

    def make_notifier(self) -> rk.Notifier:
        logger = logging.Logger("notices")  # noqa: LOG001 - nobody else is to hear it
        logger.addHandler(self.kept)
        return rk.LoggingNotifier(logger)

    def told(self) -> list[tuple[str, bytes]]:
        found = [re.search(r": notice (\w+), attempt \d+: (.*)$", line) for line in self.kept.lines]
        return [(one[1], one[2].encode()) for one in found if one is not None]


class TestCallable(NotifierContract):
    def setup_method(self) -> None:
        self.notices: list[rk.Notice] = []

    def make_notifier(self) -> rk.Notifier:
        return self.notices.append

    def told(self) -> list[tuple[str, bytes]]:
        return [(notice.id, notice.body) for notice in self.notices]


class TestWebhook(RemoteNotifierContract):
    def setup_method(self) -> None:
        self.secret = generate_secret()
        self.receiver = Receiver().__enter__()

    def teardown_method(self) -> None:
        self.receiver.__exit__(None, None, None)

    def make_notifier(self) -> rk.Notifier:
        return rk.WebhookNotifier(self.receiver.url, self.secret, guard=self.receiver.guard)

    def told(self) -> list[tuple[str, bytes]]:
        found = [verify(request.body, request.headers, self.secret) for request in self.receiver.received]
        return [(one.id, one.body) for one in found]

    def break_receiver(self) -> None:
        self.receiver.behaviour = answer(503)

    def mend_receiver(self) -> None:
        self.receiver.behaviour = answer(204)


class TestRegisteredWebhooks(TestWebhook):
    """As told to one endpoint that a tenant has registered."""

    def make_notifier(self) -> rk.Notifier:
        webhooks = rk.RegisteredWebhooks(self.secret, guard=self.receiver.guard)
        at = NOTICE.created_at
        shop = rk.RegisteredEndpoint("shop", self.receiver.url, None, "enabled", at, "", at, 1, at, None)
        self.verifying = webhooks.secret(shop, "acme")

        def notify(notice: rk.Notice) -> rk.Outcome | None:
            return webhooks.tell(notice, shop, "acme")

        notify.endpoint = "shop"  # type: ignore[attr-defined] # as a worker knows it by
        return notify

    def told(self) -> list[tuple[str, bytes]]:
        found = [verify(request.body, request.headers, self.verifying) for request in self.receiver.received]
        return [(one.id, one.body) for one in found]


class TestApprise(RemoteNotifierContract):
    """Through apprise's own `json://`, which posts title and text."""

    def setup_method(self) -> None:
        self.receiver = Receiver(answer(200)).__enter__()

    def teardown_method(self) -> None:
        self.receiver.__exit__(None, None, None)

    def make_notifier(self) -> rk.Notifier:
        return rk.AppriseNotifier(
            f"json://127.0.0.1:{self.receiver.port}/", write=lambda notice: rk.Letter(notice.id, notice.body.decode())
        )

    def told(self) -> list[tuple[str, bytes]]:
        found = [json.loads(request.body) for request in self.receiver.received]
        return [(one["title"], one["message"].encode()) for one in found]

    def break_receiver(self) -> None:
        self.receiver.behaviour = answer(503)

    def mend_receiver(self) -> None:
        self.receiver.behaviour = answer(200)


class _Mailbox:
    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.broken = False

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.broken:
            return "451 try again later"
        assert isinstance(envelope.content, bytes)
        self.contents.append(envelope.content)
        return "250 OK"


class TestEmail(RemoteNotifierContract):
    def setup_method(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.mailbox = _Mailbox()
        self.server = Controller(self.mailbox, hostname="127.0.0.1", port=port)
        self.server.start()

    def teardown_method(self) -> None:
        self.server.stop()

    def make_notifier(self) -> rk.Notifier:
        return rk.EmailNotifier(
            "127.0.0.1", port=self.server.port, security="none", sender="shop@example.com", to="owner@example.com"
        )

    def told(self) -> list[tuple[str, bytes]]:
        return [_told(content) for content in self.mailbox.contents]

    def break_receiver(self) -> None:
        self.mailbox.broken = True

    def mend_receiver(self) -> None:
        self.mailbox.broken = False


def _told(content: bytes) -> tuple[str, bytes]:
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    (attachment,) = message.iter_attachments()
    return message["Message-ID"].removeprefix("<").partition("@")[0], attachment.get_content()
