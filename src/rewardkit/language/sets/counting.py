"""Conditions that are nothing but counters: no window, no step, no order; only how often which events came.

What they know of a user is a few small numbers, which conditions can share: two that ask for the same events read the
same counter, each at its own threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from rewardkit.language.descent import descend
from rewardkit.language.running.state import IMPOSSIBLE, PENDING, SATISFIED
from rewardkit.language.syntax.canonical import structure
from rewardkit.language.tree import And, AtLeast, Node, Not, Or, Some
from rewardkit.language.writing.facts import conjunction, disjunction

Counts: TypeAlias = Any
"""A counter a slot: an array, or anything that gives a number for a slot."""

Check: TypeAlias = Callable[[Counts], int]
"""What the counters come to: PENDING, SATISFIED or IMPOSSIBLE."""

MOST = 2**32 - 1
"""A counter that must reach further is left to the condition's program."""

_COUNTERS = frozenset({AtLeast, And, Or, Not, Some})


def only_counts(node: Node) -> bool:
    """Whether a condition is nothing but counters."""
    return all(
        type(part) in _COUNTERS and (not isinstance(part, AtLeast) or part.least <= MOST) for part in descend(node)
    )


def leaves(node: Node) -> tuple[AtLeast, ...]:
    """What it counts, in the order of the text."""
    return tuple(part for part in descend(node) if isinstance(part, AtLeast))


def leaf_key(leaf: AtLeast) -> tuple[str, ...]:
    """The same for leaves that count the same events, however often."""
    return tuple(sorted({structure(match) for match in leaf.matches}))


def compile_check(node: Node, slots: Mapping[tuple[str, ...], int]) -> Check:
    """A function of the counters that says what the condition has come to.

    Args:
        node: a condition that is nothing but counters.
        slots: `leaf_key` → the slot of its counter.
    """
    terms: list[int] = []
    value, _, false = _facts(node, terms, slots)
    check: Check = _maker(len(terms), f"1 if {value} else 2 if {false} else 0")(*terms)
    return check


def outright(node: Node, key: tuple[str, ...], count: int) -> int:
    """What a condition has come to where one of its counters has reached a number, whatever the others say.

    PENDING where that depends on them.
    """
    value, _, false = _known(node, key, count)
    return SATISFIED if value else IMPOSSIBLE if false and value is False else PENDING


def _known(node: Node, key: tuple[str, ...], count: int) -> tuple[bool | None, bool | None, bool | None]:
    """What is certain of the facts below; None where nothing is."""
    if isinstance(node, AtLeast):
        reached = True if leaf_key(node) == key and node.least <= count else None
        return reached, reached, False
    if isinstance(node, Not):
        value, true, false = _known(node.body, key, count)
        return None if value is None else not value, false, true
    assert isinstance(node, And | Or | Some)
    parts = [_known(term, key, count) for term in node.terms]
    least = len(parts) if isinstance(node, And) else 1 if isinstance(node, Or) else node.least
    value, true = (_reached([part[place] for part in parts], least) for place in (0, 1))
    return value, true, _reached([part[2] for part in parts], len(parts) - least + 1)


def _reached(facts: list[bool | None], least: int) -> bool | None:
    """Whether at least so many are true, as far as is certain."""
    if facts.count(True) >= least:
        return True
    return False if len(facts) - facts.count(False) < least else None


def _facts(node: Node, terms: list[int], slots: Mapping[tuple[str, ...], int]) -> tuple[str, str, str]:
    """Expressions: it holds, it holds for good, it never will."""
    if isinstance(node, AtLeast):
        value = f"(c[t{len(terms)}] >= t{len(terms) + 1})"
        terms += [slots[leaf_key(node)], node.least]
        return value, value, "False"
    if isinstance(node, Not):
        value, true, false = _facts(node.body, terms, slots)
        return _negation(value), false, true
    assert isinstance(node, And | Or | Some)
    parts = [_facts(term, terms, slots) for term in node.terms]
    values, trues, falses = ([part[place] for part in parts] for place in range(3))
    least = len(parts) if isinstance(node, And) else 1 if isinstance(node, Or) else node.least
    if least == len(parts):
        known = conjunction(values), conjunction(trues), disjunction(falses)
    elif least == 1:
        known = disjunction(values), disjunction(trues), conjunction(falses)
    else:
        known = (
            f"{' + '.join(values)} >= {least}",
            f"{' + '.join(trues)} >= {least}",
            f"{' + '.join(falses)} > {len(parts) - least}",
        )
    value, true, false = (fact if fact in ("True", "False") else f"({fact})" for fact in known)
    return value, true, false


def _negation(fact: str) -> str:
    return {"True": "False", "False": "True"}.get(fact, f"(not {fact})")


@lru_cache(maxsize=4_096)
def _maker(many: int, expression: str) -> Callable[..., Check]:
    """Conditions of one shape differ in slots and thresholds alone, and share their source."""
    names: dict[str, Any] = {"__builtins__": {}}
    parameters = ", ".join(f"t{place}" for place in range(many))
    source = f"def make({parameters}):\n    return lambda c: {expression}\n"
    exec(compile(source, "<counters>", "exec"), names)  # noqa: S102 - generated names and operators alone
    made: Callable[..., Check] = names["make"]
    return made
