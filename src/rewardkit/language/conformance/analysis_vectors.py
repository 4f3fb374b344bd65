"""Vectors of analyses: what a case may ask and expect, and how an analysis differs from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rewardkit.errors import ValidationError
from rewardkit.language.analysing.analysis import Analysis
from rewardkit.language.analysing.witness import History
from rewardkit.language.event import Position
from rewardkit.language.specification import judge
from rewardkit.language.syntax.literal import write_span
from rewardkit.language.tree import Elapsed, Node

ASKED: Final = frozenset({"against", "known_events", "campaign_days"})
"""What a case may ask with."""
_WHOLE: Final = frozenset({"dead", "unknown_events", "long_windows"})
"""Expected as they are; of every other key, a list means one of its values."""
EXPECTED: Final = _WHOLE | {
    "satisfiable",
    "refutable",
    "certain",
    "true_on_nothing",
    "exact",
    "satisfying_events",
    "refuting_events",
    "timers",
    "threads",
    "retention",
    "implies",
    "implied_by",
    "equivalent",
}


def check_expectation(wanted: Any) -> None:
    """Refuses what no analysis could be held against.

    Raises:
        ValidationError: it is no object, has a key that does not exist, or asks with something of another type.
    """
    if not isinstance(wanted, dict):
        raise ValidationError("`analyse` is an object of what is asked and what is expected")
    if strange := set(wanted) - ASKED - EXPECTED:
        raise ValidationError(f"`analyse` has no key `{min(strange)[:64]}`")
    known = wanted.get("known_events", [])
    if not isinstance(known, list) or not all(isinstance(name, str) for name in known):
        raise ValidationError("`known_events` is a list of names")
    if not isinstance(wanted.get("against", ""), str) or type(wanted.get("campaign_days", 0)) is not int:
        raise ValidationError("`against` is a condition, and `campaign_days` a whole number")
    if "against" not in wanted and (odd := {"implies", "implied_by", "equivalent"} & set(wanted)):
        raise ValidationError(f"`{min(odd)}` needs `against`")


def expectation(wanted: Mapping[str, Any], found: Analysis) -> Iterator[tuple[str, Any, Any]]:
    """What differs: the key, what was expected, and what is so."""
    actual = _told(found)
    for key in sorted(set(wanted) - ASKED):
        allowed = wanted[key] if isinstance(wanted[key], list) and key not in _WHOLE else [wanted[key]]
        if actual[key] not in allowed:
            yield key, wanted[key], actual[key]


def _told(found: Analysis) -> dict[str, Any]:
    kept = found.extent.retention_microseconds
    told = {
        "satisfiable": found.satisfiable,
        "refutable": found.refutable,
        "certain": found.certain,
        "true_on_nothing": found.true_on_nothing,
        "exact": found.exact,
        "satisfying_events": None if found.satisfying is None else len(found.satisfying.events),
        "refuting_events": None if found.refuting is None else len(found.refuting.events),
        "dead": [branch.text for branch in found.dead],
        "unknown_events": {one.name: one.suggestion for one in found.unknown_events},
        "long_windows": [one.text for one in found.long_windows],
        "timers": found.extent.timers,
        "threads": found.extent.threads,
        "retention": None if kept is None else write_span(Elapsed(kept)),
    }
    if found.relation is not None:
        told |= {key: getattr(found.relation, key) for key in ("implies", "implied_by", "equivalent")}
    return told


def unfounded(
    node: Node, found: Analysis, start: Position | None, end: int | None, zone: str
) -> Iterator[tuple[str, str, str]]:
    """Histories of an analysis that the specification does not bear out."""
    for name, history, wanted in (
        ("satisfying", found.satisfying, {"satisfied"}),
        # Where `impossible` is exact, the specification may say it later or never.
        ("refuting", found.refuting, {"impossible", "pending"} if found.exact else {"impossible"}),
    ):
        if history is not None:
            said = _said(node, history, start, end, zone)
            if said not in wanted:
                yield name, min(wanted), said


def _said(node: Node, history: History, start: Position | None, end: int | None, zone: str) -> str:
    return judge(node, history.events, start, history.at, end, zone=zone).status
