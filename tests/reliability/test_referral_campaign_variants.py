"""Senders stay with their variants while weights change under many workers: on both databases, and with a bug."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import pytest

import rewardkit as rk
from rewardkit.core.storing.needs import Members, Need
from rewardkit.core.storing.rows import MemberRow
from rewardkit.core.storing.seen_needs import MembersSeen
from rewardkit.ports import Store, Transaction
from rewardkit.testing.at_once import at_once
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.faults_world import BEGAN_AT, kit_at
from rewardkit.testing.wrapped_store import WrappedStore

T = TypeVar("T")
WORKERS = int(os.environ.get("REWARDKIT_WORKERS", "8"))
SENDERS = tuple(f"sender {number}" for number in range(6))


def weigh(kit: rk.RewardKit, one: int, two: int) -> None:
    variants = rk.Variant("one", program="one", weight=one), rk.Variant("two", program="two", weight=two)
    kit.run(rk.DefineCampaign("always", variants=variants))
    kit.run(rk.LaunchCampaign("always"))


def define(kit: rk.RewardKit) -> dict[str, str]:
    """A campaign with variants; the code of each sender."""
    kit.run(rk.DefineReward("gift"))
    for name in ("one", "two"):
        kit.run(rk.DefineReferralProgram(name, "gift", "gift", "Bought"))
    weigh(kit, 1, 1)
    return {sender: kit.run(rk.GiveReferralCode(sender)).code for sender in SENDERS}


def offered(store: Store) -> dict[str, set[str]]:
    """The variants of the referrals of each sender."""
    found: dict[str, set[str]] = {}
    for row in snapshot_of(store, "acme").referrals:
        found.setdefault(row.sender, set()).add(row.variant)
    return found


def test_all_referrals_of_a_sender_are_of_one_variant_whatever_the_weights_are_meanwhile(
    store: Store, scale: float
) -> None:
    codes = define(kit_at(store, "acme", BEGAN_AT))
    recipients = max(4 * WORKERS, round(300 * scale))

    def work(worker: int) -> None:
        kit = kit_at(store, "acme", BEGAN_AT)
        for turn, number in enumerate(range(worker, recipients, WORKERS)):
            if worker == 0:
                weigh(kit, *((0, 1) if turn % 2 else (1, 0)))
            kit.run(rk.EnterReferralCode(codes[SENDERS[number % len(SENDERS)]], f"r{number}"))

    at_once(*(partial(work, number) for number in range(WORKERS)))
    assert {len(variants) for variants in offered(store).values()} == {1}
    assert violations(snapshot_of(store, "acme")) == ()


class Unheld(WrappedStore):
    """A store sabotaged: users' rows are read, something else happens, and what was read is taken to be so still."""

    def __init__(self, store: Store, between: Callable[[], None]) -> None:
        super().__init__(store)
        self._between = between

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[Transaction]:
        with self._store.transaction(tenant, reading=True) as looking:
            rows = {row.user: row for row in looking.ask(MembersSeen(SENDERS))}
        self._between()
        with self._store.transaction(tenant, reading=reading) as transaction:
            yield _Unheld(transaction, rows)


class _Unheld:
    def __init__(self, transaction: Transaction, rows: dict[str, MemberRow]) -> None:
        self._transaction = transaction
        self._rows = rows
        self.write = transaction.write

    def ask(self, need: Need[T]) -> T:
        found: Any = self._transaction.ask(need)
        if isinstance(need, Members):
            found = tuple(self._rows.get(row.user, row) for row in found)
        return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("sabotaged", [True, False])
def test_a_sender_is_moved_where_her_row_is_not_held_meanwhile(store: Store, *, sabotaged: bool) -> None:
    honest = kit_at(store, "acme", BEGAN_AT)
    codes = define(honest)
    honest.emit("Looked", user="sender 0", id="1")

    def between() -> None:
        """Another recipient of hers enters, and then she would be drawn for the other one."""
        weigh(honest, 1, 0)
        honest.run(rk.EnterReferralCode(codes["sender 0"], "r1"))
        weigh(honest, 0, 1)

    if sabotaged:
        kit_at(Unheld(store, between), "acme", BEGAN_AT).run(rk.EnterReferralCode(codes["sender 0"], "r2"))
    else:
        between()
        honest.run(rk.EnterReferralCode(codes["sender 0"], "r2"))
    assert {"one", "two"} if sabotaged else {"one"} == offered(store)["sender 0"]
