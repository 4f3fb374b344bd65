"""What no condition can mean, whatever it is judged on; asked after parsing, and again after names are inlined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from rewardkit.language.descent import children, descend, matches
from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.event import instant
from rewardkit.language.limits import DAY_MICROSECONDS, LONGEST_SPAN_DAYS
from rewardkit.language.syntax.ends import endless
from rewardkit.language.syntax.format import format_condition, write_name
from rewardkit.language.syntax.literal import write_span
from rewardkit.language.tree import (
    Aggregate,
    AtLeast,
    Before,
    Between,
    Comparison,
    Elapsed,
    Match,
    Named,
    No,
    Node,
    Or,
    Satisfied,
    Since,
    Some,
    Span,
    Streak,
    Term,
    Then,
)

_WITH_FIELD = frozenset({"sum", "avg", "min", "max", "distinct", "latest", "first"})
_OF_TEXT = frozenset({"latest", "first"})
_FIRST, _LAST = date(1970, 1, 2), date(8999, 12, 31)  # whose first instant every zone has in the years 1970 to 9000


def check_structure(node: Node, text: str) -> tuple[Diagnostic, ...]:
    """The errors of a tree, in the order of the text."""
    found = [diagnostic for part in descend(node) for diagnostic in _errors(part, text)]
    return tuple(sorted(dict.fromkeys(found), key=lambda diagnostic: diagnostic.span)) if found else ()


def _errors(node: Node, text: str) -> list[Diagnostic]:
    found = [_empty_name(match) for match in matches(node) if not match.name.strip()]
    if isinstance(node, AtLeast):
        return found if node.least else [*found, _zero(node)]
    span = getattr(node, "span", None)
    if span is not None:
        found.extend(_bad_spans(node, span))
    check = _CHECKS.get(type(node))
    if check is not None:
        found.extend(check(node, text))
    return found


def _empty_name(match: Match) -> Diagnostic:
    return Diagnostic("RK134", "an event's name cannot be empty", match.place, help="write the event's name")


def _bad_name(node: Named | Satisfied, _: str) -> Iterator[Diagnostic]:
    if not node.name.strip() and getattr(node, "body", None) is None:
        yield Diagnostic("RK134", "a condition's name cannot be empty", node.place, help="write the condition's name")


def _bad_range(node: Between, _: str) -> Iterator[Diagnostic]:
    if node.least > node.most:
        message = f"the range {node.least}..{node.most} runs backwards"
        yield Diagnostic("RK121", message, node.place, help=f"write `{node.most}..{node.least}`")


def _bad_choice(node: Some, _: str) -> Iterator[Diagnostic]:
    if not 1 <= node.least <= len(node.terms):
        message = f"`{node.least} of` {len(node.terms)} conditions cannot be"
        yield Diagnostic("RK120", message, node.place, help=f"write a number from 1 to {len(node.terms)}")


def _bad_steps(node: Then, text: str) -> Iterator[Diagnostic]:
    for step in node.steps[:-1]:
        yield from (_no_end(guard, text) for guard in endless(step))


def _bad_instant(node: Before | Since, _: str) -> Iterator[Diagnostic]:
    if _readable(node.instant):
        return
    message = f"{quoted(node.instant)} is not an instant"
    help_text = 'write a date such as `"2026-01-31"`, or an instant with offset such as `"2026-01-31T12:00:00Z"`'
    try:
        read = datetime.fromisoformat(node.instant)
    except ValueError:
        yield Diagnostic("RK128", message, node.place, help=help_text)
        return
    if not 1970 <= read.year < 9000:
        message = f"{quoted(node.instant)} lies outside the years 1970 to 8999"
    elif read.utcoffset() is None and len(node.instant) > len("2026-01-31"):
        message = f"{quoted(node.instant)} has no offset, so that it is another instant in each zone"
        in_utc = f'"{node.instant}Z"'
        help_text = f"write {quoted(in_utc)} for UTC, another offset in place of the Z, or a date alone"
    yield Diagnostic("RK128", message, node.place, help=help_text)


def _bad_spans(node: Node, span: Span) -> Iterator[Diagnostic]:
    if isinstance(span, Elapsed):
        if span.microseconds <= 0:
            yield Diagnostic("RK118", "a span has to be longer than nothing", node.place, help="write one such as `7d`")
        elif span.microseconds > LONGEST_SPAN_DAYS * DAY_MICROSECONDS:
            message = f"a span is at most {LONGEST_SPAN_DAYS:,} days long"
            yield Diagnostic("RK007", message, node.place, help="write a shorter span")
    else:
        longest = {"day": 36_525, "week": 5_217, "month": 1_200, "quarter": 400, "year": 100}[span.unit]
        if span.count == 0:
            help_text = f"write a length such as `7 calendar {span.unit}s`"
            yield Diagnostic("RK118", "a span has to be longer than nothing", node.place, help=help_text)
        elif span.count > longest:
            message = f"a span is at most {longest:,} calendar {span.unit}s long"
            yield Diagnostic("RK007", message, node.place, help="write a shorter span")


def _zero(node: AtLeast) -> Diagnostic:
    counted = format_condition(AtLeast(node.matches)).removesuffix("*1")
    return Diagnostic(
        "RK107",
        "`*0` asks for nothing, since `*n` is at least n",
        node.place,
        help=f"write `no {counted} within 14d` for an absence that time decides, or `!{counted}` for none so far",
    )


def absent(node: Node) -> bool:
    """Whether `no` may stand before it: an event, a union of events, or a count."""
    if isinstance(node, Or):
        return all(absent(term) for term in node.terms)
    return isinstance(node, AtLeast | Between | Comparison | Satisfied | Named)


def _bad_absence(node: No, _: str) -> Iterator[Diagnostic]:
    if absent(node.body):
        return
    body = format_condition(node.body)
    yield Diagnostic(
        "RK119",
        "`no` takes an event, a union of events or a count",
        node.place,
        help=f"write `(!({body})) over {write_span(node.span)}`",
        note="this is none of them",
    )


def _no_end(guard: Node, text: str) -> Diagnostic:
    body = children(guard)[0]
    written = format_condition(body)
    if not isinstance(body, AtLeast | Comparison | Between):
        written = f"({written})"
    start, end = guard.place
    return Diagnostic(
        "RK105",
        f"{quoted(text[start:end] or format_condition(guard))} never completes, so no step can follow it",
        guard.place,
        help=f"write `no {written} within D then …`, with a length of time for D"
        if absent(body)
        else f"write `(!{written}) over D then …`, with a length of time for D",
        note="a guard is a state, not a moment",
    )


def _bad_streak(node: Streak, _: str) -> Iterator[Diagnostic]:
    if isinstance(node.span, Elapsed):
        yield Diagnostic(
            "RK122",
            "a streak runs over calendar days, weeks, months, quarters or years",
            node.place,
            help="write a span such as `7 calendar days`",
        )
    elif node.skip >= node.span.count > 0:
        yield Diagnostic(
            "RK122",
            f"a streak of {node.span.count} cannot skip {node.skip}",
            node.place,
            help="skip fewer than the streak is long",
        )
    if not (isinstance(node.body, AtLeast) or (isinstance(node.body, Or) and _events(node.body))):
        help_text = "write an event, a union or a count, such as `streak(login*2, 7 calendar days)`"
        yield Diagnostic("RK122", "a streak counts events", node.place, help=help_text)


def _events(node: Or) -> bool:
    return all(isinstance(term, AtLeast) or (isinstance(term, Or) and _events(term)) for term in node.terms)


def _bad_comparison(node: Comparison, _: str) -> Iterator[Diagnostic]:
    terms = node.left if isinstance(node.right, str) else node.left + node.right
    aggregates = [term.aggregate for term in terms if term.aggregate is not None]
    for aggregate in aggregates:
        yield from _bad_aggregate(aggregate)
    if not aggregates:
        yield Diagnostic(
            "RK117",
            "this compares numbers with numbers",
            node.place,
            help="compare an aggregate, such as `count(A) >= 3`",
        )
    elif isinstance(node.right, str) and not _textual(node.left):
        yield Diagnostic(
            "RK124",
            "only `latest` and `first` can be compared with a text",
            node.place,
            help="write a number without quotes, or `latest(A:plan)` on the left",
        )


def _textual(left: tuple[Term, ...]) -> bool:
    only = left[0]
    return len(left) == 1 and only.factor == 1 and only.aggregate is not None and only.aggregate.function in _OF_TEXT


def _bad_aggregate(aggregate: Aggregate) -> Iterator[Diagnostic]:
    name = write_name(aggregate.matches[0].name)
    if aggregate.function in _WITH_FIELD and aggregate.field is None:
        yield Diagnostic(
            "RK123",
            f"`{aggregate.function}` needs a property",
            aggregate.place,
            help=f"write `{aggregate.function}({name}:amount)`, with the property's name",
        )
    if aggregate.function not in _WITH_FIELD and aggregate.field is not None:
        yield Diagnostic(
            "RK123",
            f"`{aggregate.function}` takes no property, since it counts events",
            aggregate.place,
            help=f"write `{aggregate.function}({name})`",
        )


def _readable(text: str) -> bool:
    try:
        if len(text) == len("2026-01-31"):
            return _FIRST <= date.fromisoformat(text) <= _LAST
        instant(text)
    except ValueError:
        return False
    return True


_CHECKS: dict[type, Callable[[Any, str], Iterator[Diagnostic]]] = {
    Named: _bad_name,
    Satisfied: _bad_name,
    Between: _bad_range,
    Some: _bad_choice,
    No: _bad_absence,
    Then: _bad_steps,
    Streak: _bad_streak,
    Comparison: _bad_comparison,
    Before: _bad_instant,
    Since: _bad_instant,
}
"""What is asked of a node beside its names and its span."""
