"""What campaigns make of events, and which versions count: one test a rule."""

from __future__ import annotations

import pytest

import rewardkit as rk
from rewardkit.testing.shop import Shop, event


@pytest.fixture
def shop() -> Shop:
    return Shop()


# --- entry -------------------------------------------------------------------------------------------


def test_the_event_that_enters_a_user_is_not_inside_the_offers_scope(shop: Shop) -> None:
    shop.campaign("A", "A")
    assert len(shop.emit("A").earned) == 0
    shop.at(1)
    assert len(shop.emit("A").earned) == 1


def test_an_offer_that_is_made_directly_opens_before_all_events_of_its_instant(shop: Shop) -> None:
    shop.campaign("A")
    shop.emit("A")
    assert shop.kit.run(rk.MakeOffer("c", "amanda")).status == "earned"


@pytest.mark.parametrize("second, offers", [(9, 0), (10, 1), (19.999999, 1), (20, 0)])
def test_a_campaign_makes_offers_from_its_start_up_to_its_end(shop: Shop, second: float, offers: int) -> None:
    shop.campaign("A", start=shop.second(10), end=shop.second(20))
    shop.at(second)
    assert isinstance(shop.kit.attempt(rk.MakeOffer("c", "amanda")), rk.UserOffer) == bool(offers)


@pytest.mark.parametrize("second, offers", [(19.999999, 1), (20, 0), (21, 0)])
def test_an_entry_at_the_end_of_a_campaign_is_too_late(shop: Shop, second: float, offers: int) -> None:
    shop.campaign("A", "E", end=shop.second(20))
    shop.at(30)
    assert len(shop.emit("E", second).entered) == offers


@pytest.mark.parametrize("span, offers", [("19s", 1), ("20s", 0)])
def test_an_entry_that_time_decides_at_the_end_of_a_campaign_is_too_late(shop: Shop, span: str, offers: int) -> None:
    shop.campaign("A", f"E then no C within {span}", end=shop.second(20))
    shop.emit("E")
    shop.at(60)
    assert len(shop.kit.run_due().entered) == offers


def test_an_entry_before_the_end_counts_when_the_end_has_been_read_before_it(shop: Shop) -> None:
    shop.campaign("A", "E*2", end=shop.second(20))
    shop.emit("E", 1)
    shop.at(30)
    shop.emit("E", 25)
    assert [one.made_at for one in shop.emit("E", 12).entered] == [shop.second(12)]


def test_who_qualified_before_the_start_enters_at_the_start_with_no_event(shop: Shop) -> None:
    shop.campaign("A", "E", start=shop.second(10))
    shop.emit("E", 0)
    shop.at(9)
    assert shop.kit.run_due().users == 0
    shop.at(15)
    assert [one.made_at for one in shop.kit.run_due().entered] == [shop.second(10)]


def test_what_happened_between_the_start_and_its_noticing_counts(shop: Shop) -> None:
    shop.campaign("A", "E", start=shop.second(10))
    shop.emit("E", 0)
    shop.at(12)
    recorded = shop.emit("A", 12)
    assert [one.made_at for one in recorded.entered] == [shop.second(10)]
    assert [one.earned_at for one in recorded.earned] == [shop.second(12)]


@pytest.mark.parametrize("notice", ["an event", "backfill"])
def test_a_launch_onto_history_enters_users_at_the_launch(shop: Shop, notice: str) -> None:
    shop.emit("E")
    shop.at(5)
    shop.campaign("A", "E")
    shop.at(8)
    if notice == "an event":
        assert len(shop.emit("Z").entered) == 1
    else:
        assert len(shop.kit.run(rk.Backfill(dry_run=False)).entered) == 1
    assert shop.offers() == [("active", 5)]


def test_a_dry_run_of_backfill_keeps_nothing(shop: Shop) -> None:
    shop.emit("E")
    shop.campaign("A", "E", cap=1)
    tried = shop.kit.run(rk.Backfill())
    assert (tried.users, len(tried.entered), tried.dry_run) == (1, 1, True)
    assert (shop.offers(), shop.use()) == ([], (0, 0))
    assert shop.kit.run(rk.Backfill(dry_run=False)).entered == tried.entered


def test_backfill_walks_in_pages(shop: Shop) -> None:
    for user in "abcde":
        shop.emit("E", user=user)
    shop.campaign("A", "E")
    after: str | None = ""
    seen = []
    while after is not None:
        answer = shop.kit.run(rk.Backfill(limit=2, after=after, dry_run=False))
        seen += [entered.user for entered in answer.entered]
        after = answer.after
    assert seen == list("abcde")


def test_an_entry_condition_that_holds_at_once_enters_everybody_who_is_seen(shop: Shop) -> None:
    shop.emit("Z", user="old")
    shop.campaign("A", "!C")
    shop.at(5)
    assert [one.made_at for one in shop.emit("Z", user="new").entered] == [shop.second(0)]
    assert [one.user for one in shop.kit.run(rk.Backfill(dry_run=False)).entered] == ["old"]


# --- what offers see ---------------------------------------------------------------------------------


def test_an_event_that_no_open_offer_heard_counts_for_one_that_begins_before_it(shop: Shop) -> None:
    shop.campaign("A", "E")
    shop.at(10)
    shop.emit("A", 5)
    assert [one.earned_at for one in shop.emit("E", 3).earned] == [shop.second(5)]


def test_an_event_that_nothing_heard_counts_for_an_offer_that_hears_it_now(shop: Shop) -> None:
    shop.campaign("B")
    shop.at(1)
    shop.emit("A", 3)
    shop.kit.run(rk.DefineOffer("c", "disc", "A"))
    assert shop.kit.run(rk.MakeOffer("c", "amanda")).status == "earned"


def test_ever_sees_the_event_that_entered_the_user(shop: Shop) -> None:
    shop.campaign("ever E & B", "E")
    shop.emit("E", 0)
    shop.at(1)
    assert len(shop.emit("B", 1).earned) == 1


def test_ever_sees_what_came_before_in_the_same_call(shop: Shop) -> None:
    shop.emit("Z")
    shop.campaign("ever B & A", "E")
    shop.at(10)
    recorded = shop.kit.emit_many([event("B", 1, "1"), event("E", 2, "2"), event("A", 3, "3")])
    assert len(recorded.earned) == 1


def test_without_ever_nothing_before_the_offer_counts(shop: Shop) -> None:
    shop.campaign("B & A", "E")
    shop.at(10)
    assert shop.kit.emit_many([event("B", 1, "1"), event("E", 2, "2"), event("A", 3, "3")]).earned == ()


def test_names_in_another_normal_form_are_the_same_names(shop: Shop) -> None:
    shop.campaign('"cafe\u0301 visit"')
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    assert len(shop.emit("cafe\u0301 visit").earned) == 1


# --- versions ----------------------------------------------------------------------------------------


def test_what_was_made_keeps_its_version_and_what_is_made_next_follows(shop: Shop) -> None:
    shop.campaign("A", user_cap=2)
    first = shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.kit.run(rk.DefineOffer("c", "disc", "B"))
    second = shop.kit.run(rk.MakeOffer("c", "amanda"))
    assert (first.offer_version, second.offer_version) == (1, 2)
    shop.at(1)
    assert [one.grant for one in shop.emit("A").earned] == [grant.id for grant in shop.kit.ready()]
    assert [grant.user_offer for grant in shop.kit.ready()] == [first.id]


def test_a_changed_reward_makes_a_new_version_of_the_offers_that_name_it(shop: Shop) -> None:
    shop.campaign("A", user_cap=2)
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.kit.run(rk.DefineReward("disc", {"sku": "CD-2"}))
    assert shop.kit.run(rk.MakeOffer("c", "amanda")).offer_version == 2
    shop.at(1)
    shop.emit("A")
    assert sorted(grant.reward.properties["sku"] for grant in shop.kit.ready()) == ["CD-1", "CD-2"]


def test_definitions_that_say_the_same_change_nothing(shop: Shop) -> None:
    shop.campaign("A", "E")
    again = [
        shop.kit.run(rk.DefineReward("disc", {"sku": "CD-1"})),
        shop.kit.run(rk.DefineOffer("c", "disc", " ( A ) ")),
        shop.kit.run(rk.DefineCampaign("c", "c", entry="E*1")),
    ]
    assert [one.new for one in again] == [False, False, False]


def test_a_named_condition_is_pinned_where_it_was_used(shop: Shop) -> None:
    shop.kit.run(rk.DefineCondition("big", "A[p > 5]"))
    shop.campaign("@big")
    shop.kit.run(rk.DefineCondition("big", "A"))
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    assert shop.emit("A", p=1).earned == ()
    assert len(shop.emit("A", p=6).earned) == 1


def test_an_entry_condition_that_is_replaced_begins_anew_even_after_a_direct_offer(shop: Shop) -> None:
    shop.campaign("B", "E*2", user_cap=2)
    shop.emit("E")
    shop.kit.run(rk.MakeOffer("c", "amanda"))
    shop.kit.run(rk.DefineCampaign("c", "c", entry="E*3", user_cap=2))
    shop.at(1)
    assert shop.emit("E").entered == ()
    assert len(shop.emit("E").entered) == 1


def test_an_entry_condition_that_is_taken_away_decides_nothing_any_more(shop: Shop) -> None:
    shop.campaign("B", "E then no C within 5s")
    shop.emit("E")
    shop.kit.run(rk.DefineCampaign("c", "c"))
    shop.at(9)
    shop.kit.run_due()
    assert shop.offers() == []


def test_an_ended_campaign_stays_ended(shop: Shop) -> None:
    shop.campaign("A")
    shop.at(5)
    shop.kit.run(rk.EndCampaign("c"))
    shop.at(6)
    commands: tuple[rk.Command[object], ...]
    commands = rk.LaunchCampaign("c"), rk.DefineCampaign("c", "c", cap=5), rk.MakeOffer("c", "amanda")
    for command in commands:
        refused = shop.kit.attempt(command)
        assert isinstance(refused, rk.Refused)
        assert refused.code == "campaign_over"


def test_a_launched_campaign_keeps_its_zone(shop: Shop) -> None:
    shop.campaign("A", zone="Europe/Berlin")
    refused = shop.kit.attempt(rk.DefineCampaign("c", "c", zone="America/New_York"))
    assert isinstance(refused, rk.Refused)
    assert (refused.code, dict(refused.facts)) == ("zone_pinned", {"name": "c", "zone": "Europe/Berlin"})


def test_a_draft_takes_another_zone(shop: Shop) -> None:
    shop.kit.run(rk.DefineOffer("o", "disc", "A"))
    shop.kit.run(rk.DefineCampaign("d", "o", zone="Europe/Berlin"))
    assert shop.kit.run(rk.DefineCampaign("d", "o", zone="America/New_York")).version == 2
