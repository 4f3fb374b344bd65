"""Which steps complete at a place, so that a next step can begin after it."""

from __future__ import annotations

from collections.abc import Iterator

from rewardkit.language.descent import children
from rewardkit.language.tree import And, No, Node, Not, Or, Over, Satisfied, Some, Streak, Then


def endless(node: Node) -> Iterator[Not]:
    """The guards because of which an alternative of a step has no end; none where every alternative has one.

    Of `k of (…)` an alternative is any k of its terms, and it ends where any of these does; `&` is all of them, and
    `|` one.
    """
    match node:
        case Not():
            yield node
        case And(terms=terms):
            yield from _short(terms, len(terms))
        case Or(terms=terms):
            yield from _short(terms, 1)
        case Some(terms=terms, least=least):
            yield from _short(terms, least)
        case Then(steps=steps):
            yield from endless(steps[-1])
        case Over() | No() | Streak() | Satisfied():
            return  # they end at an instant or an event of their own, whatever they are made of
        case _:
            for part in children(node):
                yield from endless(part)


def _short(terms: tuple[Node, ...], least: int) -> Iterator[Not]:
    found = [guards for term in terms if (guards := list(endless(term)))]
    if len(found) >= least:
        for guards in found:
            yield from guards
