"""Answers that are cut off before their head is whole: nobody has spoken yet, whatever the status was going to be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rewardkit.core.notices.outcomes import Delivered, Outcome, RetryLater
from rewardkit.core.requests.records import Notice
from rewardkit.notify.webhook_notifier import WebhookNotifier
from rewardkit.testing.receiver import Receiver, drip
from rewardkit.webhooks import generate_secret

NOTICE = Notice("no_1", "grant.ready", "amanda", b"{}", datetime(2026, 1, 1, tzinfo=UTC), 1)


def tell(receiver: Receiver) -> Outcome | None:
    return WebhookNotifier(receiver.url, generate_secret(), guard=receiver.guard, timeout_seconds=5)(NOTICE)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Ty",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 410 Gone\r\nContent-Len",
    ],
)
def test_an_answer_without_a_whole_head_is_none(head: bytes) -> None:
    with Receiver(drip(head, 0)) as receiver:
        outcome = tell(receiver)
    assert isinstance(outcome, RetryLater)
    assert " answered " not in outcome.reason


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.0 200\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 204 No Content\n\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    ],
)
def test_a_whole_head_is_enough_although_the_line_is_closed_after_it(head: bytes) -> None:
    with Receiver(drip(head, 0)) as receiver:
        assert tell(receiver) == Delivered()


def test_a_connection_that_is_closed_before_anything_is_read_is_not_told() -> None:
    with Receiver(shuts=lambda: True) as receiver:
        assert isinstance(tell(receiver), RetryLater)
        assert receiver.received == []
