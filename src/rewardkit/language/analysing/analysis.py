"""What can be known of a condition before anybody does anything: whether it can be satisfied, how, and at what cost.

Histories are looked for breadth first, with capped work. Past the cap, or where not every kind of history is looked
at, the answer is `unknown`; `yes` and `no` are never wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language import tree
from rewardkit.language.analysing.branches import Branch, dead_branches
from rewardkit.language.analysing.extent import Extent, extent, span_microseconds
from rewardkit.language.analysing.moments import Setting
from rewardkit.language.analysing.possibility import can_be, can_be_again, gathers, never_by_parts, without_guards
from rewardkit.language.analysing.relation import Answer, Relation, relate
from rewardkit.language.analysing.search import MOST_STEPS, Course, Found, Search, States, Work
from rewardkit.language.analysing.witness import History, least, readable
from rewardkit.language.descent import descend, matches
from rewardkit.language.emptiness import holds_on_nothing
from rewardkit.language.running.state import IMPOSSIBLE, SATISFIED
from rewardkit.language.syntax.canonical import structure
from rewardkit.language.syntax.literal import write_span
from rewardkit.language.syntax.suggestion import suggest


@attrs.frozen
class UnknownEvent:
    """A name that the condition listens to and nobody knows."""

    name: str
    suggestion: str | None
    """The known name that was probably meant, where one is close."""
    span: tuple[int, int]


@attrs.frozen
class LongWindow:
    """A window that is longer than the scope it is judged in."""

    text: str
    """The span as it is written."""
    span: tuple[int, int]


@attrs.frozen
class Analysis:
    """What is known of a condition."""

    satisfiable: Answer
    """Whether some history satisfies it."""
    refutable: Answer
    """Whether some history makes it impossible; where the scope has an end, whether some does not satisfy it."""
    certain: Answer
    """Whether every history satisfies it, if only time passes."""
    true_on_nothing: bool
    """Whether it holds before anything has happened: the commonest slip."""
    satisfying: History | None
    """A shortest history that satisfies it: a user who would qualify. Of a condition that is too large to be sure, one
    of which no event can be left out."""
    refuting: History | None
    """A shortest history that makes it impossible."""
    exact: bool
    """Whether verdicts say `impossible` as soon as it is so; else a local rule may say it later."""
    dead: tuple[Branch, ...]
    """Parts that can be left out; only where all histories can be looked at."""
    unknown_events: tuple[UnknownEvent, ...]
    long_windows: tuple[LongWindow, ...]
    extent: Extent
    relation: Relation | None = None
    """How it stands to the condition that it was compared with."""

    def to_json(self) -> dict[str, Any]:
        """Plain data, for the command line and vectors."""
        return {
            "satisfiable": self.satisfiable,
            "refutable": self.refutable,
            "certain": self.certain,
            "true_on_nothing": self.true_on_nothing,
            "satisfying": None if self.satisfying is None else self.satisfying.to_json(),
            "refuting": None if self.refuting is None else self.refuting.to_json(),
            "exact": self.exact,
            "dead": [{"text": one.text, "span": list(one.span), "kind": one.kind} for one in self.dead],
            "unknown_events": [
                {"name": one.name, "suggestion": one.suggestion, "span": list(one.span)} for one in self.unknown_events
            ],
            "long_windows": [{"text": one.text, "span": list(one.span)} for one in self.long_windows],
            **self.extent.to_json(),
            "relation": None if self.relation is None else self.relation.to_json(),
        }


def satisfied(states: States) -> bool:
    return states[0].status == SATISFIED


def impossible(states: States) -> bool:
    return states[0].status == IMPOSSIBLE


def unsatisfied(states: States) -> bool:
    return states[0].status != SATISFIED


def analyse(
    node: tree.Node,
    setting: Setting,
    *,
    against: tree.Node | None = None,
    known_events: Iterable[str] | None = None,
    longest: int | None = None,
) -> Analysis:
    """Analyses a condition in one scope.

    Args:
        node: the condition, names inlined.
        setting: the scope.
        against: another condition to compare it with.
        known_events: the names of all events that are known.
        longest: microseconds that scopes last; by default from the setting's start to its end.
    """
    if longest is None and setting.start is not None and setting.end is not None:
        longest = setting.end - setting.start
    search = Search([node], setting)
    found = _Found(node, search)
    relation = None if against is None else relate(node, against, setting, Work())
    return Analysis(
        satisfiable=found.satisfiable,
        refutable=found.refutable,
        certain=found.certain,
        true_on_nothing=holds_on_nothing(node),
        satisfying=found.satisfying,
        refuting=found.refuting,
        exact=search.programs[0].exact,
        dead=found.dead,
        unknown_events=() if known_events is None else _unknown(node, frozenset(known_events)),
        long_windows=() if longest is None else _long(node, longest),
        extent=extent(node),
        relation=relation,
    )


class _Found:
    """What a search says of one condition."""

    def __init__(self, node: tree.Node, search: Search) -> None:
        setting = search.setting
        self.satisfiable, self.satisfying = satisfying(node, search, Work())
        self.refutable, self.refuting = _refuting(node, search)
        self.certain: Answer
        if setting.end is None:
            found = search.find(unsatisfied, Work(), at_last=True)
            self.certain = "no" if found.course is not None else "yes" if found.complete else "unknown"
        else:
            self.certain = _opposite(self.refutable)
        self.dead: tuple[Branch, ...] = ()
        if self.satisfiable == "yes" and search.phases is not None and search.alphabet.complete:
            self.dead = dead_branches(node, setting, Work()).branches


def _opposite(answer: Answer) -> Answer:
    return "no" if answer == "yes" else "yes" if answer == "no" else "unknown"


def satisfying(node: tree.Node, search: Search, work: Work) -> tuple[Answer, History | None]:
    """Whether some history satisfies a condition, and a shortest one that does."""
    tied = gathers(node)
    found = search.find(satisfied, work, tied=tied)
    if found.course is not None:
        history = readable(search, found.course, satisfied)
        return "yes", history if found.complete or tied else least(search, history, satisfied)
    if found.complete:
        return "no", None
    simpler = _by_what_has_to_happen(node, search)
    if simpler is not None:
        return "yes", simpler
    if can_be(node) and search.setting.end is None:
        return "yes", None
    never = never_by_parts(node, search.setting, Work())
    return ("no" if never else "unknown"), None


def _by_what_has_to_happen(node: tree.Node, search: Search) -> History | None:
    """A history of what has to happen that happens to do nothing that must not; for conditions that are too large."""
    wanted = without_guards(node)
    if wanted is None or structure(wanted) == structure(node):
        return None
    found = Search([wanted], search.setting).find(satisfied, Work(), tied=gathers(wanted))
    at = None if found.course is None else search.reaches(found.course.events, satisfied)
    if found.course is None or at is None:
        return None
    return least(search, readable(search, Course(found.course.events, at), satisfied), satisfied)


def example(node: tree.Node, setting: Setting) -> History | None:
    """A shortest history that satisfies a condition; None where there is none.

    Raises:
        ValidationError: none was found within the work that a search may spend.
    """
    answer, history = satisfying(node, Search([node], setting), Work())
    if answer != "no" and history is None:
        raise ValidationError(
            f"no example was found in {MOST_STEPS:,} steps, and there may be one: ask for fewer events, or for a part"
        )
    return history


def _refuting(node: tree.Node, search: Search) -> tuple[Answer, History | None]:
    if search.setting.end is None and can_be_again(node):
        return "no", None
    found: Found = search.find(impossible, Work())
    if found.course is not None:
        history = readable(search, found.course, impossible)
        return "yes", history if found.complete else least(search, history, impossible)
    return ("no" if found.complete else "unknown"), None


def _unknown(node: tree.Node, known: frozenset[str]) -> tuple[UnknownEvent, ...]:
    return tuple(
        UnknownEvent(match.name, suggest(match.name, known), match.place)
        for part in descend(node)
        for match in matches(part)
        if match.name not in known
    )


def _long(node: tree.Node, longest: int) -> tuple[LongWindow, ...]:
    found = []
    for part in descend(node):
        span = getattr(part, "span", None)
        if isinstance(span, tree.Elapsed | tree.Calendar) and span_microseconds(span) > longest:
            found.append(LongWindow(write_span(span), part.place))
    return tuple(found)
