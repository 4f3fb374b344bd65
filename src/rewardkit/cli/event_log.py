"""A log of events in a file: CSV or JSON lines, read whole and put into total order."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO

import attrs

from rewardkit.core.values import limits, payload
from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError
from rewardkit.language.event import Event

COLUMNS: Final = ("id", "user", "name", "at")
"""What every event has; every other column of a CSV is a property."""

_JSON_KEYS: Final = (*COLUMNS, "order", "properties")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?")


@attrs.frozen
class LoggedEvent:
    """An event and the line of the file that it stands on."""

    event: Event
    line: int


def read_log(name: str) -> tuple[LoggedEvent, ...]:
    """All events of a file by `(at, order, id)`, and by user where all three are equal.

    A name that ends in `.csv` is read as CSV, one that ends in `.jsonl` or `.ndjson` as one JSON object a line.

    Raises:
        ValidationError: it cannot be read; with the line that is wrong.
    """
    readers = {".csv": _read_csv, ".jsonl": _read_jsonl, ".ndjson": _read_jsonl}
    reader = readers.get(Path(name).suffix.lower())
    if reader is None:
        raise ValidationError(f"`{name}` is not a log that can be read: its name ends in .csv, .jsonl or .ndjson")
    try:
        with Path(name).open(encoding="utf-8-sig", newline="") as file:
            found = list(_located(name, reader(file)))
    except OSError as error:
        raise ValidationError(f"`{name}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise ValidationError(f"{name}: this is not text in UTF-8: save the file as UTF-8") from None
    return tuple(sorted(found, key=lambda logged: (*logged.event.position, logged.event.user)))


def _located(name: str, rows: Iterator[tuple[int, Mapping[str, Any] | ValidationError]]) -> Iterator[LoggedEvent]:
    for line, row in rows:
        try:
            if isinstance(row, ValidationError):
                raise row
            yield LoggedEvent(_event(row), line)
        except ValidationError as error:
            raise ValidationError(f"{name}:{line}: {error}") from None


def _event(row: Mapping[str, Any]) -> Event:
    for key in COLUMNS:
        value = row.get(key)
        if not isinstance(value, str) or not value:
            raise ValidationError(f"`{key}` is missing" if value in (None, "") else f"`{key}` must be text")
    return Event(row["name"], row["at"], row["id"], row["user"], row.get("order", 0), row.get("properties", {}))


# --- CSV ---


def _read_csv(file: TextIO) -> Iterator[tuple[int, Mapping[str, Any] | ValidationError]]:
    reader = csv.reader(file, strict=True)
    try:
        columns = next(reader, [])
        yield from ((1, error) for error in _wrong_columns(columns))
        for row in reader:
            if not row:
                continue
            if len(row) != len(columns):
                yield reader.line_num, ValidationError(f"{len(row)} cells under {len(columns)} columns")
            cells = dict(zip(columns, row, strict=False))
            properties = {key: value(cell) for key, cell in cells.items() if key not in COLUMNS and cell != ""}
            yield reader.line_num, {key: cells.get(key) for key in COLUMNS} | {"properties": properties}
    except csv.Error as error:
        yield reader.line_num, ValidationError(f"this is not CSV: {error}")


def _wrong_columns(columns: Iterable[str]) -> Iterator[ValidationError]:
    names = list(columns)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        yield ValidationError(f"the first line must name the columns {', '.join(COLUMNS)}: `{missing[0]}` is missing")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        yield ValidationError(f"column `{show(twice)}` is there twice")


def value(cell: str) -> str | int | Decimal:
    """A cell that is written as JSON writes a number, within the limits of properties, is one; any other is text."""
    found = _NUMBER.fullmatch(cell)
    if found is None or len(cell) > limits.DECIMAL_DIGITS + 8:
        return cell
    if found["fraction"] is None and found["exponent"] is None:
        whole = int(cell)
        return whole if abs(whole) <= limits.INTEGER else cell
    try:
        return payload.exact(Decimal(cell), "a cell")
    except ValidationError:
        return cell


# --- JSON lines ---


def _read_jsonl(file: TextIO) -> Iterator[tuple[int, Mapping[str, Any] | ValidationError]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield number, _object(line)
            except ValidationError as error:
                yield number, error


def _object(line: str) -> Mapping[str, Any]:
    found = payload.read(line, "events")
    if not isinstance(found, dict):
        raise ValidationError("an event is a JSON object")
    strange = [key for key in found if key not in _JSON_KEYS]
    if strange:
        raise ValidationError(f"key `{show(strange[0])}` is unknown: put it under `properties`")
    return found
