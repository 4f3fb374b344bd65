"""Lints for what is judged too early: bounds that later events may break, and windows that move on."""

from __future__ import annotations

from collections.abc import Iterator

from rewardkit.language.descent import children
from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.drift import difference_drift
from rewardkit.language.limits import DAY_MICROSECONDS
from rewardkit.language.listening import opened_by_any
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.tree import Between, By, Comparison, Elapsed, InAny, InLast, InOne, No, Node, Not, Over

_SETTLES_LATE = frozenset({"avg", "latest", "first"})
"""Aggregates that people mean as they stand now, so that no lint asks them to wait."""


def check_hasty(node: Node, text: str) -> Iterator[Diagnostic]:
    """The lints of every part that is judged as soon as it holds."""
    match node:
        case Not() | Over() | No():
            return
        case Between():
            yield _upper_bound(node, text)
        case Comparison():
            yield from _losing(node, text)
        case InLast():
            yield _moving(node, text)
        case _:
            if isinstance(node, InAny | InOne | By) and opened_by_any(node):
                yield _listens_to_all(node, text)
            for part in children(node):
                yield from check_hasty(part, text)


def _losing(node: Comparison, text: str) -> Iterator[Diagnostic]:
    """A lint where a comparison that holds may cease to."""
    drift = difference_drift(node, amounts=True)
    terms = () if isinstance(node.right, str) else node.left + node.right
    if drift is None or any(term.aggregate and term.aggregate.function in _SETTLES_LATE for term in terms):
        return
    rises, falls = drift
    lost = {">": falls, ">=": falls, "<": rises, "<=": rises}.get(node.operator, rises or falls)
    if lost and rises and falls:
        yield Diagnostic(
            "RK207",
            f"{quoted(_source(node, text))} counts as soon as it holds, whatever is taken away later",
            node.place,
            help="judge the balance when a time is over, by `over`, or acknowledge RK207 if the first moment counts",
            severity="lint",
        )
    elif lost:
        yield _upper_bound(node, text)


def _upper_bound(node: Between | Comparison, text: str) -> Diagnostic:
    span = Elapsed(30 * DAY_MICROSECONDS)
    return Diagnostic(
        "RK206",
        f"{quoted(_source(node, text))} counts as soon as it holds, though more events may break it",
        node.place,
        help=f"write `{format_condition(Over(node, span))}` to judge it when time is up",
        severity="lint",
        note="judged eagerly, an upper bound bounds nothing",
    )


def _moving(node: InLast, text: str) -> Diagnostic:
    return Diagnostic(
        "RK208",
        f"{quoted(_source(node, text))} may become false again, and is judged once",
        node.place,
        help=f"write `{format_condition(InAny(node.body, node.span))}`, or judge it live, as audiences are",
        severity="lint",
    )


def _listens_to_all(node: InAny | InOne | By, text: str) -> Diagnostic:
    return Diagnostic(
        "RK209",
        f"{quoted(_source(node, text))} listens to every event, since its body may hold where nothing happened",
        node.place,
        help="take what must not happen out of the body, or acknowledge that any event may open it",
        severity="lint",
    )


def _source(node: Node, text: str) -> str:
    start, end = node.place
    return text[start:end] or format_condition(node)
