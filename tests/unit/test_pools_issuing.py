"""Who gets which code, and what a pool counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from rewardkit import (
    ActivateCode,
    ChangePool,
    CreatePool,
    DeactivateCode,
    ImportCodes,
    Issuances,
    IssueCode,
    RewardKit,
    ValidationError,
    VoidCode,
)
from rewardkit.core.pools.slices import SLICES
from rewardkit.testing.pool_shop import POOL, PoolShop


def test_everybody_gets_a_code_of_her_own_until_none_is_left() -> None:
    shop = PoolShop(40)
    codes = [shop.issue(f"user {number}").code for number in range(40)]
    assert len(set(codes)) == 40
    assert shop.refusal(IssueCode(POOL, "one more")) == "pool_exhausted"
    assert shop.counts == (40, 0, 0, 0)
    shop.add(["one-more"])
    assert shop.issue("one more").code == "one-more"


def test_the_same_issuee_gets_the_same_code_and_another_issuance() -> None:
    shop = PoolShop(3)
    first, second = shop.issue("ann"), shop.issue("ann")
    assert (first.code, first.issuee_id) == (second.code, second.issuee_id)
    assert (first.id, second.id) == (1, 2)
    assert shop.code(first.code).issuances.total == 2
    assert shop.code(first.code).issuances.unique == 1
    assert shop.counts == (1, 2, 0, 0)
    assert [one.id for one in shop.kit.ask(Issuances(external_issuee_id="ann")).items] == [1, 2]


def test_an_issuee_without_a_name_is_made_up_and_may_come_again_by_her_id() -> None:
    shop = PoolShop(3)
    first, second = shop.issue(), shop.issue()
    assert first.issuee_id != second.issuee_id
    assert first.external_issuee_id is None
    assert UUID(first.issuee_id)
    assert shop.issue(issuee_id=first.issuee_id).code == first.code
    assert shop.issue(issuee_id=first.issuee_id.upper()).code == first.code
    assert shop.counts == (2, 1, 0, 0)


def test_an_issuee_has_one_id_in_a_tenant_and_another_in_the_next() -> None:
    shop, other = PoolShop(3), PoolShop(3)
    there = other.kit.tenant("there")
    there.run(CreatePool(POOL))
    there.run(ImportCodes(POOL, ["x"]))
    ids = {shop.issue("ann").issuee_id, other.issue("ann").issuee_id, there.run(IssueCode(POOL, "ann")).issuee_id}
    assert len(ids) == 2


def test_what_refers_is_recorded() -> None:
    shop = PoolShop(1)
    shop.issue("ann", referring_application="shop", referring_application_ref_id="spring")
    (found,) = shop.kit.ask(Issuances()).items
    assert (found.referring_application, found.referring_application_ref_id) == ("shop", "spring")


def test_a_specific_code_may_be_asked_for() -> None:
    shop = PoolShop(3)
    assert shop.issue("ann", code="CODE 0001").code == "code-0001"
    assert shop.issue("ann").code == "code-0001"
    assert shop.issue("ann", code="code-0001").id == 3
    assert {shop.issue().code, shop.issue().code} == {"code-0000", "code-0002"}
    assert shop.counts == (3, 0, 0, 0)


@pytest.mark.parametrize(
    "issuee, code, refusal",
    [
        ("bob", "code-0001", "code_issued"),
        (None, "code-0001", "code_issued"),
        ("ann", "code-0002", "issuee_has_another"),
        ("bob", "code-0003", "code_inactive"),
        ("bob", "code-0004", "code_void"),
        ("bob", "code-0099", "code_unknown"),
        ("bob", "elsewhere", "code_unknown"),
    ],
)
def test_a_specific_code_is_refused_with_its_reason(issuee: str | None, code: str, refusal: str) -> None:
    shop = PoolShop(5)
    shop.kit.run(CreatePool("other"))
    shop.kit.run(ImportCodes("other", ["elsewhere"]))
    shop.issue("ann", code="code-0001")
    shop.kit.run(DeactivateCode("code-0003"))
    shop.kit.run(VoidCode("code-0004"))
    assert shop.refusal(IssueCode(POOL, issuee, code=code)) == refusal
    assert shop.counts == (1, 2, 1, 1)


def test_a_pool_is_named_by_its_id_or_its_name() -> None:
    shop = PoolShop(2)
    assert shop.kit.run(IssueCode(shop.pool.id, "ann")).pool_id == shop.pool.id
    assert shop.refusal(IssueCode(99, "ann")) == "pool_unknown"
    assert shop.refusal(IssueCode("other", "ann")) == "pool_unknown"


def test_nothing_is_issued_while_that_is_not_allowed() -> None:
    shop = PoolShop(3)
    code = shop.issue("ann").code
    shop.kit.run(ChangePool(POOL, issuance_allowed=False))
    for command in (IssueCode(POOL, "bob"), IssueCode(POOL, "ann"), IssueCode(POOL, "bob", code="code-0002")):
        assert shop.refusal(command) == "issuance_not_allowed"
    assert shop.redeem(code).code == code
    assert shop.counts == (1, 2, 0, 0)
    shop.kit.run(ChangePool(POOL, issuance_allowed=True))
    assert shop.issue("bob").code


def test_nothing_is_issued_from_the_end_of_validity_on() -> None:
    shop = PoolShop(2)
    shop.kit.run(ChangePool(POOL, valid_until=shop.clock.now + timedelta(seconds=1)))
    assert shop.issue("ann").code
    shop.clock.advance("1s")
    assert shop.refusal(IssueCode(POOL, "ann")) == "pool_expired"


def test_a_deactivated_code_is_passed_over_until_it_is_activated() -> None:
    shop = PoolShop(3)
    shop.kit.run(DeactivateCode("code-0000"))
    assert shop.counts == (0, 2, 1, 0)
    assert {shop.issue().code, shop.issue().code} == {"code-0001", "code-0002"}
    assert shop.refusal(IssueCode(POOL)) == "pool_exhausted"
    assert shop.kit.run(ActivateCode("code-0000")).active
    assert shop.issue().code == "code-0000"
    assert shop.counts == (3, 0, 0, 0)


def test_a_code_is_found_again_that_its_slice_has_passed_over() -> None:
    shop = PoolShop(SLICES + 1)
    shop.kit.run(DeactivateCode("code-0000"))
    given = {shop.issue().code for _ in range(SLICES)}
    assert "code-0016" in given
    shop.kit.run(ActivateCode("code-0000"))
    assert shop.issue().code == "code-0000"


def test_an_issued_code_that_is_deactivated_stays_issued_and_is_not_issued_again() -> None:
    shop = PoolShop(2)
    code = shop.issue("ann").code
    assert not shop.kit.run(DeactivateCode(code)).active
    assert shop.counts == (1, 1, 0, 0)
    assert shop.refusal(IssueCode(POOL, "ann")) == "code_inactive"
    assert shop.redeem(code).code == code


def test_who_has_a_void_code_gets_another() -> None:
    shop = PoolShop(2)
    code = shop.issue("ann").code
    shop.kit.run(VoidCode(code))
    assert shop.counts == (0, 1, 0, 1)
    other = shop.issue("ann").code
    assert other != code
    assert shop.issue("ann").code == other
    assert shop.counts == (1, 0, 0, 1)


def test_voiding_and_deactivating_twice_change_nothing_and_a_void_code_stays_void() -> None:
    shop = PoolShop(2)
    for command in (DeactivateCode("code-0000"), VoidCode("code-0001")):
        assert shop.kit.run(command) == shop.kit.run(command)
    assert shop.refusal(ActivateCode("code-0001")) == ""
    assert shop.refusal(DeactivateCode("code-0001")) == "code_void"
    assert shop.refusal(VoidCode("nobody")) == "code_unknown"
    assert shop.counts == (0, 0, 1, 1)


def test_codes_of_a_multi_pool_go_to_many_once_each_has_gone_to_one() -> None:
    shop = PoolShop(3, distribution="multi")
    given = [shop.issue(f"user {number}").code for number in range(30)]
    assert set(given[:3]) == set(given) == {"code-0000", "code-0001", "code-0002"}
    assert [shop.issue(f"user {number}").code for number in range(30)] == given
    assert shop.counts == (3, 0, 0, 0)
    totals = [shop.code(code).issuances for code in sorted(set(given))]
    assert sum(one.total for one in totals) == 60
    assert sum(one.unique for one in totals) == 30
    assert shop.issue("somebody", code="code-0001").code == "code-0001"


def test_a_multi_pool_whose_codes_are_all_withdrawn_is_exhausted() -> None:
    shop = PoolShop(2, distribution="multi")
    shop.issue("ann")
    shop.issue("bob")
    shop.kit.run(VoidCode("code-0000"))
    shop.kit.run(DeactivateCode("code-0001"))
    assert shop.refusal(IssueCode(POOL, "eve")) == "pool_exhausted"


LOW = 3


def fall(shop: PoolShop) -> None:
    while shop.pool.remaining > LOW:
        shop.issue()


@pytest.mark.parametrize("codes", [4, 5, 20, 100])
def test_one_notice_is_written_when_the_pool_falls_to_its_threshold(codes: int) -> None:
    shop = PoolShop(codes, low_threshold=LOW)
    while shop.pool.remaining > LOW + 1:
        shop.issue()
    assert shop.warnings == []
    shop.issue()
    assert shop.warnings == [LOW]
    while shop.pool.remaining:
        shop.issue()
    assert shop.refusal(IssueCode(POOL)) == "pool_exhausted"
    assert shop.warnings == [LOW]


def test_replenishing_arms_the_notice_anew_once_it_lifts_the_pool_above_the_threshold() -> None:
    shop = PoolShop(5, low_threshold=LOW)
    fall(shop)
    shop.issue()
    shop.add(["more-1"])
    shop.issue()
    assert shop.warnings == [LOW]
    shop.add(["more-2", "more-3", "more-4"])
    fall(shop)
    assert shop.warnings == [LOW, LOW]


@pytest.mark.parametrize(
    "lower", [DeactivateCode("code-0003"), VoidCode("code-0003"), IssueCode(POOL, code="code-0003")]
)
def test_every_way_to_the_threshold_is_noticed_and_every_way_back(lower: Any) -> None:
    shop = PoolShop(4, low_threshold=LOW)
    shop.kit.run(lower)
    assert shop.warnings == [LOW]
    shop.add(["more"])
    assert shop.issue().code
    assert shop.warnings == [LOW, LOW]


def test_a_threshold_that_comes_to_lie_above_what_remains_is_noticed() -> None:
    shop = PoolShop(4)
    shop.kit.run(ChangePool(POOL, low_threshold=10))
    assert shop.warnings == [4]
    shop.kit.run(ChangePool(POOL, low_threshold=9))
    assert shop.warnings == [4]
    shop.kit.run(ChangePool(POOL, low_threshold=3))
    shop.issue()
    assert shop.warnings == [4, 3]
    shop.kit.run(ChangePool(POOL, low_threshold=None))
    shop.kit.run(ChangePool(POOL, low_threshold=0))
    for _ in range(3):
        shop.issue()
    assert shop.warnings == [4, 3, 0]


def test_the_same_notice_is_for_a_threshold_of_none_left() -> None:
    shop = PoolShop(0, low_threshold=0)
    assert shop.warnings == []
    shop.add(["one"])
    shop.issue()
    assert shop.warnings == [0]


def test_terms_change_and_what_is_not_given_stays() -> None:
    shop = PoolShop(1, low_threshold=5, notification_email_address="a@example.com")
    shop.clock.advance("1m")
    changed = shop.kit.run(ChangePool(POOL, name="renamed", max_characters=20))
    assert (changed.name, changed.low_threshold, changed.max_characters) == ("renamed", 5, 20)
    assert (changed.updated_at - changed.created_at).total_seconds() == 60
    assert shop.kit.run(ChangePool("renamed", notification_email_address=None)).notification_email_address is None
    assert shop.refusal(ChangePool(POOL, max_characters=20)) == "pool_unknown"
    assert shop.refusal(CreatePool("renamed")) == "pool_name_taken"


def test_the_distribution_is_pinned_by_the_first_issuance() -> None:
    shop = PoolShop(1)
    assert shop.kit.run(ChangePool(POOL, distribution="multi", redemption_limit=3)).redemption_limit == 3
    assert shop.kit.run(ChangePool(POOL, distribution="unique")).redemption_limit == 1
    shop.issue()
    assert shop.refusal(ChangePool(POOL, distribution="multi")) == "distribution_pinned"


@pytest.mark.parametrize(
    "terms",
    [
        {"issuance_allowed": False},
        {"redemption_allowed": False},
        {"low_threshold": 7},
        {"max_characters": 5},
        {"notification_email_address": "b@example.com"},
        {"bearer": True},
        {"redemption_limit": 4},
        {"issuee_redemption_limit": 2},
        {"valid_from": "2020-01-01"},
        {"valid_until": "2040-01-01"},
    ],
    ids=lambda terms: next(iter(terms)),
)
def test_all_other_terms_may_change_once_codes_are_issued(terms: dict[str, Any]) -> None:
    shop = PoolShop(2, distribution="multi")
    shop.redeem(shop.issue("ann").code, "ann")
    changed = shop.kit.run(ChangePool(POOL, **terms))
    ((name, value),) = terms.items()
    shown = getattr(changed, name)
    assert (str(shown)[:10] if name == "valid_from" else value if name == "valid_until" else shown) == value
    assert changed == shop.pool


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: CreatePool(""), "must not be empty"),
        (lambda: CreatePool("x", distribution="some"), "`unique` or `multi`"),  # type: ignore[arg-type]
        (lambda: CreatePool("x", issuance_allowed=1), "true or false"),  # type: ignore[arg-type]
        (lambda: CreatePool("x", low_threshold=-1), "low_threshold"),
        (lambda: CreatePool("x", low_threshold=True), "whole number"),
        (lambda: CreatePool("x", max_characters=0), "max_characters"),
        (lambda: CreatePool("x", max_characters=256), "max_characters"),
        (lambda: CreatePool("x", notification_email_address="nobody"), "bare address"),
        (lambda: CreatePool("x", notification_email_address="a@b.c\r\nBcc: x@y.z"), "bare address"),
        (lambda: CreatePool("x", redemption_limit=2), "redeemed once"),
        (lambda: CreatePool("x", distribution="multi", redemption_limit=0), "redemption_limit"),
        (lambda: CreatePool("x", valid_from="2024-02-01", valid_until="2024-01-01"), "before"),
        (lambda: IssueCode(True), "whole number"),
        (lambda: IssueCode(POOL, ""), "must not be empty"),
        (lambda: IssueCode(POOL, issuee_id="nobody"), "UUID"),
        (lambda: IssueCode(POOL, "ann", issuee_id="0eef8961-7568-485b-9b13-fc7dbd1cf712"), "one issuee"),
        (lambda: IssueCode(POOL, code=7), "must be text"),  # type: ignore[arg-type]
        (lambda: IssueCode(POOL, referring_application="\x00"), "control character"),
    ],
)
def test_what_cannot_be_meant_says_so(make: Callable[[], Any], message: str) -> None:
    shop = PoolShop(1)
    with pytest.raises(ValidationError, match=message):
        shop.kit.run(make())


def test_a_repeat_under_its_key_has_the_same_answer_and_takes_nothing() -> None:
    shop = PoolShop(2)
    command = IssueCode(POOL)
    assert shop.kit.run(command, key="once") == shop.kit.run(command, key="once")
    assert shop.counts == (1, 1, 0, 0)


def test_codes_and_names_of_issuees_are_not_shown_by_what_holds_them() -> None:
    shop = PoolShop(["ABCDEFGHJKMN"])
    issuance = shop.issue("amanda@example.com")
    shown = repr((issuance, shop.code("ABCDEFGHJKMN"), IssueCode(POOL, "amanda@example.com", code="ABCDEFGHJKMN")))
    assert "ABCDEFGHJKMN" not in shown
    assert "amanda" not in shown
    assert "AB…MN" in shown


def test_a_kit_of_another_tenant_has_pools_of_its_own() -> None:
    kit = RewardKit()
    kit.run(CreatePool(POOL))
    kit.run(ImportCodes(POOL, ["same"]))
    other = kit.tenant("other")
    other.run(CreatePool(POOL))
    assert other.run(ImportCodes(POOL, ["same"])).added == 1
