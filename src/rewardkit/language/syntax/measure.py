"""The size of a tree, against the limits; asked after parsing, and again after names are inlined."""

from __future__ import annotations

import attrs

from rewardkit.language.descent import children, matches
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.limits import DAY_MICROSECONDS, DEEPEST, LONGEST_SPANS_DAYS, MOST_NODES
from rewardkit.language.syntax.scan import too_deep
from rewardkit.language.tree import (
    AtLeast,
    Calendar,
    Comparison,
    Either,
    Elapsed,
    Every,
    Except,
    Node,
    OneOf,
    Place,
    Predicate,
    Satisfied,
)

_LONGEST_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@attrs.frozen
class Measure:
    """How large a tree is."""

    nodes: int
    """Every condition, filter and aggregate; a chain counts itself and its terms."""
    depth: int
    """Nesting, counted so that no text of the tree needs more parentheses than this."""
    microseconds: int
    """All spans together; months and years at their longest."""


def measure(node: Node) -> Measure:
    """Measures a tree of any size, without recursion."""
    nodes, deepest, microseconds = 0, 0, 0
    waiting = [(node, 1)]
    while waiting:
        current, depth = waiting.pop()
        nodes += 1
        deepest = max(deepest, depth)
        if not isinstance(current, AtLeast):
            span = getattr(current, "span", None)
            if isinstance(span, Elapsed):
                microseconds += span.microseconds
            elif isinstance(span, Calendar):
                microseconds += span.count * _LONGEST_DAYS[span.unit] * DAY_MICROSECONDS
            below = depth + 2 if isinstance(current, Satisfied) else depth + 1
            waiting.extend([(part, below) for part in children(current)])
        own = matches(current)
        inner = depth + 1 if len(own) > 1 or isinstance(current, Comparison) else depth
        for match in own:
            count, reached = (0, inner) if match.where is None else _filter(match.where, inner)
            nodes, deepest = nodes + count + (inner - depth), max(deepest, reached)
    return Measure(nodes, deepest, microseconds)


def _filter(predicate: Predicate, depth: int) -> tuple[int, int]:
    """How many nodes a match has beside its own condition's first one, and how deep they reach."""
    count, deepest = 0, depth
    waiting = [(predicate, depth + 1)]
    while waiting:
        current, at = waiting.pop()
        count, deepest = count + 1, max(deepest, at + (1 if isinstance(current, OneOf) else 0))
        match current:
            case Every(terms=terms) | Either(terms=terms):
                waiting.extend((term, at + 1) for term in terms)
            case Except(term=term):
                waiting.append((term, at + 1))
            case _:
                pass
    return count, deepest


def check_size(node: Node, span: Place) -> tuple[Diagnostic, ...]:
    """The limits that a tree breaks, pointing at a place of the text."""
    size = measure(node)
    if size.depth > DEEPEST:
        return (too_deep(span),)
    if size.nodes > MOST_NODES:
        return (
            Diagnostic(
                "RK004",
                f"a condition has at most {MOST_NODES} parts, and this has {size.nodes}",
                span,
                help="use `k of (…)` or a union `(A | B)*n` where it fits, or split it into several rewards",
            ),
        )
    if size.microseconds > LONGEST_SPANS_DAYS * DAY_MICROSECONDS:
        return (
            Diagnostic(
                "RK007",
                f"the windows of a condition are together at most {LONGEST_SPANS_DAYS:,} days long",
                span,
                help="write shorter windows",
            ),
        )
    return ()
