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
from rewardkit.language.event import Event
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


def conditions(
    *, names: Sequence[str] = NAMES, spans: Sequence[int] = SPANS, positive: bool = False, depth: int = 3
) -> st.SearchStrategy[tree.Node]:
    """Conditions that this version evaluates, as trees; `rewardkit.language.format.format_condition` gives their text.

    Args:
        names: of the events.
        spans: microseconds of their windows.
        positive: without negations and without `over`, so that more events never make less true.
        depth: of the nesting.
    """
    lengths = st.sampled_from(list(spans)).map(tree.Elapsed)
    made: st.SearchStrategy[tree.Node] = selectors(names)
    for _ in range(depth):
        made = _nested(made, selectors(names), lengths, positive=positive)
    return made


def _nested(
    inner: st.SearchStrategy[tree.Node],
    leaves: st.SearchStrategy[tree.AtLeast],
    lengths: st.SearchStrategy[tree.Elapsed],
    *,
    positive: bool,
) -> st.SearchStrategy[tree.Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    choices: list[st.SearchStrategy[tree.Node]] = [
        leaves,
        st.builds(tree.And, several),
        st.builds(tree.Or, several),
        st.builds(tree.Then, several),
        st.builds(tree.Within, inner, lengths),
        several.flatmap(lambda terms: st.builds(tree.Some, st.integers(1, len(terms)), st.just(terms))),
    ]
    if not positive:
        choices += [
            st.builds(tree.Not, inner),
            st.builds(tree.Over, inner, lengths),
            st.builds(tree.No, leaves, lengths),
        ]
    return st.one_of(choices)
