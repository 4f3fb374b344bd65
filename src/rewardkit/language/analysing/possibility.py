"""What can be said of a condition from its shape: that it can be satisfied, that it always can be again, or never."""

from __future__ import annotations

import attrs

from rewardkit.language import tree
from rewardkit.language.analysing.moments import Setting
from rewardkit.language.analysing.search import Search, Work
from rewardkit.language.descent import descend, filters, matches
from rewardkit.language.running.state import SATISFIED
from rewardkit.language.samples.passable import passable
from rewardkit.language.zoning import is_civil

_GATHERING = (
    tree.AtLeast | tree.And | tree.Or | tree.Some | tree.Then | tree.Within | tree.InAny | tree.InOne | tree.Ever
)


def gathers(node: tree.Node) -> bool:
    """Whether a condition only ever asks for more events, so that those of one instant do all that others could."""
    return all(isinstance(part, _GATHERING) for part in descend(node))


def can_be(node: tree.Node) -> bool:
    """Whether it is plain that enough events, in the right order and at one instant, satisfy a condition."""
    match node:
        case tree.AtLeast(matches=found):
            return any(passable(match.where) for match in found)
        case tree.And(terms=terms) | tree.Then(steps=terms):
            return all(map(can_be, terms))
        case tree.Or(terms=terms):
            return any(map(can_be, terms))
        case tree.Some(least=least, terms=terms):
            return sum(map(can_be, terms)) >= least
        case tree.Within(body=body) | tree.InAny(body=body) | tree.InOne(body=body) | tree.Ever(body=body):
            return can_be(body)
        case tree.By(body=body, field=field):
            looked_at = [
                getattr(atom, "field", None)
                for part in descend(body)
                for match in matches(part)
                for atom in filters(match.where)
            ]
            return can_be(body) and not any(one and (one + ".").startswith(field + ".") for one in looked_at)
        case _:
            return False


def without_guards(node: tree.Node) -> tree.Node | None:
    """What has to happen, without what must not: a simpler condition to look for histories with; None for nothing."""
    match node:
        case tree.And(terms=terms) | tree.Then(steps=terms):
            kept = [one for one in map(without_guards, terms) if one is not None]
            if len(kept) < 2 or (isinstance(node, tree.Then) and len(kept) < len(terms)):
                return kept[0] if kept and isinstance(node, tree.And) else None
            return tree.And(tuple(kept)) if isinstance(node, tree.And) else tree.Then(tuple(kept))
        case tree.Or(terms=terms):
            return next((one for one in map(without_guards, terms) if one is not None), None)
        case tree.Within(body=body) | tree.InAny(body=body) | tree.InOne(body=body) | tree.By(body=body):
            inner = without_guards(body)
            return None if inner is None else attrs.evolve(node, body=inner)
        case tree.Not() | tree.No() | tree.Over():
            return None
        case _:
            return node


def can_be_again(node: tree.Node) -> bool:
    """Whether it is plain that a condition can be satisfied from every state, in a scope without an end."""
    match node:
        case tree.AtLeast():
            return can_be(node)
        case tree.And(terms=terms):
            return all(map(can_be_again, terms))
        case tree.Or(terms=terms):
            return any(map(can_be_again, terms))
        case tree.Some(least=least, terms=terms):
            return sum(map(can_be_again, terms)) >= least
        case tree.Then(steps=(first, *others)):
            return can_be_again(first) and all(_afresh(step) for step in others)
        case tree.InAny(body=body) | tree.InOne(body=body) | tree.Streak(body=body):
            return can_be(body)
        case tree.Ever(body=body):
            return can_be_again(body)
        case _:
            return False


def _afresh(step: tree.Node) -> bool:
    """Whether a step can be satisfied after every end of the step before it."""
    return can_be(step) or isinstance(step, tree.No)


def never_by_parts(node: tree.Node, setting: Setting, work: Work) -> bool:
    """Whether a condition can never hold because a part of it cannot: sound, and not complete."""
    if setting.end is not None or work.steps <= 0:
        return False
    match node:
        case tree.And(terms=terms):
            by_parts = any(never_by_parts(term, setting, work) for term in terms)
        case tree.Or(terms=terms):
            by_parts = all(never_by_parts(term, setting, work) for term in terms)
        case tree.Then(steps=(first, *others)):
            by_parts = never_by_parts(first, setting, work) or any(_never_alone(step, setting, work) for step in others)
        case _:
            by_parts = False
    return by_parts or _never(node, setting, work)


def _never_alone(step: tree.Node, setting: Setting, work: Work) -> bool:
    """As a scope of its own, from whichever instant: calendars and other scopes would depend on which one."""
    other = (tree.Before, tree.Since, tree.Ever, tree.Satisfied)
    if is_civil(step) or any(isinstance(part, other) for part in descend(step)):
        return False
    return never_by_parts(step, Setting(setting.begin, None, setting.zone), work)


def _never(node: tree.Node, setting: Setting, work: Work) -> bool:
    search = Search([node], setting)
    if search.phases is None and not gathers(node):
        return False
    found = search.find(lambda states: states[0].status == SATISFIED, work, tied=gathers(node))
    return found.course is None and found.complete
