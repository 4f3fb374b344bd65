"""Conformance vectors: cases of the language as data, read from JSON and checked for sense before anything runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language.civil import zone_named
from rewardkit.language.conformance.analysis_vectors import check_expectation
from rewardkit.language.event import Event, Instant, Position, instant
from rewardkit.language.folding.lateness import PUNCTUAL, read_lateness
from rewardkit.language.limits import LARGEST_EXPONENT, MOST_DIGITS
from rewardkit.language.verdict import Mode
from rewardkit.language.zoning import UTC

SPEC_VERSION: Final = 1
MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one file: it is read into memory whole."""
MOST_CASES: Final = 100_000
"""Of one file, so that a run ends."""
MOST_STEPS: Final = 10_000
"""Of one case: the specification reads a history anew at each step."""

Kind: TypeAlias = Literal["evaluate", "reject", "format", "parse", "analyse"]

_KEYS = frozenset(
    {"id", "condition", "start", "end", "zone", "allowed_lateness", "mode", "definitions", "steps", "about"}
    | {"reject", "format", "parse", "analyse"}
)
_EXPECTED = frozenset({"status", "decided_at", "wake_at", "reason", "progress", "holds_now", "late", "revision"})
_INSTANTS = frozenset({"decided_at", "wake_at"})
_MODES: Final = frozenset({"latch", "live", "final"})


@attrs.frozen
class Step:
    """One event, or one advance of time, and what is expected after it."""

    event: Event | None
    now: Instant | None
    expect: Mapping[str, tuple[Any, ...]]
    """For each key its allowed values; instants in microseconds."""


@attrs.frozen
class Case:
    """One vector."""

    id: str
    kind: Kind
    condition: str
    start: Position | None
    end: Instant | None = None
    definitions: Mapping[str, str] = attrs.field(factory=dict)
    steps: tuple[Step, ...] = ()
    expect: Any = None
    """What `reject`, `format` or `parse` say: an object, the canonical text, a text of the same structure."""
    zone: str = UTC
    mode: Mode = "latch"
    lateness: Instant = 0
    """Microseconds that an event may be late; the steps tell in which order they came."""


def read_vectors(text: str | bytes) -> tuple[Case, ...]:
    """The cases of a file's text.

    Raises:
        ValidationError: it is no JSON, has another `spec_version`, repeats a key or an id, or a case is malformed;
            the message names the case.
    """
    if len(text) > MOST_BYTES:
        raise ValidationError(f"a file of vectors has at most {MOST_BYTES:,} bytes")
    document = _load(text)
    if not isinstance(document, dict):
        raise ValidationError("a file of vectors is an object with `spec_version` and `cases`")
    version = document.get("spec_version")
    if type(version) is not int or version != SPEC_VERSION:
        raise ValidationError(f"`spec_version` is {SPEC_VERSION} here, not `{str(version)[:32]}`")
    if strange := set(document) - {"spec_version", "cases", "about"}:
        raise ValidationError(f"a file of vectors has no key `{min(strange)[:64]}`")
    cases = document.get("cases")
    if not isinstance(cases, list) or len(cases) > MOST_CASES:
        raise ValidationError(f"`cases` is a list of at most {MOST_CASES:,} cases")
    made: dict[str, Case] = {}
    for number, data in enumerate(cases):
        case = _case(data, number)
        if case.id in made:
            raise ValidationError(f"the case id `{case.id}` comes twice")
        made[case.id] = case
    return tuple(made.values())


def _load(text: str | bytes) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_no_constant,
        )
    except ValidationError:
        raise
    except (ValueError, RecursionError) as failure:
        raise ValidationError(f"this is no JSON that can be read: {str(failure)[:128]}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValidationError(f"the key `{twice[:64]}` comes twice in one object")
    return made


def _decimal(text: str) -> Decimal:
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > MOST_DIGITS + 2 or len(exponent) > 4 or abs(int(exponent or "0")) > LARGEST_EXPONENT:
        raise ValidationError(f"the number `{text[:48]}` has too many digits or too large an exponent")
    return Decimal(text)


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS + 1:
        raise ValidationError(f"the number `{text[:48]}` has more than {MOST_DIGITS} digits")
    return int(text)


def _no_constant(text: str) -> None:
    raise ValidationError(f"`{text}` is no number")


def _case(data: Any, number: int) -> Case:
    if not isinstance(data, dict) or not isinstance(data.get("id"), str) or not data["id"]:
        raise ValidationError(f"case {number} is not an object with an `id`")
    try:
        return _read_case(data)
    except ValidationError as failure:
        raise ValidationError(f"case `{data['id'][:128]}`: {failure}") from None


def _read_case(data: dict[str, Any]) -> Case:
    if strange := set(data) - _KEYS:
        raise ValidationError(f"there is no key `{min(strange)[:64]}`")
    kinds: list[Kind] = [kind for kind in ("reject", "format", "parse", "analyse") if kind in data]
    if "steps" in data:
        kinds.append("evaluate")
    if len(kinds) != 1:
        raise ValidationError("a case has exactly one of `steps`, `reject`, `format`, `parse` and `analyse`")
    kind = kinds[0]
    definitions = data.get("definitions", {})
    if not isinstance(definitions, dict) or not all(isinstance(text, str) for text in definitions.values()):
        raise ValidationError("`definitions` maps names to conditions")
    return Case(
        id=data["id"],
        kind=kind,
        condition=_text(data, "condition"),
        start=_start(data.get("start", "2024-01-01T00:00:00Z")),
        end=_instant_or_none(data, "end"),
        definitions=definitions,
        steps=_steps(data.get("steps", [])),
        expect=_said(data, kind),
        zone=_zone(data),
        mode=_mode(data),
        lateness=read_lateness(data.get("allowed_lateness", PUNCTUAL)),
    )


_REJECTED: dict[str, Callable[[Any], bool]] = {
    "code": lambda value: isinstance(value, str),
    "span": lambda value: isinstance(value, list) and len(value) == 2 and all(type(place) is int for place in value),
    "help": lambda value: value is None or isinstance(value, str),
    "message": lambda value: isinstance(value, str),
}
"""What a rejection may name, and how each looks; other than a span, a list means one of its values."""


def _said(data: dict[str, Any], kind: Kind) -> Any:
    """What the case says, of the type that its kind has."""
    if kind in ("format", "parse"):
        return _text(data, kind)
    if kind == "reject":
        _check_rejection(data[kind])
    if kind == "analyse":
        check_expectation(data[kind])
    return data.get(kind)


def _check_rejection(wanted: Any) -> None:
    if not isinstance(wanted, dict):
        raise ValidationError("`reject` is an object with `code`, `span`, `help` or `message`, or an empty one")
    for key, value in wanted.items():
        fits = _REJECTED.get(key)
        if fits is None:
            raise ValidationError(f"`reject` has no key `{key[:64]}`")
        choices = value if key != "span" and isinstance(value, list) else [value]
        if not choices or not all(map(fits, choices)):
            raise ValidationError(f"`reject` has a `{key}` of another type than a finding has")


def _zone(data: dict[str, Any]) -> str:
    zone = _text({"zone": UTC} | data, "zone")
    zone_named(zone)
    return zone


def _mode(data: dict[str, Any]) -> Mode:
    mode: Any = _text({"mode": "latch"} | data, "mode")
    if mode not in _MODES:
        raise ValidationError(f"`mode` is `latch`, `live` or `final`, not `{mode[:64]}`")
    if mode == "final" and "steps" in data and data.get("end") is None:
        raise ValidationError("the mode `final` needs an `end`")
    named: Mode = mode
    return named


def _text(data: dict[str, Any], key: str) -> str:
    if not isinstance(data.get(key), str):
        raise ValidationError(f"`{key}` is a text")
    return str(data[key])


def _instant(value: Any) -> Instant:
    if not isinstance(value, str):
        raise ValidationError(f"an instant is a text such as `2024-01-01T00:00:00Z`, not `{str(value)[:64]}`")
    return instant(value)


def _instant_or_none(data: dict[str, Any], key: str) -> Instant | None:
    return None if data.get(key) is None else _instant(data[key])


def _start(value: Any) -> Position | None:
    return None if value is None else Position(_instant(value))


def _steps(data: Any) -> tuple[Step, ...]:
    if not isinstance(data, list) or len(data) > MOST_STEPS:
        raise ValidationError(f"`steps` is a list of at most {MOST_STEPS:,} steps")
    return tuple(_step(step, number) for number, step in enumerate(data, start=1))


def _step(data: Any, number: int) -> Step:
    if (
        not isinstance(data, dict)
        or set(data) - {"event", "advance", "expect"}
        or ("event" in data) == ("advance" in data)
    ):
        raise ValidationError(f"step {number} is an object with `event` or `advance`, and `expect`")
    expect = data.get("expect", {})
    if not isinstance(expect, dict) or set(expect) - _EXPECTED:
        raise ValidationError(f"step {number} expects something other than {', '.join(sorted(_EXPECTED))}")
    wanted = {key: _allowed(key, value) for key, value in expect.items()}
    if "event" in data:
        return Step(_event(data["event"], number), None, wanted)
    return Step(None, _instant(data["advance"]), wanted)


def _allowed(key: str, value: Any) -> tuple[Any, ...]:
    read: Callable[[Any], Any] = _instant if key in _INSTANTS else (lambda given: given)
    values = value if isinstance(value, list) else [value]
    return tuple(None if one is None else read(one) for one in values)


def _event(data: Any, number: int) -> Event:
    if not isinstance(data, dict) or set(data) - {"id", "name", "at", "order", "properties", "user"}:
        raise ValidationError(f"the event of step {number} has id, name, at, order and properties alone")
    order, properties = data.get("order", 0), data.get("properties", {})
    if type(order) is not int or not isinstance(properties, dict):
        raise ValidationError(f"the event of step {number} has a whole `order` and an object of `properties`")
    return Event(_text(data, "name"), _instant(data.get("at")), _text(data, "id"), order=order, properties=properties)
