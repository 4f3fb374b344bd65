"""Going down a tree: the parts of a node, and all nodes below one."""

from __future__ import annotations

from collections.abc import Iterator

from rewardkit.language.tree import (
    Aggregate,
    And,
    AtLeast,
    Before,
    Between,
    By,
    Comparison,
    Either,
    Ever,
    Every,
    Except,
    InAny,
    InLast,
    InOne,
    Match,
    No,
    Node,
    Not,
    Or,
    Over,
    Predicate,
    Satisfied,
    Since,
    Some,
    Streak,
    Then,
    Within,
)

_SEVERAL: dict[type, str] = {And: "terms", Or: "terms", Some: "terms", Then: "steps"}
_ONE = frozenset({Not, Within, Over, No, InAny, InLast, InOne, Before, Since, By, Ever, Streak})


def children(node: Node) -> tuple[Node, ...]:
    """The conditions that a condition is made of, in the order of the text."""
    # By type, since every walk over a tree asks this of every node.
    kind = type(node)
    if kind in _ONE:
        return (node.body,)  # type: ignore[union-attr,return-value]  # all of these have one
    if kind is Satisfied:
        return () if node.body is None else (node.body,)  # type: ignore[union-attr]
    parts: tuple[Node, ...] = getattr(node, _SEVERAL[kind]) if kind in _SEVERAL else ()
    return parts


def descend(node: Node) -> Iterator[Node]:
    """The node itself and every condition below it, each before its parts, in the order of the text."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def matches(node: Node) -> tuple[Match, ...]:
    """The matches that stand directly in one node."""
    if isinstance(node, AtLeast | Between):
        return node.matches
    if not isinstance(node, Comparison):
        return ()
    terms = node.left if isinstance(node.right, str) else node.left + node.right
    return tuple([match for term in terms for match in aggregated(term.aggregate)])


def aggregated(aggregate: Aggregate | None) -> tuple[Match, ...]:
    """The matches of an aggregate, none where there is no aggregate."""
    return () if aggregate is None else aggregate.matches


def filters(predicate: Predicate | None) -> Iterator[Predicate]:
    """A property filter and every filter below it."""
    waiting = [] if predicate is None else [predicate]
    while waiting:
        current = waiting.pop()
        yield current
        match current:
            case Every(terms=terms) | Either(terms=terms):
                waiting.extend(reversed(terms))
            case Except(term=term):
                waiting.append(term)
            case _:
                pass
