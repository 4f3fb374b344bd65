"""The scan before parsing: limits, and slips that are visible in single lexemes; linear in the text."""

from __future__ import annotations

import re
from typing import NamedTuple

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.diagnostic import Diagnostic, Slip, quoted
from rewardkit.language.limits import DEEPEST, LARGEST_EXPONENT, LONGEST_TEXT, MOST_DIGITS

RESERVED = frozenset("and or not no then within over in ever before since by of".split())
"""Words that are names only in quotes."""

_LEXEME = re.compile(
    r"""
    (?:[ \t\r\n]++|\#[^\n]*+)*+
    (?:
    (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[A-Za-z0-9_]*)
  | (?P<reference>@[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*)
  | (?P<foreign>&&|\|\||->|=>|=<|<>|=~|===|!==|=(?!=))
  | (?P<symbol>==|!=|<=|>=|\.\.|<|>|[|&!*+\-()\[\],:@])
    )
    """,
    re.VERBOSE,
)
_GAP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_DURATION = re.compile(r"(?:[0-9]+(?:ms|s|m|h|d|w))+")
_DIGITS = re.compile(r"[0-9]+")
_FOREIGN = {
    "&&": "&",
    "||": "|",
    "->": "then",
    "=>": "then",
    "=<": "<=",
    "<>": "!=",
    "=~": "like",
    "=": "==",
    "===": "==",
    "!==": "!=",
}
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_UNITS = {
    "us": "ms", "ms": "ms", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "min": "m", "mins": "m", "minute": "m", "minutes": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "day": "d", "days": "d", "week": "w", "weeks": "w", "MS": "ms", "S": "s", "H": "h", "D": "d", "W": "w",
}  # fmt: skip
"""Units as people write them, and the suffix that elapsed time has for them."""
CIVIL = {"day": "days", "week": "weeks", "month": "months", "quarter": "quarters", "year": "years",
         "mo": "months", "y": "years", "yr": "years", "M": "months", "q": "quarters"}  # fmt: skip
"""Units of civil time, and their plurals."""


_PREFIXES = frozenset({"!", "not", "ever"})
_BRACKETS = frozenset("()[]")
_DOUBTFUL = frozenset({"string", "number", "foreign"})
"""Kinds of lexemes that may be wrong in themselves."""


class Lexeme(NamedTuple):
    """One word, number, text or sign of the source."""

    kind: str
    """`word`, `string`, `number`, `duration`, `reference` or `symbol`."""
    text: str
    start: int
    end: int


_made = tuple.__new__
"""Makes a lexeme in half the time of its own constructor, of which a scan calls nothing more often."""


def scan(text: str) -> list[Lexeme]:
    """The lexemes of a text, once over it, without gaps and comments.

    Raises:
        ConditionSyntaxError: the text breaks a limit, or holds something that is no lexeme.
    """
    try:
        _check_length(text)
        _check_characters(text)
        return _lexemes(text)
    except Slip as slip:
        raise ConditionSyntaxError(text, (slip.diagnostic,)) from None


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise Slip(
            Diagnostic(
                "RK002",
                f"a condition has at most {LONGEST_TEXT:,} characters, and this has {len(text):,}",
                (LONGEST_TEXT, LONGEST_TEXT),
                help="name a part of it as a condition of its own, and refer to that by `@name`",
            )
        )


def _check_characters(text: str) -> None:
    forbidden = _FORBIDDEN.search(text)
    if forbidden is not None:
        place, code = forbidden.start(), ord(forbidden.group())
        raise Slip(
            Diagnostic(
                "RK006",
                f"a condition cannot hold the character U+{code:04X}",
                (place, place + 1),
                help="take it out",
                note="a control character" if code < 160 else "half of a character",
            )
        )


def _lexemes(text: str) -> list[Lexeme]:
    found: list[Lexeme] = []
    place, depth, prefixes = 0, 0, 0
    while place < len(text):
        match = _LEXEME.match(text, place)
        if match is None:
            gap = _GAP.match(text, place)
            place = place if gap is None else gap.end()
            if place < len(text):
                raise Slip(_unknown(text, place))
            break
        kind = match.lastgroup or ""
        start, place = match.span(kind)
        written = text[start:place]
        lexeme = _made(Lexeme, (kind, written, start, place))
        if written in _BRACKETS:
            depth = _depth(text, lexeme, depth)
        elif kind in _DOUBTFUL:
            lexeme = _checked(text, lexeme)
        prefixes = prefixes + 1 if written in _PREFIXES else 0
        if depth > DEEPEST or prefixes > DEEPEST:
            raise Slip(too_deep((start, place)))
        found.append(lexeme)
    if not found:
        raise Slip(
            Diagnostic(
                "RK126", "a condition cannot be empty", (0, len(text)), help="write an event's name, such as `A`"
            )
        )
    return found


def civil_unit(unit: str, amount: str) -> str:
    """A unit of civil time as it is written behind an amount."""
    return CIVIL[unit].removesuffix("s") if amount.strip("0") == "1" and amount.endswith("1") else CIVIL[unit]


def too_deep(span: tuple[int, int]) -> Diagnostic:
    """The finding that a condition is nested too deeply."""
    return Diagnostic(
        "RK003",
        f"a condition is nested at most {DEEPEST} deep",
        span,
        help="take out parentheses and prefixes that are not needed, or name a part and refer to it by `@name`",
    )


def _depth(text: str, lexeme: Lexeme, depth: int) -> int:
    if lexeme.text in "([":
        return depth + 1
    if depth == 0:
        raise Slip(
            Diagnostic(
                "RK103",
                f"this `{lexeme.text}` closes nothing",
                (lexeme.start, lexeme.end),
                help="take it out, or open it before",
                fix=text[: lexeme.start] + text[lexeme.end :],
            )
        )
    return depth - 1


def _checked(text: str, lexeme: Lexeme) -> Lexeme:
    if lexeme.kind == "number":
        return _number(text, lexeme)
    if lexeme.kind == "string":
        _check_escapes(lexeme)
    elif lexeme.kind == "foreign":
        raise Slip(_foreign(text, lexeme))
    return lexeme


def _check_escapes(lexeme: Lexeme) -> None:
    place = lexeme.text.find("\\")
    while place >= 0:
        if lexeme.text[place + 1] not in '"\\':
            at = lexeme.start + place
            raise Slip(
                Diagnostic(
                    "RK132",
                    f"{quoted(lexeme.text[place : place + 2])} means nothing in a text",
                    (at, at + 2),
                    help='write `\\\\` for a backslash and `\\"` for a quotation mark',
                )
            )
        place = lexeme.text.find("\\", place + 2)


def _number(text: str, lexeme: Lexeme) -> Lexeme:
    """A number or a duration, its digits counted before anything converts it."""
    if len(lexeme.text) < MOST_DIGITS and lexeme.text.isdecimal():
        return lexeme
    number = _NUMBER.fullmatch(lexeme.text)
    if number is not None:
        _check_digits(lexeme, number)
        return lexeme
    if any(len(digits) > 15 for digits in _DIGITS.findall(lexeme.text)):
        message = f"{quoted(lexeme.text)} is longer than any span may be"
        raise Slip(Diagnostic("RK007", message, (lexeme.start, lexeme.end), help="write a shorter span"))
    if _DURATION.fullmatch(lexeme.text):
        return lexeme._replace(kind="duration")
    raise Slip(_bad_unit(text, lexeme))


def _check_digits(lexeme: Lexeme, number: re.Match[str]) -> None:
    whole, fraction, power = number.group(1), number.group(2) or "", number.group(3) or "0"
    if len(whole) + len(fraction) > MOST_DIGITS or len(power) > 4 or abs(int(power)) > LARGEST_EXPONENT:
        raise Slip(_too_large(lexeme))
    digits = (whole + fraction).lstrip("0")
    if len(digits) + max(0, int(power) - len(fraction)) > MOST_DIGITS or len(fraction) - int(power) > MOST_DIGITS:
        raise Slip(_too_large(lexeme))


def _too_large(lexeme: Lexeme) -> Diagnostic:
    return Diagnostic(
        "RK005",
        f"the number {quoted(lexeme.text)} is too long",
        (lexeme.start, lexeme.end),
        help=f"a number has at most {MOST_DIGITS} digits, and an exponent of at most {LARGEST_EXPONENT}",
    )


def _bad_unit(text: str, lexeme: Lexeme) -> Diagnostic:
    digits = _DIGITS.match(lexeme.text)
    amount = digits.group() if digits else ""
    unit = lexeme.text[len(amount) :]
    span = (lexeme.start, lexeme.end)
    if unit in CIVIL and unit not in ("day", "week"):
        written = f"{amount} calendar {civil_unit(unit, amount)}"
        return Diagnostic(
            "RK110",
            f"there is no suffix {quoted(unit)}, since months and years differ in length",
            span,
            help=f"write `{written}`, or elapsed time such as `30d`",
            fix=text[: span[0]] + written + text[span[1] :],
        )
    if unit in _UNITS:
        written = amount + _UNITS[unit]
        civil = (
            f", or `{amount} calendar {civil_unit(unit.rstrip('s'), amount)}`"
            if unit.rstrip("s") in ("day", "week")
            else ""
        )
        return Diagnostic(
            "RK110",
            f"there is no suffix {quoted(unit)}",
            span,
            help=f"write `{written}`{civil}",
            fix=text[: span[0]] + written + text[span[1] :],
        )
    return Diagnostic(
        "RK110",
        f"{quoted(lexeme.text)} is neither a number nor a length of time",
        span,
        help="the suffixes are `ms`, `s`, `m`, `h`, `d` and `w`; a name that begins with a digit needs quotes",
    )


def _foreign(text: str, lexeme: Lexeme) -> Diagnostic:
    _, sign, place, end = lexeme
    in_filter = text.rfind("[", 0, place) > text.rfind("]", 0, place)
    compared = sign == "=>" and (in_filter or text[end:].lstrip(" \t")[:1].isdecimal())
    written = ">=" if compared else _FOREIGN[sign]
    outside = sign == "=" and not in_filter
    help_text = ', and compare properties in brackets, such as `A[plan == "pro"]`' if outside else ""
    return Diagnostic(
        "RK111" if sign in ("=", "===") else "RK113",
        f"`{sign}` is not an operator of this language",
        (place, end),
        help=f"write `{written}`{help_text}",
        fix=None if help_text else _spaced(text, place, end, written),
    )


def _unknown(text: str, place: int) -> Diagnostic:
    character = text[place]
    if character == '"':
        return Diagnostic(
            "RK115",
            "this text is not closed",
            (place, _end_of_line(text, place)),
            help='close it with `"` on the same line',
        )
    if character in "“”„‟«»‘’‚‛'`":
        return _quotation_mark(text, place)
    if text.startswith(("//", "/*"), place):
        message = f"{quoted(text[place : place + 2])} begins no comment here"
        help_text = "begin it with the sign #, from which a comment runs to the end of the line"
        return Diagnostic("RK125", message, (place, place + 2), help=help_text)
    if character.isspace() or character in "\u200b\u200c\u200d\u2060\ufeff":
        return Diagnostic(
            "RK125",
            f"the character U+{ord(character):04X} looks like nothing or a space, and is neither",
            (place, place + 1),
            help="write an ordinary space",
            fix=f"{text[:place]} {text[place + 1 :]}",
        )
    if character.isalnum():
        start, end = _surroundings(text, place)
        name = text[start:end]
        return Diagnostic(
            "RK127",
            f"the name {quoted(name)} needs quotes",
            (start, end),
            help=f'write `"{name}"`',
            fix=f'{text[:start]}"{name}"{text[end:]}',
        )
    return Diagnostic(
        "RK125",
        f"{quoted(character)} means nothing in a condition",
        (place, place + 1),
        help="take it out; a name that holds it needs quotes",
    )


def _spaced(text: str, start: int, end: int, written: str) -> str:
    """The text with an operator in place of a range, spaced from words beside it."""
    left = "" if start == 0 or text[start - 1].isspace() else " "
    right = "" if end == len(text) or text[end].isspace() else " "
    return f"{text[:start]}{left}{written}{right}{text[end:]}"


def _quotation_mark(text: str, place: int) -> Diagnostic:
    pairs = {"“": "”“", "”": "”", "„": "“”", "«": "»", "»": "«", "‘": "’‘", "‚": "‘’", "'": "'", "`": "`"}
    stop = _end_of_line(text, place)
    close = next((at for at in range(place + 1, stop) if text[at] in pairs.get(text[place], "") + '"'), None)
    end = stop if close is None else close + 1
    plain = text[place + 1 : end if close is None else close].replace("\\", "").replace('"', "")
    return Diagnostic(
        "RK114",
        f"`{text[place]}` is not a quotation mark of this language",
        (place, end),
        help='write straight double quotes: `"`',
        fix=None if close is None else f'{text[:place]}"{plain}"{text[end:]}',
    )


def _end_of_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end


def _surroundings(text: str, place: int) -> tuple[int, int]:
    """The whole word around a place, letters of any script counted."""
    start = end = place
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "_-."):
        start -= 1
    while end < len(text) and (text[end].isalnum() or text[end] in "_-."):
        end += 1
    return start, end
