"""What a store promises about pools: codes that are added, handed out and counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from rewardkit.core.pools import needs
from rewardkit.core.pools.slices import SLICES, empty_slices
from rewardkit.core.storing.effects import Insert
from rewardkit.core.storing.pool_rows import (
    CodeRow,
    HoldingRow,
    IssuanceRow,
    NewCodeRow,
    PoolRow,
    RedeemerRow,
    RedemptionRow,
    ReservationRow,
    SliceRow,
)
from rewardkit.core.storing.rows import Row
from rewardkit.errors import InvariantError
from rewardkit.ports import Store
from rewardkit.testing.steps import ask, put, replace

AT = 1_000


def pool(id: int = 1, name: str = "coupons", *, positions: int = 0) -> PoolRow:
    """A unique pool without limits."""
    return PoolRow(id, name, 1, 1, "unique", 0, None, 50, "", None, None, None, None, positions, AT, AT)


def issuance(issuee: str = "ann", *, id: int = 0, key: str = "", number: int = 0) -> IssuanceRow:
    """An issuance, as `TakeCode` is given one or as it is kept."""
    return IssuanceRow(id, key, number, key.lower(), 1 if key else 0, issuee, "Ann", "shop", "7", AT + 1)


def redemption(id: int = 1, key: str = "A", number: int = 1) -> RedemptionRow:
    """A redemption that was not rolled back."""
    return RedemptionRow(id, key, number, key.lower(), 1, "ann", "Ann", "", "", "", AT, None)


def reservation(id: str = "order", *, key: str = "A", status: str = "open", expires_at: int = AT) -> ReservationRow:
    """A reservation of ann's."""
    return ReservationRow(id, key, key.lower(), 1, "ann", "Ann", "", "", status, expires_at, None, AT, AT)


def new_codes(keys: Sequence[str], position: int = 0) -> tuple[NewCodeRow, ...]:
    """Codes at places one after the other."""
    return tuple(sorted(NewCodeRow(key, key.lower(), at % SLICES, at) for at, key in enumerate(keys, position)))


def stock(store: Store, keys: Sequence[str] = (), *, quotas: int | None = None, **terms: Any) -> None:
    """A pool with codes, whose slices have as many quotas as they have codes, or none."""
    row = pool(positions=len(keys))._replace(**terms)
    put(store, row, *empty_slices(row.id))
    if keys:
        ask(store, needs.AddCodes(row.id, AT, new_codes(keys)))
    for slice in empty_slices(row.id):
        count = len(range(slice.slice, len(keys), SLICES))
        replace(store, slice._replace(total=count, remaining=count, quota=count if quotas is None else quotas))


def slices(store: Store) -> tuple[SliceRow, ...]:
    """The first pool's."""
    found = ask(store, needs.PoolOf(1))
    assert found is not None
    return found.slices


def code_of(store: Store, key: str) -> CodeRow:
    """A code that is there."""
    found = ask(store, needs.CodeOf(key))
    assert found is not None
    return found[0]


class StorePools:
    """Part of `StoreContract`."""

    def test_a_pool_is_found_by_its_id_and_its_name(self, store: Store) -> None:
        stock(store, ["A", "B"])
        found = ask(store, needs.PoolOf(1))
        assert found == ask(store, needs.PoolOf("coupons"))
        assert found is not None
        assert (found.pool, [row.slice for row in found.slices]) == (pool(positions=2), list(range(SLICES)))
        assert ask(store, needs.LockPool("coupons")) == ask(store, needs.SharePool(1)) == found.pool
        assert ask(store, needs.LockSlices(1)) == found.slices
        assert (ask(store, needs.PoolOf(2)), ask(store, needs.PoolOf("1"))) == (None, None)
        assert (ask(store, needs.LockPool(9)), ask(store, needs.SharePool(9))) == (None, None)
        assert ask(store, needs.PoolOf(1), tenant="other") is None

    def test_positions_are_given_to_one_at_a_time(self, store: Store) -> None:
        stock(store)
        first, second = ask(store, needs.TakePositions(1, 5)), ask(store, needs.TakePositions("coupons", 7))
        assert first is not None
        assert second is not None
        assert (first.positions, second.positions) == (5, 12)
        assert ask(store, needs.TakePositions(9, 1)) is None

    def test_codes_are_added_unless_their_keys_are_there(self, store: Store) -> None:
        stock(store, ["B"])
        put(store, pool(2, "other"), *empty_slices(2))
        assert ask(store, needs.AddCodes(2, AT + 5, new_codes(["A", "B", "C"]))) == {"A", "C"}
        assert ask(store, needs.AddCodes(2, AT, ())) == frozenset()
        assert ask(store, needs.CodeOf("C")) == (code_of(store, "C"), pool(2, "other"))
        assert code_of(store, "C") == CodeRow(
            "C", "c", 2, 2, 2, "unissued", 1, "", "", 0, 0, 0, 0, 0, 0, None, created_at=AT + 5, updated_at=AT + 5
        )
        assert [row.pool for row in ask(store, needs.ListCodes(None, "", 9))] == [2, 1, 2]
        assert ask(store, needs.CodeOf("X")) is None
        assert ask(store, needs.AddCodes(1, AT, new_codes(["A"])), tenant="other") == {"A"}

    @pytest.mark.parametrize("named", [1, "coupons"])
    @pytest.mark.parametrize("known", [True, False])
    def test_a_code_is_handed_out_and_everything_follows(self, store: Store, *, named: int | str, known: bool) -> None:
        stock(store, ["A", "B"])
        taken = ask(store, needs.TakeCode(named, issuance(), known))
        assert taken is not None
        assert (taken.pool, taken.held) == (pool(positions=2), "")
        code = taken.code
        assert code is not None
        assert (code.key, code.status, code.issuee, code.external_issuee) == ("A", "issued", "ann", "Ann")
        assert (code.issuances, code.issuees, code.updated_at) == (1, 1, AT + 1)
        assert code_of(store, "A") == code
        first, second, *_ = slices(store)
        assert first == SliceRow(1, 0, 1, 1, 0, 0, 0, 0, 1, 0)
        assert second == SliceRow(1, 1, 1, 0, 1, 0, 0, 1, 0, 0)
        (kept,) = ask(store, needs.ListIssuances(None, None, -1, 9))
        assert kept == issuance(id=taken.issuance, key="A", number=1)
        assert ask(store, needs.TakeHolding(1, "ann")) == "A"

    def test_the_slice_with_the_largest_quota_gives_and_the_first_of_several(self, store: Store) -> None:
        stock(store, [f"K{number:02}" for number in range(20)])
        given = [ask(store, needs.TakeCode(1, issuance(str(number)), False)) for number in range(20)]
        # Of twenty codes the first four slices have two each.
        assert [one.code.position for one in given if one and one.code][:5] == [0, 1, 2, 3, 16]
        assert len({one.code.key for one in given if one and one.code}) == 20
        after = ask(store, needs.TakeCode(1, issuance("more"), False))
        assert after == needs.Taken(pool(positions=20), "", None, 0)

    def test_nothing_is_handed_out_without_a_quota_or_a_pool(self, store: Store) -> None:
        stock(store, ["A"], quotas=0)
        assert ask(store, needs.TakeCode(1, issuance(), True)) == needs.Taken(pool(positions=1), "", None, 0)
        assert ask(store, needs.TakeCode(2, issuance(), True)) is None
        assert ask(store, needs.ListIssuances(None, None, -1, 9)) == ()

    def test_who_has_a_code_is_told_which_and_takes_none(self, store: Store) -> None:
        stock(store, ["A", "B"])
        ask(store, needs.TakeCode(1, issuance(), True))
        assert ask(store, needs.TakeCode(1, issuance(), True)) == needs.Taken(pool(positions=2), "A", None, 0)
        assert sum(row.remaining for row in slices(store)) == 1

    def test_codes_that_are_not_free_are_passed_over(self, store: Store) -> None:
        keys = [f"K{number:03}" for number in range(80)]
        stock(store, keys)
        for key, change in (("K000", {"active": 0}), ("K016", {"status": "void"}), ("K032", {"status": "issued"})):
            code = code_of(store, key)
            replace(store, code._replace(**change))
        replace(store, *[row._replace(quota=0) for row in slices(store)[1:]])
        taken = ask(store, needs.TakeCode(1, issuance(), True))
        assert taken is not None
        assert taken.code is not None
        assert taken.code.key == "K048"
        assert slices(store)[0].cursor == 49
        following = ask(store, needs.NextCode(1, 0, 0))
        assert following is not None
        assert following.key == "K064"
        assert ask(store, needs.NextCode(1, 0, 65)) is None

    def test_issued_codes_are_gone_round(self, store: Store) -> None:
        keys = [f"K{number:02}" for number in range(34)]
        stock(store, keys)
        for key in ("K02", "K18", "K33"):
            replace(store, code_of(store, key)._replace(status="issued"))
        for place, expected in (((2, 0), "K02"), ((2, 3), "K18"), ((2, 19), "K33"), ((1, 5), "K33"), ((15, 0), "K33")):
            found = ask(store, needs.NextIssuedCode(1, *place))
            assert found is not None
            assert found.key == expected
        assert ask(store, needs.NextIssuedCode(2, 0, 0)) is None

    def test_a_locked_code_comes_with_its_pool(self, store: Store) -> None:
        stock(store, ["A"])
        found = ask(store, needs.LockCode("A"))
        assert found is not None
        assert (found.code.key, found.pool) == ("A", pool(positions=1))
        assert ask(store, needs.LockCode("B")) is None

    @pytest.mark.parametrize("table", ["pool", "issuance", "redemption"])
    def test_an_id_is_greater_than_those_that_are_there(self, store: Store, table: needs.Drawn) -> None:
        last = 0
        for number in range(3):
            with store.transaction("acme") as transaction:
                drawn = transaction.ask(needs.Draw(table))
                rows: dict[str, Row] = {
                    "pool": pool(drawn, str(number)),
                    "issuance": issuance(id=drawn, key="A", number=number),
                    "redemption": redemption(drawn, "A", number),
                }
                transaction.write((Insert((rows[table],)),))
            assert drawn > last
            last = drawn

    def test_a_place_for_what_an_issuee_holds_is_made_once(self, store: Store) -> None:
        assert ask(store, needs.TakeHolding(1, "ann")) == ""
        replace(store, HoldingRow(1, "ann", "A"))
        assert ask(store, needs.TakeHolding(1, "ann")) == "A"
        assert ask(store, needs.TakeHolding(2, "ann")) == ""

    def test_reservations_are_found_by_their_name_and_when_they_are_overdue(self, store: Store) -> None:
        rows = [reservation(name, expires_at=at) for name, at in (("c", 5), ("a", 6), ("b", 7))]
        put(store, *rows, reservation("d", status="released"), reservation("e", key="B"))
        assert ask(store, needs.ReservationOf("a")) == rows[1]
        assert (ask(store, needs.ReservationFor("e")), ask(store, needs.ReservationFor("x"))) == ("B", "")
        assert ask(store, needs.OverdueReservations("A", 6, 9)) == (rows[1], rows[0])
        assert ask(store, needs.OverdueReservations("A", 7, 2)) == (rows[1], rows[2])
        assert ask(store, needs.ReservationOf("x")) is None

    def test_redemptions_and_those_who_redeem_are_found(self, store: Store) -> None:
        put(store, redemption(1), redemption(2, "B"), redemption(3, "A", 2)._replace(issuee="bob"))
        put(store, RedeemerRow("A", "ann", 1, 0))
        assert ask(store, needs.RedemptionOf(2)) == redemption(2, "B")
        assert (ask(store, needs.RedemptionFor(2)), ask(store, needs.RedemptionFor(9))) == ("B", "")
        assert ask(store, needs.RedeemerOf("A", "ann")) == RedeemerRow("A", "ann", 1, 0)
        assert ask(store, needs.RedeemerOf("A", "bob")) is None

        def ids(key: str | None, issuee: str | None, after: int, limit: int) -> list[int]:
            return [row.id for row in ask(store, needs.ListRedemptions(key, issuee, after, limit))]

        assert ids(None, None, -1, 9) == [1, 2, 3]
        assert ids(None, None, 1, 1) == [2]
        assert ids("A", None, -1, 9) == [1, 3]
        assert ids("A", "bob", -1, 9) == [3]

    def test_pools_and_codes_are_listed_in_pages(self, store: Store) -> None:
        stock(store, ["B", "A", "C"])
        put(store, pool(2, "other"), *empty_slices(2))
        assert [one.pool.id for one in ask(store, needs.ListPools(-1, 9))] == [1, 2]
        assert [len(one.slices) for one in ask(store, needs.ListPools(1, 9))] == [SLICES]
        assert [row.key for row in ask(store, needs.ListCodes(1, "A", 9))] == ["B", "C"]
        assert [row.key for row in ask(store, needs.ListCodes(1, "", 2))] == ["A", "B"]
        assert ask(store, needs.ListCodes(2, "", 9)) == ()

    @pytest.mark.parametrize(
        "row, same",
        [
            (pool(), pool(2)),
            (pool(), pool(name="other")),
            (SliceRow(1, 0, 0, 0, 0, 0, 0, 0, 0, 0), SliceRow(1, 0, 1, 1, 0, 0, 0, 0, 0, 0)),
            (issuance(id=1, key="A", number=1), issuance(id=2, key="A", number=1)),
            (issuance(id=1, key="A", number=1), issuance(id=1, key="A", number=2)),
            (redemption(1), redemption(2)),
            (redemption(1), redemption(1, number=2)),
            (HoldingRow(1, "ann", "A"), HoldingRow(1, "ann", "B")),
            (RedeemerRow("A", "ann", 0, 0), RedeemerRow("A", "ann", 1, 0)),
            (reservation(), reservation(key="B")),
        ],
    )
    def test_what_must_be_unique_of_pools_is(self, store: Store, row: Row, same: Row) -> None:
        put(store, row)
        with pytest.raises(InvariantError):
            put(store, same)

    @pytest.mark.parametrize(
        "change",
        [
            {"redemptions": -1},
            {"redemptions": 2, "redeemed": 2, "limit": 1},
            {"reserved": 2, "limit": 1},
            {"reserved": -1},
            {"redemptions": 1},
            {"redeemers": 1},
            {"issuees": 1},
        ],
    )
    def test_a_code_never_counts_what_cannot_be(self, store: Store, change: dict[str, Any]) -> None:
        stock(store, ["A"])
        code = code_of(store, "A")
        with pytest.raises(InvariantError):
            replace(store, code._replace(**change))

    @pytest.mark.parametrize(
        "change", [{"remaining": -1, "issued": 1}, {"remaining": 2}, {"quota": 1}, {"quota": -1}, {"void": 1}]
    )
    def test_a_slice_never_counts_what_cannot_be(self, store: Store, change: dict[str, int]) -> None:
        stock(store)
        with pytest.raises(InvariantError):
            replace(store, slices(store)[0]._replace(**change))

    def test_two_codes_never_have_one_place(self, store: Store) -> None:
        stock(store, ["A"])
        with pytest.raises(InvariantError):
            ask(store, needs.AddCodes(1, AT, new_codes(["B"])))
        assert [row.key for row in ask(store, needs.ListCodes(1, "", 9))] == ["A"]
