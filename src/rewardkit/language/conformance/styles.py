"""The styles in which a case can be read; each tells the same after the same steps."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeAlias

from rewardkit.language import specification
from rewardkit.language.condition import Condition
from rewardkit.language.conformance.arrivals import Arrivals
from rewardkit.language.conformance.vectors import Case, Step
from rewardkit.language.event import Event, instant
from rewardkit.language.folding.program import IMPOSSIBLE, PENDING, Program, State
from rewardkit.language.folding.timely import Timely
from rewardkit.language.folding.timely_state import TimelyState
from rewardkit.language.replay import BEFORE_ALL, replay
from rewardkit.language.sets.condition_set import ConditionSet
from rewardkit.language.sets.standing import Decided, Standing
from rewardkit.language.verdict import Verdict

Found: TypeAlias = dict[str, Any]
"""Keys as in `expect`; instants in microseconds."""


class Style:
    """One way to evaluate a case, step by step."""

    def __init__(self, condition: Condition, case: Case) -> None:
        self.condition = condition
        self.case = case
        self.arrivals = Arrivals(case)

    def apply(self, step: Step) -> Found:
        """What holds after a step."""
        raise NotImplementedError

    def program(self) -> Program:
        """The condition's program for the case."""
        return program_for(self.condition, self.case)

    def scoped(self) -> tuple[list[Event], list[Event]]:
        """The events that have come, in order: those before the scope, and those in it."""
        opening = self.case.start or BEFORE_ALL
        known = sorted(self.arrivals.events.values(), key=lambda event: event.position)
        return [one for one in known if one.position <= opening], [one for one in known if one.position > opening]


def program_for(condition: Condition, case: Case) -> Program:
    """A condition's program in the scope, zone and mode of a case."""
    return condition.program(scope="open" if case.start is None else "start", zone=case.zone, mode=case.mode)


def told(verdict: Verdict) -> Found:
    """A verdict with the keys of `expect`."""
    found: Found = {
        "status": verdict.status,
        "decided_at": None if verdict.decided_at is None else instant(verdict.decided_at),
        "wake_at": None if verdict.wake_at is None else instant(verdict.wake_at),
        "holds_now": verdict.holds_now,
        "reason": verdict.reason,
    }
    # While it is pending, a state alone does not know its progress.
    return found if verdict.progress is None else found | {"progress": verdict.progress}


def folded(program: Program, state: State) -> Found:
    """A state's verdict; a table of all states may know of an impossible one `earlier` than the local rule."""
    found = told(program.verdict(state))
    if state.status == IMPOSSIBLE and program.exact:
        found["earlier"] = "pending"
    return found


class Specification(Style):
    """Reads the whole history anew after each step."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(condition, case)
        self.decided: Found | None = None

    def apply(self, step: Step) -> Found:
        """What the specification says."""
        self.arrivals.apply(step)
        if self.decided is not None:
            # What was released stays: an event that would have sorted before it is late.
            return self.decided
        case, arrivals = self.case, self.arrivals
        events = arrivals.events.values()
        reading = specification.judge(
            self.condition.tree,
            events,
            case.start,
            arrivals.now,
            case.end,
            zone=case.zone,
            mode=case.mode,
            lateness=case.lateness,
        )
        found: Found = {
            "status": reading.status,
            "decided_at": reading.decided_at,
            "wake_at": reading.wake_at,
            "holds_now": reading.holds_now,
        }
        if reading.status != "satisfied" and case.mode == "latch" and not case.lateness:
            state = replay(self.condition.tree, events, case.start, arrivals.now, case.end, zone=case.zone).state
            if state.status == IMPOSSIBLE and state.decided_at != reading.decided_at:
                found["earlier"] = "impossible"
        if reading.status != "pending" and case.mode != "live":
            self.decided = found
        return found


class Folding(Style):
    """Folds each event into the state, and refolds where one arrives out of order."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(condition, case)
        self.folding = self.program()
        self.state = self.refold()

    def refold(self) -> State:
        """The state of all that has come."""
        earlier, after = self.scoped()
        case = self.case
        at = None if case.start is None else case.start.at
        state = self.folding.start(at, end=case.end, history=earlier)
        for event in after:
            state = self.folding.step(state, event)
        return self.folding.advance(state, self.arrivals.now)

    def apply(self, step: Step) -> Found:
        """What the program says."""
        self.read(step)
        return folded(self.folding, self.state)

    def read(self, step: Step) -> None:
        """Folds a step."""
        place = self.arrivals.apply(step)
        if self.state.status == PENDING or self.case.mode == "live":
            if place == "earlier":
                self.state = self.refold()
            elif place == "next" and step.event is not None:
                self.state = self.folding.step(self.state, step.event)
            self.state = self.folding.advance(self.state, self.arrivals.now)


class Restored(Folding):
    """Packs and unpacks the state before each step."""

    def read(self, step: Step) -> None:
        """Folds a step into what was read back."""
        self.state = self.folding.unpack(self.folding.pack(self.state))
        super().read(step)


class Twice(Folding):
    """Tells every event twice."""

    def read(self, step: Step) -> None:
        """Folds a step, and again."""
        super().read(step)
        super().read(step)


class Reparsed(Folding):
    """Evaluates the condition as its canonical text says it."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(Condition.parse(str(condition)), case)


class Normalised(Folding):
    """Evaluates the condition's normal form, which may wake at other instants and give other reasons."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(condition.normalised, case)

    def apply(self, step: Step) -> Found:
        """What the program of the normal form says."""
        found = super().apply(step)
        return {key: found[key] for key in found if key not in ("wake_at", "reason")}


class Merged(Folding):
    """Splits what has come into stretches, summarises each apart, and merges them, anew at every step."""

    def refold(self) -> State:
        """The state, from four stretches of which the last is merged first."""
        program, case = self.folding, self.case
        earlier, after = self.scoped()
        cuts = [len(after) * place // 4 for place in range(5)]
        stretches = [
            program.unpack_partial(program.pack_partial(program.partial(reversed(after[begin:until]))))
            for begin, until in pairwise(cuts)
        ]
        late = program.merge(stretches[2], stretches[3])
        opened = program.start(None if case.start is None else case.start.at, end=case.end, history=earlier)
        merged = program.merge(program.merge(opened, program.merge(stretches[0], stretches[1])), late)
        return program.advance(merged, self.arrivals.now)

    def read(self, step: Step) -> None:
        """Takes a step in, and merges all that has come."""
        self.arrivals.apply(step)
        if self.state.status == PENDING or self.case.mode == "live":
            self.state = self.refold()


class AllAtOnce(Style):
    """Judges all that has come in one call, anew at every step."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(condition, case)
        self.decided: Found | None = None

    def apply(self, step: Step) -> Found:
        """What one call says."""
        self.arrivals.apply(step)
        if self.decided is None:
            case = self.case
            verdict = self.condition.judge(
                self.arrivals.events.values(),
                start=case.start,
                now=self.arrivals.now,
                end=case.end,
                zone=case.zone,
                mode=case.mode,
                allowed_lateness=timedelta(microseconds=case.lateness),
            )
            found = told(verdict)
            if "progress" in step.expect and verdict.progress is not None:
                found["progress"] = verdict.progress
            if verdict.status == "impossible" and verdict.exact:
                found["earlier"] = "pending"
            if verdict.status == "pending" or case.mode == "live":
                return found
            self.decided = found | {"progress": verdict.progress}
        return self.decided


class Lagging(Style):
    """Holds back what may be overturned; what comes too late is told of, and the history folded anew."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(condition, case)
        self.timely = Timely(self.program(), timedelta(microseconds=case.lateness))
        self.state: TimelyState = self.timely.start(case.start, end=case.end)

    def apply(self, step: Step) -> Found:
        """What the program says, whether the event came too late, and what its history would have come to."""
        place = self.arrivals.apply(step)
        event, late, revision = step.event, None, None
        if event is not None and place != "known":
            self.state, late = self.timely.receive(self.state, event)
        self.state = self.timely.advance(self.state, self.arrivals.now)
        if late is not None:
            self.state, revised = self.timely.refold(self.state, self.arrivals.events.values())
            revision = None if revised is None else revised.corrected.status
        found = told(self.timely.verdict(self.state)) | {"late": late is not None, "revision": revision}
        if self.state.status == IMPOSSIBLE and self.timely.program.exact:
            found["earlier"] = "pending"
        return found


class LaggingRestored(Lagging):
    """Packs and unpacks the state before each step."""

    def apply(self, step: Step) -> Found:
        """What the program says of what was read back."""
        self.state = self.timely.unpack(self.timely.pack(self.state))
        return super().apply(step)


class LaggingReparsed(Lagging):
    """Evaluates the condition as its canonical text says it."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(Condition.parse(str(condition)), case)


class LaggingTwice(Lagging):
    """Tells every event twice."""

    def apply(self, step: Step) -> Found:
        """What the program says after the second time; the first one says what was late."""
        first = super().apply(step)
        return super().apply(step) | {key: first[key] for key in ("late", "revision")}


class Among(Style):
    """Judges the condition in a set, beside others that share its counters."""

    def __init__(self, condition: Condition, case: Case) -> None:
        super().__init__(condition, case)
        self.conditions = ConditionSet(scope="start" if case.start is not None else "open")
        for name in ("before", "case", "after"):
            self.conditions.add(name, condition, zone=case.zone)
        self.conditions.remove("before")
        self.decided: Decided | None = None
        self.standing = self.refold()

    def refold(self) -> Standing:
        """The standing of all that has come."""
        earlier, after = self.scoped()
        case = self.case
        at = None if case.start is None else case.start.at
        standing, decided = self.conditions.start(at, end=case.end, history=earlier)
        self._note(decided)
        for event in after:
            self._note(self.conditions.step(standing, event))
        self._note(self.conditions.advance(standing, self.arrivals.now))
        return standing

    def apply(self, step: Step) -> Found:
        """What the set says."""
        place = self.arrivals.apply(step)
        if self.decided is None:
            self.standing = self.conditions.unpack(self.conditions.pack(self.standing))
            if place == "earlier":
                self.standing = self.refold()
            elif place == "next" and step.event is not None:
                self._note(self.conditions.step(self.standing, step.event))
            self._note(self.conditions.advance(self.standing, self.arrivals.now))
        status = self.conditions.status(self.standing, "case")
        found: Found = {"status": status, "decided_at": None if self.decided is None else self.decided.at}
        if status == "impossible":
            found["earlier"] = "pending"
        return found

    def _note(self, changes: tuple[Decided, ...]) -> None:
        for change in changes:
            if change.name == "case" and self.decided is None:
                self.decided = change
