"""Offers and the rewards that are earned by them, sentence by sentence of Resonance's survey, on every store."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.receiver import Receiver
from rewardkit.webhooks import generate_secret, verify

SECRET = generate_secret()


def define(kit: rk.RewardKit, **terms: str) -> None:
    """Five dollars for whoever activates within thirty days; made as these terms of the campaign say."""
    kit.run(rk.DefineReward("five", {"amount": "5.00", "currency": "USD"}))
    kit.run(rk.DefineOffer("activate", "five", '"User Activated"', expires_after="30d"))
    kit.run(rk.DefineCampaign("welcome", "activate", **terms))  # type: ignore[arg-type]
    kit.run(rk.LaunchCampaign("welcome"))


def statuses(kit: rk.RewardKit) -> dict[str, str]:
    return {offer.user: offer.status for offer in kit.ask(rk.UserOffers()).items}


# --- what an offer is -------------------------------------------------------------------------------------------------


def test_an_offer_is_a_reward_with_a_condition_and_nothing_else_is_needed(kit: rk.RewardKit) -> None:
    define(kit)
    kit.run(rk.MakeOffer("welcome", "amanda"))
    (earned,) = kit.emit("User Activated", user="amanda").earned
    explained = kit.explain(earned.grant)
    assert (explained.condition, explained.grant.reward.name) == ('"User Activated"', "five")
    assert explained.grant.reward.properties == {"amount": "5.00", "currency": "USD"}


def test_rewards_conditions_and_offers_are_mixed_and_matched_in_variants(kit: rk.RewardKit) -> None:
    conditions = {"activate": '"User Activated"', "buy": '"Purchase Completed"'}
    for amount in ("5.00", "10.00"):
        kit.run(rk.DefineReward(amount, {"amount": amount}))
    for name, condition in conditions.items():
        kit.run(rk.DefineCondition(name, condition))
    offers = [f"{reward} to {name}" for reward in ("5.00", "10.00") for name in conditions]
    for offer in offers:
        reward, _, name = offer.split()
        kit.run(rk.DefineOffer(offer, reward, f"@{name}"))
    kit.run(rk.DefineReferralProgram("friends", "10.00", "5.00", "@buy"))
    kit.run(rk.DefineReferralProgram("easy friends", "5.00", "10.00", "@activate"))
    variants = tuple(rk.Variant(offer, offer) for offer in offers)
    kit.run(rk.DefineCampaign("spring", variants=variants, entry='"User Signed Up"'))
    kit.run(rk.LaunchCampaign("spring"))

    users = [f"user {number}" for number in range(40)]
    kit.emit_many([{"name": "User Signed Up", "user": user} for user in users])
    given = {one.user: one.offer for one in kit.ask(rk.UserOffers()).items}
    assert set(given) == set(users)
    assert set(given.values()) == set(offers)
    for user in users:
        kit.emit("User Activated", user=user)
        early = [grant.reward.name for grant in kit.ask(rk.Grants(user)).items]
        kit.emit("Purchase Completed", user=user)
        late = [grant.reward.name for grant in kit.ask(rk.Grants(user)).items]
        reward, _, name = given[user].split()
        assert (early, late) == ([reward] if name == "activate" else [], [reward])

    for program in ("friends", "easy friends"):
        kit.run(rk.MakeReferral(program, sender="sue", recipient="rob"))
    for name in ("User Activated", "Purchase Completed"):
        kit.emit(name, user="rob")
    referred = sorted((grant.user, grant.reward.name) for grant in kit.ask(rk.Grants()).items if grant.referral)
    assert referred == [("rob", "10.00"), ("rob", "5.00"), ("sue", "10.00"), ("sue", "5.00")]


# --- earning, telling, fulfilling -------------------------------------------------------------------------------------


def test_an_active_offer_whose_condition_is_satisfied_is_earned_and_no_other_is(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    define(kit)
    kit.run(rk.MakeOffer("welcome", "expired"))
    clock.advance("30d")
    for user in ("active", "waiting"):
        kit.run(rk.MakeOffer("welcome", user))
    kit.run(rk.CancelUserOffer(kit.run(rk.MakeOffer("welcome", "cancelled")).id))
    for user in ("active", "cancelled", "expired", "offered nothing"):
        kit.emit("User Activated", user=user)
    kit.emit("User Signed Up", user="waiting")
    assert statuses(kit) == {"active": "earned", "cancelled": "cancelled", "expired": "expired", "waiting": "active"}
    assert [(grant.user, grant.earned_at) for grant in kit.ready()] == [("active", clock.now)]


def test_a_webhook_tells_the_host_that_a_reward_is_ready_as_soon_as_it_is(store: rk.Store, clock: FakeClock) -> None:
    with Receiver() as receiver:
        webhook = rk.WebhookNotifier(
            receiver.url, SECRET, kinds=["grant.ready"], guard=receiver.guard, clock=clock, timeout_seconds=5
        )
        kit = rk.RewardKit(store, clock=clock, notifiers=[webhook])
        define(kit, entry='"User Signed Up"')
        kit.emit("User Signed Up", user="amanda")
        kit.deliver()
        assert receiver.received == []
        (earned,) = kit.emit("User Activated", user="amanda").earned
        assert kit.deliver().delivered == 1
        assert kit.deliver().delivered == 0
        (told,) = receiver.received
    verified = verify(told.body, told.headers, SECRET, now=clock.now.timestamp())
    said = json.loads(verified.body)
    assert (said["kind"], said["user"], said["subject"]) == ("grant.ready", "amanda", earned.grant)
    assert said["properties"] == {"amount": "5.00", "currency": "USD"}


def test_only_the_host_fulfils_a_reward_and_neither_telling_nor_time_does(kit: rk.RewardKit, clock: FakeClock) -> None:
    define(kit)
    kit.run(rk.MakeOffer("welcome", "amanda"))
    (earned,) = kit.emit("User Activated", user="amanda").earned
    for _ in range(3):
        kit.deliver()
        kit.run_due()
        kit.claim()
        clock.advance("365d")
        assert [(grant.id, grant.status) for grant in kit.ask(rk.Grants()).items] == [(earned.grant, "ready")]
    assert kit.run(rk.FulfilGrant(earned.grant)).fulfilled_at == clock.now
    assert kit.ready() == ()


def test_the_list_of_ready_rewards_has_each_under_one_id_until_it_is_acknowledged(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    define(kit)
    grants = []
    for user in ("amanda", "bea", "cleo"):
        clock.advance("1s")
        kit.run(rk.MakeOffer("welcome", user))
        grants += [one.grant for one in kit.emit("User Activated", user=user).earned]
    for left in (3, 2, 1):
        assert [grant.id for grant in kit.ready()] == grants[-left:]
        # A worker that claimed one and died has not paid it: it comes back under the same id.
        (claimed,) = kit.claim(limit=1, lease_seconds=60)
        assert claimed.id == grants[-left]
        assert claimed.id not in [grant.id for grant in kit.claim(lease_seconds=60)]
        clock.advance("61s")
        (again,) = kit.claim(limit=1, lease_seconds=60)
        assert again.id == claimed.id
        assert kit.attempt(rk.FulfilGrant(claimed.id, lease=claimed.lease)) != again
        kit.run(rk.FulfilGrant(again.id, lease=again.lease))
        clock.advance("61s")
    assert (kit.ready(), kit.claim()) == ((), ())


# --- how offers are made ----------------------------------------------------------------------------------------------


def test_an_offer_is_made_directly(kit: rk.RewardKit, clock: FakeClock) -> None:
    define(kit)
    kit.emit("User Activated", user="amanda")
    clock.advance("1s")
    made = kit.run(rk.MakeOffer("welcome", "amanda"))
    assert (made.user, made.status, made.made_at) == ("amanda", "active", clock.now)
    assert kit.ready() == ()  # what she did before the offer does not count
    clock.advance("1s")
    assert len(kit.emit("User Activated", user="amanda").earned) == 1


def test_an_offer_is_made_by_its_code_and_by_no_other(kit: rk.RewardKit) -> None:
    define(kit, code="WELCOME-5")
    made = kit.run(rk.EnterOfferCode("welcome-5", "amanda"))
    assert (made.user, made.campaign, made.status) == ("amanda", "welcome", "active")
    refused = kit.attempt(rk.EnterOfferCode("WELCOME-6", "bea"))
    assert isinstance(refused, rk.Refused)
    assert statuses(kit) == {"amanda": "active"}
    assert [one.user for one in kit.emit("User Activated", user="amanda").earned] == ["amanda"]


def test_a_person_at_a_console_looks_who_gets_it_and_makes_the_offer_by_hand(kit: rk.RewardKit) -> None:
    define(kit)
    (listed,) = kit.ask(rk.Campaigns())
    looked = kit.ask(rk.Preview("amanda", listed.name))
    assert (looked.reward, looked.made, statuses(kit)) == ({"amount": "5.00", "currency": "USD"}, 0, {})
    kit.run(rk.MakeOffer(listed.name, "amanda"), key="button-1")
    kit.run(rk.MakeOffer(listed.name, "amanda"), key="button-1")  # a double click
    assert statuses(kit) == {"amanda": "active"}
    (one,) = kit.ask(rk.UserOffers("amanda")).items
    assert kit.run(rk.CancelUserOffer(one.id)).status == "cancelled"


def test_an_offer_is_made_to_whoever_satisfies_the_entry_condition(kit: rk.RewardKit, clock: FakeClock) -> None:
    define(kit, entry='"User Signed Up" and "Email Confirmed"')
    for user, name in (("amanda", "User Signed Up"), ("bea", "Email Confirmed"), ("amanda", "Email Confirmed")):
        clock.advance("1s")
        recorded = kit.emit(name, user=user)
    assert [(one.user, one.made_at) for one in recorded.entered] == [("amanda", clock.now)]
    assert statuses(kit) == {"amanda": "active"}


def test_whoever_signed_up_before_the_launch_is_made_the_offer_unless_the_audience_leaves_her_out(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    kit.emit("User Signed Up", user="old")
    clock.advance("2d")
    define(kit, entry='"User Signed Up"')
    kit.run(rk.DefineCampaign("new", "activate", entry='"User Signed Up"', audience='"User Signed Up" in last 1d'))
    kit.run(rk.LaunchCampaign("new"))
    entered = {
        user: sorted(one.campaign for one in kit.emit(name, user=user).entered)
        for user, name in (("old", "Visited"), ("young", "User Signed Up"))
    }
    assert entered == {"old": ["welcome"], "young": ["new", "welcome"]}


def test_five_dollars_for_whoever_activates_after_signing_up(kit: rk.RewardKit, clock: FakeClock) -> None:
    define(kit, entry='"User Signed Up"')
    kit.emit("User Activated", user="bea")  # who has not signed up: nothing was offered to her
    clock.advance("1s")
    kit.emit("User Signed Up", user="amanda")
    assert statuses(kit) == {"amanda": "active"}
    clock.advance("1s")
    kit.emit("User Activated", user="amanda")
    kit.emit("User Activated", user="amanda")
    (grant,) = kit.ready()
    assert (grant.user, grant.reward.properties) == ("amanda", {"amount": "5.00", "currency": "USD"})
    assert grant.due == Decimal("5.00")


def test_events_and_time_alone_take_an_offer_through_its_whole_life(store: rk.Store, clock: FakeClock) -> None:
    """The host says what users do, and keeps a worker going; it makes no call that is about an offer."""
    heard: list[tuple[str, str]] = []
    kit = rk.RewardKit(store, clock=clock, notifiers=[lambda notice: heard.append((notice.user, notice.kind))])
    define(kit, entry='"User Signed Up"')

    def worker() -> None:
        kit.run_due()
        kit.deliver()

    lives = []
    for name, user in (("User Signed Up", "amanda"), ("User Signed Up", "bea"), ("User Activated", "amanda")):
        kit.emit(name, user=user)
        worker()
        lives.append(statuses(kit))
        clock.advance("10d")
    worker()
    lives.append(statuses(kit))
    assert lives == [
        {"amanda": "active"},
        {"amanda": "active", "bea": "active"},
        {"amanda": "earned", "bea": "active"},
        {"amanda": "earned", "bea": "active"},
    ]
    clock.advance("10d")
    worker()
    assert statuses(kit) == {"amanda": "earned", "bea": "expired"}
    assert heard == [
        ("amanda", "offer.made"),
        ("bea", "offer.made"),
        ("amanda", "grant.ready"),
        ("bea", "offer.ended"),
    ]


# --- the console ------------------------------------------------------------------------------------------------------

LAUNCH = """
[rewards.five]
properties = { amount = 5.00, currency = "USD" }

[conditions]
active = '"User Activated"'

[offers.activate]
reward = "five"
condition = "@active"

[campaigns.welcome]
offer = "activate"
entry = '"User Signed Up"'
cap = 1000
status = "draft"

[referral-programs.friends]
sender_reward = "five"
recipient_reward = "five"
condition = "@active"

[campaigns.always]
program = "friends"
"""


def test_offers_and_referrals_are_created_launched_and_tracked_without_code(kit: rk.RewardKit, tmp_path: Path) -> None:
    """A marketer writes this text; what she presses is one command, and what she looks at one query."""
    (tmp_path / "launch.toml").write_text(LAUNCH, encoding="utf-8")
    kit.load(tmp_path / "launch.toml")
    assert kit.emit("User Signed Up", user="early").entered == ()
    assert {one.name: one.status for one in kit.ask(rk.Campaigns())}["welcome"] == "draft"
    assert [one.code for one in kit.ask(rk.LaunchChecks("welcome"))] != []

    kit.run(rk.LaunchCampaign("welcome"))
    kit.emit("User Signed Up", user="amanda")
    kit.emit("User Signed Up", user="bea")
    kit.emit("User Activated", user="amanda")
    kit.run(rk.MakeReferral("always", sender="amanda", recipient="bea"))
    figures = kit.ask(rk.CampaignReport("welcome")).total
    assert (figures.offered, figures.earned, figures.grants.ready) == (2, 1, 1)
    assert [(cost.currency, cost.promised) for cost in figures.grants.costs] == [("USD", Decimal("5.00"))]
    kit.emit("User Activated", user="bea")
    referred = kit.ask(rk.ReferralReport("friends"))
    assert [(one.sender, one.completed, one.granted) for one in referred.top] == [("amanda", 1, 1)]

    kit.run(rk.PauseCampaign("welcome"))
    assert kit.emit("User Signed Up", user="cleo").entered == ()
    kit.run(rk.ResumeCampaign("welcome"))
    assert [one.user for one in kit.emit("Visited", user="cleo").entered] == ["cleo"]
    assert kit.run(rk.EndCampaign("welcome")).status == "ended"
    assert kit.emit("User Signed Up", user="dora").entered == ()


def test_a_text_with_a_mistake_launches_nothing(kit: rk.RewardKit, tmp_path: Path) -> None:
    wrong = LAUNCH.replace('reward = "five"\ncondition', 'reward = "fiver"\ncondition')
    (tmp_path / "launch.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(rk.RewardKitError, match="fiver"):
        kit.load(tmp_path / "launch.toml")
    assert kit.ask(rk.Campaigns()) == ()
