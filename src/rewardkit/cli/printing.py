"""What a command prints: data on stdout, for people or as JSON lines, and notes on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TextIO

import attrs

from rewardkit.language.diagnostic import printable

FINE: Final = 0
FINDINGS: Final = 1
USAGE: Final = 2

_RED, _BOLD = "31", "1"


def note(text: str) -> None:
    """A line about how it goes, on stderr."""
    print(text, file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """An error, on stderr."""
    note(f"{_painted('error:', _RED, sys.stderr)} {text}")


def heading(text: str) -> str:
    """A heading for stdout."""
    return _painted(text, _BOLD, sys.stdout)


def moment(at: datetime) -> str:
    """An instant in UTC, as RFC 3339 with `Z`."""
    return at.isoformat().replace("+00:00", "Z")


def print_json(record: Mapping[str, Any], file: TextIO | None = None) -> None:
    """One object on a line of its own, on stdout by default; decimals as text, which keeps them exact."""
    stream = sys.stdout if file is None else file
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
    print(json.dumps(plain(record), ensure_ascii=encoding != "utf8"), file=stream)


def plain(value: Any) -> Any:
    """A record as JSON has words for it; lengths of time are seconds."""
    if attrs.has(type(value)):
        return {field.name: plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if isinstance(value, Decimal) else value


def print_columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under their names, aligned; the last column may be as long as it likes."""
    shown = [names, *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(names) - 1)]
    for number, row in enumerate(shown):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        line = "  ".join([*cells, row[-1]]).rstrip()
        print(line if number else heading(line))


def _painted(text: str, colour: str, stream: TextIO) -> str:
    """In colour where a person looks at it, and has not asked for none (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"
