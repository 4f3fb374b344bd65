"""Random histories of pools against a small model, with every promise audited by its letters after each step.

Codes are issued, redeemed and reserved by hand, carried by grants, and entered as promo codes.
`REWARDKIT_SCALE=0.5 pytest tests/property/test_pools_model.py` runs 1,000 histories in memory, 250 on SQLite and 75 on
PostgreSQL, of 50 steps each.
"""

from __future__ import annotations

import itertools
import os
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from rewardkit import (
    ActivateCode,
    ChangePool,
    CodeStatus,
    ConfirmReservation,
    CreatePool,
    DeactivateCode,
    EnterPromoCode,
    Grant,
    Grants,
    ImportCodes,
    Issuance,
    IssueCode,
    PoolStatus,
    RedeemCode,
    Redemption,
    Refused,
    ReleaseReservation,
    ReserveCode,
    ReverseGrant,
    RewardKit,
    RollBackRedemption,
    VoidCode,
)
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import Snapshot, violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.guessing import UNLIMITED
from rewardkit.testing.pool_model import (
    ISSUEE_LIMIT,
    LIMIT,
    MULTI,
    PROMO_CODES,
    UNIQUE,
    ModelCode,
    PoolModel,
    rewards_of_pools,
)

SCALE = float(os.environ.get("REWARDKIT_SCALE", "0.05"))
THRESHOLD = 2
LETTERS = [f"C{number}" for number in range(1, 10)]
"""Of what is promised of codes and pools; C5 is looked at where something is refused."""
BEGAN_AT = 1_700_000_000_000_000

pools = st.sampled_from([UNIQUE, MULTI])
issuees = st.sampled_from(["ann", "bob", "eve", "dan"])
codes = st.sampled_from([f"{pool}-{number}" for pool in (UNIQUE, MULTI) for number in range(6)])
earners = st.sampled_from(["gia", "hal"])
reservations = st.sampled_from(["order-1", "order-2", "order-3"])


class PoolHistory(RuleBasedStateMachine):
    numbers = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGAN_AT
        self.tenant = f"tenant {next(self.numbers)}"
        self.store = self.open()
        self.kit = RewardKit(self.store, clock=lambda: self.now, tenant=self.tenant)
        self.kit.run(CreatePool(UNIQUE, low_threshold=THRESHOLD))
        self.kit.run(
            CreatePool(MULTI, distribution="multi", redemption_limit=LIMIT, issuee_redemption_limit=ISSUEE_LIMIT)
        )
        self.model = PoolModel(THRESHOLD)
        self.redeemed: list[int] = []
        self.grants: list[str] = []
        for command in rewards_of_pools():
            self.kit.run(command)
        self.stock = self.snapshot().stock

    def snapshot(self) -> Snapshot:
        return snapshot_of(self.store, self.tenant)

    def open(self) -> Store:
        return MemoryStore()

    def attempt(self, command: Any) -> Any:
        """What is refused leaves everything as it was. C5."""
        answer = self.kit.attempt(command)
        if isinstance(answer, Refused):
            assert self.stock == self.snapshot().stock, "C5"
            return answer.code
        return answer

    @rule(names=st.sets(codes, max_size=6))
    def add(self, names: set[str]) -> None:
        for pool in (UNIQUE, MULTI):
            mine = sorted(name for name in names if name.startswith(pool))
            report = self.kit.run(ImportCodes(pool, mine))
            fresh = [name for name in mine if name not in self.model.codes]
            assert (report.added, report.duplicates) == (len(fresh), len(mine) - len(fresh))
            self.model.codes |= {name: ModelCode(pool) for name in fresh}
            if pool == UNIQUE and mine:
                self.supplied()

    @rule(pool=pools, issuee=issuees)
    def issue(self, pool: str, issuee: str) -> None:
        expected = self.model.issuable(pool, issuee)
        answer = self.attempt(IssueCode(pool, issuee))
        if isinstance(expected, str):
            assert answer == expected
        else:
            assert isinstance(answer, Issuance)
            assert answer.code in expected
            self.model.issued(pool, issuee, answer.code)

    @rule(name=codes, issuee=issuees)
    def issue_this(self, name: str, issuee: str) -> None:
        code = self.model.codes.get(name)
        pool = name.partition("-")[0]
        answer = self.attempt(IssueCode(pool, issuee, code=name))
        held = self.model.held.get((pool, issuee))
        if code is None:
            expected = "code_unknown"
        elif not self.model.issuing[pool]:
            expected = "issuance_not_allowed"
        elif held not in (None, name) and not self.model.codes[held or ""].void:
            expected = "issuee_has_another"
        elif code.void:
            expected = "code_void"
        elif not code.active:
            expected = "code_inactive"
        elif pool == UNIQUE and code.issued_to - {issuee}:
            expected = "code_issued"
        else:
            assert isinstance(answer, Issuance)
            assert answer.code == name
            self.model.issued(pool, issuee, name)
            return
        assert answer == expected

    @rule(name=codes, issuee=st.none() | issuees)
    def redeem(self, name: str, issuee: str | None) -> None:
        expected = self.model.barred(name, issuee) or self.model.crowded(name, issuee, self.now)
        answer = self.attempt(RedeemCode(name, external_issuee_id=issuee))
        if expected:
            assert answer == expected
        else:
            self.has_redeemed(name, answer)

    def has_redeemed(self, name: str, answer: object) -> None:
        assert isinstance(answer, Redemption)
        self.model.codes[name].redemptions[answer.id] = answer.external_issuee_id or answer.issuee_id
        self.redeemed.append(answer.id)

    @rule(name=codes, reservation=reservations, issuee=st.none() | issuees)
    def reserve(self, name: str, reservation: str, issuee: str | None) -> None:
        code = self.model.codes.get(name)
        answer = self.attempt(ReserveCode(name, reservation=reservation, external_issuee_id=issuee, seconds=60))
        expected = self.model.barred(name, issuee)
        limit = 1 if name.startswith(UNIQUE) else LIMIT
        if not expected and code is not None and len(code.redemptions) >= limit:
            expected = "code_spent"
        other = self.model.reserved_code(reservation)
        if not expected and code is not None and reservation in code.reservations:
            who, _ = code.reservations[reservation]
            code.reservations[reservation] = who, self.now + 60_000_000
            assert answer.status == "open"
        elif not expected and (other is not None or reservation in self.model.ended):
            # It has been of this code or of another before: that is told by the words of the refusal.
            assert answer not in ("code_unknown", "code_void")
            self.again(name, reservation, issuee, answer)
        else:
            expected = expected or self.model.crowded(name, issuee, self.now)
            self.has_reserved(name, reservation, issuee, answer, expected)

    def again(self, name: str, reservation: str, issuee: str | None, answer: Any) -> None:
        """Under a name that was used before: of another code it is refused, of this one it may begin anew."""
        if answer == "reservation_of_another_code":
            return
        if self.model.ended.get(reservation) == "confirmed":
            assert answer == "reservation_confirmed"
            return
        self.has_reserved(name, reservation, issuee, answer, self.model.crowded(name, issuee, self.now))

    def has_reserved(self, name: str, reservation: str, issuee: str | None, answer: Any, expected: str) -> None:
        if expected:
            assert answer == expected
            return
        code = self.model.codes[name]
        who = issuee or (next(iter(code.issued_to)) if code.pool == UNIQUE else answer.issuee_id)
        code.reservations[reservation] = who, self.now + 60_000_000
        self.model.ended.pop(reservation, None)

    @rule(reservation=reservations)
    def confirm(self, reservation: str) -> None:
        name = self.model.reserved_code(reservation)
        answer = self.attempt(ConfirmReservation(reservation))
        if name is None:
            known = {"confirmed": "", "released": "reservation_released"}
            expected = known.get(self.model.ended.get(reservation, ""), "reservation_unknown")
            assert isinstance(answer, Redemption) if expected == "" else answer == expected
            return
        code = self.model.codes[name]
        if code.reservations[reservation][1] <= self.now:
            assert answer == "reservation_expired"
        elif code.void:
            assert answer == "code_void"
        elif not self.model.redeeming[code.pool]:
            assert answer == "redemption_not_allowed"
        else:
            del code.reservations[reservation]
            self.model.ended[reservation] = "confirmed"
            self.has_redeemed(name, answer)

    @rule(reservation=reservations)
    def release(self, reservation: str) -> None:
        name = self.model.reserved_code(reservation)
        answer = self.attempt(ReleaseReservation(reservation))
        if name is not None:
            self.model.release(name, reservation)
            assert answer.status == "released"
        elif reservation not in self.model.ended:
            assert answer == "reservation_unknown"
        elif self.model.ended[reservation] == "confirmed":
            assert answer == "reservation_confirmed"
        else:
            assert answer.status == "released"

    @precondition(lambda self: self.redeemed)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.redeemed))
        answer = self.attempt(RollBackRedemption(number))
        if number in self.model.rolled_back:
            assert answer == "redemption_rolled_back"
            return
        assert answer.rolled_back_at is not None
        self.model.rolled_back.add(number)
        for code in self.model.codes.values():
            code.redemptions.pop(number, None)

    @rule(name=codes, move=st.sampled_from([DeactivateCode, ActivateCode, VoidCode]))
    def withdraw(self, name: str, move: Any) -> None:
        code = self.model.codes.get(name)
        answer = self.attempt(move(name))
        before = self.model.remaining(UNIQUE)
        if code is None:
            assert answer == "code_unknown"
        elif code.void:
            unchanged = move is VoidCode or code.active == (move is ActivateCode)
            assert answer.status == "void" if unchanged else answer == "code_void"
        else:
            code.void = move is VoidCode
            code.active = code.active if code.void else move is ActivateCode
            self.model.noticing(before)
            if move is ActivateCode and code.pool == UNIQUE:
                self.supplied()

    @rule(pool=pools, issuing=st.booleans(), redeeming=st.booleans())
    def switch(self, pool: str, *, issuing: bool, redeeming: bool) -> None:
        self.kit.run(ChangePool(pool, issuance_allowed=issuing, redemption_allowed=redeeming))
        self.model.issuing[pool], self.model.redeeming[pool] = issuing, redeeming
        if pool == UNIQUE:
            self.supplied()

    @rule(user=earners)
    def earn(self, user: str) -> None:
        """By a visit and a purchase; the grant takes a code that nobody has, or waits."""
        for name in ("Visited", "Bought"):
            self.now += 1
            recorded = self.kit.emit(name, user=user)
        (grant,) = (one.grant for one in recorded.earned if one.campaign == "vouchers")
        self.grants.append(grant)
        self.model.waiting.append(grant)
        if self.model.issuing[UNIQUE] and self.model.fresh:
            assert self.grant(grant).code
            self.supplied(newest=True)
        assert self.grant(grant).held_for == ("" if grant in self.model.carried else "pool")

    def supplied(self, *, newest: bool = False) -> None:
        """The oldest have got what there was; only who earns gets hers before those who wait."""
        before = self.model.remaining(UNIQUE)
        waiting = self.model.waiting[-1:] if newest else list(self.model.waiting)
        for number in waiting if self.model.issuing[UNIQUE] else ():
            fresh = self.model.fresh
            if not fresh:
                break
            grant = self.grant(number)
            assert grant.code in fresh
            self.model.carry(number, grant.user, grant.code)
            self.model.waiting.remove(number)
        self.model.noticing(before)

    def grant(self, number: str) -> Grant:
        (grant,) = (one for one in self.kit.ask(Grants(limit=999)).items if one.id == number)
        return grant

    @rule()
    def run_due(self) -> None:
        self.kit.run_due()
        self.supplied()

    @precondition(lambda self: self.grants)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.grants))
        name = self.model.carried.get(number)
        self.kit.run(ReverseGrant(number, "returned"))
        self.grants.remove(number)
        if name is None:
            self.model.waiting.remove(number)
        else:
            self.model.codes[name].void = True

    @rule(name=st.sampled_from([*PROMO_CODES, "promo-9"]), user=earners | issuees)
    def enter(self, name: str, user: str) -> None:
        expected = self.model.enterable(name, user, set(PROMO_CODES))
        answer = self.attempt(EnterPromoCode(name, user, public=False, limits=UNLIMITED))
        if expected:
            assert answer == expected
        else:
            assert not isinstance(answer, str)
            self.model.entered[name] = user

    @rule(seconds=st.sampled_from([1, 59, 60, 61]))
    def wait(self, seconds: int) -> None:
        self.now += seconds * 1_000_000

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        snapshot = self.snapshot()
        self.stock = snapshot.stock
        broken = violations(snapshot)
        assert {letter: [] for letter in LETTERS} == {
            letter: [one for one in broken if one.startswith(letter)] for letter in LETTERS
        }
        assert () == broken
        assert self.model.falls == sum(row.crossings for row in snapshot.stock.slices)
        for pool in (UNIQUE, MULTI):
            found = self.kit.ask(PoolStatus(pool))
            mine = [code for code in self.model.codes.values() if code.pool == pool]
            void, issued = sum(code.void for code in mine), sum(not code.void and code.issuances > 0 for code in mine)
            assert (found.total, found.void, found.issued) == (len(mine), void, issued)
            assert found.remaining == self.model.remaining(pool)
        assert sorted(self.model.waiting) == sorted(one.id for one in self.kit.ask(Grants(held_for="pool")).items)
        for name in PROMO_CODES:
            assert self.kit.ask(CodeStatus(name)).redemptions.total == (name in self.model.entered)
        for name, code in self.model.codes.items():
            shown = self.kit.ask(CodeStatus(name))
            assert (shown.issuances.total, shown.issuances.unique) == (code.issuances, len(code.issued_to))
            expected = len(code.redemptions), len(set(code.redemptions.values()))
            assert (shown.redemptions.total, shown.redemptions.unique) == expected


def run(histories: type[PoolHistory], count: int) -> None:
    run_state_machine_as_test(
        histories,
        settings=settings(
            max_examples=count, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def on(store: Store) -> type[PoolHistory]:
    """Histories in tenants of one store."""

    class PoolHistoryThere(PoolHistory):
        def open(self) -> Store:
            return store

    return PoolHistoryThere


def test_histories_of_pools_are_those_of_the_model() -> None:
    run(PoolHistory, max(30, round(2_000 * SCALE)))


def test_histories_of_pools_on_sqlite_are_those_of_the_model(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/pools.db")) as store:
        run(on(store), max(5, round(500 * SCALE)))


def test_histories_of_pools_on_postgresql_are_those_of_the_model(postgres_dsn: str) -> None:
    with closing(open_store(postgres_dsn)) as store:
        store.migrate()
        run(on(store), max(3, round(150 * SCALE)))
