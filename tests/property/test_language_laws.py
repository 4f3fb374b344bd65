"""Laws of the language, for all conditions and histories that Hypothesis finds."""

from __future__ import annotations

import attrs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rewardkit.language import tree
from rewardkit.language.descent import descend
from rewardkit.language.event import Event
from rewardkit.language.explaining.explanation import explain
from rewardkit.language.folding.program import IMPOSSIBLE, compile_program
from rewardkit.language.listening import hears_all
from rewardkit.language.replay import replay
from rewardkit.language.specification import judge, readings
from rewardkit.testing.samples import SPANS
from rewardkit.testing.strategies import START, conditions, histories

LATER = START + 60
SPAN = st.sampled_from(SPANS).map(tree.Elapsed)
CONDITION = conditions(depth=2)
many = settings(max_examples=300, deadline=None)


def held(node: tree.Node, events: list[Event], end: int | None = None) -> dict[int, bool]:
    """Whether it holds at each instant up to LATER, which does not depend on how often it is read."""
    changes = dict(readings(node, events, START, LATER, end))
    value, found = False, {}
    for at in range(START, LATER + 1):
        value = changes.get(at, value)
        found[at] = value
    return found


def outcome(node: tree.Node, events: list[Event], end: int | None = None) -> tuple[int, int | None]:
    state = replay(node, events, START, LATER, end).state
    return state.status, state.decided_at


def first_held(node: tree.Node, events: list[Event]) -> int | None:
    state = replay(node, events, START, LATER).state
    return state.decided_at if state.status == 1 else None


@many
@given(conditions(depth=1), conditions(depth=1), SPAN, histories())
def test_within_distributes_over_and_or_not(
    left: tree.Node, right: tree.Node, span: tree.Elapsed, events: list[Event]
) -> None:
    both = tree.Within(tree.And((left, right)), span)
    either = tree.Within(tree.Or((left, right)), span)
    apart = (tree.Within(left, span), tree.Within(right, span))
    assert outcome(tree.And(apart), events) == outcome(both, events)
    assert outcome(tree.Or(apart), events) == outcome(either, events)
    assert outcome(tree.Not(apart[0]), events) == outcome(tree.Within(tree.Not(left), span), events)


@many
@given(CONDITION, SPAN, SPAN, histories())
def test_nested_within_is_the_least(body: tree.Node, one: tree.Elapsed, two: tree.Elapsed, events: list[Event]) -> None:
    least = tree.Elapsed(min(one.microseconds, two.microseconds))
    nested = tree.Within(tree.Within(body, one), two)
    assert outcome(tree.Within(body, least), events) == outcome(nested, events)
    assert held(tree.Within(body, least), events) == held(nested, events)


@many
@given(conditions(depth=1), conditions(depth=1), conditions(depth=1), histories())
def test_then_is_associative(one: tree.Node, two: tree.Node, three: tree.Node, events: list[Event]) -> None:
    left = tree.Then((tree.Then((one, two)), three))
    right = tree.Then((one, tree.Then((two, three))))
    assert outcome(left, events) == outcome(right, events) == outcome(tree.Then((one, two, three)), events)
    assert held(left, events) == held(right, events)


@many
@given(conditions(depth=1), conditions(depth=1), conditions(depth=1), histories())
def test_then_distributes_over_or(one: tree.Node, two: tree.Node, three: tree.Node, events: list[Event]) -> None:
    whole = tree.Then((tree.Or((one, two)), three))
    apart = tree.Or((tree.Then((one, three)), tree.Then((two, three))))
    assert first_held(whole, events) == first_held(apart, events)
    assert held(whole, events) == held(apart, events)
    after = tree.Then((three, tree.Or((one, two))))
    assert first_held(after, events) == first_held(tree.Or((tree.Then((three, one)), tree.Then((three, two)))), events)


@many
@given(CONDITION, histories(), histories(names=("X", "Y")))
def test_irrelevant_events_change_nothing(node: tree.Node, events: list[Event], others: list[Event]) -> None:
    assume(not hears_all(node))
    renamed = [attrs.evolve(event, id=f"x{event.id}") for event in others]
    assert outcome(node, events) == outcome(node, [*events, *renamed])


@many
@given(CONDITION, histories(), st.integers(1, 10**15))
def test_a_shift_in_time_shifts_the_verdict(node: tree.Node, events: list[Event], shift: int) -> None:
    assume(not any(_fixed(part) for part in descend(node)))
    shifted = [attrs.evolve(event, at=event.at + shift) for event in events]
    status, decided_at = outcome(node, events)
    moved = replay(node, shifted, START + shift, LATER + shift).state
    assert (status, decided_at) == (moved.status, None if moved.decided_at is None else moved.decided_at - shift)


def _fixed(part: tree.Node) -> bool:
    """Whether it looks at the calendar, which does not move along."""
    if isinstance(part, tree.Comparison) and not isinstance(part.right, str):
        return any(term.aggregate and term.aggregate.function == "days" for term in part.left + part.right)
    return isinstance(part, tree.Before | tree.Since | tree.InOne | tree.Streak)


@many
@given(CONDITION, histories(), st.randoms(use_true_random=False))
def test_duplicates_and_arrival_change_nothing(node: tree.Node, events: list[Event], chance: st.DataObject) -> None:
    told = [*events, *events]
    chance.shuffle(told)  # type: ignore[attr-defined]
    assert outcome(node, events) == outcome(node, told)


@many
@given(CONDITION, histories(), st.integers(0, 10))
def test_a_verdict_absorbs(node: tree.Node, events: list[Event], many_more: int) -> None:
    known = events[: max(0, len(events) - many_more)]
    until = known[-1].at if known else START
    if many_more and len(known) < len(events):
        until = min(until, events[len(known)].at - 1)
    before = replay(node, known, START, until).state
    if before.status:
        assert (before.status, before.decided_at) == outcome(node, events)


@many
@given(conditions(depth=2, positive=True), histories(), st.integers(0, 9))
def test_a_positive_condition_never_loses_by_an_event(node: tree.Node, events: list[Event], dropped: int) -> None:
    fewer = [event for number, event in enumerate(events) if number != dropped]
    with_fewer, with_all = first_held(node, fewer), first_held(node, events)
    if with_fewer is not None:
        assert with_all is not None
        assert with_all <= with_fewer


@many
@given(CONDITION, histories(), st.sampled_from((None, 1, 5, 8)))
def test_the_specification_and_the_program_agree(node: tree.Node, events: list[Event], length: int | None) -> None:
    end = None if length is None else START + length
    expected = judge(node, events, START, LATER, end)
    status, decided_at = outcome(node, events, end)
    if status == IMPOSSIBLE and compile_program(node).exact:
        # The specification knows the local rule alone, and may say it later or never.
        assert decided_at is not None
        assert "satisfied" != expected.status
        assert expected.decided_at is None or decided_at <= expected.decided_at
        return
    assert (expected.status, expected.decided_at) == (("pending", "satisfied", "impossible")[status], decided_at)


@many
@given(CONDITION, histories(), st.sampled_from((None, 5, 8)))
def test_a_proof_alone_satisfies(node: tree.Node, events: list[Event], length: int | None) -> None:
    """The events that an explanation names are enough: without all others it holds, and no later."""
    end = None if length is None else START + length
    explained = explain(node, events, START, LATER, end)
    status, decided_at = outcome(node, events, end)
    assert (("pending", "satisfied", "impossible")[status], decided_at) == (explained.status, explained.decided_at)
    if explained.status == "satisfied":
        proof = [event for event in events if event.id in explained.event_ids]
        assert len(proof) == len(explained.event_ids)
        assert held(node, proof, end)[explained.decided_at or 0]
    elif explained.status == "impossible":
        assert explained.killed_by is not None
    else:
        assert explained.killed_by is None
