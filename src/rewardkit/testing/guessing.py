"""Codes that are good for nothing, each for a reason of its own, and how well time tells one reason from another."""

from __future__ import annotations

import random
import statistics
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rewardkit.core.attempts.limits import AttemptLimits
from rewardkit.core.pools import commands as pools
from rewardkit.core.promotions.commands import DefinePromotion, EnterPromoCode
from rewardkit.core.requests import commands
from rewardkit.core.requests.commands import Command
from rewardkit.kit import RewardKit

UNLIMITED: Final = AttemptLimits(attempts_a_minute=10**9, failures=10**9, failures_a_minute=None)
"""For whoever measures."""

_POOLS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "plain": ("PLAIN-", {}),
    "spent": ("SPENT-", {"distribution": "multi", "redemption_limit": 1}),
    "expired": ("EXPIRED-", {"valid_until": "2020-01-01"}),
    "not begun": ("EARLY-", {"valid_from": "2190-01-01"}),
    "closed": ("CLOSED-", {"redemption_allowed": False}),
}


def bad_codes(kit: RewardKit, pool: str = "shop") -> Mapping[str, str]:
    """Make codes that cannot be redeemed, and name one that is not there; by what is wrong with them.

    Args:
        kit: of a tenant without pools; its clock stands between 2020 and 2190.
        pool: begins the names of the pools.
    """
    for name, (prefix, terms) in _POOLS.items():
        kit.run(pools.CreatePool(f"{pool} {name}", **terms))
        kit.run(pools.ImportCodes(f"{pool} {name}", tuple(f"{prefix}{letter}" for letter in "ABCDE")))
        if name != "expired":
            kit.run(pools.IssueCode(f"{pool} {name}", "ann", code=f"{prefix}A"))
    kit.run(pools.RedeemCode("SPENT-A", external_issuee_id="ann"))
    kit.run(pools.IssueCode(f"{pool} plain", "bob", code="PLAIN-B"))
    kit.run(pools.VoidCode("PLAIN-B"))
    kit.run(pools.DeactivateCode("PLAIN-C"))
    kit.run(pools.IssueCode(f"{pool} plain", "cid", code="PLAIN-E"))
    return {
        "unknown": "PLAIN-Z",
        "spent": "SPENT-A",
        "void": "PLAIN-B",
        "inactive": "PLAIN-C",
        "never issued": "PLAIN-D",
        "expired": "EXPIRED-A",
        "not begun": "EARLY-A",
        "closed": "CLOSED-A",
        "somebody else's": "PLAIN-E",
    }


def promote(kit: RewardKit, pool: str = "shop") -> None:
    """Let the codes of these pools make offers."""
    kit.run(commands.DefineReward("disc"))
    kit.run(commands.DefineOffer("disc", "disc", "Bought"))
    kit.run(commands.DefineCampaign("sale", "disc"))
    kit.run(commands.LaunchCampaign("sale"))
    for name in _POOLS:
        kit.run(DefinePromotion(f"{pool} {name}", "sale"))


def public_ways(code: str, who: str, limits: AttemptLimits = UNLIMITED) -> Mapping[str, Command[Any]]:
    """All that the public can do with a code, by a name."""
    return {
        "redeem": pools.RedeemCode(code, external_issuee_id=who, public=True, limits=limits),
        "reserve": pools.ReserveCode(code, external_issuee_id=who, public=True, limits=limits),
        "check": pools.CheckCode(code, external_issuee_id=who, limits=limits),
        "enter": EnterPromoCode(code, who, limits=limits),
    }


class Effect(NamedTuple):
    """How well time tells one kind of attempt from another."""

    microseconds: float
    """The difference of the medians."""
    spreads: float
    """That difference in units of the spread, which is half of what lies between the quartiles of the first kind."""
    auc: float
    """How often one of the second kind took longer than one of the first: 0.5 tells nothing, 0 and 1 everything."""


def effect(first: Sequence[float], second: Sequence[float]) -> Effect:
    """Of samples in seconds."""
    low, middle, high = statistics.quantiles(first, n=4)
    difference = statistics.median(second) - middle
    ranked = sorted(first)
    longer = sum(bisect_left(ranked, one) + bisect_right(ranked, one) for one in second) / 2
    return Effect(difference * 1e6, difference / ((high - low) / 2), longer / len(first) / len(second))


def interleaved(calls: Mapping[str, Callable[[int], object]], rounds: int, seed: int) -> dict[str, list[float]]:
    """Seconds that each call takes, one after the other in an order that is drawn anew each round.

    What the machine is busy with falls on all of them alike.
    """
    chance = random.Random(seed)  # noqa: S311 - an order of calls
    found: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds):
        for name in chance.sample(sorted(calls), len(calls)):
            began = time.perf_counter()
            calls[name](number)
            found[name].append(time.perf_counter() - began)
    return found
