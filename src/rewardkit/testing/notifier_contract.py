"""What every notifier promises, as tests: derive a class whose name begins with `Test` and fill in two methods."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs

from rewardkit.core.records import Notice
from rewardkit.ports import Notifier

NOTICE = Notice(
    "no_1",
    "grant.ready",
    "amanda",
    '{"kind":"grant.ready","note":"für Zoë 🎁"}'.encode(),
    datetime(2026, 1, 1, 12, tzinfo=UTC),
    1,
)


class NotifierContract:
    """Runs a notifier through what `rewardkit.ports.Notifier` says."""

    def make_notifier(self) -> Notifier:
        """A notifier that reaches somebody whom this test can ask."""
        raise NotImplementedError

    def told(self) -> list[tuple[str, bytes]]:
        """What has arrived: id and body of each notice, in order, repeats included."""
        raise NotImplementedError

    def test_what_was_told_arrived_with_its_id_and_its_very_body(self) -> None:
        """Returning means told."""
        self.make_notifier()(NOTICE)
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
