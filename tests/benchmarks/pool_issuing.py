"""Issuing codes with four workers, beside what shops write: `python tests/benchmarks/pool_issuing.py > table.md`.

All contenders take turns, a few hundred issuances each, so that what else the machine does hits all of them alike.
A pool is emptied to its last tenth; then its last tenth and the first tenth of a new one are issued by turns.
PostgreSQL is a server of its own with its usual settings, on a Unix socket, `synchronous_commit` on.
`REWARDKIT_SCALE` multiplies the pool, 20,000 codes; `REPETITIONS` says how often all of it is done.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg
from crew import Crew, Work
from emit import postgres
from pool_peers import PlainPool, Taking, shop_code

import rewardkit as rk

WORKERS = 4
CODES = int(20_000 * float(os.environ.get("REWARDKIT_SCALE", "1")))
REPETITIONS = int(os.environ.get("REPETITIONS", "3"))
TENTH = CODES // 10
TURN = max(1, TENTH // 20)
"""How many a contender issues before the next one's turn."""
POOL = "pool"
OURS = "rewardkit"


def prepare(contender: str, store: str) -> None:
    """A pool that is full."""
    codes = [shop_code() for _ in range(CODES)]
    if contender == OURS:
        with rk.RewardKit(store) as kit:
            kit.migrate()
            kit.run(rk.CreatePool(POOL, low_threshold=10))
            kit.import_codes(POOL, codes)
    else:
        peer = PlainPool(store)
        peer.prepare()
        peer.fill(codes)
        peer.close()
    if not store.startswith("sqlite"):
        with psycopg.connect(store, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")


@contextmanager
def worker(contender: str, store: str) -> Iterator[Work]:
    """What one process issues with."""
    if contender == OURS:
        with rk.RewardKit(store) as kit:

            def issue(number: int) -> None:
                reference = f"order {number}"
                command = rk.IssueCode(
                    POOL,
                    f"customer {number}",
                    referring_application="checkout",
                    referring_application_ref_id=reference,
                )
                kit.run(command, key=reference)

            kit.ask(rk.PoolStatus(POOL))
            yield issue
    else:
        peer = PlainPool(store, _taking(contender))
        yield lambda number: peer.issue(f"customer {number}", f"order {number}")
        peer.close()


def _taking(contender: str) -> Taking:
    return "SKIP LOCKED" if contender == "SKIP LOCKED" else "FOR UPDATE"


@dataclass
class Seconds:
    """Seconds of each turn of one contender."""

    draining: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    blocks: list[tuple[float, float]] = field(default_factory=list)
    """Pages looked at for an issuance, in the first tenth and in the last, one pair a repetition."""


def measure(contenders: list[str], database: Callable[[], str], found: dict[str, Seconds]) -> None:
    """One repetition."""
    used = {one: database() for one in contenders}
    new = {one: database() for one in contenders}
    for one in contenders:
        prepare(one, used[one])
        prepare(one, new[one])
    crews = {one: Crew(WORKERS, partial(worker, one, used[one])) for one in contenders}
    for _ in range(9 * TENTH // TURN):
        for one in contenders:
            found[one].draining.append(crews[one].do(TURN))
    fresh = {one: Crew(WORKERS, partial(worker, one, new[one])) for one in contenders}
    before = {one: (blocks(new[one]), blocks(used[one])) for one in contenders}
    for turn in range(TENTH // TURN):
        for one in contenders:
            for crew, seconds in _by_turns(turn, (fresh[one], found[one].first), (crews[one], found[one].last)):
                seconds.append(crew.do(TURN))
    for one in contenders:
        fresh[one].dismiss()
        crews[one].dismiss()
        after = blocks(new[one]), blocks(used[one])
        first, last = ((late - early) / TENTH for early, late in zip(before[one], after, strict=True))
        found[one].blocks.append((first, last))
        check(one, used[one], CODES)
        check(one, new[one], TENTH)


def _by_turns(turn: int, *both: tuple[Crew, list[float]]) -> tuple[tuple[Crew, list[float]], ...]:
    """Whoever comes second finds what the first has left in caches: each is so as often as the other."""
    return both[::-1] if turn % 2 else both


def blocks(store: str) -> int:
    """Pages that a PostgreSQL database has looked at; 0 of a SQLite file, which does not say so."""
    if store.startswith("sqlite"):
        return 0
    with psycopg.connect(store) as connection:
        row = connection.execute(
            "SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint "
            "FROM pg_statio_user_tables"
        ).fetchone()
    return int(row[0]) if row else 0


def check(contender: str, store: str, issued: int) -> None:
    """Whoever has issued another number has done another job."""
    if contender == OURS:
        with rk.RewardKit(store) as kit:
            found = kit.ask(rk.PoolStatus(POOL)).issued
    else:
        peer = PlainPool(store)
        text = "SELECT issued FROM shop_pool WHERE issued = (SELECT count(*) FROM shop_code WHERE issuee IS NOT NULL)"
        ((found,),) = peer.connection.execute(text).fetchall()
        peer.close()
    if found != issued:
        raise SystemExit(f"{contender} issued {found} instead of {issued}")


def lines(name: str, found: dict[str, Seconds]) -> Iterator[str]:
    """A store's rows of the table."""
    base = next(iter(found.values()))
    for contender, seconds in found.items():
        rate = TURN / statistics.median(seconds.draining)
        times = [theirs / ours for theirs, ours in zip(base.draining, seconds.draining, strict=True)]
        slower = [late / early for early, late in zip(seconds.first, seconds.last, strict=True)]
        pages = " → ".join(f"{statistics.median(column):.0f}" for column in zip(*seconds.blocks, strict=True))
        yield (
            f"| {name} | {contender} | {rate:,.0f} | {_spread(times)} | {_spread(slower)} | "
            f"{'' if name == 'SQLite' else pages} |"
        )


def _spread(ratios: list[float]) -> str:
    """The median, and between what the middle half of all lies."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


HEAD = (
    "| store | contender | codes a second | × the first | time of the last tenth ÷ first tenth "
    "| pages an issuance, first → last tenth |\n|---|---|---:|---:|---:|---:|"
)


def sections(stores: list[str]) -> Iterator[str]:
    """The table, line by line."""
    yield HEAD
    if "sqlite" in stores:
        with tempfile.TemporaryDirectory() as folder:
            made = iter(range(10_000))
            found = {one: Seconds() for one in ("plain statements", OURS)}
            for _ in range(REPETITIONS):
                measure(list(found), lambda: f"sqlite:///{folder}/{next(made)}.db", found)
            yield from lines("SQLite", found)
    if "postgresql" in stores:
        found = {one: Seconds() for one in ("FOR UPDATE", "SKIP LOCKED", OURS)}
        with postgres() as database:
            for _ in range(REPETITIONS):
                measure(list(found), database, found)
        yield from lines("PostgreSQL", found)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    for line in sections(sys.argv[1:] or ["sqlite", "postgresql"]):
        print(line, flush=True)
