"""Runs one case of an evaluation in every style, and says what differs.

Every style reads the same steps: as it is told them, restored in between, merged from stretches, shuffled, and so on.
The case says what holds after each step.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rewardkit.errors import ConditionSyntaxError, RewardKitError
from rewardkit.language.condition import Condition
from rewardkit.language.conformance import styles
from rewardkit.language.conformance.difference import Difference
from rewardkit.language.conformance.shuffling import Shuffled, is_in_time
from rewardkit.language.conformance.styles import Found, Style
from rewardkit.language.conformance.vectors import Case, Step

_CLOSE = Decimal("0.001")
"""Of a progress, which has no last digit."""


def evaluate(case: Case) -> Iterator[Difference]:
    """The differences of one case."""
    try:
        condition = Condition.parse(case.condition, definitions=case.definitions or None)
        condition.require(scope="start" if case.start is not None else "open")
    except ConditionSyntaxError as failure:
        yield Difference("failed", case.id, "", None, "a condition", str(failure))
        return
    found: dict[str, list[Found]] = {}
    for style, make in _styles(case).items():
        found[style] = []
        try:
            reader = make(condition, case)
            for step in case.steps:
                found[style].append(reader.apply(step))
        except RewardKitError as failure:
            yield Difference("failed", case.id, style, None, "no error", str(failure))
            continue
        for number, (step, actual) in enumerate(zip(case.steps, found[style], strict=True), start=1):
            yield from _compare(case, style, number, step, actual)
    if any(len(steps) < len(case.steps) for steps in found.values()):
        return
    yield from _untold(case, found)
    yield from _late_wakes(case, found)
    if case.steps and is_in_time(case):
        for shuffled in Shuffled(condition, case).found():
            yield from _compare(case, "shuffled", len(case.steps), case.steps[-1], shuffled)


def _styles(case: Case) -> dict[str, type[Style]]:
    """The styles that a case can be read in."""
    made: dict[str, type[Style]] = {
        "specification": styles.Specification,
        "program, for late events": styles.Lagging,
        "all at once": styles.AllAtOnce,
    }
    if case.lateness:
        return made | {
            "program, restored at each step": styles.LaggingRestored,
            "program, reparsed": styles.LaggingReparsed,
            "program, every event twice": styles.LaggingTwice,
        }
    made |= {
        "program": styles.Folding,
        "program, restored at each step": styles.Restored,
        "program, reparsed": styles.Reparsed,
        "program, every event twice": styles.Twice,
        "program, split and merged": styles.Merged,
        "program, normalised": styles.Normalised,
    }
    return made | ({"condition set": styles.Among} if case.mode == "latch" else {})


def _compare(case: Case, style: str, number: int, step: Step, found: Found) -> Iterator[Difference]:
    if found.get("earlier") and found["earlier"] in step.expect.get("status", ()):
        # The table of all states says `impossible` at once, and the local rule later or never. A case says either.
        return
    for key, allowed in step.expect.items():
        if key not in found:
            continue
        actual = found[key]
        if key == "wake_at" and style == "specification":
            # It knows when the verdict does change; an engine may wake for less, and never later.
            if any(one == actual or (one is not None and (actual is None or one < actual)) for one in allowed):
                continue
        elif any(_same(key, one, actual) for one in allowed):
            continue
        yield Difference("differs", case.id, style, number, {key: allowed}, {key: actual})


def _same(key: str, expected: Any, actual: Any) -> bool:
    if key == "progress" and None not in (expected, actual):
        return abs(Decimal(str(expected)) - Decimal(str(actual))) <= _CLOSE
    return bool(expected == actual)


def _untold(case: Case, found: dict[str, list[Found]]) -> Iterator[Difference]:
    """What a case expects and no style can tell."""
    for number, step in enumerate(case.steps, start=1):
        known = {key for steps in found.values() for key in steps[number - 1]}
        for key in sorted(set(step.expect) - known):
            message = f"`{key}` is not told by this version"
            yield Difference("not supported", case.id, "", number, {key: step.expect[key]}, message)


def _late_wakes(case: Case, found: dict[str, list[Found]]) -> Iterator[Difference]:
    """Steps after which a program would sleep through a change that the specification knows of."""
    for style, steps in found.items():
        for number, (told, known) in enumerate(zip(steps, found["specification"], strict=True), start=1):
            changes, wakes = known["wake_at"], told.get("wake_at", known["wake_at"])
            pending = told["status"] == known["status"]
            if pending and changes is not None and (wakes is None or wakes > changes):
                yield Difference(
                    "differs", case.id, style, number, {"wake_at": f"at most {changes}"}, {"wake_at": wakes}
                )
