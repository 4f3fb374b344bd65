"""What a store promises about endpoints that tenants register, and about notices that are for one of them."""

from __future__ import annotations

from rewardkit.core.storing import needs
from rewardkit.ports import Store
from rewardkit.testing.rows import notice, registered_endpoint
from rewardkit.testing.steps import ask, put, replace

NAMES = ("Z", "a", "é", "\uff5e", "\U0001f381")


class StoreRegistered:
    """Part of `StoreContract`."""

    def test_registered_endpoints_are_listed_until_they_are_removed_and_then_kept(self, store: Store) -> None:
        rows = tuple(registered_endpoint(name) for name in NAMES)
        put(store, *rows)
        assert ask(store, needs.ListRegisteredEndpoints()) == rows
        assert ask(store, needs.ListRegisteredEndpoints(), tenant="other") == ()
        gone, removed = rows[0]._replace(status="gone", reason="410"), rows[1]._replace(status="removed", url="")
        replace(store, gone, removed)
        assert ask(store, needs.ListRegisteredEndpoints()) == (gone, *rows[2:])
        assert ask(store, needs.RegisteredEndpointsOf(("Z", "a", "nobody"))) == (gone, removed)
        assert ask(store, needs.RegisteredEndpointsOf(())) == ()

    def test_notices_to_registered_endpoints_are_left_to_those_who_ask_for_them(self, store: Store) -> None:
        put(store, *[notice(id, endpoint=endpoint) for id, endpoint in (("a", "shop"), ("b", ""), ("c", "x"))])
        own = ask(store, needs.LeaseNotices(now=2_000, until=3_000, limit=9, addressed=False))
        assert [(row.id, row.lease) for row in own] == [("b", 1)]
        rest = ask(store, needs.LeaseNotices(now=2_000, until=3_000, limit=9))
        assert [(row.id, row.lease) for row in rest] == [("a", 1), ("c", 1)]
        one = ask(store, needs.LeaseNotices(now=3_000, until=4_000, limit=1, addressed=False))
        assert [(row.id, row.lease) for row in one] == [("b", 2)]

    def test_the_notices_of_one_endpoint_are_listed_after_a_place(self, store: Store) -> None:
        for status in ("pending", "dead", "delivered"):
            for at in (1, 2, 3):
                rows = [
                    notice(f"{status} {at} {endpoint}", status=status, created_at=at, endpoint=endpoint)
                    for endpoint in ("", "shop", "x")
                ]
                put(store, *rows)

        def listed(status: str | None, after: tuple[int, str] | None, endpoint: str | None) -> list[str]:
            return [row.id for row in ask(store, needs.ListNotices(status, after, 9, endpoint))]

        third = ["dead 3 shop", "delivered 3 shop", "pending 3 shop"]
        assert listed("dead", None, "shop") == ["dead 1 shop", "dead 2 shop", "dead 3 shop"]
        assert listed("delivered", (1, "delivered 1 x"), "x") == ["delivered 2 x", "delivered 3 x"]
        assert listed(None, (2, "delivered 2 shop"), "shop") == ["pending 2 shop", *third]
        assert listed("pending", None, "nobody") == []
        assert len(listed("pending", None, None)) == 9
