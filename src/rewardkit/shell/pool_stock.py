"""Filling pools with any number of codes: batch by batch, each a transaction of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from itertools import islice
from os import PathLike
from typing import Any, Final, TypeAlias, TypeVar

from rewardkit.core.pools.commands import GenerateCodes, ImportCodes
from rewardkit.core.pools.import_report import ImportReport
from rewardkit.core.pools.importing import REPORTED_ROWS
from rewardkit.core.requests.commands import Command
from rewardkit.core.values.input import integer
from rewardkit.shell.code_source import rows_of

A = TypeVar("A")

BATCH_CODES: Final = 5_000
"""In one transaction: others who add codes, or who look at all slices, wait no longer than for these."""

Progress: TypeAlias = Callable[[int], None]


class PoolStock(ABC):
    """Part of `RewardKit`: what is too long for one transaction."""

    @abstractmethod
    def run(self, command: Command[A], *, key: str | None = None) -> A:
        """Carry out a command, in a transaction of its own."""

    def import_codes(
        self,
        pool: int | str,
        source: str | PathLike[str] | Iterable[str],
        *,
        key: str | None = None,
        progress: Progress = lambda _rows: None,
    ) -> ImportReport:
        """Add codes to a pool from a file of one column in UTF-8, or from an iterable; batches commit one by one.

        Args:
            pool: its id or name.
            source: a path, or codes.
            key: unique for each source; repeating the call with it goes on where it was interrupted.
            progress: is told after each batch how many rows are through.

        Raises:
            ValidationError: the file cannot be read.
            Refused: there is no such pool.
        """
        total, rows, row = ImportReport(), rows_of(source), 1
        while batch := tuple(islice(rows, BATCH_CODES)):
            report = self.run(ImportCodes(pool, batch, first_row=row), key=_key(key, row))
            total, row = _sum(total, report), row + len(batch)
            progress(row - 1)
        return total

    def generate_codes(
        self,
        pool: int | str,
        count: int,
        *,
        key: str | None = None,
        progress: Progress = lambda _codes: None,
        **pattern: Any,
    ) -> ImportReport:
        """Add any number of random codes to a pool, in batches that commit one by one.

        Args:
            pool: its id or name.
            count: how many are added.
            key: repeating the call with it goes on where it was interrupted.
            progress: is told after each batch how many there are.
            pattern: length, prefix, pattern, alphabet, check and allow_guessable, as of `GenerateCodes`.

        Raises:
            Refused: there is no such pool, or the codes could be guessed once all of them were there: none was added.
        """
        left = integer(count, "a count", least=1)
        total = ImportReport()
        while left > 0:
            batch = GenerateCodes(pool, min(BATCH_CODES, left), **pattern, planned=left)
            report = self.run(batch, key=_key(key, total.added + 1))
            total, left = _sum(total, report), left - report.added
            progress(total.added)
        return total


def _sum(one: ImportReport, other: ImportReport) -> ImportReport:
    return ImportReport(
        one.added + other.added,
        one.duplicates + other.duplicates,
        one.refused + other.refused,
        (one.rows + other.rows)[:REPORTED_ROWS],
    )


def _key(key: str | None, row: int) -> str | None:
    """Each batch has a key of its own, so that what was interrupted goes on where it was."""
    return None if key is None else f"{key}/{row}"
