"""What went wrong where the parser stopped: the common slips, each with its own words, and the rest in general ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.syntax.misuse import MISUSES
from rewardkit.language.syntax.neighbour import NEIGHBOUR_SLIPS
from rewardkit.language.syntax.scan import CIVIL, RESERVED, Lexeme, civil_unit
from rewardkit.language.syntax.stop import Stop, extent, general

_SIGNS = {"and": "&", "or": "|", "not": "!"}
_FUNCTION_WORDS = frozenset({"any", "last", "one", "calendar", "skip", "has", "like", "true", "false"})
_SUFFIXES = {"second": "s", "minute": "m", "hour": "h", "day": "d", "week": "w", "s": "s", "m": "m", "h": "h", "d": "d"}
_CLOSING = {"(": ")", "[": "]"}
_GOES_ON = (RESERVED - {"not", "no", "ever"}) | {"&", "|", "*", "["}
"""What stands behind a name where it is more than one."""


def explain_failure(text: str, lexemes: list[Lexeme], failure: Any) -> Diagnostic:
    """The finding for a parser's failure.

    Args:
        text: the source.
        lexemes: the source's lexemes.
        failure: lark's `UnexpectedToken` or `UnexpectedCharacters`.
    """
    token = getattr(failure, "token", None)
    if token is not None and token.type == "$END":
        index = len(lexemes)  # the parser reports the place of the last token here
    else:
        place = failure.pos_in_stream
        index = next((at for at, lexeme in enumerate(lexemes) if place < lexeme.end), len(lexemes))
    expected = frozenset(getattr(failure, "expected", None) or getattr(failure, "allowed", None) or ())
    interactive = getattr(failure, "interactive_parser", None)
    stack = [] if interactive is None else list(interactive.parser_state.value_stack)
    stop = Stop(text, lexemes, index, expected, stack)
    for describe in _SLIPS:
        found = describe(stop)
        if found is not None:
            return found
    return general(stop)


def _foreign_word(stop: Stop) -> Diagnostic | None:
    """`A AND B`, `NOT A`."""
    at, before = stop.at, stop.before
    word = None
    if at is not None and at.kind == "word" and _is_foreign(at.text, RESERVED | _FUNCTION_WORDS):
        word = at
    elif before is not None and before.kind == "word" and _is_foreign(before.text, frozenset({"not", "no", "ever"})):
        word = before
    if word is None:
        return None
    lower = word.text.lower()
    written = lower if stop.in_filter else _SIGNS.get(lower, lower)
    span = (word.start, word.end)
    return Diagnostic(
        "RK113",
        f"{quoted(word.text)} is not a word of this language, whose words are in lower case",
        span,
        help=f"write `{written}`, or quote it if it is a name",
        fix=stop.replaced(span, written),
    )


def _is_foreign(word: str, words: frozenset[str]) -> bool:
    return word not in words and word.lower() in words


def _absence(stop: Stop) -> Diagnostic | None:
    """`A then no B`."""
    if stop.expected != {"WITHIN"} or len(stop.stack) < 2:
        return None
    if stop.at is not None and (stop.at.kind in ("string", "word") and stop.at.text not in RESERVED):
        return None
    start, end = extent(stop.stack[-2])[0], extent(stop.stack[-1])[1]
    written = stop.text[start:end]
    following = stop.lexemes[stop.index + 1 :][:1]
    over = stop.at is not None and stop.at.text == "over"
    if over or (stop.at is not None and stop.at.text == "in" and following and following[0].kind == "duration"):
        fix = stop.replaced(stop.span, "within")
    else:
        fix = stop.replaced((end, end), " within 14d")
    return Diagnostic(
        "RK104",
        f"{quoted(written)} needs a deadline",
        (start, end),
        help=f"write {quoted(f'{written} within 14d', 120)}",
        fix=fix,
        note="an absence can only be decided by a timer",
    )


def _count(stop: Stop) -> Diagnostic | None:
    """`A*`, `A*B`, `A*2.5`."""
    at = stop.at
    star = next((sign for sign in ("*", "..") if stop.after(sign)), None)
    if star is None or "AGGREGATE" in stop.expected:
        return None
    sign = stop.lexemes[stop.index - 1]
    span = (sign.start, sign.end)
    if at is not None and at.kind in ("number", "duration"):
        message, span = f"{quoted(at.text)} is not a whole number", stop.span
    elif at is not None and at.text == "-":
        message = "a count cannot be negative"
    else:
        message = f"`{star}` needs a whole number"
    help_text = "write a range such as `A*2..5`" if star == ".." else "write a count such as `A*2`, at least two of `A`"
    return Diagnostic("RK106", message, span, help=help_text)


def _unit(stop: Stop) -> Diagnostic | None:
    """`within 7 days`, `within 7`, `in one fortnight`."""
    if stop.expected == {"UNIT"}:
        message = (
            "a calendar unit is expected here" if stop.at is None else f"{quoted(stop.at.text)} is no calendar unit"
        )
        help_text = "the units are `day`, `week`, `month`, `quarter` and `year`, as in `A in one month`"
        return Diagnostic("RK110", message, stop.span, help=help_text)
    if stop.expected != {"CALENDAR"} or stop.before is None:
        return None
    amount, at = stop.before.text, stop.at
    word = at.text.lower() if at is not None and at.kind == "word" else ""
    unit = word if word in ("s", "m", "h", "d") else word.removesuffix("s")
    span = (stop.before.start, at.end if at is not None and unit in {**_SUFFIXES, **CIVIL} else stop.before.end)
    civil, elapsed = CIVIL.get(unit), _SUFFIXES.get(unit)
    if elapsed is not None:
        written = f"{amount}{elapsed}"
        other = f" for elapsed time, or `{amount} calendar {civil_unit(unit, amount)}` for civil time" if civil else ""
        return Diagnostic(
            "RK109",
            f"a length of time is written in one word: `{written}`",
            span,
            help=f"write `{written}`{other}",
            fix=stop.replaced(span, written),
        )
    if civil is not None:
        written = f"{amount} calendar {civil_unit(unit, amount)}"
        message = "months, quarters and years are civil time, which is spelled out"
        return Diagnostic("RK109", message, span, help=f"write `{written}`", fix=stop.replaced(span, written))
    return Diagnostic(
        "RK109",
        f"`{amount}` is a length of time with no unit",
        span,
        help=f"write `{amount}d` for elapsed days, or `{amount} calendar days` for civil ones",
    )


def _span(stop: Stop) -> Diagnostic | None:
    """`A within`, `A within "7d"`."""
    if "DURATION" not in stop.expected or stop.before is None:
        return None
    message = f"{quoted(stop.before.text)} needs a length of time"
    return Diagnostic("RK133", message, stop.span, help="write one such as `7d`, `36h` or `7 calendar days`")


def _bracket(stop: Stop) -> Diagnostic | None:
    """`(A & B`, `A[x == 1`."""
    at = stop.at
    if at is not None and at.text not in (")", "]"):
        return None
    opened: list[Lexeme] = []
    for lexeme in stop.lexemes[: stop.index]:
        if lexeme.text in _CLOSING:
            opened.append(lexeme)
        elif lexeme.text in (")", "]") and opened:
            opened.pop()
    if not opened:
        return None
    closing = _CLOSING[opened[-1].text]
    if (closing == ")" and "RPAR" not in stop.expected) or (closing == "]" and "RSQB" not in stop.expected):
        return None
    place = stop.span[0]
    missing = "".join(_CLOSING[lexeme.text] for lexeme in reversed(opened)) if at is None else closing
    return Diagnostic(
        "RK102",
        f"a `{closing}` is missing",
        (place, place) if at is None else stop.span,
        help=f"close the `{opened[-1].text}` at character {opened[-1].start + 1}",
        fix=None if "#" in stop.text else stop.replaced((place, place), missing),
        note="expected here",
    )


def _filter(stop: Stop) -> Diagnostic | None:
    """`A[plan == gold]`, `A[vip]`, `A[country not in ("FR")]`."""
    at, before = stop.at, stop.before
    if not stop.in_filter:
        return None
    if "TRUE" in stop.expected and at is not None and at.text in ("null", "None", "nil", "undefined"):
        help_text = "write `has x` where a property is there, `not has x` where it is missing"
        return Diagnostic("RK129", f"there is no value {quoted(at.text)}", stop.span, help=help_text)
    if "TRUE" in stop.expected and at is not None and at.kind == "word":
        return Diagnostic(
            "RK129",
            f"{quoted(at.text)} is a text, and needs quotes",
            stop.span,
            help=f'write `"{at.text}"`',
            fix=stop.replaced(stop.span, f'"{at.text}"'),
        )
    if "LIKE" not in stop.expected or before is None:
        return None
    field = before.text
    if at is not None and at.text == "between":
        help_text = f"write two, such as `{field} >= 50 and {field} <= 100`"
    elif at is not None and at.text == "is":
        help_text = f"write `not has {field}` where it is missing, `has {field}` where it is there"
    elif before.kind == "string" and stop.index > 2 and stop.lexemes[stop.index - 3].kind == "string":
        values = f"({stop.lexemes[stop.index - 3].text}, {before.text})"
        help_text = f"write the values in one list, such as {quoted(f'A[country in {values}]', 80)}"
    elif at is not None and at.text in ("not", "!"):
        help_text = f"write `not {field} in (…)`"
    else:
        help_text = f"write a comparison such as `{field} == true`, or `has {field}`"
    span = (before.start, before.end) if at is None or at.text in ("]", "&", "|", "and", "or") else stop.span
    return Diagnostic("RK131", f"the property {quoted(field)} is compared with nothing", span, help=help_text)


def _satisfied(stop: Stop) -> Diagnostic | None:
    """`satisfied(A & B)`, `satisfied(@onboarding)`, `satisfied((A) & B)`."""
    depth, index = 0, stop.index - 1
    while index > 0 and depth >= 0:
        text = stop.lexemes[index].text
        depth += {"(": -1, ")": 1}.get(text, 0)
        index -= 1
    if depth >= 0 or stop.lexemes[index].text != "satisfied" or not stop.expected & {"RPAR", "NAME"}:
        return None
    start = stop.lexemes[index + 1].end
    last = next((lexeme for lexeme in _closed(stop.lexemes[index + 2 :])), None)
    if stop.at is None or last is None or not (stop.at.text in _GOES_ON or stop.at.kind == "reference"):
        return None
    written = stop.text[start : last.start]
    name = written[1:] if stop.at.text == written else None
    return Diagnostic(
        "RK100",
        f"`satisfied` takes the name of a condition, and {quoted(written)} is none",
        (start, last.start),
        help=f"write `satisfied({name})`"
        if name
        else "write the name of a condition, or the condition in parentheses of its own: `satisfied((A then B))`",
        fix=stop.replaced((start, last.start), name or f"({written})"),
    )


def _closed(lexemes: list[Lexeme]) -> Iterator[Lexeme]:
    """The bracket that closes what was open before these lexemes, where one does."""
    depth = 0
    for lexeme in lexemes:
        depth += {"(": 1, ")": -1}.get(lexeme.text, 0)
        if depth < 0:
            yield lexeme
            return


_SLIPS: tuple[Callable[[Stop], Diagnostic | None], ...] = (
    _foreign_word,
    _absence,
    _satisfied,
    *MISUSES,
    _count,
    _unit,
    _span,
    _bracket,
    _filter,
    *NEIGHBOUR_SLIPS,
)
"""Tried in this order; the first that knows the slip describes it."""
