"""What campaigns make of events and time: one test a rule, on the memory store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.clock import FakeClock

ALL = ("RK201", "RK202", "RK203", "RK204", "RK205")


class Shop:
    """A kit with a clock, and short ways to say things."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.kit = rk.RewardKit(self.store, clock=self.clock)
        self.kit.run(rk.DefineReward("disc", {"sku": "CD-1"}))

    def campaign(
        self,
        condition: str,
        entry: str | None = None,
        *,
        name: str = "c",
        expires_after: str | None = None,
        **terms: Any,
    ) -> None:
        self.kit.run(rk.DefineOffer(name, "disc", condition, expires_after=expires_after, acknowledge=ALL))
        self.kit.run(rk.DefineCampaign(name, name, entry=entry, acknowledge=ALL, **terms))
        self.kit.run(rk.LaunchCampaign(name))

    def at(self, second: float) -> None:
        self.clock.set(self.second(second))

    @staticmethod
    def second(second: float) -> Any:
        return FakeClock().now + timedelta(seconds=second)

    def emit(self, name: str, at: float | None = None, *, user: str = "amanda", **properties: Any) -> rk.Recorded:
        if at is None:
            return self.kit.emit(name, user=user, properties=properties)
        return self.kit.emit(name, user=user, at=self.second(at), properties=properties)

    def offers(self, **wanted: Any) -> list[tuple[str, float]]:
        """Status and second of making, of all user offers."""
        zero = FakeClock().now
        return [
            (one.status, (one.made_at - zero).total_seconds()) for one in self.kit.ask(rk.UserOffers(**wanted)).items
        ]

    def use(self, name: str = "c") -> tuple[int, int]:
        (found,) = (one for one in self.kit.ask(rk.Campaigns()) if one.name == name)
        return found.reserved, found.confirmed


@pytest.fixture
def shop() -> Shop:
    return Shop()


def event(name: str, second: float, id: str, user: str = "amanda") -> rk.Event:
    return rk.Event(name, Shop.second(second), id, user)


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
