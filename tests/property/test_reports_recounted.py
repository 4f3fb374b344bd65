"""Reports are what a slow recount of the listed rows comes to, on every store, after any commands."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import pytest

import rewardkit as rk
from rewardkit.core.requests.commands import Command
from rewardkit.core.tracking.figures import GrantFigures, Lengths, VariantFigures
from rewardkit.core.tracking.interval import difference
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.random_commands import RandomCommands

SCALE = int(os.environ.get("REWARDKIT_SCALE", "1"))
FIRST = int(os.environ.get("REWARDKIT_SEED", "0"))
SEEDS = range(FIRST, FIRST + 6 * SCALE)
STEPS = 120
USERS = ("amanda", "bea", "carl", "dora", "eve", "fay", "gina")

R = TypeVar("R")


@pytest.fixture
def kits(tmp_path: Path, postgres_dsn: str) -> Iterator[list[rk.RewardKit]]:
    clock = FakeClock()
    opened = [
        rk.RewardKit(store, clock=clock) for store in (":memory:", f"sqlite:///{tmp_path / 'rewards.db'}", postgres_dsn)
    ]
    for kit in opened:
        kit.migrate()
    yield opened
    for kit in opened:
        kit.close()


def listed(ask: Callable[[str | None], rk.Page[R]]) -> list[R]:
    page = ask(None)
    found = list(page.items)
    while page.after is not None:
        page = ask(page.after)
        found += page.items
    return found


def quantiles(lengths: Sequence[timedelta]) -> Lengths | None:
    """The nearest rank: the least one that at least so many hundredths are not above."""
    if not lengths:
        return None

    def at(percent: int) -> timedelta:
        return min(
            one for one in lengths if Fraction(sum(other <= one for other in lengths), len(lengths)) * 100 >= percent
        )

    return Lengths(len(lengths), min(lengths), at(25), at(50), at(75), at(90), max(lengths))


def grants_of(grants: Sequence[rk.Grant]) -> tuple[Counter[str], dict[str, tuple[Decimal, Decimal, Decimal]], int]:
    statuses = Counter(grant.status for grant in grants)
    costs: defaultdict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    unpriced = 0
    for grant in grants:
        if grant.amount is None or grant.due is None:
            unpriced += grant.status not in ("denied", "reversed")
            continue
        sums = costs[str(grant.reward.properties.get("currency", ""))]
        sums[0] += grant.due if grant.status in ("held", "ready", "undeliverable") else 0
        sums[1] += grant.due if grant.status == "fulfilled" else 0
        sums[2] += grant.reversed
    return statuses, {name: (sums[0], sums[1], sums[2]) for name, sums in costs.items()}, unpriced


def assert_grants(figures: GrantFigures, grants: Sequence[rk.Grant]) -> None:
    statuses, costs, unpriced = grants_of(grants)
    for status in ("held", "ready", "fulfilled", "denied", "reversed", "undeliverable"):
        assert getattr(figures, status) == statuses[status], status
    assert {one.currency: (one.promised, one.paid, one.taken_back) for one in figures.costs} == costs
    assert figures.unpriced == unpriced


def assert_variant(figures: VariantFigures, offers: Sequence[rk.UserOffer], grants: Sequence[rk.Grant]) -> None:
    statuses = Counter(offer.status for offer in offers)
    # The list judges by the clock what the report calls overdue.
    assert figures.active + figures.overdue + figures.expired == statuses["active"] + statuses["expired"]
    for status in ("earned", "cancelled", "capped"):
        assert getattr(figures, status) == statuses[status], status
    assert figures.offered == statuses.total() - sum(
        statuses[status] for status in ("capped", "held_out", "converted", "lapsed")
    )
    offered = {offer.user for offer in offers if offer.status in ("active", "earned", "expired", "cancelled")}
    earned = {offer.user for offer in offers if offer.status == "earned"}
    held_out = {offer.user for offer in offers if offer.status in ("held_out", "converted", "lapsed")}
    converted = {offer.user for offer in offers if offer.status == "converted"}
    assert (figures.users, figures.users_earned) == (len(offered), len(earned))
    assert (figures.holdout.users, figures.holdout.converted) == (len(held_out), len(converted))
    assert figures.holdout.undecided == statuses["held_out"]
    assert figures.conversion == (len(earned) / len(offered) if offered else None)
    assert figures.effect == difference(len(earned), len(offered), len(converted), len(held_out))
    taken = [offer.ended_at - offer.made_at for offer in offers if offer.status == "earned" and offer.ended_at]
    assert figures.time_to_earn == quantiles(taken)
    assert_grants(figures.grants, grants)


def assert_recounted(kit: rk.RewardKit, campaign: str) -> rk.CampaignFigures:
    figures = kit.ask(rk.CampaignReport(campaign))
    offers = listed(lambda after: kit.ask(rk.UserOffers(campaign=campaign, after=after, limit=7)))
    grants = [one for one in listed(lambda after: kit.ask(rk.Grants(after=after, limit=7))) if one.campaign == campaign]
    variant_of = {offer.id: offer.variant for offer in offers}
    assert_variant(figures.total, offers, grants)
    for one in figures.variants:
        assert_variant(
            one,
            [offer for offer in offers if offer.variant == one.variant],
            [grant for grant in grants if variant_of[grant.user_offer] == one.variant],
        )
    if figures.variants:
        assert {offer.variant for offer in offers} <= {one.variant for one in figures.variants}
    return figures


@pytest.mark.parametrize("seed", SEEDS)
def test_a_campaign_s_report_is_a_recount_of_what_is_listed(seed: int, kits: list[rk.RewardKit]) -> None:
    clock = kits[0]._clock
    assert isinstance(clock, FakeClock)
    draw = RandomCommands(seed, clock())
    for kind, body in [*draw.opening(), *(("next", None) for _ in range(STEPS))]:
        kind, body = draw.step() if kind == "next" else (kind, body)  # noqa: PLW2901 - a step is drawn when its turn comes
        if kind == "wait":
            clock.set(clock() + body)
        commands: tuple[Command[Any], ...] = body if kind == "all" else (body,) if kind == "run" else ()
        for command in commands:
            for kit in kits:
                try:
                    kit.attempt(command)
                except rk.RewardKitError:
                    continue
        draw.user_offers = [offer.id for offer in kits[0].ask(rk.UserOffers(limit=1_000)).items]
        draw.grants = [grant.id for grant in kits[0].ask(rk.Grants(limit=1_000)).items]
    for campaign in [use.name for use in kits[0].ask(rk.Campaigns())]:
        found = [assert_recounted(kit, campaign) for kit in kits]
        assert found[0] == found[1] == found[2]


def refer(draw: RandomCommands, kits: list[rk.RewardKit], clock: FakeClock) -> None:
    """One random step of a shop where users refer each other."""
    chance = draw.chance
    program = chance.choice(("friends", "firms"))
    command: Command[Any]
    match chance.randrange(10):
        case 0 | 1 | 2 | 3:
            command = rk.MakeReferral(program, *chance.sample(USERS, 2))
        case 4 | 5 | 6:
            command = rk.Emit((rk.Event(chance.choice("AAB"), clock(), f"e{chance.random()}", chance.choice(USERS)),))
        case 7:
            clock.set(clock() + chance.randint(1, 4) * 1_000_000)
            command = rk.RunDue()
        case 8:
            known = kits[0].ask(rk.Referrals(status="open")).items
            command = rk.VoidReferral(chance.choice(known).id, reason="test") if known else rk.RunDue()
        case _:
            grants = kits[0].ask(rk.Grants(status="ready")).items
            command = rk.FulfilGrant(chance.choice(grants).id) if grants else rk.RunDue()
    answers = [kit.attempt(command) for kit in kits]
    assert str(answers[0]) == str(answers[1]) == str(answers[2])


def recounted_depths(referrals: Sequence[rk.Referral]) -> dict[int, int]:
    """By walking up from every referral; one that comes round to itself has no depth."""
    sender = {one.recipient: one.sender for one in referrals}
    depths: Counter[int] = Counter()
    for one in referrals:
        seen, user = {one.recipient}, one.sender
        while user in sender and user not in seen:
            seen.add(user)
            user = sender[user]
        if user not in sender:
            depths[len(seen)] += 1
    return depths


@pytest.mark.parametrize("seed", SEEDS)
def test_a_referral_report_is_a_recount_of_what_is_listed(seed: int, kits: list[rk.RewardKit]) -> None:
    clock = kits[0]._clock
    assert isinstance(clock, FakeClock)
    draw = RandomCommands(seed, clock())
    for kit in kits:
        kit.run(rk.DefineReward("five", {"amount": "5.00", "currency": "USD"}))
        kit.run(rk.DefineReward("ten", {"amount": 1_000, "currency": "points"}))
        kit.run(rk.DefineReferralProgram("friends", "ten", "five", "A", expires_after="6s", sender_cap=2))
        kit.run(rk.DefineReferralProgram("firms", "five", "five", "A*2 & B"))
    for _ in range(STEPS):
        refer(draw, kits, clock)
    for program in ("friends", "firms"):
        found = [assert_referrals_recounted(kit, program) for kit in kits]
        assert found[0] == found[1] == found[2]


def assert_referrals_recounted(kit: rk.RewardKit, program: str) -> rk.ReferralFigures:
    figures = kit.ask(rk.ReferralReport(program, top=3))
    referrals = listed(lambda after: kit.ask(rk.Referrals(program=program, after=after, limit=7)))
    statuses = Counter(one.status for one in referrals)
    assert figures.opened == len(referrals)
    assert figures.open + figures.overdue + figures.expired == statuses["open"] + statuses["expired"]
    assert (figures.completed, figures.voided) == (statuses["completed"], statuses["voided"])
    assert figures.capped == sum(one.sender_reward == "capped" for one in referrals)
    assert figures.conversion == (statuses["completed"] / len(referrals) if referrals else None)
    taken = [one.ended_at - one.made_at for one in referrals if one.status == "completed" and one.ended_at]
    assert figures.time_to_complete == quantiles(taken)
    opened = Counter(one.sender for one in referrals)
    completed = Counter(one.sender for one in referrals if one.status == "completed")
    granted = Counter(one.sender for one in referrals if one.sender_reward == "granted")
    ranked = sorted(opened, key=lambda sender: (-completed[sender], -opened[sender], sender))
    assert figures.senders == len(opened)
    assert [(one.sender, one.opened, one.completed, one.granted) for one in figures.top] == [
        (sender, opened[sender], completed[sender], granted[sender]) for sender in ranked[:3]
    ]
    depths = recounted_depths(referrals)
    assert {one.depth: one.opened for one in figures.depths} == depths
    assert figures.elsewhere == len(referrals) - sum(depths.values())
    chain = figures.longest
    assert len(chain) == (max(depths) + 1 if depths else 0)
    pairs = {(one.sender, one.recipient) for one in referrals}
    assert all(pair in pairs for pair in pairwise(chain))
    grants = [one for one in listed(lambda after: kit.ask(rk.Grants(after=after))) if one.program == program]
    assert_grants(figures.sender_side, [one for one in grants if one.side == "sender"])
    assert_grants(figures.recipient_side, [one for one in grants if one.side == "recipient"])
    return figures


def invite(draw: RandomCommands, kits: list[rk.RewardKit], clock: FakeClock, codes: dict[str, list[str]]) -> None:
    """One random step of a shop whose senders offer what campaigns choose, some being held out."""
    chance = draw.chance
    match chance.randrange(12):
        case 0 | 1 | 2 | 3 | 4:
            sender = f"sender {int(chance.random() ** 2 * 25)}"
            if sender not in codes:
                codes[sender] = [kit.run(rk.GiveReferralCode(sender)).code for kit in kits]
            recipient = f"recipient {chance.randrange(10_000)}"
            commands: list[Command[Any]] = [rk.EnterReferralCode(code, recipient) for code in codes[sender]]
        case 5 | 6 | 7:
            known = kits[0].ask(rk.Referrals(status="open")).items
            user = chance.choice(known).recipient if known else "nobody"
            commands = [rk.Emit((rk.Event("A", clock(), f"e{chance.random()}", user),))] * len(kits)
        case 8:
            known = kits[0].ask(rk.Referrals(status="open")).items
            command = rk.VoidReferral(chance.choice(known).id, reason="test") if known else rk.RunDue()
            commands = [command] * len(kits)
        case 9:
            change = chance.choice((rk.PauseCampaign, rk.ResumeCampaign))
            commands = [change(chance.choice(("double", "triple")))] * len(kits)
        case _:
            clock.set(clock() + chance.randint(1, 4) * 1_000_000)
            commands = [rk.RunDue()] * len(kits)
    answers = [kit.attempt(command) for kit, command in zip(kits, commands, strict=True)]
    assert str(answers[0]) == str(answers[1]) == str(answers[2])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_comparison_of_senders_is_a_recount_of_what_is_listed(seed: int, kits: list[rk.RewardKit]) -> None:
    clock = kits[0]._clock
    assert isinstance(clock, FakeClock)
    draw = RandomCommands(seed, clock())
    for kit in kits:
        kit.run(rk.DefineReward("five", {"amount": "5.00"}))
        kit.run(rk.DefineReferralProgram("one", "five", "five", "A", expires_after="20s"))
        kit.run(rk.DefineReferralProgram("two", "five", "five", "A"))
        kit.run(rk.DefineCampaign("always", program="one"))
        kit.run(rk.DefineCampaign("double", program="two", holdout="40%"))
        kit.run(rk.DefineCampaign("triple", program="one", holdout="30%", priority=1, cap=20))
        for name in ("always", "double", "triple"):
            kit.run(rk.LaunchCampaign(name))
    codes: dict[str, list[str]] = {}
    for _ in range(STEPS):
        invite(draw, kits, clock, codes)
    for campaign in ("double", "triple", "always"):
        found = [assert_comparison_recounted(kit, campaign) for kit in kits]
        assert found[0] == found[1] == found[2]
        assert (found[0].holdout is None) == (campaign == "always")


@pytest.mark.parametrize("seed", SEEDS)
def test_what_came_of_each_variant_of_a_referral_campaign_is_a_recount_of_what_is_listed(
    seed: int, kits: list[rk.RewardKit]
) -> None:
    clock = kits[0]._clock
    assert isinstance(clock, FakeClock)
    draw = RandomCommands(seed, clock())
    for kit in kits:
        kit.run(rk.DefineReward("five", {"amount": "5.00"}))
        kit.run(rk.DefineReward("ten", {"amount": "10.00"}))
        kit.run(rk.DefineReferralProgram("one", "five", "five", "A", expires_after="20s", sender_cap=2))
        kit.run(rk.DefineReferralProgram("two", "ten", "five", "A"))
        kit.run(rk.DefineCampaign("always", variants=of_both(1, 2)))
        kit.run(rk.DefineCampaign("double", program="two"))
        kit.run(rk.DefineCampaign("triple", variants=of_both(1, 1), priority=1, cap=20))
        for name in ("always", "double", "triple"):
            kit.run(rk.LaunchCampaign(name))
    codes: dict[str, list[str]] = {}
    for number in range(STEPS):
        if number == STEPS // 2:
            for kit in kits:
                kit.run(rk.DefineCampaign("double", variants=of_both(1, 1), holdout="20%"))
                kit.run(rk.DefineCampaign("triple", variants=of_both(0, 1), priority=1, cap=20))
        invite(draw, kits, clock, codes)
    for campaign in ("always", "double", "triple"):
        found = [assert_variants_recounted(kit, campaign) for kit in kits]
        assert found[0] == found[1] == found[2]


def of_both(first: int, second: int) -> tuple[rk.Variant, ...]:
    return rk.Variant("first", program="one", weight=first), rk.Variant("second", program="two", weight=second)


def assert_variants_recounted(kit: rk.RewardKit, campaign: str) -> rk.ReferralFigures:
    figures = kit.ask(rk.ReferralReport(campaign=campaign))
    everything = listed(lambda after: kit.ask(rk.Referrals(after=after, limit=7)))
    mine = [one for one in everything if one.campaign == campaign]
    names = [one.variant for one in figures.variants]
    assert names == ["first", "second"] or (campaign, names) == ("double", ["", "first", "second"])
    assert {one.variant for one in mine} <= set(names)
    assert figures.opened == sum(one.opened for one in figures.variants)
    grants = [one for one in listed(lambda after: kit.ask(rk.Grants(after=after))) if one.campaign == campaign]
    for one in figures.variants:
        referrals = [referral for referral in mine if referral.variant == one.variant]
        statuses = Counter(referral.status for referral in referrals)
        assert one.opened == len(referrals)
        assert one.open + one.overdue + one.expired == statuses["open"] + statuses["expired"]
        assert (one.completed, one.voided) == (statuses["completed"], statuses["voided"])
        assert one.capped == sum(referral.sender_reward == "capped" for referral in referrals)
        assert one.conversion == (statuses["completed"] / len(referrals) if referrals else None)
        taken = [one.ended_at - one.made_at for one in referrals if one.status == "completed" and one.ended_at]
        assert one.time_to_complete == quantiles(taken)
        counted = one.senders.senders, one.senders.opened, one.senders.completed
        assert counted == (len({referral.sender for referral in referrals}), len(referrals), statuses["completed"])
        assert (one.senders.low is None) == (not referrals)
        ids = {referral.id for referral in referrals}
        for side, told in (("sender", one.sender_side), ("recipient", one.recipient_side)):
            assert_grants(told, [grant for grant in grants if grant.referral in ids and grant.side == side])
    return figures


def assert_comparison_recounted(kit: rk.RewardKit, campaign: str) -> rk.ReferralFigures:
    figures = kit.ask(rk.ReferralReport(campaign=campaign))
    referrals = listed(lambda after: kit.ask(rk.Referrals(after=after, limit=7)))
    if figures.holdout is None:
        assert figures.cautions == ()
        assert {one.held_out for one in referrals}.isdisjoint({campaign})
        return figures
    groups = (
        (figures.holdout.offering, [one for one in referrals if one.campaign == campaign and not one.held_out]),
        (figures.holdout.held_out, [one for one in referrals if one.held_out == campaign]),
    )
    shares = []
    for group, of_group in groups:
        completed = sum(one.status == "completed" for one in of_group)
        senders = Counter(one.sender for one in of_group)
        assert (group.senders, group.opened, group.completed) == (len(senders), len(of_group), completed)
        share = Fraction(completed, len(of_group)) if of_group else None
        assert group.conversion == (None if share is None else float(share))
        assert group.referrals_per_sender == (len(of_group) / len(senders) if senders else None)
        if share is not None:
            assert group.low is not None
            assert group.high is not None
            assert 0 <= group.low <= share <= group.high <= 1
            shares.append(share)
    effect = figures.holdout.effect
    assert (effect is None) == (len(shares) < 2)
    if effect is not None:
        assert effect.low <= effect.estimate <= effect.high
        assert effect.estimate == pytest.approx(float(shares[0] - shares[1]))
    if not groups[1][1]:
        assert figures.cautions == ()
        return figures
    voided = [sum(one.status == "voided" for one in of_group) for _, of_group in groups]
    assert any(f"{voided[0]} referrals of the campaign and {voided[1]} of" in one for one in figures.cautions) == any(
        voided
    )
    return figures
