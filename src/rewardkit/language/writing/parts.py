"""Makes the segments of a plan runnable."""

from __future__ import annotations

from typing import Any

from rewardkit.language.planning.bounds import moves
from rewardkit.language.planning.gauge import Gauge
from rewardkit.language.planning.plan import Chain, Counter, Nested, Plan, Run, Segment
from rewardkit.language.running.chain import FOREVER, Part, Threads
from rewardkit.language.running.chain import Run as Reading
from rewardkit.language.running.dominance import Thread, comparison, directions, dominates
from rewardkit.language.running.streaks import Streaks
from rewardkit.language.writing.families import family
from rewardkit.language.writing.nested_facts import family_of
from rewardkit.language.writing.source import SegmentWriter
from rewardkit.language.writing.waiting import judges


def build(plan: Plan) -> list[Part]:
    """The segments of a plan at run time, each in its number's place."""
    names: dict[str, Any] = {"__builtins__": {"min": min, "len": len, "tuple": tuple}}
    parts: list[Part] = []
    source = "".join(SegmentWriter(segment, names, plan.zone).write() for segment in plan.segments)
    exec(compile(source, "<condition>", "exec"), names)  # noqa: S102 - generated names and numbers, no text of a user's
    for segment in plan.segments:
        initial: list[Any] = [0, 0]
        for slot, content in enumerate(segment.slots):
            if isinstance(content, Nested):
                kept = names[family_of(segment.number, slot)] = family(content, parts, plan.zone)
                initial.append(kept.initial)
                continue
            if isinstance(content, Run):
                names[family_of(segment.number, slot)] = Streaks.of(content.node, plan.zone)
            if not isinstance(content, Chain):
                initial.append(content.initial if isinstance(content, Gauge) else 0)
                continue
            threads = Threads(tuple(parts[inner.number] for inner in content.steps), content.followed)
            names[f"chain_{segment.number}_{slot}"] = threads
            initial.append(threads.initial)
        parts.append(_part(segment, names, tuple(initial), plan.zone))
    return parts


def _part(segment: Segment, names: dict[str, Any], initial: Thread, zone: str) -> Part:
    number = segment.number
    pulls = directions(segment, zone)
    expression = comparison(pulls)
    if expression is None:

        def better(x: Thread, y: Thread) -> bool:
            return dominates(x, y, pulls)
    else:
        better = eval(f"lambda x, y: {expression}", {"__builtins__": {}})  # noqa: S307 - indices and comparisons alone
    run: Reading = names[f"run_{number}"]
    counted = all(isinstance(slot, Counter | Gauge) for slot in segment.slots)
    constant = counted and not judges(segment.root) and all(map(moves, segment.bounds))
    birth = run(initial, None, 0, FOREVER, ())[1] if constant else None
    return Part(run, names[f"due_{number}"], initial, initial[1:], birth, segment.names, pulls, better)
