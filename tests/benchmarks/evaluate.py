"""Microseconds of CPU an event, with answers that must be the same: `python tests/benchmarks/evaluate.py docs`.

Prints tables and writes `conditions-cost.svg` into the folder.

Every contender does the same job (see `rules`) in one process, in turns, several times; the median counts.
What takes long is run for fewer users, and the table says for how many events. Needs the extra `bench`.
`REWARDKIT_SCALE` multiplies the time that a contender may take.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from counting import ENGINES, Answer, CelInRust, Counting, RuleEngine
from drawing import chart
from folding import Programs, Replaying, Sets
from rules import EVENTS_EACH, Job, Reading

SCALE = float(os.environ.get("REWARDKIT_SCALE", "1"))
AIM = 0.3 * SCALE
"""Seconds that one run of a contender takes about."""
REPEATS = 5
MOST_USERS = 2_048
NAIVE = "naive replay"
OURS = "rewardkit, `ConditionSet`"
INDEXED = ", by hand-made index"


class Contender(Protocol):
    def fresh(self, stream: Sequence[Reading]) -> Any: ...

    def run(self, kept: Any, stream: Sequence[Reading]) -> list[Answer]: ...


class Result(NamedTuple):
    """Of one contender."""

    microseconds: float
    """An event, the median of the runs."""
    spread: float
    """Half of the range between the quickest and the slowest run, as a share of the median."""
    events: int
    """Of one run."""


class Entry:
    """A contender with the share of the stream that it does in reasonable time, and its times."""

    def __init__(self, title: str, contender: Contender, stream: Sequence[Reading], least: int) -> None:
        self.title = title
        self.contender = contender
        self.stream = stream[:least]
        took = self._run()
        for many in shares(least, len(stream)):
            if took * many / len(self.stream) > AIM:
                break
            self.stream = stream[:many]
            took = self._run()
        self.answers = contender.run(contender.fresh(self.stream), self.stream)
        self.times = [took] if took > 4 * AIM else []

    def _run(self) -> float:
        kept = self.contender.fresh(self.stream)
        gc.collect()
        began = time.process_time()
        self.contender.run(kept, self.stream)
        return time.process_time() - began

    def repeat(self) -> None:
        if not self.times or self.times[0] <= 4 * AIM:
            self.times.append(self._run())

    @property
    def result(self) -> Result:
        each = [1e6 * took / len(self.stream) for took in self.times]
        median = statistics.median(each)
        return Result(median, (max(each) - min(each)) / 2 / median, len(self.stream))


def shares(least: int, readings: int) -> Iterable[int]:
    """Lengths of a stream to try: the first events of the first user, then whole cohorts."""
    yield from (many for many in (2, 5, 10) if many > least)
    many = 2 * EVENTS_EACH
    while many <= readings:
        yield many
        many *= 2


def measure(
    stream: Sequence[Reading], contenders: Iterable[tuple[str, Callable[[], Contender]]], *, least: int = 1
) -> dict[str, Result]:
    """Every contender's result, in turns.

    Args:
        least: events that a contender is given even if they take long.

    Raises:
        SystemExit: two contenders gave different answers.
    """
    entries = [Entry(title, make(), stream, least) for title, make in contenders]
    expected = max((entry for entry in entries), key=lambda entry: len(entry.stream)).answers
    for entry in entries:
        if sorted(entry.answers) != sorted(answer for answer in expected if answer[0] < len(entry.stream)):
            raise SystemExit(f"{entry.title} gives other answers than the rest")
    gc.collect()
    gc.freeze()
    for _ in range(REPEATS):
        for entry in entries:
            entry.repeat()
    gc.unfreeze()
    return {entry.title: entry.result for entry in entries}


def contenders(job: Job) -> Iterable[tuple[str, Callable[[], Contender]]]:
    """Everybody, in the order of the table."""
    texts = [job.condition(rule) for rule in job.rules]
    yield NAIVE, partial(Replaying, job)
    for engine in ENGINES:
        yield engine.title, partial(Counting, job, engine, indexed=False)
        yield engine.title + INDEXED, partial(Counting, job, engine, indexed=True)
    yield "rewardkit, a program a condition", partial(Programs, texts)
    yield OURS, partial(Sets, texts)
    yield OURS + ", loaded and stored at each event", partial(Sets, texts, packed=True)


def goals(table: dict[int, dict[str, Result]]) -> Iterable[str]:
    """What was aimed at, and what it came to."""
    at = {number: {title: one.microseconds for title, one in column.items()} for number, column in table.items()}
    for title, least in ((NAIVE, 60), (RuleEngine.title + INDEXED, 30), (CelInRust.title + INDEXED, 3)):
        reached = ", ".join(f"{column[title] / column[OURS]:.1f} ({number:,})" for number, column in at.items())
        yield f"| times as quick as {title}, by number of conditions | at least {least} | {reached} |"
    if 200 in at and 5_000 in at:
        yield f"| 5,000 conditions over 200, per event | at most 10 | {at[5_000][OURS] / at[200][OURS]:.1f} |"


def main() -> None:
    folder, *wanted = sys.argv[1:]
    numbers = [int(number) for number in wanted] or [20, 200, 1_000, 5_000]
    table: dict[int, dict[str, Result]] = {}
    decided = {}
    for number in numbers:
        job = Job(number, MOST_USERS)
        table[number] = measure(job.stream, contenders(job))
        ours = Sets([job.condition(rule) for rule in job.rules])
        decided[number] = len(ours.run(ours.fresh(job.stream), job.stream)) / len(job.stream)
        print(f"{number} conditions done", file=sys.stderr, flush=True)
    print(f"| µs of CPU an event | {' | '.join(f'{number:,}' for number in numbers)} |")
    print(f"|---|{'---:|' * len(numbers)}")
    for title in table[numbers[0]]:
        found = [table[number][title] for number in numbers]
        cells = [f"{one.microseconds:,.1f} ±{one.spread:.0%} ({one.events:,})" for one in found]
        print(f"| {title} | {' | '.join(cells)} |")
    print(f"| *satisfied an event* | {' | '.join(f'{decided[number]:.2f}' for number in numbers)} |")
    print("\n| goal | wanted | reached |\n|---|---:|---:|")
    print("\n".join(goals(table)))
    shown = (NAIVE, RuleEngine.title + INDEXED, CelInRust.title + INDEXED, CelInRust.title, OURS)
    series = {title: [(number, table[number][title].microseconds) for number in numbers] for title in shown}
    text = chart("What an event costs, over the number of conditions", "conditions", "µs of CPU an event", series)
    Path(folder, "conditions-cost.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
