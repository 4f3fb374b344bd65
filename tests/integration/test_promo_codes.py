"""Promo codes: a code and an offer together, once a customer, and nothing for those who guess."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

UNIFORM = rk.Refused("code_not_valid", "the code is not valid", {})


class Shop:
    """A kit whose promo codes make the offer of the campaign `sale`."""

    def __init__(self, store: str) -> None:
        self.clock = FakeClock()
        self.kit = rk.RewardKit(store, clock=self.clock)
        self.kit.migrate()

    def open(self, *codes: str, pool: dict[str, Any] | None = None, **terms: Any) -> None:
        self.kit.run(rk.CreatePool("promo", bearer=True, **(pool or {})))
        self.kit.run(rk.ImportCodes("promo", codes))
        self.kit.run(rk.DefineReward("disc", {"amount": "5.00"}))
        self.kit.run(rk.DefineOffer("disc", "disc", "purchase"))
        self.kit.run(rk.DefineCampaign("sale", "disc", **terms))
        self.kit.run(rk.LaunchCampaign("sale"))
        assert self.kit.run(rk.DefinePromotion("promo", "sale")).new
        assert not self.kit.run(rk.DefinePromotion("promo", "sale")).new

    def enter(self, code: str, user: str, **given: Any) -> str:
        """The status of the offer that was made, or the code of the refusal, as the operator hears it."""
        self.clock.advance("10s")
        answer = self.kit.attempt(rk.EnterPromoCode(code, user, **({"public": False} | given)))
        if isinstance(answer, rk.Refused):
            return answer.code
        assert answer.coupon is None
        assert answer.offer is not None
        return answer.offer.status

    def redemptions(self) -> list[tuple[str, str | None]]:
        return [(one.code, one.external_issuee_id) for one in self.kit.ask(rk.Redemptions()).items]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    stores = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    shop = Shop(stores.get(request.param) or request.getfixturevalue("postgres_dsn"))
    yield shop
    assert violations(snapshot_of(shop.kit._store, "default")) == ()
    shop.kit.close()


def test_a_promo_code_acquires_an_offer_and_a_purchase_earns_it(shop: Shop) -> None:
    shop.open("SALE-0001")
    assert shop.enter("sale 0001", "amanda") == "active"
    assert shop.redemptions() == [("SALE-0001", "amanda")]
    (earned,) = shop.kit.emit("purchase", user="amanda").earned
    assert (earned.campaign, earned.reward) == ("sale", "disc")


def test_code_and_offer_come_together_or_not_at_all(shop: Shop) -> None:
    shop.open("SALE-0001", "SALE-0002", "SALE-0003", cap=1)
    assert shop.enter("SALE-0001", "amanda") == "active"
    assert shop.enter("SALE-0001", "bea") == "wrong_issuee"
    assert shop.enter("SALE-0002", "amanda") == "user_cap_reached"
    assert shop.enter("SALE-0002", "bea") == "campaign_capped"
    assert shop.redemptions() == [("SALE-0001", "amanda")]
    # What was refused took nothing: the code is still good for whoever finds a place.
    shop.kit.run(rk.DefineCampaign("sale", "disc", cap=2))
    assert shop.enter("SALE-0002", "cleo") == "active"


def test_one_code_for_everybody_is_taken_once_a_customer(shop: Shop) -> None:
    shop.open(
        "WELCOME", pool={"distribution": "multi", "issuee_redemption_limit": 1, "redemption_limit": 3}, user_cap=9
    )
    assert [shop.enter("WELCOME", user) for user in ("amanda", "amanda", "bea", "cleo", "dora")] == [
        "active",
        "issuee_limit_reached",
        "active",
        "active",
        "code_spent",
    ]


def test_the_operator_hears_why_and_the_public_never(shop: Shop) -> None:
    shop.open("SALE-0001", "SALE-0002", "SALE-0003")
    shop.kit.run(rk.CreatePool("plain", bearer=True))
    shop.kit.run(rk.ImportCodes("plain", ("PLAIN-001",)))
    shop.kit.run(rk.VoidCode("SALE-0003"))
    assert shop.enter("SALE-0001", "amanda") == "active"
    cases = {
        "NOTHING": "code_unknown",
        "SALE-0001": "wrong_issuee",
        "SALE-0003": "code_void",
        "PLAIN-001": "code_not_promotional",
    }
    for number, (code, reason) in enumerate(cases.items()):
        assert shop.enter(code, f"operator {number}") == reason
        assert shop.kit.attempt(rk.EnterPromoCode(code, f"customer {number}")) == UNIFORM
    shop.kit.run(rk.PauseCampaign("sale"))
    assert shop.enter("SALE-0002", "olga") == "campaign_paused"
    assert shop.kit.attempt(rk.EnterPromoCode("SALE-0002", "paula")) == UNIFORM
    shop.kit.run(rk.ChangePool("promo", valid_until="2020-01-01"))
    assert shop.enter("SALE-0002", "quinn") == "pool_expired"


def test_whoever_guesses_hears_one_answer_and_is_soon_not_listened_to(shop: Shop) -> None:
    shop.open("SALE-0001")
    answers = [shop.kit.attempt(rk.EnterPromoCode(f"GUESS-{n:03}", "mallory")) for n in range(5)]
    # Then the right one, which is not even looked at.
    answers.append(shop.kit.attempt(rk.EnterPromoCode("SALE-0001", "mallory")))
    assert answers == [UNIFORM] * 6
    assert shop.redemptions() == []
    assert shop.enter("SALE-0001", "mallory") == "too_many_attempts"
    shop.clock.advance("15m")
    assert shop.enter("SALE-0001", "mallory") == "active"


def test_one_origin_is_limited_by_the_minute_whoever_it_says_it_is(shop: Shop) -> None:
    shop.open("SALE-0001")
    for number in range(10):
        assert shop.kit.attempt(rk.EnterPromoCode("GUESS", f"mallory {number}", origin="192.0.2.1")) == UNIFORM
    right = rk.EnterPromoCode("SALE-0001", "mallory 99", public=False, origin="192.0.2.1")
    answer = shop.kit.attempt(right)
    assert isinstance(answer, rk.Refused)
    assert answer.code == "too_many_attempts"
    assert shop.enter("SALE-0001", "amanda", origin="198.51.100.7") == "active"
    shop.clock.advance("1m")
    assert shop.enter("SALE-0001", "mallory 99", origin="192.0.2.1") == "wrong_issuee"


def test_a_success_ends_the_row_of_failures(shop: Shop) -> None:
    shop.open(*(f"SALE-{n:04}" for n in range(9)), user_cap=9)
    for round in range(3):
        assert [shop.enter("NOTHING", "amanda") for _ in range(4)] == ["code_unknown"] * 4
        assert shop.enter(f"SALE-{round:04}", "amanda") == "active"


def test_guesses_at_once_are_counted_one_by_one(shop: Shop) -> None:
    shop.open("SALE-0001")
    given = [
        rk.EnterPromoCode(f"GUESS-{n}", "mallory", public=False, limits=rk.AttemptLimits(failures=99))
        for n in range(24)
    ]
    with ThreadPoolExecutor(4) as workers:
        answers = list(workers.map(shop.kit.attempt, given))
    codes = [answer.code for answer in answers if isinstance(answer, rk.Refused)]
    assert (codes.count("code_unknown"), codes.count("too_many_attempts")) == (10, 14)


def test_the_last_use_of_a_promo_code_makes_one_offer(shop: Shop) -> None:
    shop.open("SALE-0001")
    given = [rk.EnterPromoCode("SALE-0001", f"user {n}") for n in range(12)]
    with ThreadPoolExecutor(4) as workers:
        answers = list(workers.map(shop.kit.attempt, given))
    assert sum(isinstance(answer, rk.PromoEntered) for answer in answers) == 1
    assert len(shop.redemptions()) == 1
    assert len(shop.kit.ask(rk.UserOffers()).items) == 1


def test_what_cannot_be_defined_or_entered_is_said(shop: Shop) -> None:
    shop.open("SALE-0001")
    with pytest.raises(rk.Refused, match="pool `prom` does not exist"):
        shop.kit.run(rk.DefinePromotion("prom", "sale"))
    with pytest.raises(rk.Refused, match="campaign `sal` is not defined"):
        shop.kit.run(rk.DefinePromotion("promo", "sal"))
    with pytest.raises(rk.ValidationError, match="lockout_seconds must lie between 1 and 86400"):
        shop.kit.run(rk.EnterPromoCode("SALE-0001", "amanda", limits=rk.AttemptLimits(lockout_seconds=0)))


class Counter(Shop):
    """A shop whose promo codes are worth a coupon of the pool `coupons`."""

    def open_coupons(self, promo: tuple[str, ...], coupons: tuple[str, ...], **pool: Any) -> None:
        self.kit.run(rk.CreatePool("promo", bearer=True, **pool))
        self.kit.run(rk.CreatePool("coupons", low_threshold=0))
        self.kit.run(rk.ImportCodes("promo", promo))
        self.kit.run(rk.ImportCodes("coupons", coupons))
        assert self.kit.run(rk.DefinePromotion("promo", coupons="coupons")).new
        assert not self.kit.run(rk.DefinePromotion("promo", coupons="coupons")).new

    def coupon(self, code: str, user: str) -> str:
        """The coupon, or the code of the refusal."""
        self.clock.advance("10s")
        answer = self.kit.attempt(rk.EnterPromoCode(code, user, public=False))
        if isinstance(answer, rk.Refused):
            return answer.code
        assert answer.offer is None
        assert answer.coupon is not None
        return answer.coupon.code


@pytest.fixture
def counter(shop: Shop) -> Counter:
    counter = object.__new__(Counter)
    counter.clock, counter.kit = shop.clock, shop.kit
    return counter


def test_a_promo_code_is_worth_a_coupon_once_a_customer_as_long_as_there_are_some(counter: Counter) -> None:
    counter.open_coupons(tuple(f"PROMO-{n}" for n in range(5)), ("COUPON-1", "COUPON-2"))
    first = counter.coupon("PROMO-0", "ann")
    assert first.startswith("COUPON-")
    assert counter.coupon("PROMO-1", "ann") == "coupon_had"
    assert counter.coupon("PROMO-0", "bea") == "wrong_issuee"
    assert {first, counter.coupon("PROMO-1", "bea")} == {"COUPON-1", "COUPON-2"}
    assert counter.coupon("PROMO-2", "cleo") == "pool_exhausted"
    # What was refused took nothing: the code is good again once there are coupons.
    counter.kit.run(rk.ImportCodes("coupons", ("COUPON-3",)))
    assert counter.coupon("PROMO-2", "cleo") == "COUPON-3"
    assert [code for code, _ in counter.redemptions()] == ["PROMO-0", "PROMO-1", "PROMO-2"]
    (issued,) = counter.kit.ask(rk.Issuances(code=first)).items
    redemption = counter.kit.ask(rk.Redemptions(code="PROMO-0")).items[0]
    assert issued.external_issuee_id == "ann"
    assert (issued.referring_application, issued.referring_application_ref_id) == (
        "rewardkit",
        f"redemption/{redemption.id}",
    )
    assert counter.kit.run(rk.RedeemCode(first, external_issuee_id="ann")).code == first
    assert [notice.kind for notice in counter.kit.ask(rk.Notices()).items] == ["pool.low", "pool.low"]


def test_a_code_for_everybody_is_worth_a_coupon_for_each_up_to_its_limit(counter: Counter) -> None:
    limits = {"distribution": "multi", "redemption_limit": 2, "issuee_redemption_limit": 1}
    counter.open_coupons(("WELCOME",), tuple(f"COUPON-{n}" for n in range(9)), **limits)
    coupons = [counter.coupon("WELCOME", user) for user in ("ann", "ann", "bea", "cleo")]
    assert coupons[1::2] == ["issuee_limit_reached", "code_spent"]
    assert len({coupons[0], coupons[2]}) == 2


def test_coupons_have_the_public_hear_one_answer(counter: Counter) -> None:
    counter.open_coupons(("PROMO-0", "PROMO-1"), ("COUPON-1",))
    counter.coupon("PROMO-0", "ann")
    assert counter.kit.attempt(rk.EnterPromoCode("PROMO-1", "ann")) == UNIFORM
    assert counter.kit.attempt(rk.EnterPromoCode("PROMO-1", "bea")) == UNIFORM


def test_customers_at_once_get_a_coupon_each_and_one_customer_gets_one(counter: Counter) -> None:
    counter.open_coupons(tuple(f"PROMO-{n}" for n in range(24)), tuple(f"COUPON-{n}" for n in range(6)))
    limits = rk.AttemptLimits(attempts_a_minute=99, failures=99)
    mine = [rk.EnterPromoCode(f"PROMO-{n}", "ann", limits=limits) for n in range(8)]
    others = [rk.EnterPromoCode(f"PROMO-{n}", f"user {n}", limits=limits) for n in range(8, 20)]
    with ThreadPoolExecutor(4) as workers:
        answers = list(
            workers.map(counter.kit.attempt, [one for pair in zip_longest(mine, others) for one in pair if one])
        )
    coupons = [answer.coupon for answer in answers if isinstance(answer, rk.PromoEntered)]
    assert len({coupon.code for coupon in coupons if coupon}) == len(coupons) == 6
    assert [coupon.external_issuee_id for coupon in coupons if coupon].count("ann") <= 1
    assert len(counter.redemptions()) == 6


def test_an_outcome_takes_the_place_of_another_and_a_repeat_answers_the_same(counter: Counter) -> None:
    counter.open_coupons(("PROMO-0", "PROMO-1"), ("COUPON-1",))
    command = rk.EnterPromoCode("PROMO-0", "ann")
    assert counter.kit.run(command, key="once") == counter.kit.run(command, key="once")
    counter.kit.run(rk.DefineReward("disc"))
    counter.kit.run(rk.DefineOffer("disc", "disc", "purchase"))
    counter.kit.run(rk.DefineCampaign("sale", "disc"))
    counter.kit.run(rk.LaunchCampaign("sale"))
    assert counter.kit.run(rk.DefinePromotion("promo", "sale")).version == 2
    assert counter.enter("PROMO-1", "ann") == "active"
    for given, message in (
        ({}, "name one"),
        ({"campaign": "sale", "coupons": "coupons"}, "name one"),
        ({"coupons": "promo"}, "another pool"),
    ):
        with pytest.raises(rk.ValidationError, match=message):
            counter.kit.run(rk.DefinePromotion("promo", **given))
    with pytest.raises(rk.Refused, match="pool `coupon` does not exist"):
        counter.kit.run(rk.DefinePromotion("promo", coupons="coupon"))
