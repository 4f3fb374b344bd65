"""From counted grants to what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

import attrs

from rewardkit.core.definitions.amount import amount_of, minus, plus, times
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.grants.life import DENIED, FULFILLED, REVERSED
from rewardkit.core.requests.records import Reward
from rewardkit.core.tracking.figures import Cost, GrantFigures
from rewardkit.core.tracking.tallies import GrantTally

CURRENCY = "currency"
"""The property of a reward that says what its amount is of."""


@attrs.define
class _Sum:
    promised: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    taken_back: Decimal = Decimal(0)


def grant_figures(tallies: Iterable[GrantTally], catalogue: Catalogue) -> GrantFigures:
    """The figures of all these together."""
    counts: Counter[str] = Counter()
    sums: dict[str, _Sum] = {}
    unpriced = 0
    for tally in tallies:
        counts[tally.status] += tally.number
        reward = catalogue.reward_versions[tally.reward, tally.reward_version]
        amount = amount_of(reward)
        if amount is None:
            unpriced += tally.number * (tally.status not in (DENIED, REVERSED))
            continue
        found = sums.setdefault(_currency(reward), _Sum())
        found.promised, found.paid, found.taken_back = (
            # With as many decimals as the amount has, where there is nothing as well.
            plus(one, times(amount, 0))
            for one in (found.promised, found.paid, plus(found.taken_back, tally.reversed))
        )
        left = minus(times(amount, tally.number), tally.reversed)
        if tally.status == FULFILLED:
            found.paid = plus(found.paid, left)
        elif tally.status not in (DENIED, REVERSED):
            found.promised = plus(found.promised, left)
    costs = (Cost(name, one.promised, one.paid, one.taken_back) for name, one in sorted(sums.items()))
    return GrantFigures(**counts, costs=tuple(costs), unpriced=unpriced)


def _currency(reward: Reward) -> str:
    found = reward.properties.get(CURRENCY)
    return found if isinstance(found, str) else ""
