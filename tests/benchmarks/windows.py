"""What no peer says over counters: windows, steps, absences. The same stream, and what can be compared there.

`reelay` monitors bounded past operators, of which `X then Y within D` is one: Y now, and once X in the last D.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from counting import Answer
from evaluate import Contender, measure
from folding import Programs, Sets
from rules import EVENTS_EACH, HOUR, NAMES, START, Job, Reading, events

import rewardkit as rk

FINISH = START + 10 * 365 * 24 * HOUR
HOURS = (24, 7 * 24, 30 * 24, 180 * 24)
SHAPES = (
    "{a} then {b} within {d}h",
    "({a}[amount > 100] then {b}*2 within {d}h) | {c}*20",
    "{a} then no {b} within {d}h",
    "({a}*3 & {b}) & !{c}",
    "{a}*3 in any {d}h",
    "sum({b}:amount) >= 400 in any {d}h",
)


def conditions(number: int) -> list[str]:
    """Conditions of every shape, evenly."""
    chance = random.Random(number)
    made = []
    for index in range(number):
        a, b, c = (f'"{name}"' for name in chance.sample(NAMES, 3))
        made.append(SHAPES[index % len(SHAPES)].format(a=a, b=b, c=c, d=chance.choice(HOURS)))
    return made


class Judging:
    """A replay of the user's history for each undecided condition at each event."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._conditions = [rk.Condition.parse(text) for text in texts]

    def fresh(self, stream: Sequence[Reading]) -> Any:
        users = {reading.user for reading in stream}
        return {user: [] for user in users}, {user: list(range(len(self._conditions))) for user in users}

    def run(self, kept: Any, stream: Sequence[Reading]) -> list[Answer]:
        histories, undecided = kept
        found: list[Answer] = []
        for user, event, _ in stream:
            histories[user].append(event)
            still = []
            for number in undecided[user]:
                verdict = self._conditions[number].judge(histories[user], start=0, now=event.at)
                if verdict.status == "satisfied":
                    found.append((user * EVENTS_EACH, number))
                elif verdict.status == "pending":
                    still.append(number)
            undecided[user] = still
        for user, numbers in undecided.items():
            last = {number: self._conditions[number].judge(histories[user], start=0, now=FINISH) for number in numbers}
            found += [(user * EVENTS_EACH, number) for number in numbers if last[number].status == "satisfied"]
        return found


class Once:
    """Which user satisfied what, and not where, since a timer may be noticed at one event or the next, or at last."""

    def __init__(self, contender: Programs | Sets) -> None:
        self._contender = contender

    def fresh(self, stream: Sequence[Reading]) -> Any:
        return self._contender.fresh(stream)

    def run(self, kept: Any, stream: Sequence[Reading]) -> list[Answer]:
        answers = [(stream[place].user, number) for place, number in self._contender.run(kept, stream)]
        answers += self._contender.finish(kept, FINISH)
        return [(user * EVENTS_EACH, number) for user, number in answers]


def gaps(number: int) -> list[tuple[str, str, int]]:
    """X, Y and D in hours, for `X then Y within D`."""
    chance = random.Random(number)
    return [(*chance.sample(NAMES, 2), chance.choice((3, 4, 6, 12))) for _ in range(number)]  # type: ignore[misc]


def one_user(number: int) -> list[Reading]:
    """A user with an event an hour."""
    return [Reading(0, event, ()) for event in events(random.Random(number), [0] * number, since=0)]


class Reelay:
    """Reelay's monitors of discrete time, one a condition, of one user; made before the clock runs, 20 to 40 ms each.

    A message is a tick, so every undecided monitor is told every event, whether or not it listens to its name.
    """

    def __init__(self, wanted: Sequence[tuple[str, str, int]]) -> None:
        self._wanted = wanted

    def fresh(self, _stream: Sequence[Reading]) -> Any:
        return [self._monitor(*one) for one in self._wanted]

    def _monitor(self, first: str, second: str, hours: int) -> Any:
        import reelay

        pattern = f'{{name: "{second}"}} and once[1:{hours - 1}]{{name: "{first}"}}'
        return reelay.discrete_timed_monitor(pattern=pattern, condense=False).update

    def run(self, kept: Any, stream: Sequence[Reading]) -> list[Answer]:
        undecided = list(enumerate(kept))
        found: list[Answer] = []
        for place, (_, event, _) in enumerate(stream):
            told = {"time": place, "name": event.name}
            held = {number for number, update in undecided if update(told)["value"]}
            if held:
                undecided = [one for one in undecided if one[0] not in held]
                found += [(place, number) for number in held]
        return found


def beside_reelay(number: int) -> dict[str, tuple[float, float]]:
    """Microseconds an event and their spread, for a user with 500 events.

    Raises:
        SystemExit: two contenders gave different answers.
    """
    wanted = gaps(number)
    texts = [f'"{first}" then "{second}" within {hours}h' for first, second, hours in wanted]
    stream = one_user(500)
    contenders: dict[str, Contender] = {
        "reelay": Reelay(wanted),
        "rewardkit, a program a condition": Programs(texts),
        "rewardkit, `ConditionSet`": Sets(texts),
    }
    times: dict[str, list[float]] = {title: [] for title in contenders}
    answers = set()
    for _ in range(3):
        for title, contender in contenders.items():
            kept = contender.fresh(stream)
            gc.collect()
            began = time.process_time()
            found = contender.run(kept, stream)
            times[title].append(1e6 * (time.process_time() - began) / len(stream))
            answers.add(tuple(sorted(found)))
    if len(answers) > 1:
        raise SystemExit("reelay gives other answers than the rest")
    middles = {title: statistics.median(took) for title, took in times.items()}
    return {title: (middle, (max(times[title]) - min(times[title])) / 2 / middle) for title, middle in middles.items()}


def main() -> None:
    print("| µs of CPU an event, `X then Y within D` | 20 | 200 |\n|---|---:|---:|", flush=True)
    few, many = beside_reelay(20), beside_reelay(200)
    for title in few:
        print(f"| {title} | {few[title][0]:,.1f} ±{few[title][1]:.0%} | {many[title][0]:,.1f} ±{many[title][1]:.0%} |")
    print("\n| µs of CPU an event, windows and steps | 20 | 200 |\n|---|---:|---:|", flush=True)
    table: dict[str, list[str]] = {}
    for number in (20, 200):
        texts = conditions(number)
        job = Job(number, 512)
        found = measure(
            job.stream,
            [
                ("replay of the history", partial(Judging, texts)),
                ("rewardkit, a program a condition", partial(Once, Programs(texts))),
                ("rewardkit, `ConditionSet`", partial(Once, Sets(texts))),
            ],
            least=EVENTS_EACH,
        )
        for title, one in found.items():
            table.setdefault(title, []).append(f"{one.microseconds:,.1f} ±{one.spread:.0%} ({one.events:,})")
    for title, cells in table.items():
        print(f"| {title} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
