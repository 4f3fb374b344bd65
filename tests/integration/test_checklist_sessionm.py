"""What of SessionM's walk through a loyalty programme holds by now, on every store: amanda buys two kinds of fries."""

from __future__ import annotations

from decimal import Decimal

import rewardkit as rk

FRIES = {
    "total": Decimal("18.00"),
    "items": [
        {"sku": "fries-pulled-pork", "quantity": 1, "price": Decimal("10.00")},
        {"sku": "fries-curly", "quantity": 1, "price": Decimal("8.00")},
    ],
}


def define(kit: rk.RewardKit) -> None:
    """A campaign that gives a stamp for a transaction, and one that offers a snack box for one of $18 and more."""
    kit.run(rk.DefineReward("stamp"))
    kit.run(rk.DefineOffer("any-transaction", "stamp", '"Transaction"'))
    kit.run(rk.DefineCampaign("first-visit", "any-transaction", entry='"User Signed Up"'))
    kit.run(rk.DefineReward("snack-box", {"sku": "snack-box"}))
    kit.run(rk.DefineOffer("snack-box", "snack-box", '"Snack Box Ordered"', expires_after="30d"))
    copy = {"name": "Snack box", "description": "One snack box, on us"}
    kit.run(rk.DefineCampaign("snacks", "snack-box", entry='"Transaction"[total >= 18]', copy=copy))
    for name in ("first-visit", "snacks"):
        kit.run(rk.LaunchCampaign(name))


def test_a_transaction_completes_a_campaign_that_the_customer_is_in(kit: rk.RewardKit) -> None:
    define(kit)
    kit.emit("User Signed Up", user="amanda", order=1)
    assert kit.emit("Transaction", user="bea", properties=FRIES).earned == ()
    recorded = kit.emit("Transaction", user="amanda", id="receipt-1", order=2, properties=FRIES)
    assert [(one.campaign, one.reward, one.event_id) for one in recorded.earned] == [
        ("first-visit", "stamp", "receipt-1")
    ]


def test_a_transaction_has_line_items_and_a_total_which_conditions_read_and_nothing_loses(kit: rk.RewardKit) -> None:
    define(kit)
    kit.emit("User Signed Up", user="amanda", order=1)
    small = kit.emit("Transaction", user="bea", properties=FRIES | {"total": Decimal("17.99")})
    recorded = kit.emit("Transaction", user="amanda", order=2, properties=FRIES)
    assert [[one.campaign for one in each.entered] for each in (small, recorded)] == [[], ["snacks"]]
    (kept,) = kit.explain(recorded.earned[0].grant).earned.events
    assert kept.properties == FRIES


def test_a_transaction_issues_an_offer_with_its_name_and_description(kit: rk.RewardKit) -> None:
    define(kit)
    (entered,) = kit.emit("Transaction", user="amanda", properties=FRIES).entered
    (offer,) = kit.ask(rk.UserOffers("amanda")).items
    assert (offer.id, offer.status, offer.offer) == (entered.user_offer, "active", "snack-box")
    assert offer.copy == {"name": "Snack box", "description": "One snack box, on us"}
    assert offer.ends_at is not None
