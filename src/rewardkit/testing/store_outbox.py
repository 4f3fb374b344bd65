"""What a store promises about endpoints, and about hearing of notices."""

from __future__ import annotations

import threading
import time

from rewardkit.core.storing import needs
from rewardkit.core.storing.rows import EndpointRow
from rewardkit.ports import Store
from rewardkit.testing.player import DEADLINE_SECONDS
from rewardkit.testing.rows import notice
from rewardkit.testing.steps import ask, put, replace

NAMES = ("Z", "a", "é", "\uff5e", "\U0001f381")


class StoreOutbox:
    """Part of `StoreContract`."""

    def test_an_endpoint_that_is_taken_is_there_and_enabled(self, store: Store) -> None:
        assert ask(store, needs.ListEndpoints()) == ()
        fresh = tuple(EndpointRow(name, "enabled", 0, "") for name in NAMES)
        assert ask(store, needs.TakeEndpoints(NAMES)) == fresh
        gone = EndpointRow("a", "gone", 5, "410")
        replace(store, gone)
        expected = tuple(gone if row.name == "a" else row for row in fresh)
        assert ask(store, needs.TakeEndpoints(NAMES)) == expected
        assert ask(store, needs.TakeEndpoints(())) == ()
        assert ask(store, needs.ListEndpoints()) == expected
        assert ask(store, needs.ListEndpoints(), tenant="other") == ()

    def test_a_list_of_dead_or_pending_notices_goes_on_after_a_place(self, store: Store) -> None:
        for status in ("pending", "dead", "delivered"):
            rows = [notice(f"{status} {at}", status=status, created_at=at) for at in (1, 2, 3)]
            put(store, *rows)
            for after, expected in ((None, rows), ((1, f"{status} 1"), rows[1:]), ((2, f"{status} 3"), rows[2:])):
                assert ask(store, needs.ListNotices(status, after, 9)) == tuple(expected)
            assert ask(store, needs.ListNotices(status, None, 2)) == tuple(rows[:2])

    def test_whoever_listens_waits_or_hears(self, store: Store) -> None:
        """A store that never hears takes the whole time; one that hears answers before it is over."""
        with store.listening("acme") as hear:
            began = time.monotonic()
            assert not hear(0.3)
            assert time.monotonic() - began >= 0.25
            later = threading.Timer(0.1, lambda: put(store, notice()))
            later.start()
            began = time.monotonic()
            heard = hear(1.0)
            assert heard == (time.monotonic() - began < 1.0)
            later.join(DEADLINE_SECONDS)
        assert [row.id for row in ask(store, needs.ListNotices(None, None, 9))] == ["notice-1"]
