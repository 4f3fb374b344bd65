"""Runs conformance vectors through every engine, and returns what differs as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias

import attrs

from rewardkit.errors import ConditionSyntaxError, Conflict, RewardKitError
from rewardkit.language import specification
from rewardkit.language.analysis_vectors import ASKED, expectation, unfounded
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, Instant
from rewardkit.language.program import IMPOSSIBLE, Program, State
from rewardkit.language.replay import BEFORE_ALL, replay
from rewardkit.language.vectors import Case, Step

Found: TypeAlias = dict[str, Any]
"""Keys as in `expect`; instants in microseconds."""

_STATUSES = ("pending", "satisfied", "impossible")
_NOT_EVALUATED = "RK9"


@attrs.frozen
class Difference:
    """One thing that is not as a case says."""

    kind: Literal["differs", "not supported", "failed"]
    case: str
    engine: str
    step: int | None
    """Counted from 1; None for the case as a whole."""
    expected: Any
    actual: Any


def run_vectors(cases: Iterable[Case]) -> tuple[Difference, ...]:
    """All differences, in the order of the cases; none where every engine agrees with every case."""
    return tuple(difference for case in cases for difference in run_case(case))


def run_case(case: Case) -> Iterator[Difference]:
    """The differences of one case."""
    if case.unsupported is not None:
        yield Difference("not supported", case.id, "", None, case.kind, case.unsupported)
    elif case.kind == "evaluate":
        yield from _evaluate(case)
    elif case.kind == "reject":
        yield from _reject(case)
    elif case.kind == "analyse":
        yield from _analyse(case)
    else:
        yield from _written(case)


# --- texts ---


def _reject(case: Case) -> Iterator[Difference]:
    try:
        condition = Condition.parse(case.condition, definitions=case.definitions or None)
        condition.require(scope="start" if case.start is not None else "open")
    except ConditionSyntaxError as failure:
        found = failure.diagnostics
        wanted = case.expect if isinstance(case.expect, dict) else {}
        if not any(_diagnosed(one, wanted) for one in found):
            actual = [{"code": one.code, "span": list(one.span), "help": one.help} for one in found]
            yield Difference("differs", case.id, "parse", None, wanted, actual)
        return
    yield Difference("differs", case.id, "parse", None, "a rejection", str(condition))


def _diagnosed(diagnostic: Any, wanted: dict[str, Any]) -> bool:
    for key, value in wanted.items():
        actual = getattr(diagnostic, key, None)
        actual = list(actual) if isinstance(actual, tuple) else actual
        if actual != value and not (key != "span" and isinstance(value, list) and actual in value):
            return False
    return True


def _written(case: Case) -> Iterator[Difference]:
    try:
        condition = Condition.parse(case.condition, definitions=case.definitions or None)
        canonical = str(condition)
        again = str(Condition.parse(canonical))
        meant = Condition.parse(case.expect) if case.kind == "parse" else None
    except RewardKitError as failure:
        yield Difference("failed", case.id, case.kind, None, case.expect, str(failure))
        return
    if meant is not None and meant.tree != condition.tree:
        yield Difference("differs", case.id, case.kind, None, str(meant), canonical)
    if meant is None and canonical != case.expect:
        yield Difference("differs", case.id, case.kind, None, case.expect, canonical)
    if again != canonical:
        yield Difference("differs", case.id, f"{case.kind}, again", None, canonical, again)


# --- analysis ---


def _analyse(case: Case) -> Iterator[Difference]:
    wanted = case.expect
    try:
        condition = Condition.parse(case.condition, definitions=case.definitions or None)
        asked = {key: wanted[key] for key in ASKED & set(wanted)}
        found = condition.analyse(start=case.start, end=case.end, **asked)
        for name, expected, actual in (
            *expectation(wanted, found),
            *unfounded(condition.tree, found, case.start, case.end, "UTC"),
        ):
            yield Difference("differs", case.id, "analyse", None, {name: expected}, {name: actual})
    except RewardKitError as failure:
        yield Difference("failed", case.id, "analyse", None, wanted, str(failure))


# --- meaning ---


def _evaluate(case: Case) -> Iterator[Difference]:
    for number, step in enumerate(case.steps, start=1):
        for key in sorted({"progress", "holds_now"} & set(step.expect)):
            message = f"`{key}` is not supported by this version"
            yield Difference("not supported", case.id, "", number, dict(step.expect), message)
    try:
        condition = Condition.parse(case.condition, definitions=case.definitions or None)
        condition.require(scope="start" if case.start is not None else "open")
        reparsed = Condition.parse(str(condition))
    except ConditionSyntaxError as failure:
        unsupported = all(one.code.startswith(_NOT_EVALUATED) for one in failure.diagnostics)
        yield Difference("not supported" if unsupported else "failed", case.id, "", None, "a condition", str(failure))
        return
    engines: dict[str, _Engine] = {
        "specification": _Specification(condition, case),
        "program": _Folding(condition, case),
        "program, restored at each step": _Restored(condition, case),
        "program, reparsed": _Folding(reparsed, case),
        "program, every event twice": _Twice(condition, case),
    }
    for name, engine in engines.items():
        try:
            yield from _run(case, name, engine)
        except RewardKitError as failure:
            yield Difference("failed", case.id, name, None, "no error", str(failure))
    yield from _at_once(case, condition)


def _run(case: Case, name: str, engine: _Engine) -> Iterator[Difference]:
    for number, step in enumerate(case.steps, start=1):
        found = engine.apply(step)
        yield from _compare(case, name, number, step, found)


def _compare(case: Case, name: str, number: int, step: Step, found: Found) -> Iterator[Difference]:
    if found.get("earlier") and found["earlier"] in step.expect.get("status", ()):
        # The table of all states says `impossible` at once, and the local rule later or never. A case says either.
        return
    for key, allowed in step.expect.items():
        if key not in found:
            continue
        actual = found[key]
        if key == "wake_at" and name == "specification":
            # It knows when the verdict does change; an engine may wake for less, and never later.
            if any(one == actual or (one is not None and (actual is None or one < actual)) for one in allowed):
                continue
        elif actual in allowed:
            continue
        yield Difference("differs", case.id, name, number, {key: allowed}, {key: actual})


def _at_once(case: Case, condition: Condition) -> Iterator[Difference]:
    """The last step's verdict, from all events in one go."""
    if not case.steps:
        return
    log = _Log(case)
    try:
        for step in case.steps:
            log.apply(step)
        done = replay(condition.tree, log.events.values(), case.start, log.now, case.end)
        found = _known(done.program, done.state)
    except RewardKitError as failure:
        yield Difference("failed", case.id, "all at once", len(case.steps), "no error", str(failure))
        return
    yield from _compare(case, "all at once", len(case.steps), case.steps[-1], found)


def _known(program: Program, state: State) -> Found:
    found: Found = {"status": _STATUSES[state.status], "decided_at": state.decided_at, "wake_at": state.wake_at}
    if state.status == IMPOSSIBLE and program.exact:
        found["earlier"] = "pending"
    return found


class _Log:
    """What has been told so far."""

    def __init__(self, case: Case) -> None:
        self.events: dict[str, Event] = {}
        self.last = case.start or BEFORE_ALL
        self.now: Instant = case.start.at if case.start is not None else 0

    def apply(self, step: Step) -> Literal["known", "next", "earlier"]:
        """Takes a step in, and says how its event stands to those before it; an advance brings nothing new."""
        now, event = self.now, step.event
        if event is None:
            self.now = max(now, step.now or 0)
            return "known"
        self.now = max(now, event.at)
        if event.id in self.events:
            if self.events[event.id] != event:
                raise Conflict(f"event `{event.id}` came twice with different bodies")
            return "known"
        self.events[event.id] = event
        if event.at < now or event.position <= self.last:
            return "earlier"
        self.last = event.position
        return "next"


class _Engine:
    """One way to evaluate a case, step by step."""

    def __init__(self, condition: Condition, case: Case) -> None:
        self.condition = condition
        self.case = case
        self.log = _Log(case)

    def apply(self, step: Step) -> Found:
        raise NotImplementedError


class _Specification(_Engine):
    """Reads the whole history anew after each step."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(condition, case)
        self.decided: Found | None = None

    def apply(self, step: Step) -> Found:
        self.log.apply(step)
        if self.decided is not None:
            # What was released stays: an event that would have sorted before it is late.
            return self.decided
        case, log = self.case, self.log
        reading = specification.judge(self.condition.tree, log.events.values(), case.start, log.now, case.end)
        found: Found = {"status": reading.status, "decided_at": reading.decided_at, "wake_at": reading.wake_at}
        if reading.status != "satisfied":
            state = replay(self.condition.tree, log.events.values(), case.start, log.now, case.end).state
            if state.status == IMPOSSIBLE and state.decided_at != reading.decided_at:
                found["earlier"] = "impossible"
        if reading.status != "pending":
            self.decided = found
        return found


class _Folding(_Engine):
    """Folds each event into the state, and refolds where one arrives out of order."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(condition, case)
        self.program = condition.program(scope="start" if case.start is not None else "open")
        self.state = self.refold()

    def refold(self) -> State:
        log, case = self.log, self.case
        return replay(self.condition.tree, log.events.values(), case.start, log.now, case.end).state

    def apply(self, step: Step) -> Found:
        place = self.log.apply(step)
        if not self.state.status:
            if place == "earlier":
                self.state = self.refold()
            elif place == "next" and step.event is not None:
                self.state = self.program.step(self.state, step.event)
            self.state = self.program.advance(self.state, self.log.now)
        return _known(self.program, self.state) | {"reason": self.program.verdict(self.state).reason}


class _Restored(_Folding):
    """Packs and unpacks the state before each step."""

    def apply(self, step: Step) -> Found:
        self.state = self.program.unpack(self.program.pack(self.state))
        return super().apply(step)


class _Twice(_Folding):
    """Tells every event twice."""

    def apply(self, step: Step) -> Found:
        super().apply(step)
        return super().apply(step)
