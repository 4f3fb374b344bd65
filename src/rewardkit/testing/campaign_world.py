"""The small world of faults with campaigns in each other's way: budgets, pauses, reviews, and two senders.

Users beside those of `faults_world`: `fay` has earned what waits for its review, `gus` what waits for its budget,
`hal` has active offers, and `ivy` has fulfilled the entry condition of a campaign that is paused.
`eve` offers double rewards, as long as she has not got her money back, and can earn one; she has referred two, and
there is money for one more. `uma` has referred `fay` and `gus`, and there is money for one of three rewards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rewardkit.core.campaigns.replenishing import ReplenishBudget
from rewardkit.core.grants.reversing import ReverseGrant
from rewardkit.core.grants.reviewing import ApproveGrant, ClaimChecks, DenyGrant, RecordCheck
from rewardkit.core.pools.check_character import check_character
from rewardkit.core.referrals import commands as referrals
from rewardkit.core.referrals.codes import ALPHABET
from rewardkit.core.requests import commands
from rewardkit.core.requests.commands import Command
from rewardkit.core.storing.referral_needs import TakeReferralCode
from rewardkit.core.values.identity import derive
from rewardkit.ports import Store
from rewardkit.testing import faults_world
from rewardkit.testing.faults_world import BEGAN_AT, NOW, event, grant_of, kit_at, user_offer_of

USERS = (*faults_world.USERS, "fay", "gus", "hal", "ivy", "uma")
CODE = "2222KKKKB" + check_character("2222KKKKB", ALPHABET)
"""Of `eve`."""


def build(store: Store, tenant: str) -> None:
    """Make the world in an empty tenant."""
    faults_world.build(store, tenant)
    kit = kit_at(store, tenant, BEGAN_AT)
    for command in _definitions():
        kit.run(command)
    kit.emit_many(event("Joined", user, "joined", BEGAN_AT) for user in ("fay", "gus", "hal"))
    kit.emit_many(event("Ordered", user, "ordered", BEGAN_AT + 1) for user in ("fay", "gus"))
    kit.run(commands.PauseCampaign("halted"))
    kit.emit_many([event("Waited", "ivy", "waited", BEGAN_AT + 2)])
    with store.transaction(tenant) as transaction:
        transaction.ask(TakeReferralCode("eve", CODE, BEGAN_AT))
    for recipient in ("hal", "ivy"):
        kit.run(referrals.EnterReferralCode(CODE, recipient))
    kit.emit_many([event("Vouched", "uma", "vouched", BEGAN_AT)])
    for recipient in ("fay", "gus"):
        kit.run(referrals.MakeReferral("patient", "uma", recipient))


def _definitions() -> tuple[Command[Any], ...]:
    return (
        commands.DefineOffer("reviewed", "gift", "Ordered", review="always", reversal_frees=True),
        commands.DefineOffer("prompt", "gift", "Ordered", expires_after="1d"),
        commands.DefineCampaign("queued", "reviewed", entry="Joined", budget="5.00", at_exhaustion="queue", cap=9),
        commands.DefineCampaign("stopping", "prompt", entry="Joined", budget="20.00", caps_per={"day": 4}),
        commands.DefineCampaign("halted", "prompt", entry="Waited"),
        commands.DefineCampaign("later", "prompt", entry="Joined", cap=2),
        *(commands.LaunchCampaign(name) for name in ("queued", "stopping", "halted")),
        referrals.DefineReferralProgram("double", "gift", "gift", "Ordered", sender_cap=1),
        commands.DefineCampaign("always", program="friends"),
        commands.DefineCampaign("doubled", program="double", sender="Bought & !Refunded", budget="30.00"),
        commands.DefineCampaign("patient", program="friends", sender="Vouched", budget="5.00", at_exhaustion="queue"),
        *(commands.LaunchCampaign(name) for name in ("always", "doubled")),
        commands.LaunchCampaign("patient", acknowledge="budget_covers_nothing"),
    )


def moves(tenant: str) -> Mapping[str, tuple[int, Command[Any]]]:
    """Every command that has something to do there, under a name, with its instant."""
    waiting = grant_of(tenant, "queued", "fay")
    found: dict[str, Command[Any]] = {
        "join": commands.Emit((event("Joined", "dan", "joined"),)),
        "order": commands.Emit((event("Ordered", "hal", "ordered"),)),
        "order too": commands.Emit((event("Ordered", "ivy", "ordered"),)),
        "offer promptly": commands.MakeOffer("stopping", "ivy"),
        "cancel prompt": commands.CancelUserOffer(user_offer_of(tenant, "stopping", "hal")),
        "replenish": ReplenishBudget("queued", "5.00"),
        "replenish stopping": ReplenishBudget("stopping", "5.00"),
        "pause": commands.PauseCampaign("stopping"),
        "resume": commands.ResumeCampaign("halted"),
        "launch later": commands.LaunchCampaign("later"),
        "end queued": commands.EndCampaign("queued"),
        "approve": ApproveGrant(waiting, by="clerk"),
        "deny": DenyGrant(waiting, "made up", by="clerk"),
        "flag": RecordCheck(waiting, ("new account",)),
        "reverse reviewed": ReverseGrant(waiting, "refunded"),
        "claim checks": ClaimChecks(10, 60),
        "enter double": referrals.EnterReferralCode(CODE, "dan"),
        "enter double too": referrals.EnterReferralCode(CODE, "ann"),
        "refund sender": commands.Emit((event("Refunded", "eve", "refunded"),)),
        "void double": referrals.VoidReferral(derive("rf", tenant, "", "hal")),
        "end doubled": commands.EndCampaign("doubled"),
        "define doubled": commands.DefineCampaign("doubled", program="friends", sender="Bought", budget="30.00"),
        "buy": commands.Emit((event("Bought", "fay", "bought"),)),
        "buy too": commands.Emit((event("Bought", "gus", "bought"),)),
        "replenish doubled": ReplenishBudget("doubled", "10.00"),
        "replenish patient": ReplenishBudget("patient", "5.00"),
        "define double": referrals.DefineReferralProgram("double", "gift", "gift", "Ordered | Joined", sender_cap=2),
    }
    return {**faults_world.moves(tenant), **{name: (NOW, command) for name, command in found.items()}}


def rivals(tenant: str) -> Mapping[str, tuple[int, Command[Any]]]:
    """What only another command makes possible."""
    return {
        "fulfil reviewed": (NOW, commands.FulfilGrant(grant_of(tenant, "queued", "fay"))),
        "offer halted": (NOW, commands.MakeOffer("halted", "dan")),
    }
