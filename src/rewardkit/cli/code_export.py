"""The codes of a pool as CSV or JSON lines, page by page."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from rewardkit.cli.printing import moment, print_json
from rewardkit.cli.progress import progress
from rewardkit.core.pools.code import Code
from rewardkit.core.pools.queries import Codes
from rewardkit.errors import ValidationError
from rewardkit.kit import RewardKit

COLUMNS: Final = (
    "code",
    "status",
    "active",
    "issuances",
    "issuees",
    "redemptions",
    "redeemers",
    "created_at",
    "updated_at",
)
"""In this order; new ones will follow at the end."""

FORMULAS: Final = ("=", "+", "-", "@")
"""A cell that begins with one of them is computed by spreadsheets; behind an apostrophe it is text."""

PAGE_CODES: Final = 1_000


def export(kit: RewardKit, pool: int | str, output: Path | None, *, as_json: bool) -> int:
    """Write all codes; answers how many.

    Raises:
        ValidationError: the file cannot be written.
        Refused: there is no such pool.
    """
    written, after = 0, None
    page = kit.ask(Codes(pool, limit=PAGE_CODES))
    with _opened(output) as file, progress("codes") as tell:
        rows = csv.writer(file, lineterminator="\n")
        if not as_json:
            rows.writerow(COLUMNS)
        while True:
            for code in page.items:
                if as_json:
                    print_json(code.to_json() | {"status": code.status}, file)
                else:
                    rows.writerow(_row(code))
            written += len(page.items)
            tell(written)
            after = page.after
            if after is None:
                return written
            page = kit.ask(Codes(pool, after=after, limit=PAGE_CODES))


def _row(code: Code) -> tuple[object, ...]:
    return (
        f"'{code.code}" if code.code.startswith(FORMULAS) else code.code,
        code.status,
        "yes" if code.active else "no",
        code.issuances.total,
        code.issuances.unique,
        code.redemptions.total,
        code.redemptions.unique,
        moment(code.created_at),
        moment(code.updated_at),
    )


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        file = output.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise ValidationError(f"`{output}` cannot be written: {str(error.strerror or error).lower()}") from None
    with file:
        yield file
