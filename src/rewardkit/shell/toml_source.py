"""A TOML file that can say on which line a table or a key stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from rewardkit.errors import ValidationError

FILE_BYTES = 1_048_576
"""Of one file: thousands of campaigns fit, a log read by mistake does not."""

_PLACE = re.compile(r"^(?P<what>.*) \(at line (?P<line>\d+), column \d+\)$", re.DOTALL)
_QUOTES = ": texts stand in quotes"
"""What is mostly forgotten where TOML sees no value."""
_MULTILINE = re.compile(r"\"\"\"|'''")
_KEY = re.compile(r"""^\s*(?P<key>(?:"[^"]*"|'[^']*'|[A-Za-z0-9_.\s-])+?)\s*=""")


class TomlSource:
    """The parsed file and the lines that its tables and keys begin on.

    Args:
        path: of a file in UTF-8.

    Raises:
        ValidationError: the file cannot be read, or is not TOML; with its name, and the line where it is known.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.name = fspath(path)
        try:
            with Path(path).open("rb") as file:
                content = file.read(FILE_BYTES + 1)
        except OSError as error:
            raise ValidationError(f"`{self.name}` cannot be read: {(error.strerror or str(error)).lower()}") from None
        if len(content) > FILE_BYTES:
            raise ValidationError(f"`{self.name}` has more than {FILE_BYTES} bytes: split it")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ValidationError(f"{self.name}:{line}: this is not text in UTF-8: save the file as UTF-8") from None
        self.tables = self._parsed(text)
        self._lines: dict[tuple[str, ...], int] = {}
        for place, line in _places(text):
            for length in range(1, len(place) + 1):
                self._lines.setdefault(place[:length], line)

    def _parsed(self, text: str) -> Mapping[str, Any]:
        try:
            return tomllib.loads(text, parse_float=_decimal)
        except RecursionError:
            raise ValidationError(f"{self.name}: nested too deeply") from None
        except ValueError as error:
            found = _PLACE.match(str(error))
            place, what = (f"{self.name}:{found['line']}", found["what"]) if found else (self.name, str(error))
            if "set_int_max_str_digits" in what:
                what = "a whole number has thousands of digits"
            instead = _QUOTES if what == "Invalid value" else ""
            raise ValidationError(f"{place}: this is not TOML: {what[:1].lower()}{what[1:]}{instead}") from None

    def place(self, *path: str) -> str:
        """The file's name and the line of a key, or of the nearest table around it, or none where none is seen."""
        for length in range(len(path), 0, -1):
            line = self._lines.get(path[:length])
            if line is not None:
                return f"{self.name}:{line}"
        return self.name

    def finding(self, message: str, *path: str, key: str = "") -> str:
        """A message with the place, the table and the key that it is about."""
        heading = f"[{'.'.join(map(_written, path))}]" if path else ""
        subject = " ".join(part for part in (heading, key) if part)
        place = self.place(*path, *([key] if key else []))
        return f"{place}: {subject}: {message}" if subject else f"{place}: {message}"


def _decimal(literal: str) -> Decimal:
    try:
        return Decimal(literal)
    except InvalidOperation:
        raise ValueError(f"`{literal[:40]}` is not a number that can be kept") from None


def _written(name: str) -> str:
    """A key as it is written in a header."""
    bare = re.fullmatch(r"[A-Za-z0-9_-]+", name)
    return name if bare else '"' + name.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'


def _places(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """The paths of headers and keys with their lines, by a simple scan that leaves texts of several lines out."""
    table: tuple[str, ...] = ()
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not inside:
            stripped = line.strip()
            if stripped.startswith("["):
                path = _path(stripped)
                if path:
                    table = path
                    yield table, number
            elif found := _KEY.match(line):
                yield (*table, *_path(f"{found['key']} = 0")), number
        for fence in _MULTILINE.findall(line):
            inside = "" if fence == inside else inside or fence


def _path(line: str) -> tuple[str, ...]:
    """The keys that one header or one assignment names; none where it is neither."""
    try:
        found: Any = tomllib.loads(line)
    except ValueError:
        return ()
    path = []
    while isinstance(found, dict) and len(found) == 1:
        key, found = next(iter(found.items()))
        path.append(key)
    return tuple(path)
