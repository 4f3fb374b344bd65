"""How far a comparison or a streak falls short, counted in events."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from math import ceil, floor

from rewardkit.language import civil, tree
from rewardkit.language.event import Instant
from rewardkit.language.explaining.need import WAIT, Need, Way, cheapest, events_needed
from rewardkit.language.explaining.refutation import written
from rewardkit.language.reasons.evidence import selector
from rewardkit.language.specification import Scope, holds, matching, settled
from rewardkit.language.specification.aggregate import aggregate, comparison_gap

_COUNTED = frozenset({"count", "distinct", "days"})
_ONE = Fraction(1)


def comparison_way(node: tree.Comparison, scope: Scope, now: Instant) -> Way:
    """What a comparison that does not hold needs: events where it counts them, else a share of the amount."""
    if settled(node, scope, now) is False:
        return None
    terms = [term for term in _terms(node) if term[1].aggregate is not None]
    if all(_is_fixed(term, scope) for _, term in terms):
        return None
    gap = comparison_gap(node, scope.inside(), scope.zone)
    if gap is None:
        return _of_nothing(node, terms, scope)
    up = node.operator in (">", ">=") or (node.operator in ("==", "!=") and gap <= 0)
    short = abs(gap)
    ways = [_by_term(sign if up else -sign, term, short, node, scope) for sign, term in terms]
    return cheapest(ways) or (_elsewhere(terms, scope),)


def _by_term(sign: int, term: tree.Term, short: Fraction, node: tree.Comparison, scope: Scope) -> Way:
    """What one aggregate can do about it; `sign` says which way its side has to move."""
    found = term.aggregate
    assert found is not None
    weight = sign * Fraction(term.factor)
    if not weight or (found.function in _COUNTED and weight < 0):
        return None
    if found.function in _COUNTED:
        strict = node.operator in (">", "<", "!=")
        many = floor(short / abs(weight)) + 1 if strict else max(1, ceil(short / abs(weight)))
        each = "" if many == 1 else "each "
        another = {"days": f", {each}on another day", "distinct": f", {each}with another `{found.field}`"}
        what = selector(found.matches) + another.get(found.function, "")
        return (events_needed(many, found.matches, what, scope.end),)
    if found.function != "sum":
        return None
    whole = comparison_gap(node, (), scope.zone)
    share = min(_ONE, short / abs(whole)) if whole else _ONE
    amount = short / abs(weight)
    direction = "more" if weight > 0 else "less"
    what = f"{_shown(amount, node.operator)} {direction} in `{found.field}` of {selector(found.matches)}"
    return (Need(found.matches, 0, share or WAIT, what, scope.end),)


def _of_nothing(node: tree.Comparison, terms: list[tuple[int, tree.Term]], scope: Scope) -> Way:
    """An aggregate has nothing to go by, or a text: one event each that brings a value."""
    lacking = [term.aggregate for _, term in terms if term.aggregate and _is_empty(term.aggregate, scope)]
    if isinstance(node.right, str) or not lacking:
        return (_elsewhere(terms, scope),)
    needs = [events_needed(1, one.matches, f"{selector(one.matches)} with `{one.field}`", scope.end) for one in lacking]
    return tuple(dict.fromkeys(needs))


def _elsewhere(terms: list[tuple[int, tree.Term]], scope: Scope) -> Need:
    """An event that brings an average, an extreme or the latest value where it has to be; at least one."""
    found = terms[0][1].aggregate
    assert found is not None
    return events_needed(1, found.matches, f"{selector(found.matches)} with another `{found.field}`", scope.end)


def _is_fixed(term: tree.Term, scope: Scope) -> bool:
    """The first value stays the first."""
    return term.aggregate is not None and term.aggregate.function == "first" and not _is_empty(term.aggregate, scope)


def _is_empty(node: tree.Aggregate, scope: Scope) -> bool:
    return aggregate(node, scope.inside(), scope.zone) is None


def _terms(node: tree.Comparison) -> list[tuple[int, tree.Term]]:
    right = () if isinstance(node.right, str) else node.right
    return [*((1, term) for term in node.left), *((-1, term) for term in right)]


def _shown(amount: Fraction, operator: str) -> str:
    if not amount:
        return "any"
    return f"over {written(amount)}" if operator in ("<", ">", "!=") else written(amount)


def streak_way(node: tree.Streak, scope: Scope, now: Instant) -> Way:
    """The cheapest run that may still be completed: it starts in a good bucket, or in this one or the next."""
    assert isinstance(node.span, tree.Calendar)
    if scope.end is not None and now >= scope.end:
        return None
    unit, zone, count = node.span.unit, scope.zone, node.span.count
    today = civil.bucket_date(civil.local_date(now, zone), unit)
    dates = {civil.bucket_date(civil.local_date(event.at, zone), unit) for event in scope.inside()}
    good = sorted(first for first in dates if _short(node.body, scope, first, unit) == 0)
    starts = dict.fromkeys([*reversed(good[-count:]), today, civil.next_bucket(today, unit, zone)])
    return cheapest([_run_way(node, scope, first, today, good) for first in starts])


def _run_way(node: tree.Streak, scope: Scope, first: date, today: date, good: list[date]) -> Way:
    assert isinstance(node.span, tree.Calendar)
    unit, zone = node.span.unit, scope.zone
    run = [first]
    while len(run) < node.span.count:
        run.append(civil.next_bucket(run[-1], unit, zone))
    missed = sum(day not in good for day in run if day < today)
    ahead = [day for day in run if day >= today and day not in good]
    if scope.end is not None and ahead and civil.bucket_of(ahead[-1], unit, zone)[0] >= scope.end:
        return None
    if missed > node.skip or not ahead or (first < today and first not in good) or run[-1] < today:
        return None
    # The first and the last one have to be good; of those between, the dearest may be left out.
    free = sorted(
        (day for day in ahead if day not in (run[0], run[-1])), key=lambda day: _short(node.body, scope, day, unit)
    )
    spared = free[max(0, len(free) - (node.skip - missed)) :] if node.skip > missed else []
    wanted = [day for day in ahead if day not in spared]
    needs = []
    for day in wanted:
        many = _short(node.body, scope, day, unit)
        close = civil.bucket_of(day, unit, zone)[1]
        found = _matches(node.body)
        by = close if scope.end is None else min(close, scope.end)
        what = f"{selector(found)} {'on' if unit == 'day' else f'in the {unit} of'} {day.isoformat()}"
        needs.append(events_needed(many, found, what, by))
    return tuple(needs)


def _short(body: tree.Node, scope: Scope, first: date, unit: str) -> int:
    """How many events a bucket lacks."""
    inner = scope.bucket(*civil.bucket_of(first, unit, scope.zone))
    if isinstance(body, tree.AtLeast):
        return max(0, body.least - len(matching(body.matches, inner.inside())))
    terms = body.terms if isinstance(body, tree.Or) else ()
    return min(
        (_short(term, scope, first, unit) for term in terms), default=0 if holds(body, inner, inner.until[0]) else 1
    )


def _matches(body: tree.Node) -> tuple[tree.Match, ...]:
    if isinstance(body, tree.AtLeast):
        return body.matches
    return tuple(found for term in getattr(body, "terms", ()) for found in _matches(term))
