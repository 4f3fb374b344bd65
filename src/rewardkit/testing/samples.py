"""Random conditions and histories, quickly and from a seed.

They cluster where engines disagree: at deadlines and a microsecond to either side, at ties, with duplicates.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rewardkit.language import tree
from rewardkit.language.event import Event

NAMES = ("A", "B", "C")
SPANS = (1, 2, 3, 5, 8)
"""Microseconds: short ones, so that deadlines and events meet."""

_VALUES: tuple[Any, ...] = (1, 2, Decimal("2.5"), "x", "xy", True, None)


def random_predicate(chance: random.Random, depth: int = 2) -> tree.Predicate:
    """A filter over the properties `p` and `q.r`."""
    kind = chance.randrange(7 if depth else 4)
    field = chance.choice(("p", "q.r"))
    match kind:
        case 0:
            return tree.Compare(
                field, chance.choice(("==", "!=", "<", "<=", ">", ">=")), chance.choice((1, 2, Decimal("2.5")))
            )
        case 1:
            return tree.Compare(field, chance.choice(("==", "!=", "like", "<")), chance.choice(("x", "x*", "?y")))
        case 2:
            return tree.OneOf(field, (1, "x", True)[: chance.randint(1, 3)])
        case 3:
            return tree.Has(field)
        case 4:
            return tree.Every(tuple(random_predicate(chance, depth - 1) for _ in range(2)))
        case 5:
            return tree.Either(tuple(random_predicate(chance, depth - 1) for _ in range(2)))
        case _:
            return tree.Except(random_predicate(chance, depth - 1))


def random_properties(chance: random.Random) -> dict[str, Any]:
    """Properties that some filters accept."""
    made: dict[str, Any] = {}
    if chance.random() < 0.8:
        made["p"] = chance.choice(_VALUES)
    if chance.random() < 0.5:
        made["q"] = {"r": chance.choice(_VALUES)} if chance.random() < 0.8 else 7
    return made


def random_history(chance: random.Random, start: int, length: int = 8, names: Sequence[str] = ()) -> list[Event]:
    """Events around an instant, in total order: close together, often tied, often a span apart or one off.

    There are at most `length`, their names drawn from `NAMES`; or one for each of `names`, in that order.
    """
    at = start - chance.choice((0, 0, 3, 9))
    events = []
    for number, name in enumerate(names or [chance.choice(NAMES) for _ in range(chance.randint(0, length))]):
        at += chance.choice((0, 0, 1, 1, 2, *SPANS, *(span + 1 for span in SPANS)))
        order = chance.choice((0, 0, 0, 1, -1))
        properties = random_properties(chance)
        events.append(Event(name, at, f"e{chance.randrange(100)}-{number}", order=order, properties=properties))
    return sorted(events, key=lambda event: event.position)
