"""Grants that are taken back: as a whole or in part, before they are given or after."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.desk import Desk


def ready(desk: Desk) -> str:
    return desk.earn()


def fulfilled(desk: Desk) -> str:
    return desk.kit.run(rk.FulfilGrant(desk.earn())).id


def undeliverable(desk: Desk) -> str:
    return desk.kit.run(rk.FailGrant(desk.earn(), "no such account", final=True)).id


def bodies(desk: Desk) -> list[dict[str, Any]]:
    """What was told of reversals."""
    notices = desk.kit.ask(rk.Notices(limit=999)).items
    found = [json.loads(notice.body) for notice in notices if notice.kind == "grant.reversed"]
    return sorted(found, key=lambda body: body["step"])


@pytest.mark.parametrize(
    "terms, earn",
    [({}, ready), ({}, fulfilled), ({}, undeliverable), ({"hold": "14d"}, ready), ({"review": "always"}, ready)],
)
def test_a_grant_is_reversed_wherever_it_is_and_told_of(terms: dict[str, Any], earn: Callable[[Desk], str]) -> None:
    desk = Desk(**terms)
    grant = earn(desk)
    before = desk.grant(grant)

    after = desk.kit.run(rk.ReverseGrant(grant, "the order was refunded", by="ann"))

    assert (after.status, after.held_for, after.reason) == ("reversed", "", "the order was refunded")
    assert (after.amount, after.reversed, after.due) == (Decimal(10), Decimal(10), Decimal(0))
    assert after.fulfilled_at == before.fulfilled_at
    (body,) = bodies(desk)
    assert (body["subject"], body["amount"], body["reason"]) == (grant, "10.00", "the order was refunded")
    assert body["fulfilled"] == (earn is fulfilled)
    step = desk.kit.ask(rk.GrantHistory(grant))[-1]
    assert (step.move, step.by, step.amount) == ("reverse", "ann", Decimal("10.00"))
    desk.clock.advance("30d")
    desk.kit.run_due()
    assert (desk.kit.claim(), desk.held()) == ((), {})
    desk.sound()


def test_reversing_twice_is_refused_and_under_a_key_a_repeat() -> None:
    desk = Desk()
    grant = fulfilled(desk)
    command = rk.ReverseGrant(grant, "refunded")
    first = desk.kit.run(command, key="refund-1")
    assert desk.refused(command) == ("grant_reversed", {"status": "reversed", "reason": "refunded"})
    assert desk.kit.run(command, key="refund-1") == first
    assert len(bodies(desk)) == 1
    desk.sound()


def test_parts_come_to_the_whole_and_no_further() -> None:
    desk = Desk()
    grant = fulfilled(desk)
    one = desk.kit.run(rk.ReverseGrant(grant, "one of three sent back", amount="3.33"))
    assert (one.status, one.reversed, one.due) == ("fulfilled", Decimal("3.33"), Decimal("6.67"))
    two = desk.kit.run(rk.ReverseGrant(grant, "another", amount=Decimal("3.33")))
    assert two.due == Decimal("3.34")
    facts = {"amount": "10.00", "left": "3.34"}
    assert desk.refused(rk.ReverseGrant(grant, "too much", amount=4)) == ("amount_exceeded", facts)
    three = desk.kit.run(rk.ReverseGrant(grant, "the last", amount="3.34"))
    assert (three.status, three.due) == ("reversed", Decimal(0))
    assert [(body["amount"], body["due"], body["status"]) for body in bodies(desk)] == [
        ("3.33", "6.67", "fulfilled"),
        ("3.33", "3.34", "fulfilled"),
        ("3.34", "0.00", "reversed"),
    ]
    assert desk.refused(rk.ReverseGrant(grant, "again", amount=1))[0] == "grant_reversed"
    desk.sound()


def test_all_that_is_left_is_taken_where_no_amount_is_named() -> None:
    desk = Desk()
    grant = fulfilled(desk)
    desk.kit.run(rk.ReverseGrant(grant, "a part", amount="0.01"))
    rest = desk.kit.run(rk.ReverseGrant(grant, "and the rest"))
    assert (rest.status, rest.reversed) == ("reversed", Decimal("10.00"))
    assert bodies(desk)[-1]["amount"] == "9.99"
    desk.sound()


def test_what_is_reduced_before_it_is_given_is_due_with_the_rest() -> None:
    desk = Desk(hold="14d")
    grant = desk.earn()
    held = desk.kit.run(rk.ReverseGrant(grant, "one item sent back", amount="4"))
    assert (held.status, held.held_for, held.due) == ("held", "hold", Decimal("6.00"))
    desk.clock.advance("14d")
    desk.kit.run_due()
    (claimed,) = desk.kit.claim()
    assert claimed.due == Decimal("6.00")
    (told,) = (one for one in desk.kit.ask(rk.Notices()).items if one.kind == "grant.ready")
    assert json.loads(told.body)["due"] == "6.00"
    desk.sound()


def test_an_offer_may_allow_the_whole_alone() -> None:
    desk = Desk(reversal="whole")
    grant = fulfilled(desk)
    code, facts = desk.refused(rk.ReverseGrant(grant, "a part", amount=1))
    assert (code, facts) == ("grant_indivisible", {"amount": "10.00", "left": "10.00"})
    assert desk.kit.run(rk.ReverseGrant(grant, "all", amount=10)).status == "reversed"


def test_a_reward_without_an_amount_is_taken_back_as_a_whole() -> None:
    desk = Desk()
    desk.kit.run(rk.DefineReward("cash", {"sku": "CD-1", "amount": "plenty"}))
    grant = desk.earn()
    assert desk.grant(grant).due is None
    assert desk.refused(rk.ReverseGrant(grant, "a part", amount=1)) == ("grant_indivisible", {"reward": "cash"})
    assert desk.kit.run(rk.ReverseGrant(grant, "a mistake")).status == "reversed"
    assert "amount" not in bodies(desk)[0]
    desk.sound()


def test_nobody_takes_back_what_somebody_may_be_paying() -> None:
    desk = Desk()
    grant = desk.earn()
    (claimed,) = desk.kit.claim(lease_seconds=60)
    code, facts = desk.refused(rk.ReverseGrant(grant, "refunded"))
    assert (code, facts["lease"]) == ("grant_leased", claimed.lease)
    desk.clock.advance("60s")
    assert desk.kit.run(rk.ReverseGrant(grant, "refunded")).status == "reversed"
    assert desk.refused(rk.FulfilGrant(grant, lease=claimed.lease))[0] == "grant_reversed"


@pytest.mark.parametrize("frees, terms, used", [(None, False, 2), (None, True, 1), (True, False, 1), (False, True, 2)])
def test_a_whole_reversal_gives_the_places_back_where_terms_or_caller_say_so(
    *, frees: bool | None, terms: bool, used: int
) -> None:
    desk = Desk(reversal_frees=terms)
    grant, _ = fulfilled(desk), fulfilled(desk)
    desk.kit.run(rk.ReverseGrant(grant, "refunded", frees=frees))
    assert desk.use() == (0, used)
    for _ in range(5 - used):
        desk.kit.run(rk.MakeOffer("spring", "amanda"))
    assert desk.refused(rk.MakeOffer("spring", "amanda"))[0] == "user_cap_reached"
    desk.sound()


def test_a_part_gives_no_place_back() -> None:
    desk = Desk(reversal_frees=True)
    grant = fulfilled(desk)
    desk.kit.run(rk.ReverseGrant(grant, "a part", amount=1))
    assert desk.use() == (0, 1)
    with pytest.raises(rk.ValidationError, match="a part gives no place back"):
        desk.kit.run(rk.ReverseGrant(grant, "a part", amount=1, frees=True))
    desk.kit.run(rk.ReverseGrant(grant, "the rest"))
    assert desk.use() == (0, 0)
    desk.sound()


def test_places_are_given_back_of_a_cap_that_the_campaign_had_then() -> None:
    desk = Desk(reversal_frees=True)
    capped = desk.earn()
    desk.kit.run(rk.DefineCampaign("spring", "back", user_cap=5))
    uncapped = desk.earn("bea")
    for grant in (uncapped, capped):
        desk.kit.run(rk.ReverseGrant(grant, "refunded"))
    assert desk.use() == (0, 0)
    desk.sound()


@pytest.mark.parametrize("side, left", [("sender", 0), ("recipient", 1)])
def test_a_senders_reward_gives_her_place_back(side: str, left: int) -> None:
    desk = Desk()
    desk.kit.run(rk.DefineReferralProgram("friends", "cash", "cash", "Purchase", sender_cap=1))
    desk.kit.run(rk.MakeReferral("friends", "sue", "amanda"))
    desk.kit.emit("Purchase", user="amanda")
    (grant,) = (one for one in desk.kit.ask(rk.Grants()).items if one.user == ("sue" if side == "sender" else "amanda"))
    desk.kit.run(rk.ReverseGrant(grant.id, "refunded", frees=True))
    desk.kit.run(rk.MakeReferral("friends", "sue", "bea"))
    earned = desk.kit.emit("Purchase", user="bea").earned
    assert ("sue" in {one.user for one in earned}) == (left == 0)


@pytest.mark.parametrize("amount", [0, -1, "0", "-1", "1e3", 1.5, True, "NaN", Decimal("Infinity"), "ten", 2**60, b"1"])
def test_an_amount_is_a_number_above_nothing(amount: Any) -> None:
    desk = Desk()
    grant = desk.earn()
    with pytest.raises(rk.ValidationError):
        desk.kit.run(rk.ReverseGrant(grant, "refunded", amount=amount))
    assert desk.grant(grant).reversed == 0


def test_amounts_are_exact_to_the_last_digit() -> None:
    desk = Desk()
    desk.kit.run(rk.DefineReward("cash", {"amount": Decimal("12345678901234567890.000000000000000001")}))
    grant = fulfilled(desk)
    left = desk.kit.run(rk.ReverseGrant(grant, "a part", amount=Decimal("0.000000000000000001")))
    assert left.due == Decimal("12345678901234567890.000000000000000000")
    desk.sound()
