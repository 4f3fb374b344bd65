"""What time ends, which places limits leave, and what events out of order come to: one test a rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.shop import Shop, event


@pytest.fixture
def shop() -> Shop:
    return Shop()


# --- time and limits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("second, earned", [(9.999999, 1), (10, 0)])
def test_an_offer_ends_exactly_at_its_end(shop: Shop, second: float, earned: int) -> None:
    shop.campaign("A", expires_after="10s")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.at(second)
    assert len(shop.emit("A").earned) == earned


def test_an_offer_whose_time_is_over_reads_as_expired_before_anybody_noticed(shop: Shop) -> None:
    shop.campaign("A", expires_after="10s")
    made = shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.at(10)
    assert shop.offers(status="active") == []
    unnoticed = shop.kit.ask(rk.UserOffers(status="expired"))
    assert [(one.id, one.ended_at) for one in unnoticed.items] == [(made.id, shop.second(10))]
    assert shop.kit.run_due().users == 1
    assert shop.kit.ask(rk.UserOffers(status="expired")) == unnoticed


def test_an_offer_that_was_earned_in_time_never_reads_as_expired(shop: Shop) -> None:
    shop.campaign("no C within 2s", expires_after="5s")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.at(6)
    assert shop.offers() == [("active", 0)]
    shop.kit.run_due()
    assert shop.offers() == [("earned", 0)]


def test_a_page_of_user_offers_is_full_although_some_are_over(shop: Shop) -> None:
    shop.campaign("A", expires_after="10s", name="short")
    shop.campaign("A", name="long")
    for user in "abc":
        for name in ("short", "long"):
            shop.kit.run(rk.MakeOffer(name, user))
    shop.at(20)
    seen: list[str] = []
    after = None
    while True:
        page = shop.kit.ask(rk.UserOffers(status="active", limit=2, after=after))
        assert len(page.items) == 2 or page.after is None
        seen += [one.user for one in page.items]
        after = page.after
        if after is None:
            break
    assert sorted(seen) == list("abc")


def test_an_offer_whose_time_is_over_takes_no_place_and_cannot_be_withdrawn(shop: Shop) -> None:
    shop.campaign("A", expires_after="10s", cap=1)
    made = shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.at(10)
    refused = shop.kit.attempt(rk.CancelUserOffer(made.id))
    assert isinstance(refused, rk.Refused)
    assert (refused.code, refused.facts) == ("user_offer_over", {"status": "expired"})
    assert shop.kit.run(rk.MakeOffer("c", "amanda")).entry == 2


def test_time_is_read_instant_by_instant_however_late_it_is_noticed(shop: Shop) -> None:
    # The direct offer has a deadline at 2 and ends at 15; in between, at 10, the entry finds no place for the user.
    shop.campaign("(A within 2s) | B", "E then no C within 9s", expires_after="15s")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.at(1)
    shop.emit("E")
    shop.at(30)
    shop.kit.run_due()
    assert shop.offers() == [("expired", 0)]


@pytest.mark.parametrize("end, free", [("earned", 0), ("expired", 1), ("cancelled", 1)])
def test_a_place_is_kept_by_earning_and_given_back_otherwise(shop: Shop, end: str, free: int) -> None:
    shop.campaign("A", expires_after="10s", cap=1)
    made = shop.kit.run(rk.MakeOffer("c", "amanda"))
    assert shop.use() == (1, 0)
    full = shop.kit.attempt(rk.MakeOffer("c", "bea"))
    assert isinstance(full, rk.Refused)
    assert full.code == "campaign_capped"
    if end == "earned":
        shop.emit("A")
    elif end == "expired":
        shop.at(10)
        shop.kit.run_due()
    else:
        shop.kit.run(rk.CancelUserOffer(made.id))
    assert shop.use() == (0, 1 - free)
    assert isinstance(shop.kit.attempt(rk.MakeOffer("c", "bea")), rk.UserOffer) == bool(free)


def test_an_entry_beyond_the_cap_is_recorded_as_capped(shop: Shop) -> None:
    shop.campaign("A", "E", cap=1)
    shop.at(10)
    recorded = shop.kit.emit_many(
        [
            event("E", 2, "1", "amanda"),
            event("A", 3, "2", "amanda"),
            event("E", 1, "1", "bea"),
            event("A", 4, "2", "bea"),
        ]
    )
    assert [one.user for one in recorded.entered] == ["bea"]
    assert [one.user for one in recorded.capped] == ["amanda"]
    assert [one.user for one in recorded.earned] == ["bea"]
    assert shop.use() == (0, 1)


# --- order and lateness ------------------------------------------------------------------------------


def test_an_event_out_of_order_is_folded_in_its_place(shop: Shop) -> None:
    shop.campaign("A then B", "E")
    shop.at(10)
    for name, second in (("E", 1), ("B", 5)):
        assert shop.emit(name, second).earned == ()
    recorded = shop.emit("A", 3)
    assert [(one.earned_at, one.event_id != "") for one in recorded.earned] == [(shop.second(5), True)]
    assert recorded.late == ()


def test_an_event_that_comes_after_the_reading_it_would_change_is_late_and_changes_nothing(shop: Shop) -> None:
    shop.campaign("no C within 5s")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.at(6)
    assert len(shop.kit.run_due().earned) == 1
    late = shop.emit("C", 4).late
    assert [(one.campaign, one.decided, one.corrected) for one in late] == [("c", "satisfied", "impossible")]
    assert shop.offers() == [("earned", 0)]


def test_an_event_out_of_order_is_not_late_where_nothing_was_decided_before(shop: Shop) -> None:
    shop.emit("Z", 0)
    shop.at(10)
    shop.emit("Z", 10)
    shop.campaign("A", "E", start=shop.second(0))
    recorded = shop.emit("E", 5)
    assert (len(recorded.entered), recorded.late) == (1, ())


def test_a_batch_in_any_order_is_the_same_as_its_events_one_by_one() -> None:
    events = [
        event(name, second, str(number), user)
        for number, (name, second, user) in enumerate(
            (name, second, user) for second in range(6) for name in "EABC" for user in ("amanda", "bea")
        )
    ]

    def played(play: Callable[[rk.RewardKit], None]) -> list[Any]:
        shop = Shop()
        shop.campaign("(A*2 | B) & !C", "E", name="guard")
        shop.campaign("A then no C within 2s", "E*2", name="absence")
        shop.campaign("B within 1s", "A", name="window")
        shop.at(10)
        play(shop.kit)
        shop.kit.run_due()
        return [shop.kit.ask(rk.UserOffers()), shop.kit.ask(rk.Grants()), shop.kit.ask(rk.Notices(limit=500)).items]

    def one_by_one(kit: rk.RewardKit) -> None:
        for one in sorted(events, key=lambda one: one.position):
            kit.emit_many([one])

    expected = played(one_by_one)
    assert len(expected[1].items) > 2
    for step in (1, 5, 7, 11):
        shuffled = [events[index * step % len(events)] for index in range(len(events))]
        assert played(lambda kit, shuffled=shuffled: kit.emit_many(shuffled)) == expected  # type: ignore[misc]


def test_a_bad_event_names_its_index_and_none_is_recorded(shop: Shop) -> None:
    shop.campaign("A", "E")
    with pytest.raises(rk.ValidationError, match=r"^event 1: "):
        shop.kit.emit_many([{"name": "E", "user": "amanda"}, {"name": "E", "user": ""}])
    shop.kit.emit("E", user="bea", id="1")
    with pytest.raises(rk.Conflict, match=r"^event 1: "):
        shop.kit.emit_many([event("E", 0, "1"), event("A", 0, "1", "bea")])
    assert [one.user for one in shop.kit.ask(rk.UserOffers()).items] == ["bea"]
