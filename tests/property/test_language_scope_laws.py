"""Laws of the operators that judge their body in scopes of their own, by the specification.

The incremental engine obeys them where it agrees with the specification; see `test_language_agreement.py`.
"""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardkit.language import tree
from rewardkit.language.descent import children, matches
from rewardkit.language.event import Event, rfc3339
from rewardkit.language.specification import judge, readings
from rewardkit.testing.samples import SPANS
from rewardkit.testing.strategies import START, conditions, histories

LATER = START + 60
SPAN = st.sampled_from(SPANS).map(tree.Elapsed)
INSTANT = st.integers(-1, 9).map(lambda after: rfc3339(START + after))
KEYS = ("p", "q")
some = settings(max_examples=150, deadline=None)


def held(node: tree.Node, events: list[Event], zone: str = "UTC") -> list[tuple[int, bool]]:
    """When it begins and ceases to hold, which does not depend on how often it is read."""
    found: list[tuple[int, bool]] = []
    last_at_an_instant = dict(readings(node, events, START, LATER, zone=zone))
    for at, value in last_at_an_instant.items():
        if not found or found[-1][1] != value:
            found.append((at, value))
    return found


@some
@given(conditions(depth=1, positive=True), conditions(depth=1, positive=True), SPAN, histories())
def test_in_any_distributes_over_or(left: tree.Node, right: tree.Node, span: tree.Elapsed, events: list[Event]) -> None:
    apart = tree.Or((tree.InAny(left, span), tree.InAny(right, span)))
    assert held(apart, events) == held(tree.InAny(tree.Or((left, right)), span), events)


def test_in_any_does_not_distribute_over_and() -> None:
    left, right = (tree.AtLeast((tree.Match(name),)) for name in "AB")
    events = [Event("A", START, "1"), Event("B", START + 9, "2")]
    day = tree.Elapsed(5)
    apart = tree.And((tree.InAny(left, day), tree.InAny(right, day)))
    assert "satisfied" == judge(apart, events, START, LATER).status
    assert "pending" == judge(tree.InAny(tree.And((left, right)), day), events, START, LATER).status


@some
@given(conditions(depth=1, positive=True), conditions(depth=1, positive=True), st.sampled_from(KEYS), histories())
def test_by_distributes_over_or(left: tree.Node, right: tree.Node, key: str, events: list[Event]) -> None:
    left, right = without_derived(left), without_derived(right)
    apart = tree.Or((tree.By(left, key), tree.By(right, key)))
    assert held(apart, events) == held(tree.By(tree.Or((left, right)), key), events)


def without_derived(node: tree.Node) -> tree.Node:
    """`satisfied(…)`, which no `by` sees, written as a macro."""
    if isinstance(node, tree.Satisfied):
        assert node.body is not None
        return without_derived(node.body)
    changes: dict[str, Any] = {}
    for field in ("terms", "steps"):
        if hasattr(node, field):
            changes[field] = tuple(without_derived(part) for part in children(node))
    if hasattr(node, "body"):
        changes["body"] = without_derived(children(node)[0])
    changed: tree.Node = attrs.evolve(node, **changes)
    return changed


@some
@given(conditions(depth=1), conditions(depth=1), INSTANT, histories())
def test_before_and_since_distribute_over_and_or_not(
    left: tree.Node, right: tree.Node, instant: str, events: list[Event]
) -> None:
    for scoped in (tree.Before, tree.Since):
        apart = (scoped(left, instant), scoped(right, instant))
        assert held(tree.And(apart), events) == held(scoped(tree.And((left, right)), instant), events)
        assert held(tree.Or(apart), events) == held(scoped(tree.Or((left, right)), instant), events)
        assert held(tree.Not(apart[0]), events) == held(scoped(tree.Not(left), instant), events)


@some
@given(conditions(depth=1), histories())
def test_names_mean_nothing(node: tree.Node, events: list[Event]) -> None:
    """Renaming every event and every mention of it changes no verdict."""
    renamed = [attrs.evolve(event, name=f"other {event.name}") for event in events]
    assert held(node, events) == held(_renamed(node), renamed)


def _renamed(node: tree.Node) -> tree.Node:
    changes: dict[str, Any] = {}
    if isinstance(node, tree.AtLeast | tree.Between):
        changes["matches"] = tuple(_other(match) for match in matches(node))
    if isinstance(node, tree.Comparison):
        changes["left"] = tuple(_term(term) for term in node.left)
        changes["right"] = node.right if isinstance(node.right, str) else tuple(_term(term) for term in node.right)
    for field in ("terms", "steps"):
        if hasattr(node, field):
            changes[field] = tuple(_renamed(part) for part in children(node))
    if hasattr(node, "body"):
        changes["body"] = _renamed(children(node)[0])
    changed: tree.Node = attrs.evolve(node, **changes)
    return changed


def _other(match: tree.Match) -> tree.Match:
    return attrs.evolve(match, name=f"other {match.name}")


def _term(term: tree.Term) -> tree.Term:
    if term.aggregate is None:
        return term
    aggregate = attrs.evolve(term.aggregate, matches=tuple(_other(match) for match in term.aggregate.matches))
    return attrs.evolve(term, aggregate=aggregate)


@some
@given(conditions(depth=1, positive=True), histories(), st.integers(1, 8))
def test_lateness_delays_nothing_that_only_grows(node: tree.Node, events: list[Event], lateness: int) -> None:
    prompt = judge(node, events, START, LATER)
    patient = judge(node, events, START, LATER, lateness=lateness)
    if prompt.status == "satisfied" and not _derives(node):
        assert prompt == attrs.evolve(patient, wake_at=None)


def _derives(node: tree.Node) -> bool:
    return isinstance(node, tree.Satisfied) or any(_derives(part) for part in children(node))


@some
@given(conditions(depth=2), histories(), st.integers(1, 8))
def test_lateness_changes_when_a_verdict_is_known_and_not_what_it_is(
    node: tree.Node, events: list[Event], lateness: int
) -> None:
    prompt = judge(node, events, START, LATER)
    patient = judge(node, events, START, LATER + lateness, lateness=lateness)
    if patient.status != "pending" and prompt.status != "pending":
        assert prompt.status == patient.status


@some
@given(conditions(depth=2), histories(), st.sampled_from((3, 8, 20)))
def test_final_is_what_live_says_at_the_end(node: tree.Node, events: list[Event], length: int) -> None:
    end = START + length
    live = judge(node, events, START, end, end, mode="live")
    final = judge(node, events, START, end, end, mode="final")
    assert live.holds_now == (final.status == "satisfied")
    assert end == final.decided_at


@some
@given(conditions(depth=2), histories())
def test_what_a_derived_event_says_is_when_the_condition_was_satisfied(node: tree.Node, events: list[Event]) -> None:
    itself = judge(node, events, START, LATER)
    derived = judge(tree.Satisfied("", node), events, START, LATER)
    if itself.status == "satisfied" and itself.decided_at != START:
        assert (itself.status, itself.decided_at) == (derived.status, derived.decided_at)
    elif itself.status != "satisfied":
        assert "satisfied" != derived.status
