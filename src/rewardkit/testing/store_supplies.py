"""What a store promises about grants that wait for codes, and about the codes that they take."""

from __future__ import annotations

from typing import Any

import pytest

from rewardkit.core.attempts.needs import AttemptsOf, ForgetAttempts, TakeAttempts
from rewardkit.core.pools.needs import AddCodes, PoolOf, TakeCode, TakeHolding, Taken
from rewardkit.core.pools.slices import SLICES
from rewardkit.core.storing import needs
from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.storing.pool_rows import IssuanceRow, NewCodeRow, PoolRow, SliceRow
from rewardkit.ports import Store
from rewardkit.testing.rows import grant
from rewardkit.testing.steps import ask, put, replace


def pool_row(number: int) -> PoolRow:
    """A pool that is open, without any limit."""
    return PoolRow(number, f"pool {number}", 1, 1, "unique", 0, None, 50, "", None, None, None, None, 0, 1, 1)


def slice_row(pool: int, number: int, *, remaining: int = 0, issued: int = 0) -> SliceRow:
    """A slice all of whose codes may be handed out."""
    return SliceRow(pool, number, remaining + issued, issued, remaining, 0, 0, remaining, 0, 0)


class StoreSupplies:
    """Part of `StoreContract`."""

    def test_grants_that_wait_for_a_pool_are_found_where_it_has_something_to_issue(self, store: Store) -> None:
        pools: dict[int, dict[str, Any]] = {
            1: {},
            2: {"issuance_allowed": 0},
            3: {"valid_until": 5},
            4: {"distribution": "multi"},
            5: {},
        }
        for number, terms in pools.items():
            put(store, pool_row(number)._replace(**terms))
            put(store, *(slice_row(number, at, remaining=int(number < 4 and at == 9)) for at in range(SLICES)))
        replace(store, slice_row(4, 3, issued=1), slice_row(5, 3, issued=1))
        waits = {"a": (1, 9), "b": (2, 1), "c": (3, 8), "d": (4, 7), "e": (5, 2), "f": (1, 6)}
        for id, (pool, at) in waits.items():
            put(store, grant(id, status="held", earned_at=at)._replace(held_for="pool", pool=pool))
        put(store, grant("r", earned_at=1)._replace(pool=1, code="x", issuance=1))
        found = [(row.id, row.pool) for row in ask(store, needs.GrantsToSupply(4, 9))]
        assert found == [("f", 1), ("d", 4), ("c", 3), ("a", 1)]
        assert [row.id for row in ask(store, needs.GrantsToSupply(5, 2))] == ["f", "d"]
        assert [row.id for row in ask(store, needs.GrantsToSupply(5, 9))] == ["f", "d", "a"]
        assert [row.id for row in ask(store, needs.GrantsToSupply(5, 9, 5))] == ["e"]
        assert [row.id for row in ask(store, needs.GrantsToSupply(5, 1, 1))] == ["f"]

    def test_another_code_for_an_issuee_leaves_her_the_first_one(self, store: Store) -> None:
        self._stock(store, 2)
        first, second, third = (self._another(store, "ann") for _ in range(3))
        assert [taken.code and taken.code.key for taken in (first, second, third)] == ["AB0", "AB1", None]
        assert ask(store, TakeHolding(1, "ann")) == "AB0"
        stocked = ask(store, PoolOf(1))
        assert stocked is not None
        assert (stocked.slices[0].issued, stocked.slices[1].issued) == (1, 1)

    def test_nothing_is_taken_of_a_pool_whose_time_is_over(self, store: Store) -> None:
        self._stock(store, 2, valid_until=5)
        assert self._another(store, "ann", at=5).code is None
        taken = self._another(store, "ann", at=4)
        assert taken.code is not None

    @pytest.mark.parametrize("status", ["issued", "void", "no code"])
    def test_another_code_is_held_by_whoever_holds_none_that_can_be_used(self, store: Store, status: str) -> None:
        self._stock(store, 3)
        if status == "no code":
            ask(store, TakeHolding(1, "ann"))
        else:
            first = self._another(store, "ann").code
            assert first is not None
            replace(store, first._replace(status=status))
        code = self._another(store, "ann").code
        assert code is not None
        assert (ask(store, TakeHolding(1, "ann")) == code.key) is (status != "issued")

    def test_attempts_begin_at_nothing_and_are_kept(self, store: Store) -> None:
        assert ask(store, TakeAttempts(("a", "b"))) == (AttemptRow("a", 0, 0, 0, 0), AttemptRow("b", 0, 0, 0, 0))
        replace(store, AttemptRow("a", 1, 2, 3, 4))
        assert ask(store, TakeAttempts(("a",))) == (AttemptRow("a", 1, 2, 3, 4),)

    def test_attempts_are_looked_at_without_being_begun(self, store: Store) -> None:
        assert ask(store, AttemptsOf(("a", "b"))) == ()
        ask(store, TakeAttempts(("b",)))
        assert ask(store, AttemptsOf(("a", "b"))) == (AttemptRow("b", 0, 0, 0, 0),)

    def test_attempts_that_are_over_are_forgotten_the_oldest_first(self, store: Store) -> None:
        put(store, *(AttemptRow(name, begun, 1, 1, 0) for name, begun in (("c", 1), ("b", 2), ("a", 2), ("d", 9))))
        put(store, AttemptRow("e", 1, 1, 1, 6))
        assert ask(store, ForgetAttempts(9, 5, 2)) == 2
        assert [row.subject for row in ask(store, AttemptsOf(tuple("abcde")))] == ["b", "d", "e"]
        assert ask(store, ForgetAttempts(9, 5, 10)) == 1
        assert ask(store, ForgetAttempts(9, 5, 10)) == 0
        assert ask(store, ForgetAttempts(9, 6, 10)) == 1
        assert [row.subject for row in ask(store, AttemptsOf(tuple("abcde")))] == ["d"]

    @staticmethod
    def _stock(store: Store, codes: int, **terms: Any) -> None:
        put(store, pool_row(1)._replace(positions=codes, **terms))
        put(store, *(slice_row(1, number, remaining=int(number < codes)) for number in range(SLICES)))
        new = tuple(NewCodeRow(f"AB{place}", f"ab{place}", place, place) for place in range(codes))
        ask(store, AddCodes(1, 1, new))

    @staticmethod
    def _another(store: Store, issuee: str, at: int = 1) -> Taken:
        issuance = IssuanceRow(0, "", 0, "", 0, issuee, issuee, "", "", at)
        taken = ask(store, TakeCode(1, issuance, known=False, another=True))
        assert taken is not None
        return taken
