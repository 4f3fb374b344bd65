"""Runs conformance vectors through every engine, and returns what differs as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rewardkit.errors import ConditionSyntaxError, RewardKitError
from rewardkit.language.condition import Condition
from rewardkit.language.conformance.analysis_vectors import ASKED, expectation, unfounded
from rewardkit.language.conformance.difference import Difference
from rewardkit.language.conformance.evaluation import evaluate
from rewardkit.language.conformance.vectors import Case

__all__ = ["Difference", "run_case", "run_vectors"]


def run_vectors(cases: Iterable[Case]) -> tuple[Difference, ...]:
    """All differences, in the order of the cases; none where every engine agrees with every case."""
    return tuple(difference for case in cases for difference in run_case(case))


def run_case(case: Case) -> Iterator[Difference]:
    """The differences of one case."""
    if case.kind == "evaluate":
        yield from evaluate(case)
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
        found = condition.analyse(start=case.start, end=case.end, zone=case.zone, **asked)
        for name, expected, actual in (
            *expectation(wanted, found),
            *unfounded(condition.tree, found, case.start, case.end, case.zone),
        ):
            yield Difference("differs", case.id, "analyse", None, {name: expected}, {name: actual})
    except RewardKitError as failure:
        yield Difference("failed", case.id, "analyse", None, wanted, str(failure))
