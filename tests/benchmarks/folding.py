"""Contenders that are given the events alone: a replay of the history at each of them, and this library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from counting import Answer
from rules import Job, Leaf, Reading, Rule

import rewardkit as rk
from rewardkit.language.folding.program import SATISFIED, State

Tree: TypeAlias = tuple[str, Any, Any]


class Replaying:
    """What one writes first: keep every event, and count in all of them, for each undecided rule, at each event."""

    def __init__(self, job: Job) -> None:
        self._trees = [tree(job, rule) for rule in job.rules]

    def fresh(self, stream: Sequence[Reading]) -> Any:
        users = {reading.user for reading in stream}
        everything = range(len(self._trees))
        return {user: [] for user in users}, {user: list(everything) for user in users}

    def run(self, kept: Any, stream: Sequence[Reading]) -> list[Answer]:
        histories, undecided = kept
        trees = self._trees
        found: list[Answer] = []
        for place, (user, event, _) in enumerate(stream):
            history = histories[user]
            history.append(event)
            held = [rule for rule in undecided[user] if holds(trees[rule], history)]
            if held:
                undecided[user] = [rule for rule in undecided[user] if rule not in held]
                found += [(place, rule) for rule in held]
        return found


def tree(job: Job, rule: Rule) -> Tree:
    """A rule as nested tuples."""
    counts: list[Tree] = [("count", job.leaves[leaf], least) for leaf, least in rule.counts]
    made = counts[0] if len(counts) == 1 else (rule.connective, counts[0], counts[1])
    return made if rule.guard is None else ("and", made, ("not", ("count", job.leaves[rule.guard], 1), None))


def holds(node: Tree, history: list[rk.Event]) -> bool:
    kind, left, right = node
    if kind == "and":
        return holds(left, history) and holds(right, history)
    if kind == "or":
        return holds(left, history) or holds(right, history)
    if kind == "not":
        return not holds(left, history)
    leaf: Leaf = left
    names, where = leaf
    return bool(sum(1 for event in history if event.name in names and (where is None or where.passes(event))) >= right)


class Programs:
    """A program a condition, found by the event's name: what an application does with `Condition.program()` alone."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._programs = [rk.Condition.parse(text).program() for text in texts]
        self._openings = [program.start(0) for program in self._programs]
        self._listeners: dict[str, list[int]] = {}
        for number, program in enumerate(self._programs):
            for name in program.names:
                self._listeners.setdefault(name, []).append(number)

    def fresh(self, stream: Sequence[Reading]) -> Any:
        return {reading.user: {} for reading in stream}

    def run(self, kept: dict[int, dict[int, State]], stream: Sequence[Reading]) -> list[Answer]:
        programs, openings, listeners = self._programs, self._openings, self._listeners
        found: list[Answer] = []
        for place, (user, event, _) in enumerate(stream):
            states = kept[user]
            for number in listeners.get(event.name, ()):
                before = states.get(number) or openings[number]
                if before.status:
                    continue
                after = programs[number].step(before, event)
                if after is not before:
                    states[number] = after
                    if after.status == SATISFIED:
                        found.append((place, number))
        return found

    def finish(self, kept: dict[int, dict[int, State]], now: int) -> list[tuple[int, int]]:
        """Users, and the programs that time alone satisfies for them."""
        return [
            (user, number)
            for user, states in kept.items()
            for number, (program, opening) in enumerate(zip(self._programs, self._openings, strict=True))
            if not (state := states.get(number) or opening).status and program.advance(state, now).status == SATISFIED
        ]


class Sets:
    """A `ConditionSet`, and a standing a user.

    Args:
        packed: standings are kept as bytes: loaded before each event and stored after it, as a store would.
    """

    def __init__(self, texts: Sequence[str], *, packed: bool = False) -> None:
        self._set = rk.ConditionSet()
        for number, text in enumerate(texts):
            self._set.add(f"{number}", text)
        self._packed = packed

    def fresh(self, stream: Sequence[Reading]) -> Any:
        standings = {reading.user: self._set.start(0)[0] for reading in stream}
        return {user: self._set.pack(one) for user, one in standings.items()} if self._packed else standings

    def run(self, kept: dict[int, Any], stream: Sequence[Reading]) -> list[Answer]:
        step, pack, unpack = self._set.step, self._set.pack, self._set.unpack
        found: list[Answer] = []
        for place, (user, event, _) in enumerate(stream):
            if self._packed:
                standing = unpack(kept[user])
                changes = step(standing, event)
                kept[user] = pack(standing)
            else:
                changes = step(kept[user], event)
            found += [(place, int(change.name)) for change in changes if change.status == "satisfied"]
        return found

    def finish(self, kept: dict[int, Any], now: int) -> list[tuple[int, int]]:
        """Users, and the conditions that time alone satisfies for them."""
        return [
            (user, int(change.name))
            for user, standing in kept.items()
            for change in self._set.advance(standing, now)
            if change.status == "satisfied"
        ]
