"""What can no longer change: the local rule for `impossible`.

Each node gives its value and whether that is frozen, from the values of its parts. The rule is sound and not complete:
it never claims what may change, and misses some of what cannot.
"""

from __future__ import annotations

from rewardkit.language import tree
from rewardkit.language.descent import children
from rewardkit.language.drift import difference_drift
from rewardkit.language.event import Instant
from rewardkit.language.specification.aggregate import comparison_gap, matching
from rewardkit.language.specification.holding import (
    Scoped,
    absence,
    beyond,
    derived,
    ends,
    holds,
    inner_scopes,
    split,
    unknown,
)
from rewardkit.language.specification.scope import Scope


def settled(node: tree.Node, scope: Scope, now: Instant) -> bool | None:
    """What the condition will be for good by the local rule, or None where it may change."""
    if scope.end is not None and now >= scope.end and not moves(node):
        return holds(node, scope, now)
    match node:
        case tree.AtLeast() | tree.Streak():
            return True if holds(node, scope, now) else None
        case tree.Between(matches=found, most=most):
            return False if len(matching(found, scope.inside())) > most else None
        case tree.Comparison():
            return _settled_comparison(node, scope)
        case tree.And(terms=terms):
            return _settled_among(len(terms), terms, scope, now)
        case tree.Or(terms=terms):
            return _settled_among(1, terms, scope, now)
        case tree.Some(least=least, terms=terms):
            return _settled_among(least, terms, scope, now)
        case tree.Not(body=body):
            known = settled(body, scope, now)
            return None if known is None else not known
        case tree.Over(body=body, span=span):
            close = scope.close(span)
            if beyond(close, scope):
                return False
            if now >= close:
                return holds(node, scope, now)
            return False if settled(body, scope.window(close), now) is False else None
        case tree.No():
            return settled(absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            threads = [settled(last, scope.following(*end), now) for end in ends(first, scope, now)]
            if True in threads:
                return True
            return False if None not in threads and dry(first, scope, now) else None
        case tree.Satisfied():
            return _settled_derived(node, scope)
        case tree.InLast():
            return None
        case tree.Named():
            raise unknown(node)
        case _:
            known_inside = [settled(node.body, inner, now) for inner in _lasting(node, scope, now)]
            if True in known_inside:
                return True
            # Another event may open another window, bucket or key.
            return None if isinstance(node, _MANY) else known_inside[0]


def dry(node: tree.Node, scope: Scope, now: Instant) -> bool:
    """Whether the condition will never be completed again, by the local rule."""
    if scope.end is not None and now >= scope.end and not moves(node):
        return True
    match node:
        case tree.AtLeast() | tree.Streak() | tree.InLast() | tree.InAny() | tree.InOne() | tree.By():
            return False
        case tree.Between() | tree.Comparison():
            return settled(node, scope, now) is False
        case tree.Not():
            return True
        case tree.And(terms=terms) | tree.Or(terms=terms) | tree.Some(terms=terms):
            return settled(node, scope, now) is False or all(dry(term, scope, now) for term in terms)
        case tree.Over(span=span):
            return now >= scope.close(span) or settled(node, scope, now) is False
        case tree.No():
            return dry(absence(node), scope, now)
        case tree.Then():
            first, last = split(node)
            begun = ends(first, scope, now)
            return dry(first, scope, now) and all(dry(last, scope.following(*end), now) for end in begun)
        case tree.Satisfied():
            return _settled_derived(node, scope) is not None
        case tree.Named():
            raise unknown(node)
        case _:
            return all(dry(node.body, inner, now) for inner in _lasting(node, scope, now))


_MANY = tree.InAny | tree.InOne | tree.By


def moves(node: tree.Node) -> bool:
    """Whether time alone may change the condition after its scope has ended: `in last` leaves events behind."""
    return isinstance(node, tree.InLast) or (
        not isinstance(node, tree.Satisfied) and any(moves(part) for part in children(node))
    )


def _lasting(node: Scoped, scope: Scope, now: Instant) -> list[Scope]:
    """The scopes of the body; under `ever` no window around it ends what may still happen, but `before` does."""
    inner = list(inner_scopes(node, scope, now))
    return [one.lasting() for one in inner] if isinstance(node, tree.Ever) else inner


def _settled_comparison(node: tree.Comparison, scope: Scope) -> bool | None:
    """By which way the difference of both sides can still move."""
    drift = difference_drift(node)
    gap = comparison_gap(node, scope.inside(), scope.zone)
    if drift is None or gap is None:
        return None
    rises, falls = drift
    match node.operator:
        case ">" | ">=":
            value = gap > 0 or (gap == 0 and node.operator == ">=")
            frozen = not falls if value else not rises
        case "<" | "<=":
            value = gap < 0 or (gap == 0 and node.operator == "<=")
            frozen = not rises if value else not falls
        case _:
            # Once past, it does not come back.
            apart = (gap > 0 and not falls) or (gap < 0 and not rises)
            value = (gap == 0) == (node.operator == "==")
            frozen = apart or not (rises or falls)
    return value if frozen else None


def _settled_derived(node: tree.Satisfied, scope: Scope) -> bool | None:
    from rewardkit.language.specification.judging import first_decision

    if derived(node, scope) is not None:
        return True
    assert node.body is not None
    return None if first_decision(node.body, scope.whole()) is None else False


def _settled_among(least: int, terms: tuple[tree.Node, ...], scope: Scope, now: Instant) -> bool | None:
    known = [settled(term, scope, now) for term in terms]
    if known.count(True) >= least:
        return True
    return False if known.count(False) > len(terms) - least else None
