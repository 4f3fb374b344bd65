"""What every notifier promises, as tests: derive a class whose name begins with `Test` and fill in two methods."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import attrs
import pytest

from rewardkit.core.notices.notice import BODY_BYTES
from rewardkit.core.notices.outcomes import Delivered
from rewardkit.core.requests.records import Notice
from rewardkit.ports import Notifier

NOTICE = Notice(
    "no_1",
    "grant.ready",
    "amanda",
    '{"kind":"grant.ready","note":"für Zoë 🎁"}'.encode(),
    datetime(2026, 1, 1, 12, tzinfo=UTC),
    1,
)


WITHIN_SECONDS = 30
"""Of a notifier that cannot tell: a worker waits for it."""


def has_told(notifier: Notifier, notice: Notice) -> bool:
    """Whether a notifier says that it has told: by what it answers, and by not raising."""
    try:
        outcome = notifier(notice)
    except Exception:  # noqa: BLE001 - whatever a notifier raises says that it has not told
        return False
    return outcome is None or isinstance(outcome, Delivered)


class NotifierContract:
    """Runs a notifier through what `rewardkit.ports.Notifier` says."""

    def make_notifier(self) -> Notifier:
        """A notifier that reaches somebody whom this test can ask."""
        raise NotImplementedError

    def told(self) -> list[tuple[str, bytes]]:
        """What has arrived: id and body of each notice, in order, repeats included."""
        raise NotImplementedError

    def test_what_was_told_arrived_with_its_id_and_its_very_body(self) -> None:
        """And the notifier says so."""
        assert has_told(self.make_notifier(), NOTICE)
        assert [(NOTICE.id, NOTICE.body)] == self.told()

    def test_a_second_attempt_arrives_under_the_same_id_with_the_same_body(self) -> None:
        """At least once: the receiver removes repeats by the id."""
        notifier = self.make_notifier()
        notifier(NOTICE)
        notifier(attrs.evolve(NOTICE, attempt=2))
        assert [(NOTICE.id, NOTICE.body)] * 2 == self.told()

    def test_notices_of_every_kind_are_told(self) -> None:
        """A notifier may format by kind, and must not fail on one."""
        notifier = self.make_notifier()
        kinds = ("offer.made", "offer.ended", "grant.ready", "a.kind.of.a.later.version")
        for number, kind in enumerate(kinds):
            notifier(attrs.evolve(NOTICE, id=f"no_{number}", kind=kind))
        assert [f"no_{number}" for number in range(len(kinds))] == [id for id, _ in self.told()]

    def test_the_largest_body_arrives_whole(self) -> None:
        """A notice is as long as a reward's properties make it."""
        body = b'{"note":"' + b"x" * (BODY_BYTES - 11) + b'"}'
        assert has_told(self.make_notifier(), attrs.evolve(NOTICE, body=body))
        assert [(NOTICE.id, body)] == self.told()

    @pytest.mark.parametrize(
        "user",
        ["Zoë 🎁", "a\u2028b", "\u202egnp.exe", "' OR 1=1 --", "<b>&amp;</b>", "%s {0} $HOME", "@all", "x" * 255],
    )
    def test_a_user_of_any_name_is_told_of(self, user: str) -> None:
        """Names are free text, and come from strangers."""
        assert has_told(self.make_notifier(), attrs.evolve(NOTICE, user=user))
        assert [(NOTICE.id, NOTICE.body)] == self.told()

    def test_several_workers_may_use_it_at_once(self) -> None:
        """A kit is shared by threads, and its notifiers with it."""
        notifier = self.make_notifier()
        notices = [attrs.evolve(NOTICE, id=f"no_{number}", body=b"%d" % number) for number in range(24)]
        with ThreadPoolExecutor(8) as workers:
            assert all(workers.map(lambda notice: has_told(notifier, notice), notices))
        assert sorted((notice.id, notice.body) for notice in notices) == sorted(self.told())


class RemoteNotifierContract(NotifierContract):
    """What a notifier promises besides where its receiver is at the other end of a line."""

    def break_receiver(self) -> None:
        """Let the receiver take nothing in from now on."""
        raise NotImplementedError

    def mend_receiver(self) -> None:
        """Let it take in again."""
        raise NotImplementedError

    def test_what_could_not_be_told_is_said_so_and_is_told_by_a_later_attempt(self) -> None:
        """A failure is never silent, and has no consequences for the next attempt."""
        notifier = self.make_notifier()
        self.break_receiver()
        began = time.monotonic()
        assert not has_told(notifier, NOTICE)
        assert time.monotonic() - began < WITHIN_SECONDS
        self.mend_receiver()
        before = len(self.told())
        assert has_told(notifier, attrs.evolve(NOTICE, attempt=2))
        assert [(NOTICE.id, NOTICE.body)] == self.told()[before:]

    def test_it_is_known_by_the_same_name_however_often_it_is_made(self) -> None:
        """What was told to whom is remembered under the name, beyond a restart."""
        names = {getattr(self.make_notifier(), "endpoint", "") for _ in range(2)}
        assert len(names) == 1
        assert "" not in names
