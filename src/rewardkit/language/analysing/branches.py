"""Dead branches: parts of a condition that change nothing, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import attrs

from rewardkit.language import tree
from rewardkit.language.analysing.moments import Setting
from rewardkit.language.analysing.relation import same
from rewardkit.language.analysing.search import Work
from rewardkit.language.descent import children
from rewardkit.language.syntax.format import format_condition

A_TRY = 20
"""Steps that are spent on one part, whatever comes of it: a program is made for the rest."""
_SEVERAL = tree.And | tree.Or | tree.Some


@attrs.frozen
class Branch:
    """A part of a condition that can be left out."""

    text: str
    """The part, in its canonical spelling."""
    span: tuple[int, int]
    """Half-open range of characters of the condition's source; empty where it was not made from one."""
    kind: Literal["never needed", "never missing"]
    """An alternative without which the others are enough; or a demand that holds whenever the others do."""


class Pruned(NamedTuple):
    """The parts that can be left out, in the order of the text, and the condition without all of them."""

    branches: tuple[Branch, ...]
    node: tree.Node


def dead_branches(node: tree.Node, setting: Setting, work: Work) -> Pruned:
    """Leaves parts out, one after the other and the last first, as long as the condition stays the same."""
    found: list[Branch] = []
    current = node
    tried: set[tuple[int, ...]] = set()
    while work.steps > 0:
        path = next((path for path in _paths(current) if path not in tried), None)
        if path is None:
            break
        tried.add(path)
        work.steps -= A_TRY
        without = _without(current, path)
        if without is not None and same(current, without, setting, work):
            part = _at(current, path)
            kind: Literal["never needed", "never missing"] = (
                "never needed" if isinstance(_at(current, path[:-1]), tree.Or | tree.Some) else "never missing"
            )
            found.append(Branch(format_condition(part), part.place, kind))
            current = without
            tried.clear()
    return Pruned(tuple(sorted(found, key=lambda branch: (branch.span, branch.text))), current)


def _paths(node: tree.Node) -> Iterator[tuple[int, ...]]:
    """The ways to all terms of `&`, `|` and `k of`, the last first, each before its own parts."""
    for place, part in reversed(list(enumerate(children(node)))):
        if isinstance(node, _SEVERAL):
            yield (place,)
        yield from ((place, *path) for path in _paths(part))


def _at(node: tree.Node, path: tuple[int, ...]) -> tree.Node:
    for place in path:
        node = children(node)[place]
    return node


def _without(node: tree.Node, path: tuple[int, ...]) -> tree.Node | None:
    """The condition without one part; None where nothing would be left."""
    place, *rest = path
    parts = list(children(node))
    if rest:
        inner = _without(parts[place], tuple(rest))
        if inner is None:
            return None
        parts[place] = inner
    else:
        del parts[place]
    match node:
        case tree.And() | tree.Or():
            return parts[0] if len(parts) == 1 else attrs.evolve(node, terms=tuple(parts))
        case tree.Some(least=least):
            return attrs.evolve(node, terms=tuple(parts)) if len(parts) >= least else None
        case tree.Then():
            return attrs.evolve(node, steps=tuple(parts))
        case tree.AtLeast() | tree.Between() | tree.Comparison() | tree.Named():
            return None
        case _:
            whole: tree.Node = attrs.evolve(node, body=parts[0])
            return whole
