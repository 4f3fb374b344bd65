"""A small world in which every command has something to do, and commands are in each other's way.

Users: `ann` and `cid` have active offers, `bob` has earned, `dan` is unknown,
`eve` waits for an absence, and the notice of her offer is dead; endpoint `left` is gone.
`sue` refers `ann` and `cid`, and can earn one reward by it; `tom` has a code.
Campaign `buyers` was launched after everybody's events, so all rows are stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rewardkit.core.deciding.context import Context
from rewardkit.core.grants.failing import FailGrant
from rewardkit.core.grants.reversing import ReverseGrant
from rewardkit.core.notices.dead_letters import ReplayDeadLetters, RetryNotice
from rewardkit.core.notices.endpoints import EnableEndpoint
from rewardkit.core.notices.outbox import Attempt, LeaseOutbox, MarkOutbox
from rewardkit.core.notices.outcomes import Delivered, EndpointGone, Outcome, RetryLater
from rewardkit.core.pools.check_character import check_character
from rewardkit.core.referrals import commands as referrals
from rewardkit.core.referrals.codes import ALPHABET
from rewardkit.core.requests import commands
from rewardkit.core.requests.commands import Command
from rewardkit.core.storing.referral_needs import TakeReferralCode
from rewardkit.core.values.identity import derive
from rewardkit.kit import RewardKit
from rewardkit.language.event import Event
from rewardkit.ports import Store

HOUR = 3_600_000_000
BEGAN_AT = 1_700_000_000_000_000
_DAWN = BEGAN_AT - 30 * 24 * HOUR
NOW = BEGAN_AT + HOUR
LATER = BEGAN_AT + 48 * HOUR
"""When the offers of campaign `capped` have expired."""

USERS = ("ann", "bob", "cid", "dan", "eve", "sue", "tom")
CODE = "7F4K2N9B1" + check_character("7F4K2N9B1", ALPHABET)
"""Of `tom`."""

CAP = 4
"""Of campaign `capped`: one place is left, and many want it."""


class ForeseenKit(RewardKit):
    """A kit to which chance always gives the same."""

    def _context(self, at: int, key: str | None) -> Context:
        return attrs.evolve(super()._context(at, key), chance=b"the same every time")


def kit_at(store: Store, tenant: str, at: int = NOW) -> RewardKit:
    """A kit whose clock stands still, and whose every run comes to the same."""
    return ForeseenKit(store, clock=lambda: at, tenant=tenant)


def event(name: str, user: str, id: str, at: int = NOW) -> Event:
    """An event without properties."""
    return Event(name, at, id, user)


def user_offer_of(tenant: str, campaign: str, user: str, entry: int = 1) -> str:
    """The id that a user offer has, made or not."""
    return derive("uo", tenant, campaign, user, entry)


def grant_of(tenant: str, campaign: str, user: str, entry: int = 1) -> str:
    """The id that a grant has, earned or not."""
    return derive("gr", tenant, campaign, user, entry)


def referral_of(tenant: str, program: str, recipient: str) -> str:
    """The id that a referral has that no campaign chose, made or not."""
    return derive("rf", tenant, program, recipient)


def build(store: Store, tenant: str) -> None:
    """Make the world in an empty tenant."""
    kit = kit_at(store, tenant, _DAWN)
    for command in _definitions():
        kit.run(command)
    kit.run(commands.MakeOffer("stayers", "eve"))
    _give_up(store, tenant)
    kit = kit_at(store, tenant, BEGAN_AT)
    kit.emit_many(event("Signed", user, "signed", BEGAN_AT) for user in ("ann", "bob", "cid"))
    kit.emit_many([event("Activated", "bob", "activated", BEGAN_AT + 1), event("Bought", "eve", "bought", BEGAN_AT)])
    kit.run(commands.LaunchCampaign("buyers"))
    kit.run(referrals.MakeReferral("friends", "sue", "ann"))
    kit.run(referrals.MakeReferral("friends", "sue", "cid"))
    with store.transaction(tenant) as transaction:
        transaction.ask(TakeReferralCode("tom", CODE, BEGAN_AT))


def _give_up(store: Store, tenant: str) -> None:
    """Let the only notice be dead: every attempt of its schedule fails."""
    at = _DAWN
    while leased := kit_at(store, tenant, at).run(LeaseOutbox(1, 1)).rows:
        outcomes: dict[str, Outcome] = {"shop": RetryLater("nobody was there"), "left": EndpointGone("410")}
        told = tuple(Attempt(row.id, row.lease, outcomes) for row in leased)
        kit_at(store, tenant, at).run(MarkOutbox(told))
        at += 25 * HOUR


def _definitions() -> tuple[Command[Any], ...]:
    return (
        commands.DefineReward("gift", {"amount": "5.00"}),
        commands.DefineOffer("activate", "gift", "Activated", expires_after="1d"),
        commands.DefineOffer("twice", "gift", "Bought*2", hold="1d", reversal_frees=True),
        commands.DefineOffer("stay", "gift", "Bought then no Refunded within 1d"),
        commands.DefineCampaign("capped", "activate", entry="Signed", code="CAP", cap=CAP, user_cap=2),
        commands.DefineCampaign("buyers", "twice", entry="Signed | Bought"),
        commands.DefineCampaign("stayers", "stay", entry="Signed"),
        commands.DefineCampaign("draft", "twice", entry="Bought", cap=1),
        commands.LaunchCampaign("capped"),
        commands.LaunchCampaign("stayers"),
        referrals.DefineReferralProgram(
            "friends", "gift", "gift", "Bought", expires_after="1d", sender_cap=1, period_cap=1
        ),
    )


def moves(tenant: str) -> Mapping[str, tuple[int, Command[Any]]]:
    """Every command that has something to do there, under a name, with its instant."""
    notice = derive("no", tenant, "offer.made", user_offer_of(tenant, "capped", "ann"))
    found: dict[str, Command[Any]] = {
        "enter": commands.Emit((event("Signed", "dan", "signed"),)),
        "earn": commands.Emit((event("Activated", "ann", "activated"),)),
        "contradict": commands.Emit((event("Bought", "ann", "activated"),)),
        "listen": commands.Emit((event("Bought", "cid", "bought"),)),
        "ignore": commands.Emit((event("Looked", "ann", "looked"),)),
        "many": commands.Emit(
            (
                event("Signed", "dan", "signed"),
                event("Activated", "cid", "activated"),
                event("Bought", "bob", "bought-1"),
                event("Bought", "bob", "bought-2"),
                event("Activated", "dan", "activated", NOW + 1),
            )
        ),
        "make": commands.MakeOffer("capped", "dan"),
        "make again": commands.MakeOffer("capped", "ann"),
        "enter code": commands.EnterOfferCode("cap", "dan"),
        "refer": referrals.MakeReferral("friends", "sue", "dan"),
        "enter referral code": referrals.EnterReferralCode(CODE, "dan"),
        "give code": referrals.GiveReferralCode("sue"),
        "complete": commands.Emit((event("Bought", "ann", "bought"),)),
        "void": referrals.VoidReferral(referral_of(tenant, "friends", "ann")),
        "define program": referrals.DefineReferralProgram(
            "friends", "gift", "gift", "Bought | Activated", expires_after="1d", sender_cap=2
        ),
        "cancel": commands.CancelUserOffer(user_offer_of(tenant, "capped", "ann")),
        "due": commands.RunDue(10),
        "backfill": commands.Backfill(dry_run=False),
        "claim": commands.ClaimGrants(10, 60),
        "claim one": commands.ClaimGrant(grant_of(tenant, "capped", "bob")),
        "fulfil": commands.FulfilGrant(grant_of(tenant, "capped", "bob")),
        "fail": FailGrant(grant_of(tenant, "capped", "bob"), "no answer"),
        "fail for good": FailGrant(grant_of(tenant, "capped", "bob"), "no such account", final=True),
        "reverse": ReverseGrant(grant_of(tenant, "capped", "bob"), "refunded", frees=True),
        "reduce": ReverseGrant(grant_of(tenant, "capped", "bob"), "refunded in part", amount="2.00"),
        "launch": commands.LaunchCampaign("draft"),
        "end": commands.EndCampaign("capped"),
        "define reward": commands.DefineReward("gift", {"amount": "7.00"}),
        "define condition": commands.DefineCondition("regular", "Bought*3"),
        "define offer": commands.DefineOffer("activate", "gift", "Activated | Called", expires_after="1d"),
        "define campaign": commands.DefineCampaign(
            "capped", "activate", entry="Signed", code="CAP", cap=CAP + 1, user_cap=2
        ),
        "lease outbox": LeaseOutbox(3, 60),
        "mark outbox": MarkOutbox((Attempt(notice, 0, {"shop": Delivered(), "mail": EndpointGone("410")}),)),
        "enable endpoint": EnableEndpoint("left"),
        "replay dead letters": ReplayDeadLetters(),
        "retry notice": RetryNotice(derive("no", tenant, "offer.made", user_offer_of(tenant, "stayers", "eve"))),
    }
    return {name: (LATER if name == "due" else NOW, command) for name, command in found.items()}
