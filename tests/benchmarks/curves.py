"""What an event costs over the length of a window and of a history: `python tests/benchmarks/curves.py docs`.

Prints tables and writes `window-cost.svg` and `history-cost.svg` into the folder. One user, one event a second.
A step is pure, so the same steps are taken again and again from the state that a history came to.
The naive contender judges the stored events anew at each event: those of the last window, or all of them.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from drawing import chart

import rewardkit as rk
from rewardkit.language.folding.program import Program, State

SECOND = 1_000_000
START = 1_767_225_600_000_000  # 2026-01-01
WINDOWS = (10, 100, 1_000, 10_000, 100_000)
HISTORIES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
WINDOW = 1_000
"""Of the conditions that are measured over histories, in seconds."""
NAIVE_MOST = 100_000
"""Events that the naive contender is given at most."""
STEPS, REPEATS = 2_000, 7

Kind = Callable[[int], str]

BOUNDED: dict[str, Kind] = {
    "E then Z within D": lambda window: f"E then Z within {window}s",
    "E then no F within D": lambda window: f"E then no F within {window}s",
    "A*3 in any D": lambda window: f"A*3 in any {window}s",
    "sum(B:amount) >= 10⁹ in any D": lambda window: f"sum(B:amount) >= 1000000000 in any {window}s",
}
"""Each stays undecided on `stream`, with as much to remember as its window can hold: for a sum, each event in it."""

UNBOUNDED: dict[str, Kind] = {
    "E*n": lambda _window: "E*1000000000",
}


class Cost(NamedTuple):
    microseconds: float
    """An event, the median of the repeats."""
    spread: float
    """Half of the range of the repeats, as a share of the median."""
    stored: int
    """Bytes of the packed state."""


def stream(window: int) -> Iterator[rk.Event]:
    """A comes twice a window and never three times, F soon after it; B at every seventh second, E at all others."""
    half = (window + 1) // 2
    for second in range(sys.maxsize):
        name = "A" if second % half == 0 else "F" if second % half == 1 else "B" if second % 7 == 3 else "E"
        yield rk.Event(name, at=START + second * SECOND, id=f"{second:09d}", user="u", properties={"amount": 1})


def settle(program: Program, events: Iterator[rk.Event]) -> State:
    """The state after a history, which must have left it undecided."""
    state = program.start(START - SECOND)
    for event in events:
        state = program.step(state, event)
    if state.status:
        raise SystemExit("a condition was decided: its further events cost nothing")
    return state


def cost(program: Program, state: State, events: Sequence[rk.Event]) -> Cost:
    """Of steps over some events from a state."""
    step = program.step
    rounds = max(1, STEPS // len(events))
    times = []
    for _ in range(REPEATS):
        gc.collect()
        began = time.process_time()
        for _ in range(rounds):
            after = state
            for event in events:
                after = step(after, event)
        times.append(1e6 * (time.process_time() - began) / rounds / len(events))
    median = statistics.median(times)
    return Cost(median, (max(times) - min(times)) / 2 / median, len(program.pack(state)))


def naive_cost(text: str, history: Sequence[rk.Event]) -> float:
    """Microseconds that judging the stored events anew takes."""
    condition = rk.Condition.parse(text)
    condition.judge(history[:2], start=START - SECOND, now=history[-1].at)
    times: list[float] = []
    while sum(times) < 0.3 and len(times) < REPEATS:
        began = time.process_time()
        condition.judge(history, start=history[0].at - SECOND, now=history[-1].at)
        times.append(time.process_time() - began)
    return 1e6 * statistics.median(times)


def over_windows() -> tuple[dict[str, dict[int, Cost]], dict[int, float]]:
    """Costs by condition and window, after two windows' worth of events; the naive ones of the first condition."""
    found: dict[str, dict[int, Cost]] = {title: {} for title in BOUNDED}
    naive = {}
    for window in WINDOWS:
        events = list(islice(stream(window), 2 * window + STEPS))
        history, following = events[: 2 * window], events[2 * window :]
        for title, kind in BOUNDED.items():
            program = rk.Condition.parse(kind(window)).program()
            found[title][window] = cost(program, settle(program, iter(history)), following)
        naive[window] = naive_cost(next(iter(BOUNDED.values()))(window), history[-window:])
        print(f"window {window} done", file=sys.stderr, flush=True)
    return found, naive


def over_histories() -> tuple[dict[str, dict[int, Cost]], dict[int, float]]:
    """Costs by condition and history; the naive ones of the first condition."""
    kinds = BOUNDED | UNBOUNDED
    found: dict[str, dict[int, Cost]] = {title: {} for title in kinds}
    naive = {}
    programs = {title: rk.Condition.parse(kind(WINDOW)).program() for title, kind in kinds.items()}
    for length in HISTORIES:
        following = list(islice(stream(WINDOW), length, length + min(length, STEPS)))
        for title, program in programs.items():
            state = settle(program, islice(stream(WINDOW), length))
            found[title][length] = cost(program, state, following)
        if length <= NAIVE_MOST:
            text = next(iter(BOUNDED.values()))(WINDOW)
            naive[length] = naive_cost(text, list(islice(stream(WINDOW), length)))
        print(f"history {length} done", file=sys.stderr, flush=True)
    return found, naive


def publish(folder: Path, across: str, found: dict[str, dict[int, Cost]], naive: dict[int, float]) -> None:
    """A table on standard output, and a chart."""
    places = list(next(iter(found.values())))
    print(f"\n| µs of CPU an event, {across} | {' | '.join(f'{place:,}' for place in places)} |")
    print(f"|---|{'---:|' * len(places)}")
    for title, costs in found.items():
        cells = [f"{one.microseconds:.2f} ±{one.spread:.0%}, {one.stored:,} B" for one in costs.values()]
        print(f"| `{title}` | {' | '.join(cells)} |")
    cells = [f"{naive[place]:,.0f}" if place in naive else "" for place in places]
    print(f"| naive replay, `{next(iter(found))}` | {' | '.join(cells)} |")
    series = {title: [(place, one.microseconds) for place, one in costs.items()] for title, costs in found.items()}
    series["naive replay"] = [(place, naive[place]) for place in naive]
    text = chart(f"What an event costs, over the {across}", across, "µs of CPU an event", series)
    Path(folder, f"{across.split(maxsplit=1)[0]}-cost.svg").write_text(text, encoding="utf-8")


def main() -> None:
    folder = Path(sys.argv[1])
    publish(folder, "window in seconds, an event each", *over_windows())
    publish(folder, "history in events", *over_histories())


if __name__ == "__main__":
    main()
