"""Audiences, pauses, entering again, and caps of periods: one test a rule."""

from __future__ import annotations

from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.shop import Shop, event

DAY = 24 * 3_600
GOLD = 'latest(profile:tier) == "gold"'


@pytest.fixture
def shop() -> Shop:
    return Shop()


def code(shop: Shop, command: rk.Command[Any]) -> str:
    answer = shop.kit.attempt(command)
    assert isinstance(answer, rk.Refused)
    return answer.code


def entered(shop: Shop, name: str = "E", at: float | None = None, **properties: Any) -> int:
    return len(shop.emit(name, at, **properties).entered)


# --- audiences -----------------------------------------------------------------------------------------


def test_who_is_in_the_audience_when_she_would_enter_enters_and_nobody_else(shop: Shop) -> None:
    shop.campaign("A", "E", audience=GOLD)
    for user, tier in (("amanda", "gold"), ("bea", "silver")):
        shop.emit("profile", user=user, tier=tier)
    for user, offers in (("amanda", 1), ("bea", 0), ("carl", 0)):
        assert offers == len(shop.emit("E", user=user).entered)


def test_an_audience_may_be_left_and_entered_again_and_the_entry_condition_begins_anew(shop: Shop) -> None:
    shop.campaign("A", "E*2", audience=GOLD)
    found = []
    for tier in ("silver", "gold", "silver", "gold"):
        shop.emit("profile", tier=tier)
        found.append((entered(shop), entered(shop)))
        shop.at(len(found))
    assert [(0, 0), (0, 1), (0, 0), (0, 0)] == found


def test_the_event_that_enters_a_user_counts_for_the_audience(shop: Shop) -> None:
    shop.campaign("A", "profile", audience=GOLD)
    assert 1 == entered(shop, "profile", tier="gold")


def test_an_audience_that_comes_later_judges_who_waits_for_the_start(shop: Shop) -> None:
    shop.campaign("A", "E", start=shop.second(10))
    for user, tier in (("amanda", "gold"), ("bea", "silver")):
        shop.emit("E", 1, user=user)
        shop.emit("profile", 2, user=user, tier=tier)
    shop.at(3)
    shop.kit.run(rk.DefineCampaign("c", "c", entry="E", audience=GOLD, start=shop.second(10)))
    shop.at(11)
    assert (1, 0) == tuple(len(shop.emit("A", user=user).entered) for user in ("amanda", "bea"))
    assert [("earned", 10)] == shop.offers()


def test_an_audience_is_judged_at_the_start_by_what_was_before_it(shop: Shop) -> None:
    shop.campaign("A", "E", audience=GOLD, start=shop.second(10))
    shop.emit("profile", 1, tier="gold")
    shop.emit("E", 1)
    shop.at(20)
    shop.emit("profile", 15, tier="silver")
    assert [("active", 10.0)] == shop.offers()


def test_an_audience_that_time_alone_ends_ends_in_time(shop: Shop) -> None:
    shop.campaign("A", "E", audience="B in last 10s")
    shop.emit("B")
    shop.at(10)
    assert 0 == entered(shop)
    shop.emit("B")
    shop.at(19)
    assert 1 == entered(shop)


def test_an_audience_of_a_later_campaign_knows_what_was_before(shop: Shop) -> None:
    shop.emit("profile", tier="gold")
    shop.at(1)
    shop.campaign("A", "E", audience=GOLD)
    assert 1 == entered(shop)


def test_a_late_event_counts_for_the_audience_from_its_place_on(shop: Shop) -> None:
    shop.campaign("A", "E", audience=GOLD)
    shop.at(5)
    shop.emit("Z")
    assert 0 == entered(shop, at=3)
    shop.emit("profile", 4, tier="gold")
    assert 1 == entered(shop)


def test_a_direct_offer_to_who_is_not_in_the_audience_is_refused(shop: Shop) -> None:
    shop.campaign("A", audience=GOLD, code="C")
    assert "not_in_audience" == code(shop, rk.MakeOffer("c", "amanda"))
    assert "not_in_audience" == code(shop, rk.EnterOfferCode("c", "amanda"))
    shop.emit("profile", tier="gold")
    assert "active" == shop.kit.run(rk.MakeOffer("c", "amanda")).status


# --- pauses --------------------------------------------------------------------------------------------


def test_a_paused_campaign_makes_no_offers_and_what_it_has_made_can_be_earned(shop: Shop) -> None:
    shop.campaign("A", "E", user_cap=2)
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    assert "paused" == shop.kit.run(rk.PauseCampaign("c")).status
    shop.at(1)
    assert "campaign_paused" == code(shop, rk.MakeOffer("c", "bea"))
    assert 0 == entered(shop)
    assert 1 == len(shop.emit("A").earned)


@pytest.mark.parametrize("notice", ["an event", "backfill"])
def test_who_qualified_in_a_pause_enters_when_it_is_resumed(shop: Shop, notice: str) -> None:
    shop.campaign("A", "E")
    shop.at(5)
    shop.kit.run(rk.PauseCampaign("c"))
    shop.at(6)
    shop.emit("E")
    shop.at(9)
    assert "live" == shop.kit.run(rk.ResumeCampaign("c")).status
    shop.at(12)
    if notice == "an event":
        shop.emit("Z")
    else:
        shop.kit.run(rk.Backfill(dry_run=False))
    assert [("active", 9.0)] == shop.offers()


def test_an_event_from_before_a_pause_enters_before_it(shop: Shop) -> None:
    shop.campaign("A", "E")
    shop.at(5)
    shop.kit.run(rk.PauseCampaign("c"))
    shop.at(6)
    assert 1 == entered(shop, at=4)
    assert 0 == len(shop.emit("E", 5, user="bea").entered)


def test_pausing_and_resuming_twice_changes_nothing_and_an_ended_campaign_is_over(shop: Shop) -> None:
    shop.campaign("A", "E")
    first = shop.kit.run(rk.PauseCampaign("c"))
    assert first == shop.kit.run(rk.PauseCampaign("c")) == shop.kit.run(rk.LaunchCampaign("c"))
    second = shop.kit.run(rk.ResumeCampaign("c"))
    assert second == shop.kit.run(rk.ResumeCampaign("c"))
    shop.kit.run(rk.PauseCampaign("c"))
    assert "ended" == shop.kit.run(rk.EndCampaign("c")).status
    assert {"campaign_over"} == {code(shop, command("c")) for command in (rk.PauseCampaign, rk.ResumeCampaign)}


def test_a_draft_cannot_be_paused(shop: Shop) -> None:
    shop.kit.run(rk.DefineOffer("c", "disc", "A"))
    shop.kit.run(rk.DefineCampaign("c", "c"))
    assert "campaign_draft" == code(shop, rk.PauseCampaign("c"))


# --- entering again ------------------------------------------------------------------------------------


def test_every_tenth_purchase_earns(shop: Shop) -> None:
    shop.campaign("P*9", "P", reentry="after_earning")
    earned = []
    for number in range(1, 41):
        shop.at(number)
        earned += [number] * len(shop.emit("P").earned)
    assert [10, 20, 30, 40] == earned


def test_every_tenth_purchase_earns_whatever_was_noticed_when(shop: Shop) -> None:
    for number in range(1, 41):
        shop.at(number)
        shop.emit("P")
    shop.campaign("P*9", "P", reentry="after_earning", start=shop.second(0), cap=3)
    found = shop.kit.run(rk.Backfill(dry_run=False))
    assert [10.0, 20.0, 30.0] == [(one.earned_at - shop.second(0)).total_seconds() for one in found.earned]
    assert (1, (0, 3)) == (len(found.capped), shop.use())


def test_an_offer_that_expires_is_not_earned_and_does_not_begin_anew(shop: Shop) -> None:
    shop.campaign("A", "E", reentry="after_earning", expires_after="5s")
    assert 1 == entered(shop)
    shop.at(10)
    assert 0 == entered(shop)


def test_a_batch_under_a_cap_goes_on_only_after_what_had_a_place(shop: Shop) -> None:
    shop.campaign("A", "E", reentry="after_earning", cap=2)
    recorded = shop.kit.emit_many(event(name, at, f"{at}") for at, name in enumerate("EAEAEAEA"))
    assert (2, 1) == (len(recorded.earned), len(recorded.capped))
    assert (0, 2) == shop.use()


def test_once_a_month_means_once_in_each_civil_month_of_the_zone(shop: Shop) -> None:
    shop.campaign("A", "P", reentry="month", zone="America/New_York")
    found = []
    for day in range(70):
        shop.at(day * DAY)
        found += [day] * entered(shop, "P")
    # The fake clock begins at midnight UTC of 1 January, when it is still December in New York.
    assert [0, 1, 32, 60] == found


def test_once_a_month_holds_for_direct_offers_too(shop: Shop) -> None:
    shop.campaign("A", "P", reentry="month")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    refused = shop.kit.attempt(rk.MakeOffer("c", "amanda"))
    assert isinstance(refused, rk.Refused)
    assert ("reentry_later", "2026-02-01T00:00:00Z") == (refused.code, refused.facts["from"])
    assert 0 == entered(shop, "P")
    shop.at(31 * DAY)
    assert 1 == entered(shop, "P")


def test_an_entry_condition_that_holds_again_at_once_cannot_begin_anew(shop: Shop) -> None:
    for entry, terms in (("!C", {"reentry": "day"}), ("ever (A) & B", {"audience": "A"}), ("!C", {"audience": "A"})):
        with pytest.raises(rk.ValidationError, match="may hold again at once"):
            shop.campaign("A", entry, **terms)


def test_reentry_is_pinned_by_the_launch(shop: Shop) -> None:
    shop.campaign("A", "E", reentry="day")
    assert "reentry_pinned" == code(shop, rk.DefineCampaign("c", "c", entry="E", reentry="week"))
    with pytest.raises(rk.ValidationError, match="reentry must be one of `never`, `after_earning`, `day`"):
        shop.kit.run(rk.DefineCampaign("d", "c", reentry="daily"))


# --- caps of periods -----------------------------------------------------------------------------------


def test_a_cap_of_a_period_counts_the_offers_that_were_made_in_it(shop: Shop) -> None:
    shop.campaign("A", "E", caps_per={"day": 2, "month": 3})
    found = []
    for day in range(3):
        for user in "abc":
            shop.at(day * DAY + ord(user) - 96)
            recorded = shop.emit("E", user=f"{user}{day}")
            found.append((len(recorded.entered), len(recorded.capped)))
    made, capped = (1, 0), (0, 1)
    assert [made, made, capped, made, capped, capped, capped, capped, capped] == found


def test_a_place_in_a_period_is_given_back_to_the_period_in_which_it_was_taken(shop: Shop) -> None:
    shop.campaign("A", "E", caps_per={"day": 1}, code="C")
    first = shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.at(DAY)
    shop.kit.run(rk.MakeOffer("c", "bea"))
    assert "campaign_capped" == code(shop, rk.MakeOffer("c", "carl"))
    shop.kit.run(rk.CancelUserOffer(first.id))
    assert "campaign_capped" == code(shop, rk.MakeOffer("c", "carl"))


def test_what_one_cap_gave_is_returned_where_another_has_no_room(shop: Shop) -> None:
    shop.campaign("A", "E", cap=5, caps_per={"day": 1})
    shop.kit.emit_many(event("E", number, f"{number}", f"user {number}") for number in range(3))
    assert (1, 0) == shop.use()


@pytest.mark.parametrize("caps", [{"day": 0}, {"hour": 1}, {"day": 1.5}, 5])
def test_caps_of_periods_that_cannot_be_meant_are_told(shop: Shop, caps: Any) -> None:
    with pytest.raises(rk.ValidationError, match="caps_per"):
        shop.campaign("A", "E", caps_per=caps)


@pytest.mark.parametrize("limits", [{}, {"cap": 9}])
def test_what_is_earned_as_it_is_made_begins_anew_with_the_next_event(shop: Shop, limits: dict[str, Any]) -> None:
    shop.campaign("ever Q", "P", reentry="after_earning", **limits)
    shop.emit("Q")
    found = []
    for second in (1, 2, 3):
        shop.at(second)
        recorded = shop.emit("P")
        found.append((len(recorded.entered), len(recorded.earned)))
    assert [(1, 1)] * 3 == found


def test_one_event_that_earns_two_offers_begins_anew_once(shop: Shop) -> None:
    shop.campaign("B", "E", reentry="after_earning")
    shop.emit("E")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.at(9)
    shop.emit("E", 2)
    shop.emit("B", 1)
    assert [("active", 2), ("earned", 0), ("earned", 0)] == sorted(shop.offers())


def test_what_was_earned_by_the_very_event_of_an_entry_does_not_begin_it_anew(shop: Shop) -> None:
    shop.campaign("E", "E", reentry="after_earning")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    found = []
    for second in (1, 2, 3):
        shop.at(second)
        recorded = shop.emit("E")
        found.append((len(recorded.entered), len(recorded.earned)))
    assert [(1, 1), (0, 1), (1, 0)] == found


# --- late events -----------------------------------------------------------------------------------------


def late(recorded: rk.Recorded) -> list[tuple[str, str]]:
    return [(one.event_id, one.campaign) for one in recorded.late]


def test_a_late_event_of_a_round_that_is_over_is_told_where_it_would_have_changed_it(shop: Shop) -> None:
    shop.campaign("P*2", "P", reentry="after_earning")
    for second in (1, 2, 3, 4):
        shop.at(second * 10)
        shop.emit("P")
    recorded = shop.emit("P", 15)
    (found,) = recorded.late
    assert ("amanda", "c") == (found.user, found.campaign)
    assert "2 entries, the last at 2026-01-01T00:00:40Z" == found.decided
    assert "2 entries, the last at 2026-01-01T00:00:30Z" == found.corrected
    assert [] == late(shop.emit("Z", 16))


def test_a_late_event_of_a_round_that_is_over_is_not_told_where_it_changes_nothing(shop: Shop) -> None:
    shop.campaign("P", "E", reentry="after_earning")
    for second, name in enumerate("EPEP", 1):
        shop.at(second * 10)
        shop.emit(name)
    assert [] == late(shop.emit("E", 15))
    shop.at(50)
    assert 1 == entered(shop)


def test_a_late_event_of_the_round_that_is_open_counts_and_is_not_told(shop: Shop) -> None:
    shop.campaign("P", "E*2", reentry="after_earning")
    for second, name in enumerate("EEPEZ", 1):
        shop.at(second * 10)
        shop.emit(name)
    recorded = shop.emit("E", 45)
    assert (1, []) == (len(recorded.entered), late(recorded))


@pytest.mark.parametrize("terms", [{"reentry": "day"}, {"audience": GOLD}])
def test_a_late_event_before_a_period_or_an_admission_is_told(shop: Shop, terms: dict[str, Any]) -> None:
    shop.campaign("A", "E*2", **terms)
    for second, (name, tier) in enumerate((("E", ""), ("E", ""), ("profile", "gold"), ("Z", "")), 1):
        shop.at(second * 10)
        shop.emit(name, tier=tier)
    if "reentry" in terms:
        shop.at(DAY + 10)
        shop.emit("E")
    before = shop.offers()
    recorded = shop.emit("E", 5)
    assert ["c"] == [one.campaign for one in recorded.late]
    assert before == shop.offers()
