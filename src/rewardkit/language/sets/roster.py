"""The conditions of a set: their numbers, the counters that they share, and who listens to which name."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language.condition import Condition
from rewardkit.language.diagnostic import quoted
from rewardkit.language.folding.program import Program, compile_program
from rewardkit.language.folding.reachability import seen_locally
from rewardkit.language.planning.names import Everything
from rewardkit.language.sets.counting import Check, compile_check, leaf_key, leaves, only_counts, outright
from rewardkit.language.sets.listeners import Leaf, Listeners, Stepped, listeners
from rewardkit.language.syntax.canonical import fingerprint, structure


@attrs.frozen
class Member:
    """A condition of a set: nothing but counters where it has a check, else a program."""

    number: int
    """Its place among all that were ever added."""
    name: str
    condition: Condition
    check: Check | None
    program: Program | None
    leaves: tuple[Leaf, ...] = ()
    """The counters that its check reads."""


class Roster:
    """Conditions by name and number. Numbers and slots of counters are given once, in the order of adding."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.by_number: dict[int, Member] = {}
        self.generation = 0
        """How many conditions have been added."""
        self.alive = 0
        """Bit set by number: what has not been removed."""
        self.code = "B"
        """Of the arrays that hold the counters: one byte each while no threshold needs more."""
        self._leaves: dict[tuple[str, ...], Leaf] = {}
        self._lineage: list[tuple[bytes, int]] = [(b"\0\0\0\0", 0)]
        self._counters: dict[str, list[Leaf]] = {}
        self._programs: dict[str, list[int]] = {}
        self._everywhere: list[int] = []
        """Of programs that listen to every event, whatever its name."""
        self.listeners: dict[str, Listeners] = {}
        """What has been worked out so far."""

    def add(self, name: str, condition: Condition, zone: str) -> Member:
        """Take a condition in, read in a zone."""
        number = self.generation
        # Where the table of states knows more of what is impossible than counters do, the program has it.
        if only_counts(condition.tree) and seen_locally(condition.tree):
            member = self._count(number, name, condition)
        else:
            program = compile_program(condition.tree, zone)
            member = Member(number, name, condition, None, program)
            if isinstance(program.names, Everything):
                self._everywhere.append(number)
                self.listeners.clear()
            else:
                for heard in program.names:
                    self._programs.setdefault(heard, []).append(number)
        self.members[name] = self.by_number[number] = member
        self.alive |= 1 << number
        self._forget(condition.event_names)
        before = self._lineage[-1][0]
        mark = fingerprint(structure(condition.tree)) if member.program is None else member.program.fingerprint
        told = b"\0".join((before, name.encode("utf-8", "surrogatepass"), mark))
        self._lineage.append((blake2b(told, digest_size=4).digest(), len(self._leaves)))
        self.generation += 1
        return member

    def remove(self, name: str) -> None:
        """Let a condition go; its number and its counters' slots are given to no other."""
        member = self.member(name)
        del self.members[name], self.by_number[member.number]
        self.alive &= ~(1 << member.number)
        if member.program is None:
            for leaf in member.leaves:
                leaf.forget(member.number)
        elif member.number in self._everywhere:
            self._everywhere.remove(member.number)
            self.listeners.clear()
        else:
            for heard in member.program.names:
                self._programs[heard].remove(member.number)
        self._forget(member.condition.event_names)

    def member(self, name: str) -> Member:
        """A condition by its name.

        Raises:
            ValidationError: there is none.
        """
        member = self.members.get(name)
        if member is None:
            raise ValidationError(f"condition {quoted(name)} is not in the set")
        return member

    def listen(self, name: str) -> Listeners | None:
        """Who listens to a name; worked out at its first event after a change."""
        known = self.listeners.get(name)
        if known is not None:
            return known
        everywhere = self._stepped(self._everywhere)
        if name not in self._counters and name not in self._programs:
            # Not kept: there is no end to the names of events.
            return Listeners(None, everywhere) if everywhere else None
        counters = [leaf for leaf in self._counters.get(name, ()) if leaf.users]
        stepped = self._stepped(self._programs.get(name, ())) + everywhere
        known = self.listeners[name] = listeners(name, counters, stepped)
        return known

    def _stepped(self, numbers: Iterable[int]) -> tuple[Stepped, ...]:
        members = ((number, self.by_number[number]) for number in numbers)
        return tuple(
            Stepped(number >> 3, 1 << (number & 7), number, member.name, member.program)
            for number, member in members
            if member.program is not None
        )

    def lineage(self, generation: int) -> tuple[bytes, int] | None:
        """What identifies the first so many additions, and how many counters they have; None where there were fewer."""
        return self._lineage[generation] if generation <= self.generation else None

    def _count(self, number: int, name: str, condition: Condition) -> Member:
        """Take part in the counters that the condition reads, new ones where there are none."""
        slots: dict[tuple[str, ...], int] = {}
        thresholds: dict[tuple[str, ...], set[int]] = {}
        for part in leaves(condition.tree):
            key = leaf_key(part)
            leaf = self._leaves.get(key)
            if leaf is None:
                leaf = self._leaves[key] = Leaf(len(self._leaves), part.matches)
                for heard in leaf.names:
                    self._counters.setdefault(heard, []).append(leaf)
            slots[key] = leaf.slot
            thresholds.setdefault(key, set()).add(part.least)
            self.code = max(self.code, "B" if part.least < 2**8 else "H" if part.least < 2**16 else "I")
        check = compile_check(condition.tree, slots)
        for key, counts in thresholds.items():
            comes_to = {count: outright(condition.tree, key, count) for count in counts}
            self._leaves[key].watch(number, name, check, comes_to)
        return Member(number, name, condition, check, None, tuple(self._leaves[key] for key in thresholds))

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self.listeners.pop(name, None)
