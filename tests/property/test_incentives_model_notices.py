"""Each of R1–R4, O1–O4 and E1–E3 is noticed when it is broken: rows are spoilt on purpose, one promise at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import attrs
import pytest

import rewardkit as rk
from rewardkit.core.requests.commands import Command
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.deed import Deed
from rewardkit.testing.incentive_kits import IncentiveKits
from rewardkit.testing.incentive_model import PROMISES
from rewardkit.testing.random_commands import LAUNCHES, LINTS

Spoil = Callable[[Snapshot], Snapshot]


DEFINITIONS: tuple[Command[Any], ...] = (
    rk.DefineReward("cash", {"amount": 3}),
    rk.DefineOffer("twice", "cash", "A*2"),
    rk.DefineCampaign("twice", "twice", cap=2),
    rk.LaunchCampaign("twice"),
    rk.DefineReferralProgram("friends", "cash", "cash", "A*2", sender_cap=1),
)


def defined() -> IncentiveKits:
    kits = IncentiveKits(MemoryStore(), "acme")
    for command in DEFINITIONS:
        kits.open(command)
    kits.begin()
    return kits


def begun() -> IncentiveKits:
    """Ann is about to earn an offer and to complete a referral of Bea's; Cid has done the first already."""
    kits = defined()
    steps: tuple[Command[Any], ...] = (
        rk.GiveReferralCode("bea"),
        rk.MakeOffer("twice", "cid"),
        rk.Emit((event("1", "cid"), event("2", "cid"))),
        rk.MakeOffer("twice", "ann"),
        rk.MakeReferral("friends", "bea", "ann"),
        rk.Emit((event("3", "ann"),)),
    )
    for step in steps:
        assert kits.do(step)[1] == []
    return kits


def event(event_id: str, user: str) -> rk.Event:
    return rk.Event("A", 1_767_225_600_000_000, event_id, user)


def noticed(command: Command[Any], spoil: Spoil) -> set[str]:
    """The letters of what is broken, where what is kept after a command is spoilt."""
    kits = begun()
    model = copy.deepcopy(kits.model)
    deed, found = kits.do(command)
    assert found == []
    assert deed.failed is False
    spoilt = spoil(deed.after)
    assert spoilt != deed.after
    return {line[:2] for line in model.violations(Deed(deed.command, deed.answer, deed.at, deed.before, spoilt))}


EARN = rk.Emit((event("4", "ann"),))
AGAIN = rk.Emit((event("3", "ann"),))
HALF = rk.Emit((event("5", "dan"),))


def referred_twice(found: Snapshot) -> Snapshot:
    (row,) = found.referrals
    return attrs.evolve(found, referrals=(row, row._replace(id="rf_another", sender="dan")))


def referred_herself(found: Snapshot) -> Snapshot:
    (row,) = found.referrals
    return attrs.evolve(found, referrals=(row._replace(sender=row.recipient),))


def one_side(found: Snapshot) -> Snapshot:
    return attrs.evolve(found, grants=tuple(row for row in found.grants if row.side != "recipient"))


def over_the_cap(found: Snapshot) -> Snapshot:
    counters = tuple(row._replace(cap=0) if row.name.startswith("referral/") else row for row in found.counters)
    return attrs.evolve(found, counters=counters)


def not_paid_under_the_cap(found: Snapshot) -> Snapshot:
    (row,) = found.referrals
    grants = tuple(one for one in found.grants if one.side != "sender")
    return attrs.evolve(found, referrals=(row._replace(sender_reward="capped"),), grants=grants)


def shared_code(found: Snapshot) -> Snapshot:
    (row,) = found.referral_codes
    return attrs.evolve(found, referral_codes=(row, row._replace(user="dan")))


def another_code(found: Snapshot) -> Snapshot:
    return attrs.evolve(found, referral_codes=())


def no_grant(found: Snapshot) -> Snapshot:
    return attrs.evolve(found, grants=tuple(row for row in found.grants if row.referral))


def two_grants(found: Snapshot) -> Snapshot:
    mine = next(row for row in found.grants if row.user_offer)
    return attrs.evolve(found, grants=(*found.grants, mine._replace(id="gr_another")))


def lost_reward(found: Snapshot) -> Snapshot:
    """As if nothing had been decided: consistent in itself."""
    return attrs.evolve(found, user_offers=tuple(map(_open_again, found.user_offers)))


def _open_again(row: Any) -> Any:
    return row._replace(status="active", ended_at=None, reason="") if row.user == "ann" else row


def phantom_reward(found: Snapshot) -> Snapshot:
    rows = (
        row._replace(status="earned", ended_at=row.made_at) if row.user == "ann" else row for row in found.user_offers
    )
    return attrs.evolve(found, user_offers=tuple(rows))


def reversed_by_nobody(found: Snapshot) -> Snapshot:
    grants = (row._replace(status="reversed", reversed="3") if row.user == "cid" else row for row in found.grants)
    return attrs.evolve(found, grants=tuple(grants))


def vanished(found: Snapshot) -> Snapshot:
    return attrs.evolve(found, grants=tuple(row for row in found.grants if row.user != "cid"))


def decided_anew(found: Snapshot) -> Snapshot:
    rows = (row._replace(status="expired") if row.user == "cid" else row for row in found.user_offers)
    return attrs.evolve(found, user_offers=tuple(rows))


def stored_twice(found: Snapshot) -> Snapshot:
    return attrs.evolve(found, events=(*found.events, found.events[0]))


def counted_again(found: Snapshot) -> Snapshot:
    members = tuple(row._replace(at=row.at + 1) if row.user == "ann" else row for row in found.members)
    return attrs.evolve(found, members=members)


def lost_event(found: Snapshot) -> Snapshot:
    return attrs.evolve(found, events=tuple(row for row in found.events if row.id != "5"))


def event_from_nowhere(found: Snapshot) -> Snapshot:
    return attrs.evolve(found, events=(*found.events, found.events[0]._replace(id="9")))


def not_counted(found: Snapshot) -> Snapshot:
    """Open conditions that have passed over an event that is stored: they are as if it were one that nobody hears."""
    kits = defined()
    kits.do(rk.MakeOffer("twice", "ann"))
    kits.do(rk.MakeReferral("friends", "bea", "ann"))
    (unheard,) = (row.state for row in kits.snapshot.members if row.user == "ann")
    members = tuple(row._replace(state=unheard) if row.user == "ann" else row for row in found.members)
    return attrs.evolve(found, members=members)


BROKEN: tuple[tuple[str, Command[Any], Spoil], ...] = (
    ("R1", HALF, referred_twice),
    ("R1", HALF, referred_herself),
    ("R2", EARN, one_side),
    ("R3", EARN, over_the_cap),
    ("R3", EARN, not_paid_under_the_cap),
    ("R4", HALF, shared_code),
    ("R4", HALF, another_code),
    ("O1", EARN, no_grant),
    ("O1", EARN, two_grants),
    ("O2", EARN, lost_reward),
    ("O2", HALF, phantom_reward),
    ("O4", HALF, reversed_by_nobody),
    ("O4", HALF, vanished),
    ("O4", HALF, decided_anew),
    ("E1", HALF, stored_twice),
    ("E1", AGAIN, counted_again),
    ("E2", HALF, lost_event),
    ("E2", HALF, event_from_nowhere),
    ("E2", HALF, not_counted),
)


@pytest.mark.parametrize("letter, command, spoil", BROKEN, ids=[f"{one[0]} {one[2].__name__}" for one in BROKEN])
def test_a_broken_promise_is_noticed(letter: str, command: Command[Any], spoil: Spoil) -> None:
    assert letter in noticed(command, spoil)


# --- what referral campaigns hold out, and their caps --------------------------------------------------

HOLDING_OUT = rk.DefineCampaign("few", program="friends", holdout="60%", cap=1, caps_per={"day": 1})
CHOSEN, HELD_OUT = "bea", "ann"
"""By the digests of campaign and sender."""


def entered(sender: str, *before: str, few: rk.DefineCampaign = HOLDING_OUT) -> tuple[IncentiveKits, Deed]:
    """Dan enters a sender's code, after others have entered Bea's."""
    kits = defined()
    definitions = rk.DefineCampaign("always", program="friends"), few
    for command in (*definitions, rk.LaunchCampaign("always"), rk.LaunchCampaign("few", acknowledge=LAUNCHES)):
        kits.open(command)
    kits.begin()
    codes = {user: kits.do(rk.GiveReferralCode(user))[0].answer.code for user in (CHOSEN, HELD_OUT)}
    for recipient in before:
        assert kits.do(rk.EnterReferralCode(codes[CHOSEN], recipient))[1] == []
    model = copy.deepcopy(kits.model)
    deed, found = kits.do(rk.EnterReferralCode(codes[sender], "dan"))
    assert found == []
    kits.model = model
    return kits, deed


def letters(kits: IncentiveKits, deed: Deed, **terms: Any) -> set[str]:
    """Of what is broken, where the last answer and its row are said to have had other terms."""
    answer = attrs.evolve(deed.answer, **terms)
    rows = (row._replace(**terms) if row.id == answer.id else row for row in deed.after.referrals)
    spoilt = attrs.evolve(deed.after, referrals=tuple(rows))
    return {line[:2] for line in kits.model.violations(Deed(deed.command, answer, deed.at, deed.before, spoilt))}


def test_a_sender_who_offers_what_she_is_held_out_of_is_noticed() -> None:
    kits, deed = entered(HELD_OUT)
    assert ("always", "few") == (deed.answer.campaign, deed.answer.held_out)
    assert {"R1"} < letters(kits, deed, campaign="few", held_out="")


def test_a_holdout_that_is_not_recorded_is_noticed() -> None:
    kits, deed = entered(HELD_OUT)
    assert {"R1"} == letters(kits, deed, held_out="")


def test_a_sender_who_is_held_out_without_being_drawn_for_it_is_noticed() -> None:
    kits, deed = entered(CHOSEN)
    assert ("few", "") == (deed.answer.campaign, deed.answer.held_out)
    assert "R1" in letters(kits, deed, campaign="always", held_out="few")


def test_an_entry_into_a_full_campaign_is_noticed() -> None:
    kits, deed = entered(CHOSEN, "eve")
    assert "always" == deed.answer.campaign
    assert {"R1", "R3"} <= letters(kits, deed, campaign="few")


@pytest.mark.parametrize("place", ["ever", "day 2026-01-01"])
def test_a_place_that_is_not_counted_is_noticed(place: str) -> None:
    kits, deed = entered(CHOSEN)
    name = f"at-entry/{place}/few"
    counters = (row._replace(reserved=0) if row.name == name else row for row in deed.after.counters)
    spoilt = deed._replace(after=attrs.evolve(deed.after, counters=tuple(counters)))
    assert any(line.startswith(f"R3: `{name}` keeps (0, 0)") for line in kits.model.violations(spoilt))


# --- the money of referral campaigns -------------------------------------------------------------------

STOPPING = rk.DefineCampaign("few", program="friends", budget=7)
"""For one referral, at 3 for each side."""
QUEUEING = rk.DefineCampaign("few", program="friends", budget=4, at_exhaustion="queue")
"""For one of its sides."""


def completed(few: rk.DefineCampaign) -> tuple[IncentiveKits, Deed]:
    """Dan completes the referral that he has entered."""
    kits, deed = entered(CHOSEN, few=few)
    assert ("few", []) == (deed.answer.campaign, list(kits.model.violations(deed)))
    model = copy.deepcopy(kits.model)
    deed, found = kits.do(rk.Emit((event("1", "dan"), event("2", "dan"))))
    assert (2, []) == (len(deed.answer.earned), found)
    kits.model = model
    return kits, deed


def test_an_entry_that_no_money_is_left_for_is_noticed() -> None:
    kits, deed = entered(CHOSEN, "eve", few=STOPPING)
    assert "always" == deed.answer.campaign
    assert {"R1", "C7"} <= letters(kits, deed, campaign="few")


def test_a_sender_who_is_kept_from_money_that_is_left_is_noticed() -> None:
    kits, deed = entered(CHOSEN, few=STOPPING)
    assert "few" == deed.answer.campaign
    assert {"R1", "C7"} <= letters(kits, deed, campaign="always")


@pytest.mark.parametrize(
    "few, name, told", [(STOPPING, "at-entry/budget/few", "(0, 60000)"), (QUEUEING, "budget/few", "(0, 30000)")]
)
def test_money_that_stays_reserved_is_noticed(few: rk.DefineCampaign, name: str, told: str) -> None:
    kits, deed = completed(few)
    counters = (
        row._replace(reserved=row.confirmed, confirmed=0) if row.name == name else row for row in deed.after.counters
    )
    spoilt = deed._replace(after=attrs.evolve(deed.after, counters=tuple(counters)))
    lines = [line for line in kits.model.violations(spoilt) if line.startswith(f"C7: `{name}` keeps")]
    assert [told] == [line[-len(told) :] for line in lines]


def test_a_queue_that_pays_the_sender_before_the_recipient_is_noticed() -> None:
    kits, deed = completed(QUEUEING)
    waiting = {row.id: row.held_for for row in deed.after.grants}
    assert {"sender": "budget", "recipient": ""} == {row.side: row.held_for for row in deed.after.grants}
    other = dict(zip(waiting, reversed(waiting), strict=True))
    steps = tuple(step._replace(grant=other[step.grant]) for step in deed.after.grant_steps)
    spoilt = deed._replace(after=attrs.evolve(deed.after, grant_steps=steps))
    assert 2 == sum("in the budget of `few` for" in line for line in kits.model.violations(spoilt))


# --- which variant of a referral campaign --------------------------------------------------------------


def two(weight: int, other: int) -> rk.DefineCampaign:
    """A fallback of two variants."""
    programs = ("some", weight, "friends"), ("others", other, "strangers")
    variants = (rk.Variant(name, program=program, weight=share) for name, share, program in programs)
    return rk.DefineCampaign("always", variants=tuple(variants))


def drawn(*later: rk.DefineCampaign) -> tuple[IncentiveKits, Deed]:
    """Bea has referred Cid on the only variant that took anybody, and refers Dan on what was defined later."""
    kits = defined()
    kits.open(rk.DefineReferralProgram("strangers", "cash", "cash", "A"))
    kits.open(two(1, 0))
    kits.open(rk.LaunchCampaign("always"))
    kits.begin()
    code = kits.do(rk.GiveReferralCode("bea"))[0].answer.code
    commands = (rk.EnterReferralCode(code, "cid"), *later)
    assert [[] for _ in commands] == [kits.do(command)[1] for command in commands]
    model = copy.deepcopy(kits.model)
    deed, found = kits.do(rk.EnterReferralCode(code, "dan"))
    assert found == []
    kits.model = model
    return kits, deed


def test_a_sender_who_is_drawn_anew_though_her_variant_is_there_is_noticed() -> None:
    kits, deed = drawn(two(0, 1))
    assert ("some", "friends") == (deed.answer.variant, deed.answer.program)
    assert "R1" in letters(kits, deed, variant="others", program="strangers")


def test_a_variant_that_is_gone_and_yet_offered_is_noticed() -> None:
    kits, deed = drawn(attrs.evolve(two(1, 1), variants=two(1, 1).variants[1:]))
    assert ("others", "strangers") == (deed.answer.variant, deed.answer.program)
    assert "R1" in letters(kits, deed, variant="some", program="friends")


def test_a_variant_that_nobody_was_drawn_for_is_noticed() -> None:
    kits, deed = drawn()
    assert "R1" in letters(kits, deed, variant="others")


@pytest.mark.parametrize("letter, store", [("O3", "_reordered"), ("E3", "_shared")])
def test_who_comes_to_something_else_is_noticed(letter: str, store: str) -> None:
    kits = begun()
    there = kits._kit(getattr(kits, store))
    there.emit("A", user="ann", id="4")
    _, found = kits.do(HALF)
    assert {letter} == {line[:2] for line in found}


def test_a_sender_of_whom_nothing_was_heard_enters_by_her_first_event_and_not_by_time() -> None:
    kits = defined()
    gift = rk.DefineCampaign("gift", "twice", entry="!C", user_cap=1, acknowledge=LINTS)
    for command in (gift, rk.LaunchCampaign("gift", acknowledge=LAUNCHES)):
        kits.open(command)
    kits.begin()
    entered_by: list[tuple[str, ...]] = []
    steps = rk.MakeReferral("friends", "bea", "ann"), rk.RunDue(100), rk.Emit((event("1", "bea"),))
    for step in steps:
        deed, found = kits.do(step)
        assert ([], False) == (found, deed.failed)
        entered_by.append(tuple(row.user for row in deed.after.user_offers if row.campaign == "gift"))
    assert [("ann",), ("ann",), ("ann", "bea")] == [tuple(sorted(users)) for users in entered_by]


def test_every_promise_is_broken_once() -> None:
    assert PROMISES.keys() == {letter for letter, _, _ in BROKEN} | {"O3", "E3"}
