"""A condition, as applications hold it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias

import attrs

from rewardkit.errors import ConditionSyntaxError, ValidationError
from rewardkit.language.checks.check import Scope, check
from rewardkit.language.descent import descend, matches
from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.event import UNTIMED, Event, Position, instant
from rewardkit.language.folding.lateness import PUNCTUAL, Lateness, read_lateness
from rewardkit.language.limits import DAY_MICROSECONDS, LONGEST_TEXT
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.inline import inline
from rewardkit.language.syntax.parse import parse, read
from rewardkit.language.tree import Node
from rewardkit.language.verdict import Mode, Verdict
from rewardkit.language.zoning import UTC

if TYPE_CHECKING:
    from rewardkit.language.analysing.analysis import Analysis
    from rewardkit.language.analysing.moments import Setting
    from rewardkit.language.analysing.witness import History
    from rewardkit.language.explaining.explanation import Explanation
    from rewardkit.language.folding.program import Program
    from rewardkit.language.folding.timely import Timely

EXAMPLE_START = "2024-01-01T00:00:00Z"
"""Where a scope begins that nobody gave a start, so that histories are made up the same way each time."""

Start: TypeAlias = datetime | str | int | Position | Event | None
"""Where a scope begins: an instant (before all events at it), a position or an event (after it), or nowhere."""


@attrs.frozen(eq=False)
class Condition:
    """A parsed condition; made by `Condition.parse`.

    Two conditions are equal where their canonical texts are.
    """

    text: str
    """The source as it was written; places of diagnostics point into it."""
    tree: Node = attrs.field(repr=False)
    """The tree, names inlined where definitions were given."""
    _canonical: list[str] = attrs.field(factory=list, repr=False)
    """The canonical text, once it has been made."""

    @classmethod
    def parse(cls, text: str, *, definitions: Mapping[str, str | Condition] | None = None) -> Condition:
        """The condition of a text.

        Args:
            text: at most 4,096 characters.
            definitions: named conditions for `@name`; without them, a condition that has names cannot be judged.

        Raises:
            ConditionSyntaxError: the text is not a condition, or a name in it is unknown or refers to itself.
        """
        if definitions is None and type(text) is str:
            return _parsed(text)
        tree = parse(text)
        source = str.__str__(text)
        if definitions is None:
            return Condition(source, tree)
        return _inlined(source, inline(tree, _trees(definitions), text=source))

    @property
    def event_names(self) -> frozenset[str]:
        """The names of the events that it listens to."""
        return frozenset(match.name for part in descend(self.tree) for match in matches(part))

    @property
    def lints(self) -> tuple[Diagnostic, ...]:
        """What parses and is surely not meant, in a scope that has a start."""
        return tuple(found for found in self.check() if found.severity == "lint")

    @property
    def canonical(self) -> str:
        """The stored form: `str(condition)`, which parses to an equal condition with no definitions."""
        if not self._canonical:
            self._canonical.append(format_condition(self.tree))
        return self._canonical[0]

    @property
    def normalised(self) -> Condition:
        """The same meaning with its parts in one order and form, and each once; as explained in `language.normal`.

        Verdicts are the same, except that one whose double negations are gone may be sure of itself while late events
        are still waited for.
        """
        from rewardkit.language.syntax.normal import normalise

        tree = normalise(self.tree)
        text = format_condition(tree)
        return Condition(text, parse(text) if len(text) <= LONGEST_TEXT else tree)

    @property
    def identity(self) -> str:
        """Thirty-two hexadecimal digits that conditions share exactly when they normalise alike."""
        return blake2b(self.normalised.canonical.encode(), digest_size=16).hexdigest()

    def __str__(self) -> str:
        return self.canonical

    def __eq__(self, other: object) -> bool:
        return self.canonical == other.canonical if isinstance(other, Condition) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.canonical)

    def check(self, *, scope: Scope = "start") -> tuple[Diagnostic, ...]:
        """Errors and lints for judging it in a scope with a start, or in one that is `open`."""
        return _found(self, self.text, scope)

    def require(self, *, scope: Scope = "start") -> None:
        """Refuses a condition that cannot be judged.

        Raises:
            ConditionSyntaxError: with the errors that `check` found.
        """
        errors = tuple(found for found in self.check(scope=scope) if found.severity == "error")
        if errors:
            raise ConditionSyntaxError(self.text, errors)

    def judge(
        self,
        events: Iterable[Event],
        *,
        start: Start,
        now: datetime | str | int,
        end: datetime | str | int | None = None,
        zone: str = UTC,
        mode: Mode = "latch",
        allowed_lateness: Lateness = PUNCTUAL,
    ) -> Verdict:
        """The verdict on one user's events.

        Args:
            events: in any order, each with `at` and `id`; an id counts once.
            start: where the scope begins; None for all known history.
            now: the instant that it is judged at; later events do not count.
            end: the instant at which the scope ends, itself outside.
            zone: IANA name of the zone that its days, weeks, months and dates are read in.
            mode: `latch`: a verdict, once decided, stays; `live`: it is satisfied while the condition holds; `final`:
                it is judged once, at the end, which it needs.
            allowed_lateness: elapsed time such as `2d`, for which what a late event could overturn waits.

        Raises:
            ConditionSyntaxError: it has a part that cannot be judged.
            ValidationError: an instant, the zone, the mode or the lateness cannot be meant, or an event has no instant
                or no id.
            Conflict: one id came with two bodies.
        """
        from rewardkit.language.replay import judge

        place = _position(start)
        self.require(scope=_scope(place))
        until = None if end is None else instant(end)
        if read_lateness(allowed_lateness):
            timely = self.timely(allowed_lateness, scope=_scope(place), zone=zone, mode=mode)
            return timely.verdict(timely.fold(_history(events), place, now=instant(now), end=until))
        return judge(self.tree, _history(events), place, instant(now), until, zone=zone, mode=mode)

    def explain(
        self,
        events: Iterable[Event],
        *,
        start: Start,
        now: datetime | str | int,
        end: datetime | str | int | None = None,
        zone: str = UTC,
        mode: Mode = "latch",
    ) -> Explanation:
        """Why the verdict is what it is, and how far it is; arguments and errors as of `judge`."""
        from rewardkit.language.civil import zone_named
        from rewardkit.language.explaining.explanation import explain
        from rewardkit.language.folding.modes import check_mode

        check_mode(mode)
        zone_named(zone)
        place = _position(start)
        self.require(scope=_scope(place))
        until = None if end is None else instant(end)
        return explain(self.tree, _history(events), place, instant(now), until, zone=zone, mode=mode)

    def analyse(
        self,
        *,
        start: Start = EXAMPLE_START,
        end: datetime | str | int | None = None,
        zone: str = UTC,
        against: Condition | str | None = None,
        known_events: Iterable[str] | None = None,
        campaign_days: int | None = None,
    ) -> Analysis:
        """What can be known of it before anything happens: how it is satisfied and refuted, and at what cost.

        Args:
            start: where the scope begins that histories are made up for; None for one with no start.
            end: the instant at which the scope ends, itself outside.
            zone: IANA name of the zone that its days, weeks, months and dates are read in.
            against: another condition, for whether one implies the other, with histories that tell them apart.
            known_events: the names of all events that are known; the others are reported.
            campaign_days: how long scopes last; longer windows are reported. By default, from start to end.

        Raises:
            ConditionSyntaxError: it, or the other one, has an error.
            ValidationError: an instant, the zone, `known_events` or `campaign_days` cannot be meant.
        """
        from rewardkit.language.analysing.analysis import analyse

        if campaign_days is not None and (type(campaign_days) is not int or campaign_days < 1):
            raise ValidationError(f"campaign_days is a whole number from 1, not {quoted(repr(campaign_days))}")
        if isinstance(known_events, str):
            raise ValidationError("known_events is a list of names, not one text")
        other = Condition.parse(against) if isinstance(against, str) else against
        setting = _setting((self,) if other is None else (self, other), start, end, zone)
        longest = None if campaign_days is None else campaign_days * DAY_MICROSECONDS
        against_tree = None if other is None else other.tree
        return analyse(self.tree, setting, against=against_tree, known_events=known_events, longest=longest)

    def example(
        self, *, start: Start = EXAMPLE_START, end: datetime | str | int | None = None, zone: str = UTC
    ) -> History | None:
        """A shortest history that satisfies it: a user who would qualify. None where no history does.

        Raises:
            ConditionSyntaxError: it has a part that cannot be judged.
            ValidationError: no history was found with the work that a search may spend, and there may be one; or an
                instant or the zone cannot be meant.
        """
        from rewardkit.language.analysing.analysis import example

        self.require(scope=_scope(_position(start)))
        return example(self.tree, _setting((self,), start, end, zone))

    def program(self, *, scope: Scope = "start", zone: str = UTC, mode: Mode = "latch") -> Program:
        """The incremental program: `start`, `step`, `advance` and `verdict`, for folding events one by one.

        Args:
            scope: `start` where the scopes that it judges have one, `open` where they have none.
            zone: IANA name of the zone that its days, weeks, months and dates are read in.
            mode: as of `judge`; a packed state belongs to its mode.

        Raises:
            ConditionSyntaxError: it has a part that cannot be judged in such a scope.
            ValidationError: the zone or the mode is unknown.
        """
        from rewardkit.language.folding.modes import compile_in_mode

        self.require(scope=scope)
        return compile_in_mode(self.tree, mode, zone)

    def timely(
        self, allowed_lateness: Lateness, *, scope: Scope = "start", zone: str = UTC, mode: Mode = "latch"
    ) -> Timely:
        """The incremental program for events that may come late; scope, zone, mode and errors as of `program`.

        An event is waited for as long as `allowed_lateness` says: elapsed time such as `2d`, or a timedelta.
        """
        from rewardkit.language.folding.timely import Timely

        return Timely(self.program(scope=scope, zone=zone, mode=mode), allowed_lateness)


@lru_cache(maxsize=1_024)
def _parsed(text: str) -> Condition:
    return Condition(text, read(text))


@lru_cache(maxsize=1_024)
def _found(condition: Condition, text: str, scope: Scope) -> tuple[Diagnostic, ...]:
    """What is found in a condition; its text is part of the question, since places point into it."""
    return check(condition.tree, text, scope=scope)


def _inlined(text: str, tree: Node) -> Condition:
    condition = Condition(text, tree)
    length = len(condition.canonical)
    if length > LONGEST_TEXT:
        message = f"a condition has at most {LONGEST_TEXT:,} characters, and this has {length:,} when written out"
        raise ConditionSyntaxError(text, (Diagnostic("RK002", message, (0, len(text)), help="name fewer conditions"),))
    return condition


def _history(events: Iterable[Event]) -> tuple[Event, ...]:
    if not isinstance(events, Iterable):
        raise ValidationError(f"a history is a list of `Event`s, not `{type(events).__name__}`")
    return tuple(events)


def _trees(definitions: Mapping[str, str | Condition]) -> dict[str, Node]:
    if not isinstance(definitions, Mapping):
        raise ValidationError(f"definitions are a dict of conditions by name, not `{type(definitions).__name__}`")
    return {name: value.tree if isinstance(value, Condition) else parse(value) for name, value in definitions.items()}


def _setting(conditions: Iterable[Condition], start: Start, end: datetime | str | int | None, zone: str) -> Setting:
    """The scope that conditions are looked at in, once they are known to have no error."""
    from rewardkit.language.analysing.moments import Setting
    from rewardkit.language.civil import zone_named

    zone_named(zone)
    place = _position(start)
    for condition in conditions:
        found = condition.check(scope=_scope(place))
        errors = tuple(one for one in found if one.severity == "error")
        if errors:
            raise ConditionSyntaxError(condition.text, errors)
    return Setting(None if place is None else place.at, None if end is None else instant(end), zone)


def _scope(start: Position | None) -> Scope:
    return "open" if start is None else "start"


def _position(start: Start) -> Position | None:
    if start is None or isinstance(start, Position):
        return start
    if not isinstance(start, Event):
        return Position(instant(start))
    if start.at == UNTIMED:
        raise ValidationError(f"event {quoted(start.name)} has no instant to start from: pass `at`")
    return start.position
