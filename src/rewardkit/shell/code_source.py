"""Codes from a file of one column, or from anything that gives them one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import BinaryIO, Final

from rewardkit.core.pools.alphabet import CODE_CHARACTERS
from rewardkit.errors import ValidationError

LINE_BYTES: Final = 8 * CODE_CHARACTERS
"""Of one row that are looked at: a file without line breaks is read in pieces, and each is refused."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def rows_of(source: str | PathLike[str] | Iterable[str]) -> Iterator[str]:
    """The rows of a file in UTF-8 or ASCII, or of an iterable, as they are; blank rows of a file are left out.

    A row that is not UTF-8 is given with what cannot be read replaced, and so is no code.

    Raises:
        ValidationError: the file cannot be read.
    """
    if not isinstance(source, str | PathLike):
        yield from source
        return
    name = fspath(source)
    try:
        with Path(source).open("rb") as file:
            yield from _lines(file)
    except OSError as error:
        raise ValidationError(f"`{name}` cannot be read: {(error.strerror or str(error)).lower()}") from None


def _lines(file: BinaryIO) -> Iterator[str]:
    first = True
    while line := file.readline(LINE_BYTES):
        if first:
            line, first = line.removeprefix(_BYTE_ORDER_MARK), False
        row = line.decode(errors="replace").strip(" \t\r\n")
        if row:
            yield row[1:-1] if len(row) > 2 and row[0] == row[-1] == '"' else row
