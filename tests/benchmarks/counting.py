"""Contenders that keep counters and ask a rule engine; the counters are theirs for nothing.

Every engine is given its counters in the way that is quickest for it. Rules are compiled before the clock runs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from rules import Job, Reading, Rule

Answer: TypeAlias = tuple[int, int]
"""A place in the stream and the number of a rule that became satisfied there."""
Check: TypeAlias = Callable[[Any], Any]
"""Whether a rule holds, asked with a user's counters."""


class Counting:
    """A contender: every undecided rule, or those that listen to the event's name, are asked after each event."""

    def __init__(self, job: Job, engine: type[Engine], *, indexed: bool) -> None:
        self.engine = engine(job)
        everything = tuple(range(len(job.rules)))
        listeners = job.listeners()
        self._asked = {name: rules if indexed else everything for name, rules in listeners.items()}
        self._read = {
            name: sorted({leaf for rule in rules for leaf in job.rules[rule].leaves})
            for name, rules in self._asked.items()
        }
        self._rules = len(job.rules)

    def fresh(self, stream: Sequence[Reading]) -> Any:
        """What is kept of users who have had no event yet."""
        users = {reading.user for reading in stream}
        return {user: bytearray(self._rules) for user in users}, self.engine.counters(stream, self._read)

    def run(self, kept: Any, stream: Sequence[Reading]) -> list[Answer]:
        """What becomes satisfied where."""
        decided, counters = kept
        checks, asked = self.engine.checks, self._asked
        found: list[Answer] = []
        for place, ((user, event, _), mine) in enumerate(zip(stream, counters, strict=True)):
            done = decided[user]
            for rule in asked[event.name]:
                if not done[rule] and checks[rule](mine):
                    done[rule] = 1
                    found.append((place, rule))
        return found


class Engine:
    """A rule engine: how it takes rules, and in what it wants counters."""

    title = ""
    connectives: ClassVar = {"and": "and", "or": "or"}

    def __init__(self, job: Job) -> None:
        self.names = [f"c{leaf}" for leaf in range(len(job.leaves))]
        self.checks: list[Check] = [self.check(rule) for rule in job.rules]

    def text(self, rule: Rule) -> str:
        """The rule as an expression over counters."""
        return rule.text(self.connectives, lambda leaf, least: f"c{leaf} >= {least}", lambda leaf: f"c{leaf} < 1")

    def used(self, rule: Rule) -> list[str]:
        """The counters that a rule reads."""
        return [self.names[leaf] for leaf in rule.leaves]

    def check(self, rule: Rule) -> Check:
        raise NotImplementedError

    def counters(self, stream: Sequence[Reading], _read: Mapping[str, Sequence[int]]) -> Iterable[Any]:
        """The user's counters after each event; changing those that an event changes is all that it takes."""
        kept: dict[int, dict[str, Any]] = {
            user: dict.fromkeys(self.names, self.number(0)) for user in {reading.user for reading in stream}
        }
        return self._changed(stream, kept)

    def _changed(self, stream: Sequence[Reading], kept: dict[int, dict[str, Any]]) -> Iterator[dict[str, Any]]:
        names, number = self.names, self.number
        for user, _, counts in stream:
            mine = kept[user]
            for leaf, count in counts:
                mine[names[leaf]] = number(count)
            yield mine

    def number(self, count: int) -> Any:
        """A count in the engine's own type."""
        return count


class RuleEngine(Engine):
    """rule-engine, in Python."""

    title = "rule-engine"

    def check(self, rule: Rule) -> Check:
        import rule_engine

        context = rule_engine.Context(resolver=rule_engine.resolve_item)
        check: Check = rule_engine.Rule(self.text(rule), context=context).matches
        return check


class JsonLogic(Engine):
    """panzi-json-logic, the quicker of the two JsonLogic packages that run on Python 3."""

    title = "json-logic"

    def check(self, rule: Rule) -> Check:
        from json_logic import jsonLogic

        terms: list[Any] = [{">=": [{"var": self.names[leaf]}, least]} for leaf, least in rule.counts]
        logic = terms[0] if len(terms) == 1 else {rule.connective: terms}
        if rule.guard is not None:
            logic = {"and": [logic, {"<": [{"var": self.names[rule.guard]}, 1]}]}
        return functools.partial(jsonLogic, logic)


class CelInRust(Engine):
    """common-expression-language.

    Its context is copied at a change after a call, so every event gets one that was made before the clock runs, with
    the counters that are read then; a dictionary instead costs four times as much a call.
    """

    title = "CEL in Rust"
    connectives: ClassVar = {"and": "&&", "or": "||"}

    def check(self, rule: Rule) -> Check:
        import cel

        check: Check = cel.compile(self.text(rule)).execute
        return check

    def counters(self, stream: Sequence[Reading], read: Mapping[str, Sequence[int]]) -> Iterable[Any]:
        import cel

        kept: dict[int, list[int]] = {}
        contexts = []
        for user, event, counts in stream:
            mine = kept.setdefault(user, [0] * len(self.names))
            for leaf, count in counts:
                mine[leaf] = count
            context = cel.Context()
            context.update({self.names[leaf]: mine[leaf] for leaf in read[event.name]})
            contexts.append(context)
        return contexts


class Zen(Engine):
    """zen-engine, in Rust; it converts the dictionary of every call, so it gets the rule's own counters."""

    title = "zen-engine"

    def check(self, rule: Rule) -> Check:
        import zen

        evaluate, used = zen.compile_expression(self.text(rule)).evaluate, self.used(rule)

        def check(counters: dict[str, int]) -> Any:
            return evaluate({name: counters[name] for name in used})

        return check


class CelPython(Engine):
    """cel-python; it copies the names that it is given, so it gets the rule's own counters."""

    title = "cel-python"
    connectives: ClassVar = {"and": "&&", "or": "||"}

    def __init__(self, job: Job) -> None:
        import celpy

        self._environment = celpy.Environment()
        self._integer = celpy.celtypes.IntType
        super().__init__(job)

    def check(self, rule: Rule) -> Check:
        environment, used = self._environment, self.used(rule)
        evaluate = environment.program(environment.compile(self.text(rule))).evaluate

        def check(counters: dict[str, Any]) -> Any:
            return evaluate({name: counters[name] for name in used})

        return check

    def number(self, count: int) -> Any:
        return self._integer(count)


ENGINES: tuple[type[Engine], ...] = (RuleEngine, JsonLogic, CelInRust, Zen, CelPython)
