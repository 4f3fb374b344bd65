"""Adding codes to a pool: in bulk, each row by itself added or refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count, cycle, islice
from typing import Final

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.alphabet import code_key, fault_of, keys_at_once
from rewardkit.core.pools.commands import ImportCodes
from rewardkit.core.pools.creating import pool_name
from rewardkit.core.pools.import_report import ImportReport, RefusedRow
from rewardkit.core.pools.needs import AddCodes, LockSlices, TakePositions
from rewardkit.core.pools.refusals import pool_unknown
from rewardkit.core.pools.slices import SLICES
from rewardkit.core.pools.stocking import stock_effects
from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.needs import ask
from rewardkit.core.storing.pool_rows import NewCodeRow, PoolRow
from rewardkit.core.values.input import integer, show
from rewardkit.errors import ValidationError

BATCH_CODES: Final = 10_000
"""In one command: its locks are held until it commits."""

REPORTED_ROWS: Final = 1_000
"""Of those that are refused: who has more looks for their common cause."""


def import_codes(command: ImportCodes, context: Context) -> Deciding[Decision[ImportReport]]:
    """Every row by itself; what is there already stays as it is."""
    first = integer(command.first_row, "the first row", least=1)
    if len(command.codes) > BATCH_CODES:
        raise ValidationError(
            f"{len(command.codes)} codes at once, at most {BATCH_CODES}: `kit.import_codes` splits them"
        )
    pool = yield from ask(TakePositions(pool_name(command.pool), len(command.codes)))
    if pool is None:
        return Decision(pool_unknown(command.pool))
    rows, refused = _sorted_out(command.codes, first, pool.max_characters)
    added = yield from add(context, pool, {key: code for key, (_, code) in rows.items()})
    if len(added.keys) < len(rows):
        there = "some pool has a code that reads the same"
        refused += [_duplicate(*rows[key], there) for key in rows.keys() - added.keys]
    duplicates = sum(row.reason == "duplicate" for row in refused)
    refused.sort(key=lambda row: row.row)
    report = ImportReport(len(added.keys), duplicates, len(refused), tuple(refused[:REPORTED_ROWS]))
    return Decision(report, added.effects)


def _sorted_out(codes: Sequence[str], first: int, most: int) -> tuple[dict[str, tuple[int, str]], list[RefusedRow]]:
    """Rows by their keys, each with its number, and those that are refused without a look at what is there."""
    numbered = enumerate(codes, first)
    at_once = keys_at_once(codes, most)
    if at_once is not None:
        rows = dict(zip(at_once, numbered, strict=True))
        if len(rows) == len(codes):
            return rows, []
        numbered = enumerate(codes, first)
    rows, refused = {}, []
    for number, code in numbered:
        fault = fault_of(code, most)
        key = "" if fault else code_key(code)
        if fault:
            refused.append(_refused(number, code, fault))
        elif key in rows:
            refused.append(_duplicate(number, code, f"it reads the same as row {rows[key][0]}"))
        else:
            rows[key] = number, code
    return rows, refused


class Added:
    """Keys that were inserted, and what else is to be written."""

    def __init__(self, keys: frozenset[str], effects: tuple[Effect, ...]) -> None:
        self.keys = keys
        self.effects = effects


def add(context: Context, pool: PoolRow, codes: Mapping[str, str]) -> Deciding[Added]:
    """Insert codes by their keys, at the last positions that were taken; the slices are locked at the very end."""
    keys = yield from insert(context, pool, codes, pool.positions - len(codes))
    effects = yield from stocked(context, pool, keys.values())
    return Added(frozenset(keys), effects)


def insert(context: Context, pool: PoolRow, codes: Mapping[str, str], position: int) -> Deciding[dict[str, int]]:
    """The keys that were inserted, each with its slice."""
    slices = islice(cycle(range(SLICES)), position % SLICES, None)
    new = sorted(map(NewCodeRow._make, zip(codes, codes.values(), slices, count(position), strict=False)))
    keys = yield from ask(AddCodes(pool.id, context.at, tuple(new)))
    return {row.key: row.slice for row in new if row.key in keys}


def stocked(context: Context, pool: PoolRow, slices_of_new: Iterable[int]) -> Deciding[tuple[Effect, ...]]:
    """The slices with what was added to each. The pool is locked, since its positions were taken."""
    added = [0] * SLICES
    for number in slices_of_new:
        added[number] += 1
    if not any(added):
        return ()
    before = yield from ask(LockSlices(pool.id))
    after = tuple(
        row._replace(total=row.total + more, remaining=row.remaining + more)
        for row, more in zip(before, added, strict=True)
    )
    return stock_effects(context, (pool, before), (pool, after))


def _refused(number: int, code: object, fault: str) -> RefusedRow:
    reason = "too_long" if "at most" in fault else "empty" if "empty" in fault else "malformed"
    return RefusedRow(number, show(str(code)), reason, fault)


def _duplicate(number: int, code: str, sentence: str) -> RefusedRow:
    return RefusedRow(number, show(code), "duplicate", sentence)
