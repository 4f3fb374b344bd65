"""What reports cost, and what they say at the boundaries, on every store."""

from __future__ import annotations

import logging
import os
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.core.storing.effects import Insert
from rewardkit.core.storing.rows import GrantRow, UserOfferRow
from rewardkit.core.tracking.figures import GrantFigures, Holdout
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.rows import referral

SCALE = int(os.environ.get("REWARDKIT_SCALE", "1"))
"""1,000 make the histories a million users long."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def kit(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[rk.RewardKit]:
    stores = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path / 'rewards.db'}"}
    store = stores.get(request.param) or request.getfixturevalue("postgres_dsn")
    with rk.RewardKit(store, clock=clock) as kit:
        kit.migrate()
        kit.run(rk.DefineReward("five", {"amount": "5.00", "currency": "USD"}))
        yield kit


def campaign(kit: rk.RewardKit, condition: str = "A", *, expires_after: str | None = None, **terms: object) -> None:
    kit.run(rk.DefineOffer("offer", "five", condition, expires_after=expires_after))
    kit.run(rk.DefineCampaign("spring", "offer", **terms))  # type: ignore[arg-type]
    kit.run(rk.LaunchCampaign("spring"))


def test_of_nothing_there_is_no_rate_no_length_and_no_cost(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineOffer("offer", "five", "A"))
    kit.run(rk.DefineCampaign("spring", variants=(rk.Variant("x", "offer"), rk.Variant("y", "offer"))))
    kit.run(rk.DefineReferralProgram("friends", "five", "five", "A"))
    found = kit.ask(rk.CampaignReport("spring"))
    assert (found.use.status, [one.variant for one in found.variants]) == ("draft", ["x", "y"])
    for one in (found.total, *found.variants):
        assert (one.offered, one.users, one.conversion, one.effect, one.time_to_earn) == (0, 0, None, None, None)
        assert (one.holdout, one.holdout.conversion) == (Holdout(0, 0, 0), None)
        assert one.grants == GrantFigures()
    assert found.cautions == ()
    referred = kit.ask(rk.ReferralReport("friends"))
    assert (referred.opened, referred.conversion, referred.time_to_complete) == (0, None, None)
    assert (referred.top, referred.depths, referred.longest, referred.elsewhere) == ((), (), (), 0)


def test_an_offer_is_overdue_from_its_end_on_until_it_is_decided(kit: rk.RewardKit, clock: FakeClock) -> None:
    campaign(kit, expires_after="10s")
    kit.run(rk.MakeOffer("spring", "ann"))
    made = clock()
    for microseconds, expected in ((9_999_999, (1, 0, 0)), (10_000_000, (0, 1, 0))):
        clock.set(made + microseconds)
        total = kit.ask(rk.CampaignReport("spring")).total
        assert (total.active, total.overdue, total.expired) == expected
        assert (total.offered, total.conversion) == (1, 0.0)
    kit.run(rk.RunDue())
    total = kit.ask(rk.CampaignReport("spring")).total
    assert (total.active, total.overdue, total.expired, total.offered) == (0, 0, 1, 1)


def test_a_user_who_enters_again_is_one_user_and_a_capped_one_is_none(kit: rk.RewardKit, clock: FakeClock) -> None:
    campaign(kit, user_cap=3, cap=3)
    for _ in range(2):
        # An offer that is made at the instant of an event comes before it.
        clock.set(clock() + 1_000_000)
        kit.run(rk.MakeOffer("spring", "ann"))
        clock.set(clock() + 2_000_000)
        kit.emit("A", user="ann")
    kit.run(rk.MakeOffer("spring", "bob"))
    kit.attempt(rk.MakeOffer("spring", "cid"))
    found = kit.ask(rk.CampaignReport("spring"))
    assert (found.total.offered, found.total.earned, found.total.users, found.total.users_earned) == (3, 2, 2, 1)
    assert found.total.conversion == 0.5
    assert found.total.time_to_earn is not None
    assert found.total.time_to_earn.median == timedelta(seconds=2)
    assert (found.use.cap, found.use.reserved, found.use.confirmed) == (3, 1, 2)


def test_costs_are_what_is_promised_and_paid_less_what_was_taken_back(kit: rk.RewardKit) -> None:
    campaign(kit, entry="E")
    for user in ("ann", "bob", "cid", "dan"):
        kit.emit("E", user=user)
        kit.emit("A", user=user)
    ann, bob, cid, _ = (grant.id for grant in sorted(kit.ask(rk.Grants()).items, key=lambda one: one.user))
    kit.run(rk.FulfilGrant(ann))
    kit.run(rk.ReverseGrant(ann, "a part", amount="1.25"))
    kit.run(rk.FulfilGrant(bob))
    kit.run(rk.ReverseGrant(bob, "all of it"))
    kit.run(rk.ReverseGrant(cid, "before it was given", amount="0.001"))
    grants = kit.ask(rk.CampaignReport("spring")).total.grants
    assert (grants.ready, grants.fulfilled, grants.reversed, grants.unpriced) == (2, 1, 1, 0)
    (cost,) = grants.costs
    assert (cost.currency, cost.promised, cost.paid) == ("USD", Decimal("9.999"), Decimal("3.75"))
    assert (cost.taken_back, cost.total) == (Decimal("6.251"), Decimal("13.749"))


def test_the_holdout_is_compared_by_whether_its_users_fulfilled_the_condition_all_the_same(kit: rk.RewardKit) -> None:
    campaign(kit, entry="E", holdout="50%")
    users = [f"u{number}" for number in range(40)]
    for user in users:
        kit.emit("E", user=user)
    held_out = {offer.user for offer in kit.ask(rk.UserOffers(status="held_out")).items}
    assert 0 < len(held_out) < 40
    converted = sorted(held_out)[:3]
    offered = sorted(set(users) - held_out)
    for user in (*converted, *offered):
        kit.emit("A", user=user)
    found = kit.ask(rk.CampaignReport("spring"))
    assert found.total.holdout == Holdout(len(held_out), 3, len(held_out) - 3)
    assert (found.total.conversion, found.total.users) == (1.0, len(offered))
    assert found.total.effect is not None
    assert found.total.effect.estimate == 1 - 3 / len(held_out)
    assert found.total.effect.low < found.total.effect.estimate < found.total.effect.high
    assert [caution.partition(":")[0] for caution in found.cautions] == [
        f"0 offers and {len(held_out) - 3} records of users held out are undecided"
    ]
    kit.run(rk.DefineCampaign("spring", "offer", entry="E", holdout="10%"))
    assert any("share that is held out was changed" in one for one in kit.ask(rk.CampaignReport("spring")).cautions)


SENDERS = tuple(f"sender {number}" for number in range(60))


def invited(kit: rk.RewardKit) -> None:
    """A referral campaign that half of the senders are held out of; every sender has invited two friends."""
    kit.run(rk.DefineReferralProgram("normal", "five", "five", "A"))
    kit.run(rk.DefineReferralProgram("double", "five", "five", "A"))
    kit.run(rk.DefineCampaign("always", program="normal"))
    kit.run(rk.DefineCampaign("double", program="double", holdout="50%"))
    kit.run(rk.LaunchCampaign("always"))
    kit.run(rk.LaunchCampaign("double"))
    for sender in SENDERS:
        code = kit.run(rk.GiveReferralCode(sender)).code
        for friend in ("first", "second"):
            kit.run(rk.EnterReferralCode(code, f"{friend} of {sender}"))


def test_senders_of_a_campaign_are_compared_with_those_who_were_held_out_of_it(kit: rk.RewardKit) -> None:
    invited(kit)
    out = {one.sender for one in kit.ask(rk.Referrals(limit=200)).items if one.held_out}
    assert 15 < len(out) < 45
    inside = sorted(set(SENDERS) - out)
    for sender in (*inside, *sorted(out)[:5]):
        kit.emit("A", user=f"first of {sender}")
    kit.run(rk.EnterReferralCode(kit.run(rk.GiveReferralCode(inside[0])).code, "a third friend"))
    found = kit.ask(rk.ReferralReport(campaign="double"))
    assert found.holdout is not None
    offering, held_out = found.holdout.offering, found.holdout.held_out
    assert (offering.senders, offering.opened, offering.completed) == (len(inside), 2 * len(inside) + 1, len(inside))
    assert (held_out.senders, held_out.opened, held_out.completed) == (len(out), 2 * len(out), 5)
    assert (held_out.conversion, held_out.referrals_per_sender) == (5 / (2 * len(out)), 2)
    effect, more = found.holdout.effect, found.holdout.effect_per_sender
    assert effect is not None
    assert effect.estimate == len(inside) / (2 * len(inside) + 1) - 5 / (2 * len(out))
    assert 0 < effect.low < effect.estimate < effect.high
    assert more is not None
    assert more.low < more.estimate == (2 * len(inside) + 1) / len(inside) - 2 < more.high
    pending = f"{len(inside) + 1} referrals of the campaign and {2 * len(out) - 5} of senders held out are undecided"
    assert found.cautions == (f"{pending}: conversions are those up to now",)
    for query in (rk.ReferralReport("double"), rk.ReferralReport("double", campaign="double")):
        assert (kit.ask(query).holdout, kit.ask(query).cautions) == (None, ())
    always = kit.ask(rk.ReferralReport(campaign="always"))
    assert (always.holdout, always.status, found.status) == (None, "live", "live")


def test_a_comparison_of_senders_says_what_may_mislead(kit: rk.RewardKit) -> None:
    invited(kit)
    for one in kit.ask(rk.Referrals(limit=200)).items[:3]:
        kit.run(rk.VoidReferral(one.id, reason="test"))

    def cautions() -> list[str]:
        return [caution.partition(":")[0] for caution in kit.ask(rk.ReferralReport(campaign="double")).cautions]

    assert sum("were voided, and count as opened and not completed" in one for one in cautions()) == 1
    condition = "recipients of senders held out had another condition to fulfil, or another time for it"
    assert condition not in cautions()
    kit.run(rk.DefineReferralProgram("normal", "five", "five", "B"))
    out = next(one.sender for one in kit.ask(rk.Referrals(limit=200)).items if one.held_out)
    kit.run(rk.EnterReferralCode(kit.run(rk.GiveReferralCode(out)).code, "a friend on other terms"))
    assert condition in cautions()
    assert not any("caps" in one or "share" in one for one in cautions())
    kit.run(rk.DefineCampaign("double", program="double", holdout="40%", cap=1_000))
    assert [one.partition(",")[0] for one in cautions()[-2:]] == [
        "the campaign has caps",
        "the share that is held out was changed while the campaign was live",
    ]


def test_a_report_of_something_else_is_refused_with_the_one_to_ask_for(kit: rk.RewardKit) -> None:
    campaign(kit)
    kit.run(rk.DefineReferralProgram("friends", "five", "five", "A"))
    kit.run(rk.DefineCampaign("always", program="friends"))
    for query, code, said in (
        (rk.CampaignReport("sprong"), "campaign_unknown", "did you mean `spring`"),
        (rk.CampaignReport("always"), "campaign_of_other_kind", "ReferralReport"),
        (rk.ReferralReport(campaign="spring"), "campaign_of_other_kind", "CampaignReport"),
        (rk.ReferralReport("freinds"), "referral_program_unknown", "did you mean `friends`"),
        (rk.ReferralReport(campaign="alwys"), "campaign_unknown", "did you mean `always`"),
        (rk.CampaignReport("alwys"), "campaign_unknown", "did you mean `always`"),
        (rk.ReferralReport(campaign="sprong"), "campaign_unknown", "did you mean `spring`"),
        (rk.CampaignReport("friends"), "campaign_unknown", "`friends` is a referral program and no campaign"),
        (rk.ReferralReport(campaign="offer"), "campaign_unknown", "`offer` is an offer and no campaign"),
        (rk.ReferralReport("always"), "referral_program_unknown", "`always` is a campaign .*: pass it as `campaign`"),
        (rk.Preview("ann", "friends"), "campaign_unknown", "`friends` is a referral program and no campaign"),
    ):
        with pytest.raises(rk.Refused, match=said) as refused:
            kit.ask(query)
        assert refused.value.code == code
    for wrong in (rk.ReferralReport(), rk.ReferralReport("friends", top=0), rk.ReferralReport("friends", top=101)):
        with pytest.raises(rk.ValidationError):
            kit.ask(wrong)


def test_what_a_report_asks_and_keeps_does_not_grow_with_the_users(
    kit: rk.RewardKit, caplog: pytest.LogCaptureFixture
) -> None:
    """By rows written past the rules, or a million users would take hours."""
    campaign(kit)
    kit.run(rk.DefineReferralProgram("friends", "five", "five", "A"))
    asked, kept = [], []
    begin = 0
    for users in (100, 1_000 * SCALE):
        for first in range(begin, users, 10_000):
            _write(kit, first, min(users, first + 10_000))
        begin = users
        caplog.clear()
        tracemalloc.start()
        with caplog.at_level(logging.DEBUG, logger="rewardkit.sql"):
            figures = kit.ask(rk.CampaignReport("spring"))
            referred = kit.ask(rk.ReferralReport("friends"))
        kept.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        asked.append([record.getMessage() for record in caplog.records])
        assert (figures.total.earned, figures.total.grants.ready, referred.opened) == (users, users, users)
        assert (len(referred.top), len(referred.depths)) == (10, 1)
    assert asked[0] == asked[1]
    assert len(asked[0]) <= 20
    if asked[0]:
        assert kept[1] < 2 * kept[0] + 200_000


def _write(kit: rk.RewardKit, first: int, end: int) -> None:
    numbers = range(first, end)
    offers = tuple(
        UserOfferRow(f"uo{n}", f"u{n}", "spring", 2, "offer", 1, 1, "earned", n, 0, "", None, n + 5 + n % 97, "", "")
        for n in numbers
    )
    grants = tuple(
        GrantRow(f"gr{n}", f"u{n}", f"uo{n}", "spring", "offer", 1, "five", 1, "ready", n, "", 0, 0, None, "", "")
        for n in numbers
    )
    referrals = tuple(referral(f"r{n}", f"u{n}", sender=f"s{n % 50}") for n in numbers)
    with kit._store.transaction("default") as transaction:
        transaction.write((Insert(offers), Insert(grants), Insert(referrals)))
