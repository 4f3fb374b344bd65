"""Variants and holdouts: who is drawn for what, and that nobody is moved."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.shop import Shop

USERS = [f"user {number}" for number in range(2_000)]


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    for name in ("five", "ten"):
        shop.kit.run(rk.DefineOffer(name, "disc", "A"))
    return shop


def define(shop: Shop, **terms: Any) -> None:
    shop.kit.run(rk.DefineCampaign("c", entry="E", user_cap=5, **terms))
    shop.kit.run(rk.LaunchCampaign("c"))


def variants(five: int, ten: int) -> tuple[rk.Variant, ...]:
    return rk.Variant("five", "five", weight=five), rk.Variant("ten", "ten", weight=ten)


def shares(shop: Shop, users: list[str]) -> Counter[str]:
    shop.kit.emit_many({"name": "E", "user": user, "id": "e"} for user in users)
    found: list[rk.UserOffer] = []
    after = None
    while True:
        page = shop.kit.ask(rk.UserOffers(campaign="c", limit=1_000, after=after))
        found += page.items
        after = page.after
        if after is None:
            return Counter(one.status if one.status == "held_out" else one.variant for one in found)


def test_users_are_drawn_by_the_weights(shop: Shop) -> None:
    define(shop, variants=variants(1, 3))
    found = shares(shop, USERS)
    assert 2_000 == found["five"] + found["ten"]
    assert abs(found["five"] - 500) < 80


def test_a_holdout_takes_its_share_of_all_variants_and_is_recorded(shop: Shop) -> None:
    define(shop, variants=variants(1, 1), holdout="20%")
    found = shares(shop, USERS)
    assert 2_000 == sum(found.values())
    assert abs(found["held_out"] - 400) < 75
    assert abs(found["five"] - 800) < 90


def test_a_draw_follows_from_a_hash_of_campaign_and_user_that_anybody_can_work_out(shop: Shop) -> None:
    define(shop, variants=variants(1, 3))
    shop.emit("E")
    (made,) = shop.kit.ask(rk.UserOffers()).items
    number = int.from_bytes(blake2b(b"variant\x1fc\x1famanda", digest_size=8).digest(), "big")
    assert ("five" if number * 4 >> 64 < 1 else "ten") == made.variant


def test_two_kits_that_never_met_agree(shop: Shop) -> None:
    define(shop, variants=variants(1, 1))
    other = Shop()
    for name in ("five", "ten"):
        other.kit.run(rk.DefineOffer(name, "disc", "A"))
    define(other, variants=variants(1, 1))
    for one in (shop, other):
        one.kit.emit_many({"name": "E", "user": user, "id": "e"} for user in USERS[:50])
    first, second = (one.kit.ask(rk.UserOffers(limit=100)).items for one in (shop, other))
    assert [one.variant for one in first] == [one.variant for one in second]


@pytest.mark.parametrize("weights", [(1, 0), (0, 1), (5, 1)])
def test_other_weights_move_nobody_who_is_in(shop: Shop, weights: tuple[int, int]) -> None:
    define(shop, variants=variants(1, 1))
    for user in USERS[:40]:
        shop.kit.run(rk.MakeOffer("c", user))
    first = {one.user: one.variant for one in shop.kit.ask(rk.UserOffers(limit=100)).items}
    assert {"five", "ten"} == set(first.values())
    define(shop, variants=variants(*weights))
    again = {user: shop.kit.run(rk.MakeOffer("c", user)).variant for user in USERS[:40]}
    assert first == again


def test_a_variant_that_is_gone_draws_its_users_anew_and_one_that_comes_back_has_them_again(shop: Shop) -> None:
    define(shop, variants=variants(1, 0))
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    define(shop, variants=(rk.Variant("ten", "ten"),))
    assert "ten" == shop.kit.run(rk.MakeOffer("c", "amanda")).variant
    shop.kit.run(rk.MakeOffer("c", "bea"))
    define(shop, variants=variants(1, 0))
    assert ["ten", "ten", "five"] == [
        shop.kit.run(rk.MakeOffer("c", user)).variant for user in ("amanda", "bea", "carl")
    ]


def test_a_later_holdout_holds_nobody_out_who_is_in(shop: Shop) -> None:
    define(shop, offer="five")
    for user in USERS[:30]:
        shop.kit.run(rk.MakeOffer("c", user))
    define(shop, offer="five", holdout="0.999999")
    assert {"active"} == {shop.kit.run(rk.MakeOffer("c", user)).status for user in USERS[:30]}
    assert "held_out" == code(shop, rk.MakeOffer("c", "somebody new"))


def code(shop: Shop, command: rk.Command[Any]) -> str:
    answer = shop.kit.attempt(command)
    assert isinstance(answer, rk.Refused)
    return answer.code


def test_a_user_who_is_held_out_has_a_record_and_no_offer_no_notice_no_grant_and_no_place(shop: Shop) -> None:
    define(shop, offer="five", holdout="0.999999", cap=1)
    recorded = shop.emit("E")
    assert ((), ()) == (recorded.entered, recorded.capped)
    assert [("held_out", 0.0)] == shop.offers()
    shop.at(1)
    assert () == shop.emit("A").earned
    (kept,) = shop.kit.ask(rk.UserOffers()).items
    assert ("converted", shop.second(1)) == (kept.status, kept.ended_at)
    assert ((), ()) == (shop.kit.ask(rk.Grants()).items, shop.kit.ask(rk.Notices()).items)
    assert (0, 0) == shop.use()


def test_a_record_whose_condition_fails_has_lapsed(shop: Shop) -> None:
    shop.kit.run(rk.DefineOffer("five", "disc", "A & !B"))
    define(shop, offer="five", holdout="0.999999")
    shop.emit("E")
    shop.at(1)
    shop.emit("B")
    assert [("lapsed", 0.0)] == shop.offers()


def test_a_direct_offer_to_who_is_held_out_is_refused_and_recorded_once(shop: Shop) -> None:
    define(shop, offer="five", holdout="0.999999", code="C")
    for command in (rk.MakeOffer("c", "amanda"), rk.EnterOfferCode("c", "amanda"), rk.MakeOffer("c", "amanda")):
        assert "held_out" == code(shop, command)
    assert [("held_out", 0.0)] == shop.offers()


def test_users_are_shown_the_copy_of_their_variant_as_it_was_when_their_offer_was_made(shop: Shop) -> None:
    five = rk.Variant("five", "five", copy={"name": "Five!"})
    define(shop, variants=(five,), copy={"name": "A gift", "description": "For you"})
    first = shop.kit.run(rk.MakeOffer("c", "amanda"))
    define(shop, variants=(five,), copy={"name": "A gift", "description": "For all"})
    second = shop.kit.run(rk.MakeOffer("c", "amanda"))
    assert {"name": "Five!", "description": "For you"} == first.copy
    assert {"name": "Five!", "description": "For all"} == second.copy
    assert [first, second] == list(shop.kit.ask(rk.UserOffers()).items)
    bodies = [json.loads(notice.body) for notice in shop.kit.ask(rk.Notices()).items]
    assert {"For you", "For all"} == {body["copy"]["description"] for body in bodies}


@pytest.mark.parametrize(
    "terms, message",
    [
        ({}, "gives one offer: pass `offer`, or `variants`"),
        ({"offer": "five", "variants": variants(1, 1)}, "gives one offer: pass `offer`, or `variants`"),
        ({"variants": variants(0, 0)}, "variants need a weight above 0"),
        ({"variants": (*variants(1, 1), rk.Variant("five", "ten"))}, "variants name `five` twice"),
        ({"variants": (rk.Variant("five", "five", weight=-1),)}, "variants.five.weight must lie between 0 and"),
        ({"variants": (rk.Variant("five", "five", weight=1.5),)}, "variants.five.weight must be a whole number"),  # type: ignore[arg-type]
        ({"variants": (rk.Variant("five", "five", copy={"name": 5}),)}, "variants.five.copy.name must be text"),  # type: ignore[dict-item]
        ({"variants": {"five": "five"}}, "variants come as a list of `Variant`, not as `dict`"),
        ({"variants": ["five"]}, "variants come as `Variant`, not as `str`"),
        ({"offer": "five", "copy": {"name": "x" * 4_001}}, "copy.name has 4001 characters"),
        *(
            ({"offer": "five", "holdout": share}, "holdout ")
            for share in (1, "100%", -1, "-1%", True, "ten", Decimal("NaN"), Decimal("1e99999"), 1e-9, "0.0000001")
        ),
    ],
)
def test_terms_that_cannot_be_meant_are_told(shop: Shop, terms: dict[str, Any], message: str) -> None:
    with pytest.raises(rk.ValidationError) as caught:
        define(shop, **terms)
    assert message in str(caught.value)


@pytest.mark.parametrize("share", ["0.1", "10%", "10 %", Decimal("0.1"), 0.1, Decimal("0.10")])
def test_a_share_can_be_written_in_many_ways(shop: Shop, share: Any) -> None:
    define(shop, offer="five", holdout="0.1")
    assert not shop.kit.run(rk.DefineCampaign("c", "five", entry="E", user_cap=5, holdout=share)).new
