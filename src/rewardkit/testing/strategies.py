"""Hypothesis strategies for conditions and histories, to property-test the logic of campaigns with.

@given(histories(names=("Signed Up", "Purchased"), user="amanda"))
def test_nobody_is_paid_twice(events):
    kit = RewardKit(clock=FakeClock(START))  # an offer that is made later than an event does not see it
    ...
    kit.emit_many(events)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from rewardkit.language import tree
from rewardkit.language.descent import descend
from rewardkit.language.event import Event, rfc3339
from rewardkit.testing.samples import NAMES, SPANS

START = 1_704_067_200_000_000
"""2024-01-01T00:00:00Z, where histories begin unless told otherwise."""

_SCALARS = st.sampled_from((1, 2, 5, "x", "xy", True, None))


def histories(
    *,
    names: Sequence[str] = NAMES,
    start: int = START,
    spans: Sequence[int] = SPANS,
    most: int = 10,
    user: str = "",
    properties: st.SearchStrategy[dict[str, Any]] | None = None,
) -> st.SearchStrategy[list[Event]]:
    """One user's events in total order, at and after an instant.

    Args:
        names: the events' names.
        start: microseconds since 1970.
        spans: microseconds; events lie these and their near neighbours apart, so that deadlines are hit exactly.
        most: events.
        user: whose events they are; a kit needs one, conditions by themselves do not.
        properties: of each event; a few of every type by default.
    """
    steps = sorted({0, 1} | {max(0, span + near) for span in spans for near in (-1, 0, 1)})
    one = st.tuples(
        st.sampled_from(list(names)),
        st.sampled_from(steps),
        st.sampled_from((0, 0, 1)),
        st.dictionaries(st.sampled_from(("p", "q")), _SCALARS, max_size=2) if properties is None else properties,
    )

    def build(drawn: list[tuple[str, int, int, dict[str, Any]]]) -> list[Event]:
        at, events = start, []
        for number, (name, step, order, held) in enumerate(drawn):
            at += step
            events.append(Event(name, at, f"e{number:02}", user, order, held))
        return sorted(events, key=lambda event: event.position)

    return st.lists(one, max_size=most).map(build)


def selectors(names: Sequence[str] = NAMES, most: int = 3) -> st.SearchStrategy[tree.AtLeast]:
    """Events, unions of events and counts of either."""
    found = st.lists(st.sampled_from(list(names)), min_size=1, max_size=2, unique=True)
    return st.builds(
        lambda chosen, least: tree.AtLeast(tuple(tree.Match(name) for name in chosen), least),
        found,
        st.integers(1, most),
    )


def comparisons(names: Sequence[str] = NAMES, *, positive: bool = False) -> st.SearchStrategy[tree.Node]:
    """Counts with bounds, and linear comparisons of aggregates over the property `p`.

    Args:
        names: of the events.
        positive: lower bounds of what only grows.
    """
    matches = st.sampled_from(list(names)).map(lambda name: (tree.Match(name),))
    growing = ("count", "days", "distinct", "max")
    functions = st.sampled_from(growing if positive else (*growing, "sum", "avg", "min", "latest", "first"))
    aggregates = st.builds(
        lambda function, found: tree.Aggregate(function, found, None if function in ("count", "days") else "p"),
        functions,
        matches,
    )
    one = st.builds(
        lambda aggregate, operator, bound: tree.Comparison((tree.Term(1, aggregate),), operator, (tree.Term(bound),)),
        aggregates,
        st.sampled_from((">", ">=") if positive else (">", ">=", "<", "<=", "==", "!=")),
        st.integers(0, 3),
    )
    if positive:
        return one
    difference = st.builds(
        lambda left, right, bound: tree.Comparison(
            (tree.Term(1, left), tree.Term(-1, right)), ">=", (tree.Term(bound),)
        ),
        aggregates,
        aggregates,
        st.integers(-1, 2),
    )
    between = st.builds(
        lambda found, least, more: tree.Between(found, least, max(1, least + more)),
        matches,
        st.integers(0, 2),
        st.integers(0, 2),
    )
    return st.one_of(one, one, difference, between)


def conditions(
    *, names: Sequence[str] = NAMES, spans: Sequence[int] = SPANS, positive: bool = False, depth: int = 3
) -> st.SearchStrategy[tree.Node]:
    """Conditions of every operator that a scope with a start allows, as trees.

    `rewardkit.language.syntax.format.format_condition` gives their text. `ever` is left out, since where it may stand
    depends on what follows it, and so is `in last`, which only segments use.

    Args:
        names: of the events.
        spans: microseconds of their windows.
        positive: without negations, upper bounds and `over`, so that more events never make less true.
        depth: of the nesting.
    """
    lengths = st.sampled_from(list(spans)).map(tree.Elapsed)
    leaves = st.one_of(selectors(names), selectors(names), comparisons(names, positive=positive), _streaks(names))
    made: st.SearchStrategy[tree.Node] = leaves
    for _ in range(depth):
        made = _nested(made, selectors(names), lengths, positive=positive)
    return made


def _streaks(names: Sequence[str]) -> st.SearchStrategy[tree.Node]:
    days = st.integers(1, 2).map(lambda many: tree.Calendar(many, "day"))
    return st.builds(tree.Streak, selectors(names, most=2), days)


def _nested(
    inner: st.SearchStrategy[tree.Node],
    leaves: st.SearchStrategy[tree.AtLeast],
    lengths: st.SearchStrategy[tree.Elapsed],
    *,
    positive: bool,
) -> st.SearchStrategy[tree.Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    instants = st.integers(-1, 9).map(lambda after: rfc3339(START + after))
    choices: list[st.SearchStrategy[tree.Node]] = [
        leaves,
        st.builds(tree.And, several),
        st.builds(tree.Or, several),
        st.builds(tree.Then, several),
        st.builds(tree.Within, inner, lengths),
        several.flatmap(lambda terms: st.builds(tree.Some, st.integers(1, len(terms)), st.just(terms))),
        st.builds(tree.InAny, inner, lengths),
        st.builds(tree.InOne, inner, st.sampled_from(("day", "week", "month", "quarter", "year"))),
        st.builds(tree.Before, inner, instants),
        st.builds(tree.Since, inner, instants),
        st.builds(tree.By, inner.filter(_has_no_derived), st.sampled_from(("p", "q"))),
        st.builds(lambda body: tree.Satisfied("", body), inner),
    ]
    if not positive:
        choices += [
            st.builds(tree.Not, inner),
            st.builds(tree.Over, inner, lengths),
            st.builds(tree.No, leaves, lengths),
        ]
    return st.one_of(choices)


def _has_no_derived(node: tree.Node) -> bool:
    """Whether it may stand under `by`, where no derived event is seen."""
    return not any(isinstance(part, tree.Satisfied) for part in descend(node))
