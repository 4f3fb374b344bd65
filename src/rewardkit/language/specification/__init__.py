"""The executable specification: what a condition means, written slowly and plainly.

One pure function, `holds`, says when a condition holds on a scope; `ends` says where it is completed, so that `then`
hands over at a defined place; `settled` is the local rule for what can no longer change. `judge` derives the verdict
by reading the condition at its start, at each timer, and after each event in total order. Nothing here is quick.
Every faster engine is tested against it; the reference is `grammar/README.md`.
"""

from rewardkit.language.specification.aggregate import matching
from rewardkit.language.specification.holding import ends, holds, inner_scopes, split
from rewardkit.language.specification.judging import Decided, Reading, decided, judge, readings, standing
from rewardkit.language.specification.scope import Outermost, Place, Scope, place, timer
from rewardkit.language.specification.settling import settled

__all__ = [
    "Decided",
    "Outermost",
    "Place",
    "Reading",
    "Scope",
    "decided",
    "ends",
    "holds",
    "inner_scopes",
    "judge",
    "matching",
    "place",
    "readings",
    "settled",
    "split",
    "standing",
    "timer",
]
