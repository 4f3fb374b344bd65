"""Operators that are given what they do not take: aggregates, choices, streaks, windows, instants."""

from __future__ import annotations

from collections.abc import Callable

from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.syntax.scan import CIVIL, RESERVED, Lexeme, civil_unit
from rewardkit.language.syntax.stop import Stop

AGGREGATES = frozenset({"count", "sum", "avg", "min", "max", "distinct", "days", "latest", "first"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_DAYS = {"day": "1d", "week": "7d", "month": "30d", "quarter": "90d", "year": "365d"}


def _aggregate(stop: Stop) -> Diagnostic | None:
    """`sum(A, B)`, `count(A & B)`, `sum(A:x + B:y)`, `count(A*2)`."""
    at, called = stop.at, stop.called
    if (
        at is None
        or called is None
        or called.text not in AGGREGATES
        or at.text not in (",", "&", "+", "-", "*", "then")
    ):
        return None
    fix = None
    if at.text == "," and called.text not in ("count", "days"):
        help_text = f"write a property behind a colon, such as `{called.text}(A:amount) >= 3`"
    elif at.text in (",", "&"):
        help_text = "write `|` between them, such as `count(A | B)`"
        fix = stop.replaced(stop.span, " |" if at.text == "," else "|")
    elif at.text in ("+", "-"):
        help_text = f"write one for each, such as `sum(A:amount) {at.text} sum(B:amount)`"
    else:
        help_text = "compare it from outside, such as `count(A) >= 3`"
    message = f"`{called.text}` takes an event or a union of events, and {quoted(at.text)} is no part of one"
    return Diagnostic("RK100", message, stop.span, help=help_text, fix=fix)


def _product(stop: Stop) -> Diagnostic | None:
    """`count(A) * 2 > 3`, `3*A`."""
    at, before = stop.at, stop.before
    if at is None or before is None:
        return None
    if at.text == "*" and before.text == ")" and "COMPARE" in stop.expected:
        help_text = "write a number before an aggregate, such as `2 * count(A)`"
        return Diagnostic("RK100", "only a number may stand before `*` here", stop.span, help=help_text)
    if stop.after("*") and "AGGREGATE" in stop.expected and at.kind in ("word", "string"):
        number = stop.lexemes[stop.index - 2].text
        help_text = f"write the count behind it: {quoted(f'{at.text}*{number}')}"
        return Diagnostic("RK106", "a count stands behind the event that it counts", stop.span, help=help_text)
    return None


def _chained(stop: Stop) -> Diagnostic | None:
    """`3 <= count(A) <= 5`."""
    at = stop.at
    if at is None or at.text not in _COMPARISONS or "AMPERSAND" not in stop.expected or stop.in_filter:
        return None
    if not any(lexeme.text in _COMPARISONS for lexeme in stop.lexemes[: stop.index]):
        return None
    help_text = "write two, such as `count(A) >= 3 & count(A) <= 5`, or for events `A*3..5`"
    return Diagnostic("RK100", "a comparison cannot be continued by another one", stop.span, help=help_text)


def _choice(stop: Stop) -> Diagnostic | None:
    """`any of (A, B)`, `2 of (A)`."""
    at, before = stop.at, stop.before
    if at is None or before is None:
        return None
    if at.text == "of" and before.kind == "word":
        instead = {"any": "`A | B`, or `1 of (A, B)`", "one": "`1 of (A, B)`", "all": "`A & B`, or `2 of (A, B)`"}
        help_text = f"write {instead.get(before.text, 'a number, such as `2 of (A, B, C)`')}"
        return Diagnostic("RK120", "`of` stands behind a whole number", (before.start, at.end), help=help_text)
    if before.text == "of" and at.text != "(":
        message = "`of` takes conditions in parentheses"
        return Diagnostic("RK100", message, stop.span, help="write them so: `2 of (A, B, C)`")
    opening = stop.opening
    if at.text == ")" and "COMMA" in stop.expected and opening and stop.lexemes[opening - 1].text == "of":
        message = "`of` chooses among several conditions, and this is one"
        help_text = "write several, separated by commas, such as `2 of (A, B, C)`"
        return Diagnostic("RK100", message, stop.span, help=help_text)
    return None


def _streak(stop: Stop) -> Diagnostic | None:
    """`streak(A)`, `streak(A, 7 days)`, `streak(A, 7 calendar days, 2)`, `… skip -1)`."""
    at, before, called = stop.at, stop.before, stop.called
    if before is None or called is None or called.text != "streak":
        return None
    if stop.expected == {"CALENDAR"} and before.kind == "number":
        unit = "" if at is None else at.text.removesuffix("s")
        span = (before.start, at.end if at is not None and unit in _DAYS else before.end)
        written = f"{before.text} calendar {civil_unit(unit if unit in _DAYS else 'day', before.text)}"
        message = "a streak runs over calendar days, weeks, months, quarters or years"
        return Diagnostic("RK109", message, span, help=f"write `{written}`", fix=stop.replaced(span, written))
    if at is not None and at.text == "skip" and not stop.after(","):
        fix = stop.replaced((before.end, at.end), ", skip")
        help_text = "write a comma before it, such as `streak(A, 7 calendar days, skip 1)`"
        return Diagnostic("RK122", "`skip` stands behind a comma", stop.span, help=help_text, fix=fix)
    if at is not None and at.text == ")" and "SKIP" not in stop.expected and stop.expected >= {"COMMA"}:
        help_text = "write how long it is, such as `streak(login, 7 calendar days)`"
        return Diagnostic("RK133", "a streak needs a length", stop.span, help=help_text)
    if stop.expected == {"SKIP"} or stop.after("skip"):
        help_text = "write how many buckets may be missed, such as `streak(A, 7 calendar days, skip 1)`"
        return Diagnostic("RK122", "`skip` takes a whole number that is not negative", stop.span, help=help_text)
    return None


def _window(stop: Stop) -> Diagnostic | None:
    """`in the last 7d`, `in a month`, `in last week`, `within a week`."""
    at, before = stop.at, stop.before
    if at is None or before is None:
        return None
    if stop.expected == {"ANY", "LAST", "ONE"} and at.kind in ("duration", "number"):
        help_text = "write `A within 7d` from the start, `A in any 7d` wherever it begins, or `A in last 7d` until now"
        return Diagnostic("RK100", "`in` says which window: `any`, `last` or `one`", stop.span, help=help_text)
    if at.kind != "word":
        return None
    if stop.expected == {"ANY", "LAST", "ONE"}:
        if at.text == "the":
            fix = stop.replaced((before.start, at.end), "in")
            return Diagnostic("RK133", "`in` takes no article", stop.span, help="write `A in last 7d`", fix=fix)
        help_text = (
            "write `A in one month`, a calendar month, `A in any 30d`, a window, or `A in last 30d`, the newest one"
        )
        return Diagnostic("RK133", f"`in` does not know {quoted(at.text)}", stop.span, help=help_text)
    following = stop.lexemes[stop.index + 1] if stop.index + 1 < len(stop.lexemes) else None
    article = at.text in ("a", "an", "one") and following is not None
    named = following if article else at
    unit = "" if named is None else named.text.removesuffix("s")
    if "DURATION" not in stop.expected or named is None or unit not in _DAYS:
        return None
    one = f", or `A in one {unit}` for one of the calendar" if before.text == "any" else ""
    return Diagnostic(
        "RK109",
        f"{quoted(unit)} is written with a number",
        (at.start, named.end),
        help=f"write `{_DAYS[unit]}` for elapsed time, or `1 calendar {unit}` for civil time{one}",
        fix=stop.replaced((at.start, named.end), f"1 calendar {CIVIL[unit].removesuffix('s')}"),
    )


def _instant(stop: Stop) -> Diagnostic | None:
    """`A before 2026-01-31`, `A since 7d`."""
    at, before = stop.at, stop.before
    if at is None or before is None or before.text not in ("before", "since") or stop.expected != {"STRING"}:
        return None
    if at.kind == "duration":
        help_text = f'write a date such as `A since "2026-01-31"`, or a window such as `A in last {at.text}`'
        return Diagnostic(
            "RK128", f"`{before.text}` takes an instant, and {quoted(at.text)} is a length", stop.span, help=help_text
        )
    last = _run_end(stop.lexemes, stop.index)
    written = stop.text[at.start : last]
    if at.kind == "word" and at.text not in RESERVED:
        help_text = 'write a date such as `"2026-01-31"`; for what comes after an event, `A then B`'
        message = f"`{before.text}` takes an instant, and {quoted(written)} is none"
        return Diagnostic("RK128", message, (at.start, last), help=help_text)
    return Diagnostic(
        "RK128",
        f"the instant {quoted(written)} needs quotes",
        (at.start, last),
        help='write a date such as `"2026-01-31"`',
        fix=stop.replaced((at.start, last), f'"{written}"'),
    )


def _run_end(lexemes: list[Lexeme], index: int) -> int:
    """The end of lexemes that follow each other with no space between."""
    while (
        index + 1 < len(lexemes)
        and lexemes[index].end == lexemes[index + 1].start
        and lexemes[index + 1].text not in "()"
    ):
        index += 1
    return lexemes[index].end


MISUSES: tuple[Callable[[Stop], Diagnostic | None], ...] = (
    _aggregate,
    _product,
    _chained,
    _choice,
    _streak,
    _window,
    _instant,
)
"""Tried in this order, before what is said of any two neighbours."""
