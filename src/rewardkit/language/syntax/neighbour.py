"""Slips between two neighbours: a missing operator, a missing quotation mark, a missing comparison."""

from __future__ import annotations

from collections.abc import Callable

from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.syntax.misuse import AGGREGATES
from rewardkit.language.syntax.scan import RESERVED, Lexeme
from rewardkit.language.syntax.stop import Stop, extent, wanted


def _number(stop: Stop) -> Diagnostic | None:
    """`5`, `A & 5`, `count(A)`."""
    before = stop.before
    if "COMPARE" not in stop.expected or stop.expected & {"LIKE", "AMPERSAND"} or before is None:
        return None
    if before.kind == "number":
        counted = f"`A*{before.text}` for a count of events, " if before.text.isdecimal() else ""
        return Diagnostic(
            "RK117",
            f"the number {quoted(before.text)} is no condition",
            (before.start, before.end),
            help=f"write {counted}`count(A) >= {before.text}` for a comparison, or quote it if it is a name",
        )
    if before.text == ")":
        start = extent(stop.stack[-1])[0] if stop.stack else before.start
        written = stop.text[start : before.end]
        help_text = f"write {quoted(f'{written} >= 3', 80)}"
        return Diagnostic("RK130", f"{quoted(written)} is compared with nothing", (start, before.end), help=help_text)
    return None


def _hyphen(stop: Stop) -> Diagnostic | None:
    """`order-completed`, `order:completed`."""
    at, before = stop.at, stop.before
    if at is None or before is None or before.kind not in ("word", "number", "duration"):
        return None
    if at.text not in ("-", ":", "+", "@") or at.start != before.end:
        return None
    first = last = stop.index
    while first > 0 and stop.lexemes[first - 1].end == stop.lexemes[first].start and _in_name(stop.lexemes[first - 1]):
        first -= 1
    while (
        last + 1 < len(stop.lexemes)
        and stop.lexemes[last + 1].start == stop.lexemes[last].end
        and _in_name(stop.lexemes[last + 1])
    ):
        last += 1
    if first > 0 and stop.lexemes[first].kind == "number" and stop.lexemes[first - 1].text == "*":
        return None
    span = (stop.lexemes[first].start, stop.lexemes[last].end)
    name = stop.text[span[0] : span[1]]
    return Diagnostic(
        "RK127",
        f"the name {quoted(name)} needs quotes",
        span,
        help="put it in double quotes",
        fix=stop.replaced(span, f'"{name}"'),
    )


def _in_name(lexeme: Lexeme) -> bool:
    return lexeme.kind in ("word", "number", "duration") or lexeme.text in ("-", ":", "+", "@")


def _property(stop: Stop) -> Diagnostic | None:
    """`amount >= 50`, with no event around it."""
    at, before = stop.at, stop.before
    if at is None or before is None or at.text not in ("==", "!=", "<", "<=", ">", ">="):
        return None
    if "LSQB" not in stop.expected:
        return None
    name, _, field = before.text.rpartition(".") if before.kind == "word" else ("", "", "")
    name, field = (name, field) if name else (before.text, "amount")
    return Diagnostic(
        "RK100",
        f"{quoted(before.text)} is an event here, and cannot be compared",
        stop.span,
        help=f"compare a property in brackets, such as {quoted(f'{name}[{field} {at.text} 50]', 80)}, "
        f"or a count: {quoted(f'count({before.text}) >= 3', 80)}",
    )


_FUNCTIONS = {"average": "avg", "mean": "avg", "total": "sum", "minimum": "min", "maximum": "max", "last": "latest"}
"""Aggregates of other languages."""
_CALLS = {
    "count": "count(A)",
    "days": "days(A)",
    "streak": "streak(A, 7 calendar days)",
    "satisfied": "satisfied(onboarding)",
}
"""How those are called that take no property."""
_ELSEWHERE = {
    "after": '`A then B` for what comes after an event, `A since "2026-01-31"` for what comes after a date',
    "until": '`A before "2026-01-31"`',
    "between": '`A since "2026-01-01" before "2026-02-01"`, or for a count `A*2..5`',
    "unless": "`A & !B`, or `A & no B within 7d` to wait for an absence",
    "without": "`A & !B`, or `A & no B within 7d` to wait for an absence",
    "followed": "`A then B`",
    "where": "the comparison in brackets, such as `A[x == 1]`",
    "per": "`A by order_id` for a property, `A in one day` for a calendar day",
    "for": "`A within 7d`, or `A over 7d` to judge it when that is over",
    "every": "`A in one week` for some week, or `streak(A, 4 calendar weeks)` for one after another",
    "if": "the condition alone, without it",
    "xor": "`A & !B | B & !A`",
    "least": "a count behind the event, such as `A*2`",
    "times": "a count behind the event, such as `A*2`",
}
"""Words by which other languages say what ours says otherwise, and what to write."""


def _side_by_side(stop: Stop) -> Diagnostic | None:
    """`A B`, `(A) (B)`, `A[x == 1 y == 2]`."""
    at, before = stop.at, stop.before
    joined = bool(stop.expected & {"AMPERSAND", "WITHIN"})
    if at is None or before is None or not joined or not _opens(at):
        return None
    left, right = before.text, at.text
    if at.text == "(" and before.kind == "word":
        message = f"{quoted(left)} is not a function"
        meant = _FUNCTIONS.get(left.lower(), left.lower())
        if meant in AGGREGATES | {"streak", "satisfied"}:
            place = (before.start, before.end)
            help_text = f"write `{_CALLS.get(meant, f'{meant}(A:amount)')}`"
            return Diagnostic("RK113", message, place, help=help_text, fix=stop.replaced(place, meant))
        help_text = "put an operator between, such as `&`, `|` or `then`"
    elif not stop.in_filter and "satisfied" in (left, right):
        word = at if right == "satisfied" else before
        help_text = "write `satisfied(onboarding)`, or quote it if it is a name"
        message = "`satisfied` takes a condition's name in parentheses"
        return Diagnostic("RK112", message, (word.start, word.end), help=help_text)
    elif not stop.in_filter and (right in _ELSEWHERE or left in _ELSEWHERE):
        word = at if right in _ELSEWHERE else before
        message = f"{quoted(word.text)} is not a word of this language"
        help_text = f"write {_ELSEWHERE[word.text]}, or quote it if it is a name"
        return Diagnostic("RK113", message, (word.start, word.end), help=help_text)
    elif stop.in_filter:
        message = f"{quoted(left)} and {quoted(right)} stand side by side with no operator"
        help_text = "put `and` or `or` between two comparisons"
    else:
        message = f"{quoted(left)} and {quoted(right)} stand side by side with no operator"
        help_text = "put `&` (both), `|` (either) or `then` (in this order) between them"
        name = _run(stop)
        if name is not None:
            help_text += f", or quote a name of several words: {name}"
    return Diagnostic("RK112", message, stop.span, help=help_text, note="an operator is expected before this")


def _run(stop: Stop) -> str | None:
    """The plain words around the stop as one quoted name, such as `"User Signed Up"`."""
    first = last = stop.index
    while first > 0 and _plain(stop.lexemes[first - 1]):
        first -= 1
    while last < len(stop.lexemes) and _plain(stop.lexemes[last]):
        last += 1
    if not first < stop.index < last:
        return None
    words = " ".join(lexeme.text for lexeme in stop.lexemes[first:last])
    return quoted(f'"{words}"', 80)


def _plain(lexeme: Lexeme) -> bool:
    return lexeme.kind == "word" and lexeme.text not in RESERVED


def _opens(lexeme: Lexeme) -> bool:
    if lexeme.kind == "word":
        return lexeme.text not in RESERVED or lexeme.text in ("not", "no", "ever")
    return lexeme.kind in ("string", "number", "duration", "reference") or lexeme.text in ("(", "!", "[", "@")


def _comma(stop: Stop) -> Diagnostic | None:
    """`A, B`, `A[x > 1,000]`."""
    at, before = stop.at, stop.before
    if at is None or at.text != "," or before is None or not stop.expected & {"AMPERSAND", "WITHIN", "THEN", "$END"}:
        return None
    if stop.in_filter and before.kind == "number":
        help_text = "write digits alone, and a point before a fraction, such as `A[amount >= 1000.5]`"
        return Diagnostic("RK100", "a number holds no comma", stop.span, help=help_text)
    help_text = "write `&` (both), `|` (either) or `then` (in this order)"
    return Diagnostic("RK100", "a comma joins nothing here", stop.span, help=help_text)


def _text(stop: Stop) -> Diagnostic | None:
    """`latest(login:plan) == pro`."""
    at = stop.at
    if (
        at is None
        or at.kind != "word"
        or at.text in RESERVED | AGGREGATES
        or not stop.expected >= {"AGGREGATE", "STRING"}
    ):
        return None
    if stop.in_filter or stop.before is None or stop.before.text not in ("==", "!=", "<", "<=", ">", ">="):
        return None
    fix = stop.replaced(stop.span, f'"{at.text}"')
    return Diagnostic(
        "RK129", f"{quoted(at.text)} is a text, and needs quotes", stop.span, help=f'write `"{at.text}"`', fix=fix
    )


def _reference(stop: Stop) -> Diagnostic | None:
    """`@ onboarding`."""
    at, before = stop.at, stop.before
    if at is None or before is None or before.text != "@" or at.kind != "word" or at.text in RESERVED:
        return None
    message = "a name stands directly behind its `@`"
    fix = stop.replaced((before.start, at.end), f"@{at.text}")
    return Diagnostic("RK100", message, (before.start, at.end), help=f"write {quoted(f'@{at.text}')}", fix=fix)


def _reserved(stop: Stop) -> Diagnostic | None:
    """`within & A`."""
    at = stop.at
    if at is None or at.text not in RESERVED or not stop.expected & {"NAME", "STRING"}:
        return None
    return Diagnostic(
        "RK116",
        f"`{at.text}` is a word of the language, and {wanted(stop.expected)} is expected here",
        stop.span,
        help=f'write `"{at.text}"` if it is a name',
    )


NEIGHBOUR_SLIPS: tuple[Callable[[Stop], Diagnostic | None], ...] = (
    _number,
    _hyphen,
    _property,
    _text,
    _reference,
    _side_by_side,
    _comma,
    _reserved,
)
"""Tried in this order."""
