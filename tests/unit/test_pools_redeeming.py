"""Redeeming, reserving, and taking both back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rewardkit import (
    ChangePool,
    CodeStatus,
    ConfirmReservation,
    CreatePool,
    DeactivateCode,
    ImportCodes,
    IssueCode,
    RedeemCode,
    Redemptions,
    Refused,
    ReleaseReservation,
    ReserveCode,
    RollBackRedemption,
    ValidationError,
    VoidCode,
)
from rewardkit.testing.pool_shop import POOL, PoolShop

CODE = "code-0000"


def taken(shop: PoolShop, code: str = CODE) -> tuple[int, int]:
    """Redemptions, total and unique."""
    found = shop.code(code).redemptions
    return found.total, found.unique


@pytest.mark.parametrize("written", ["code-0000", "CODE0000", " code 0000 ", "C0DE-OOOO", "code\u20130000"])
def test_a_code_is_redeemed_by_tenant_and_code_alone_however_it_is_written(written: str) -> None:
    shop = PoolShop(2)
    issued = shop.issue("ann")
    redeemed = shop.redeem(written)
    assert (redeemed.code, redeemed.issuee_id, redeemed.external_issuee_id) == (CODE, issued.issuee_id, "ann")
    assert taken(shop) == (1, 1)


def test_a_unique_code_is_redeemed_once_and_by_nobody_else() -> None:
    shop = PoolShop(2)
    shop.issue("ann")
    assert shop.refusal(RedeemCode(CODE, external_issuee_id="bob")) == "wrong_issuee"
    shop.redeem(CODE, "ann")
    assert shop.refusal(RedeemCode(CODE, external_issuee_id="ann")) == "code_spent"
    assert taken(shop) == (1, 1)


def spent(shop: PoolShop) -> None:
    shop.issue("ann")
    shop.redeem(CODE)


def reserved(shop: PoolShop) -> None:
    shop.issue("ann")
    shop.reserve(CODE, "order")


def void(shop: PoolShop) -> None:
    shop.issue("ann")
    shop.kit.run(VoidCode(CODE))


def not_allowed(shop: PoolShop) -> None:
    shop.issue("ann")
    shop.kit.run(ChangePool(POOL, redemption_allowed=False))


def not_begun(shop: PoolShop) -> None:
    shop.issue("ann")
    shop.kit.run(ChangePool(POOL, valid_from=shop.clock.now + timedelta(microseconds=1)))


def expired(shop: PoolShop) -> None:
    shop.issue("ann")
    shop.kit.run(ChangePool(POOL, valid_until=shop.clock.now))


def never_issued(shop: PoolShop) -> None:
    assert shop.counts == (0, 1, 0, 0)


def issued_to_another(shop: PoolShop) -> None:
    shop.issue("bob")


REASONS = {
    "code_spent": spent,
    "code_reserved": reserved,
    "code_void": void,
    "redemption_not_allowed": not_allowed,
    "pool_not_begun": not_begun,
    "pool_expired": expired,
    "code_not_issued": never_issued,
    "wrong_issuee": issued_to_another,
}


@pytest.mark.parametrize("reason", REASONS)
def test_the_operator_hears_each_reason_and_the_public_the_same_of_all(reason: str) -> None:
    shop = PoolShop(1)
    REASONS[reason](shop)
    before = shop.code(CODE), shop.pool
    assert shop.refusal(RedeemCode(CODE, external_issuee_id="ann")) == reason
    assert shop.refusal(ReserveCode(CODE, external_issuee_id="ann")) == reason
    unknown = shop.kit.attempt(RedeemCode("nobody", public=True))
    assert isinstance(unknown, Refused)
    assert (unknown.code, dict(unknown.facts)) == ("code_not_valid", {})
    for command in (
        RedeemCode(CODE, external_issuee_id="ann", public=True),
        ReserveCode(CODE, external_issuee_id="ann", public=True),
        RedeemCode("\ud800", public=True),
        RedeemCode("", public=True),
    ):
        assert shop.kit.attempt(command) == unknown
    assert (shop.code(CODE), shop.pool) == before


@pytest.mark.parametrize("reason", sorted(set(REASONS) - {"code_reserved", "wrong_issuee"}))
def test_the_public_is_told_the_status_of_what_can_be_redeemed_and_of_nothing_else(reason: str) -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    assert shop.kit.ask(CodeStatus(CODE, public=True)).code == CODE
    shop = PoolShop(1)
    REASONS[reason](shop)
    with pytest.raises(Refused, match="code_not_valid"):
        shop.kit.ask(CodeStatus(CODE, public=True))
    with pytest.raises(Refused, match="code_unknown"):
        shop.kit.ask(CodeStatus("nobody"))


def test_validity_is_half_open() -> None:
    shop = PoolShop(2, distribution="multi")
    shop.issue("ann")
    now = shop.clock.now
    shop.kit.run(ChangePool(POOL, valid_from=now, valid_until=now + timedelta(seconds=1)))
    shop.redeem(CODE)
    shop.clock.advance("1s")
    assert shop.refusal(RedeemCode(CODE)) == "pool_expired"


def test_who_bears_a_code_of_a_bearer_pool_redeems_it_and_that_issues_it() -> None:
    shop = PoolShop(3, bearer=True, low_threshold=2)
    redeemed = shop.redeem("code-0001", "ann")
    assert shop.counts == (1, 2, 0, 0)
    assert shop.warnings == [2]
    assert shop.code("code-0001").issuances.total == 1
    assert shop.issue("ann").code == "code-0001"
    shop.kit.run(RollBackRedemption(redeemed.id))
    assert shop.refusal(RedeemCode("code-0001", external_issuee_id="bob")) == "wrong_issuee"
    shop.redeem("code-0000")
    assert shop.refusal(RedeemCode("code-0000")) == "code_spent"
    assert shop.issue("bob").code == "code-0002"
    assert shop.counts == (3, 0, 0, 0)


def test_a_bearer_who_has_a_code_of_the_pool_may_redeem_another() -> None:
    shop = PoolShop(3, bearer=True)
    assert shop.issue("ann").code == CODE
    shop.redeem("code-0002", "ann")
    assert shop.issue("ann").code == CODE


def test_a_multi_code_is_redeemed_by_many_and_as_often_as_its_limits_say() -> None:
    shop = PoolShop(1, distribution="multi", redemption_limit=4, issuee_redemption_limit=2)
    shop.issue("ann")
    for issuee in ("ann", "ann", "bob"):
        shop.redeem(CODE, issuee)
    assert taken(shop) == (3, 2)
    assert shop.refusal(RedeemCode(CODE, external_issuee_id="ann")) == "issuee_limit_reached"
    shop.redeem(CODE)
    assert taken(shop) == (4, 3)
    assert shop.refusal(RedeemCode(CODE, external_issuee_id="bob")) == "code_spent"


def test_a_limit_that_is_lowered_takes_nothing_back() -> None:
    shop = PoolShop(1, distribution="multi")
    shop.issue("ann")
    rows = [shop.redeem(CODE) for _ in range(3)]
    shop.kit.run(ChangePool(POOL, redemption_limit=2))
    assert shop.refusal(RedeemCode(CODE)) == "code_spent"
    shop.kit.run(RollBackRedemption(rows[0].id))
    assert shop.refusal(RedeemCode(CODE)) == "code_spent"
    shop.kit.run(RollBackRedemption(rows[1].id))
    shop.redeem(CODE)
    assert taken(shop) == (2, 2)


def test_a_redemption_is_rolled_back_once_and_stays_on_record() -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    redeemed = shop.redeem(CODE)
    shop.clock.advance("1h")
    rolled_back = shop.kit.run(RollBackRedemption(redeemed.id))
    assert rolled_back.rolled_back_at == shop.clock.now
    assert taken(shop) == (0, 0)
    assert shop.refusal(RollBackRedemption(redeemed.id)) == "redemption_rolled_back"
    assert shop.refusal(RollBackRedemption(99)) == "redemption_unknown"
    again = shop.redeem(CODE)
    assert [one.id for one in shop.kit.ask(Redemptions(code=CODE)).items] == [redeemed.id, again.id]
    assert shop.refusal(RollBackRedemption(redeemed.id)) == "redemption_rolled_back"
    assert taken(shop) == (1, 1)
    assert shop.counts == (1, 0, 0, 0)


def test_rolling_back_gives_back_to_the_one_who_took() -> None:
    shop = PoolShop(1, distribution="multi", issuee_redemption_limit=1)
    shop.issue("ann")
    first = shop.redeem(CODE, "ann")
    shop.redeem(CODE, "bob")
    shop.kit.run(RollBackRedemption(first.id))
    assert taken(shop) == (1, 1)
    assert shop.refusal(RedeemCode(CODE, external_issuee_id="bob")) == "issuee_limit_reached"
    shop.redeem(CODE, "ann")
    assert taken(shop) == (2, 2)


def test_a_void_or_disabled_code_can_be_rolled_back_and_no_more() -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    redeemed = shop.redeem(CODE)
    shop.kit.run(VoidCode(CODE))
    shop.kit.run(ChangePool(POOL, redemption_allowed=False))
    shop.kit.run(RollBackRedemption(redeemed.id))
    assert shop.refusal(RedeemCode(CODE)) == "code_void"


def test_a_reservation_keeps_the_code_until_it_is_confirmed() -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    kept = shop.reserve(CODE, "order-1", "ann")
    assert (kept.status, kept.expires_at - shop.clock.now) == ("open", timedelta(seconds=60))
    assert shop.refusal(RedeemCode(CODE)) == "code_reserved"
    assert shop.refusal(ReserveCode(CODE, reservation="order-2")) == "code_reserved"
    assert taken(shop) == (0, 0)
    confirmed = shop.kit.run(ConfirmReservation("order-1"))
    assert (confirmed.reservation, confirmed.external_issuee_id) == ("order-1", "ann")
    assert shop.kit.run(ConfirmReservation("order-1")) == confirmed
    assert taken(shop) == (1, 1)
    assert shop.refusal(ReleaseReservation("order-1")) == "reservation_confirmed"
    assert shop.refusal(ReserveCode(CODE, reservation="order-1")) == "code_spent"


def test_a_reservation_under_its_name_keeps_one_and_for_longer() -> None:
    shop = PoolShop(1, distribution="multi", redemption_limit=2)
    shop.issue("ann")
    shop.reserve(CODE, "order-1")
    shop.clock.advance("50s")
    assert shop.reserve(CODE, "order-1").expires_at - shop.clock.now == timedelta(seconds=60)
    shop.reserve(CODE, "order-2")
    assert shop.refusal(ReserveCode(CODE)) == "code_reserved"
    shop.clock.advance("20s")
    shop.kit.run(ConfirmReservation("order-1"))
    assert taken(shop) == (1, 1)


def test_a_released_reservation_gives_its_place_back_once() -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    shop.reserve(CODE, "order-1")
    assert shop.kit.run(ReleaseReservation("order-1")).status == "released"
    assert shop.kit.run(ReleaseReservation("order-1")).status == "released"
    assert shop.refusal(ConfirmReservation("order-1")) == "reservation_released"
    shop.reserve(CODE, "order-2")
    assert shop.refusal(ReserveCode(CODE, reservation="order-1")) == "code_reserved"
    shop.kit.run(ReleaseReservation("order-2"))
    assert shop.reserve(CODE, "order-1").status == "open"


def test_a_reservation_whose_time_is_over_holds_nothing() -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    shop.reserve(CODE, "order-1", seconds=60)
    shop.clock.advance("59s")
    assert shop.refusal(RedeemCode(CODE)) == "code_reserved"
    shop.clock.advance("1s")
    assert shop.refusal(ConfirmReservation("order-1")) == "reservation_expired"
    shop.redeem(CODE)
    assert shop.refusal(ConfirmReservation("order-1")) == "reservation_released"
    assert shop.kit.run(ReleaseReservation("order-1")).status == "released"
    assert taken(shop) == (1, 1)


def test_overdue_reservations_are_given_back_to_those_who_had_them() -> None:
    shop = PoolShop(1, distribution="multi", redemption_limit=3, issuee_redemption_limit=1)
    shop.issue("ann")
    for issuee in ("ann", "bob", "eve"):
        shop.reserve(CODE, issuee, issuee, seconds=60)
    assert shop.refusal(ReserveCode(CODE, external_issuee_id="ann")) == "code_reserved"
    shop.clock.advance("1m")
    shop.redeem(CODE, "dan")
    for issuee in ("ann", "bob"):
        shop.redeem(CODE, issuee)
    assert shop.refusal(RedeemCode(CODE, external_issuee_id="eve")) == "code_spent"
    assert taken(shop) == (3, 3)


def test_no_reservation_outlives_the_validity_of_its_pool() -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    until = shop.clock.now + timedelta(seconds=10)
    shop.kit.run(ChangePool(POOL, valid_until=until))
    assert shop.reserve(CODE, "order-1", seconds=60).expires_at == until


@pytest.mark.parametrize(
    "stop, reason",
    [(VoidCode(CODE), "code_void"), (ChangePool(POOL, redemption_allowed=False), "redemption_not_allowed")],
)
def test_what_was_stopped_is_not_confirmed_and_can_be_released(stop: Any, reason: str) -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    shop.reserve(CODE, "order-1")
    shop.kit.run(stop)
    assert shop.refusal(ConfirmReservation("order-1")) == reason
    assert shop.kit.run(ReleaseReservation("order-1")).status == "released"


def test_a_reservation_is_of_one_code() -> None:
    shop = PoolShop(2)
    for issuee in ("ann", "bob"):
        shop.issue(issuee)
    shop.reserve(CODE, "order-1")
    assert shop.refusal(ReserveCode("code-0001", reservation="order-1")) == "reservation_of_another_code"
    assert shop.refusal(ConfirmReservation("order-2")) == "reservation_unknown"
    assert shop.refusal(ReleaseReservation("order-2")) == "reservation_unknown"


def test_a_deactivated_code_that_was_issued_can_be_redeemed() -> None:
    shop = PoolShop(1)
    shop.issue("ann")
    shop.kit.run(DeactivateCode(CODE))
    shop.redeem(CODE)
    assert taken(shop) == (1, 1)


def test_a_code_is_found_without_its_pool() -> None:
    shop = PoolShop(1)
    shop.kit.run(CreatePool("other"))
    assert shop.kit.run(ImportCodes("other", ["other-1", "CODE 0000"])).duplicates == 1
    shop.kit.run(IssueCode("other", "ann"))
    assert shop.redeem("other1").pool_id == 2


@pytest.mark.parametrize(
    "command",
    [
        RedeemCode(7),  # type: ignore[arg-type]
        ReserveCode(CODE, seconds=0),
        ReserveCode(CODE, seconds=86_401),
        RollBackRedemption("1"),  # type: ignore[arg-type]
        ConfirmReservation(""),
    ],
)
def test_what_cannot_be_meant_says_so(command: Any) -> None:
    with pytest.raises(ValidationError):
        PoolShop(1).kit.run(command)
