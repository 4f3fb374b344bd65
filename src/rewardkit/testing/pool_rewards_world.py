"""The part of the pools' world in which codes are carried by grants, and codes make offers.

Rewards take codes out of four pools: `given` has one left, which `ann` and `bob` are about to earn, and `dan` and
`fay` have earned theirs; `empty` has none, and `eve`'s grant waits for it; `asleep` has one that was inactive when
`gil` earned it, and still is; `left` has one that was inactive when `jan` earned it, and that nobody has given to her.
Codes of `promo` make the offer of campaign `sale`, which has one place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

from rewardkit.core.attempts.needs import TakeAttempts
from rewardkit.core.grants.reversing import ReverseGrant
from rewardkit.core.pools.commands import ActivateCode, CreatePool, DeactivateCode, GenerateCodes, ImportCodes
from rewardkit.core.pools.withdrawing import activate_code
from rewardkit.core.promotions.commands import DefinePromotion, EnterPromoCode
from rewardkit.core.requests import commands
from rewardkit.core.requests.commands import Command
from rewardkit.core.storing.needs import Need
from rewardkit.core.values.identity import derive, digest
from rewardkit.kit import RewardKit
from rewardkit.ports import Store
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.faults_world import BEGAN_AT, NOW, event

T = TypeVar("T")

_POOLS: Final = {
    "given": ("G-DAN", "G-FAY", "G-LAST"),
    "empty": (),
    "asleep": ("S-CODE",),
    "left": ("L-CODE",),
    "promo": ("P-CODE",),
}
_EARNED: Final = {"dan": "given", "fay": "given", "eve": "empty", "gil": "asleep", "jan": "left"}
"""Who has earned out of which pool, in this order."""

ENTERING: Final = ("hal", "ida")
"""Who enter promo codes."""


def build_rewards(kit: RewardKit) -> None:
    """Make this part of the world, by a kit of an empty tenant."""
    for pool, codes in _POOLS.items():
        kit.run(CreatePool(pool, bearer=pool == "promo"))
        kit.run(ImportCodes(pool, codes))
    for code in ("S-CODE", "L-CODE"):
        kit.run(DeactivateCode(code))
    kit.run(commands.DefineReward("disc", {"amount": "5.00"}))
    kit.run(commands.DefineOffer("disc", "disc", "Bought"))
    for pool in ("given", "empty", "asleep", "left"):
        kit.run(commands.DefineReward(pool, issues={"pool": pool}))
        kit.run(commands.DefineOffer(pool, pool, "Bought"))
        kit.run(commands.DefineCampaign(pool, pool))
    kit.run(commands.DefineCampaign("sale", "disc", cap=1))
    for campaign in ("given", "empty", "asleep", "left", "sale"):
        kit.run(commands.LaunchCampaign(campaign))
    kit.run(DefinePromotion("promo", "sale"))
    for user, campaign in (_EARNED | {"ann": "given", "bob": "given"}).items():
        kit.run(commands.MakeOffer(campaign, user))
    for user in _EARNED:
        kit.run(commands.Emit((event("Bought", user, "bought", BEGAN_AT + 1),)))
    _leave(kit, ActivateCode("L-CODE"))


def _leave(kit: RewardKit, command: ActivateCode) -> None:
    """Wake a code and give it to nobody, as where more than a hundred wait for a pool: `RunDue` is for the others."""
    context = kit._context(BEGAN_AT + 1, None)  # noqa: SLF001 - there is no other way
    kit._drive("run", command, lambda: activate_code(command, context))  # noqa: SLF001


def reward_moves(tenant: str) -> Mapping[str, Command[Any]]:
    """Every command that has something to do there, under a name."""
    return {
        "earn last": commands.Emit((event("Bought", "ann", "bought"),)),
        "earn last too": commands.Emit((event("Bought", "bob", "bought"),)),
        "earn both": commands.Emit((event("Bought", "ann", "bought"), event("Bought", "bob", "bought"))),
        "replenish": ImportCodes("empty", ("E-CODE", "E-MORE")),
        "replenish by generating": GenerateCodes("empty", 2),
        "wake": ActivateCode("S-CODE"),
        "supply": commands.RunDue(10),
        "reverse": ReverseGrant(derive("gr", tenant, "given", "dan", 1), "returned"),
        "reverse held": ReverseGrant(derive("gr", tenant, "empty", "eve", 1), "returned"),
        "enter promo code": EnterPromoCode("P-CODE", "hal"),
        "enter promo code too": EnterPromoCode("P-CODE", "ida"),
        "guess promo code": EnterPromoCode("P-NONE", "hal"),
    }


def reward_shape_of(snapshot: Snapshot) -> Mapping[str, Any]:
    """What matters of what was earned, whoever got which code."""
    whose = {grant.id: grant.user for grant in snapshot.grants}
    return {
        "grants": sorted((row.user, row.reward, row.status, row.held_for, bool(row.code)) for row in snapshot.grants),
        "lives": Counter((whose[step.grant], step.move, step.held_for) for step in snapshot.grant_steps),
        "offers": sorted((row.user, row.campaign, row.status) for row in snapshot.user_offers),
        "counters": sorted(tuple(row) for row in snapshot.counters),
    }


def attempts_in(store: Store, tenant: str) -> tuple[tuple[int, int], ...]:
    """How often each of those who enter promo codes has tried this minute, and has failed since a success."""
    users = {digest("attempt subject", user).hex(): user for user in ENTERING}
    rows = _looked_at(store, tenant, TakeAttempts(tuple(sorted(users))))
    found = {users[row.subject]: (row.attempts if row.begun == NOW else 0, row.failures) for row in rows}
    return tuple(found[user] for user in ENTERING)


def _looked_at(store: Store, tenant: str, need: Need[T]) -> T:
    """The answer to a need that takes, with nothing taken: the transaction is rolled back."""
    answers: list[T] = []
    with suppress(_Looked), store.transaction(tenant) as transaction:
        answers.append(transaction.ask(need))
        raise _Looked
    return answers[0]


class _Looked(Exception):
    """Leaves a transaction's block so that it rolls back."""
