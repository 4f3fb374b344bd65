"""Which states of a small condition can still lead to satisfaction: what makes `impossible` exact.

For a condition whose meaning is order alone, without windows, the states are finite. They are found once, by folding
every letter over every state, and searched backwards from satisfaction; what is not met is impossible. Conditions of
one shape share one table: names and filters are replaced by numbers before it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from rewardkit.language import tree
from rewardkit.language.descent import children, descend, matches
from rewardkit.language.event import Event
from rewardkit.language.planning.plan import Chain, Counter, Plan, Segment
from rewardkit.language.running.state import IMPOSSIBLE, PENDING, SATISFIED, State
from rewardkit.language.samples.alphabet import alphabet
from rewardkit.language.samples.passable import passable
from rewardkit.language.syntax.canonical import structure
from rewardkit.language.values.filter import matches as fits

if TYPE_CHECKING:
    from rewardkit.language.folding.program import Program

MOST_STATES = 4_096
"""Of one table: it is made in a fraction of a second, and kept."""
MOST_FOLDS = 32_768
"""Folds of a letter into a state while a table is made."""
MOST_FILTERS = 6
"""Of one name, each of which doubles the letters where nothing is known about them."""
_MOST_TABLES = 4_096

Key: TypeAlias = Any
"""A state without instants, which no untimed condition looks at."""

_FOLLOWED = tree.AtLeast | tree.And | tree.Or | tree.Some | tree.Not | tree.Then
_APART = tree.AtLeast | tree.And | tree.Or | tree.Some | tree.Not
_POSITIVE = tree.AtLeast | tree.And | tree.Or | tree.Some | tree.Then | tree.Ever


@attrs.frozen(eq=False)
class Reachability:
    """What is known about the states of one program."""

    exact: bool
    """Whether every impossible state is found."""
    hopeless: frozenset[Key] = frozenset()
    """Pending states from which no continuation satisfies, and that the local rule does not see."""


LOCAL = Reachability(exact=False)


class Outlook:
    """What becomes of a program's pending states; the table is made when the first of them is asked about."""

    def __init__(self, node: tree.Node, plan: Plan) -> None:
        self._node = node
        self._plan = plan
        self._made: Reachability | None = None

    @property
    def table(self) -> Reachability:
        if self._made is None:
            self._made = _reachability(self._node)
        return self._made

    def hopeless(self, root: Any) -> bool:
        """Whether no continuation of a pending state satisfies, as far as the table knows."""
        hopeless = self.table.hopeless
        return bool(hopeless) and _key(self._plan.root, root) in hopeless


def plainly_exact(node: tree.Node) -> bool:
    """Whether it can be seen at a glance that the local rule finds every impossible state of a condition.

    Each filter is one that some event passes. Then nothing is impossible that has no windows and no negations, since
    enough events satisfy it; and leaves of different events, joined without steps, become what they like, so that what
    is known of each is all that there is to know.
    """
    parts = list(descend(node))
    if not all(passable(match.where) for part in parts for match in matches(part)):
        return False
    if all(isinstance(part, _POSITIVE) for part in parts):
        return True
    names = [name for part in parts for name in {match.name for match in matches(part)}]
    return all(isinstance(part, _APART) for part in parts) and len(names) == len(set(names))


def seen_locally(node: tree.Node) -> bool:
    """Whether the local rule says of every state what a program says: no table adds to it, or none can be made."""
    return plainly_exact(node) or not tabled(node) or not _reachability(node).hopeless


def tabled(node: tree.Node) -> bool:
    """Whether a table may be made for a condition: one that is order alone, over filtered events."""
    return all(isinstance(part, _FOLLOWED) for part in descend(node))


# --- the table ---

_TABLES: dict[str, Reachability] = {}


def _reachability(node: tree.Node) -> Reachability:
    shape, letters = _shape(node)
    if shape is None:
        return LOCAL
    text = f"{structure(shape)} {letters}"
    table = _TABLES.get(text)
    if table is None:
        if len(_TABLES) >= _MOST_TABLES:
            _TABLES.pop(next(iter(_TABLES)), None)
        table = _TABLES[text] = _explore(shape, letters)
    return table


def _shape(node: tree.Node) -> tuple[tree.Node | None, list[tuple[str, tuple[str, ...]]]]:
    """The condition with its names and filters numbered, and its letters: a name, and the filters that hold."""
    filters: dict[str, dict[tree.Predicate | None, str]] = {}
    for part in descend(node):
        for match in matches(part):
            own = filters.setdefault(match.name, {})
            if match.where is not None:
                own.setdefault(match.where, f"f{len(own)}")
    numbers = {name: f"n{number}" for number, name in enumerate(filters)}
    letters: list[tuple[str, tuple[str, ...]]] = []
    for name, own in filters.items():
        held = _held(name, own)
        if held is None:
            return None, []
        letters += [(numbers[name], holding) for holding in held]
    return _renamed(node, numbers, filters), letters


def _held(name: str, own: Mapping[tree.Predicate | None, str]) -> list[tuple[str, ...]] | None:
    """The sets of one name's filters that an event can pass; None where they are too many to tell."""
    wheres = [where for where in own if where is not None]
    if not wheres:
        return [()]
    if len(wheres) == 1 and isinstance(wheres[0], tree.Compare | tree.OneOf | tree.Has) and passable(wheres[0]):
        return [(), (own[wheres[0]],)]
    found = alphabet([tree.AtLeast(tuple(tree.Match(name, where) for where in wheres))])
    if not found.complete:
        return None
    passed = [tuple(own[where] for where in wheres if fits(where, letter.properties)) for letter in found.letters]
    return sorted(set(passed))


def _renamed(
    node: tree.Node, numbers: Mapping[str, str], filters: Mapping[str, Mapping[tree.Predicate | None, str]]
) -> tree.Node:
    if isinstance(node, tree.AtLeast):
        found = (
            tree.Match(numbers[match.name], None if match.where is None else tree.Has(filters[match.name][match.where]))
            for match in node.matches
        )
        return tree.AtLeast(tuple(found), node.least)
    parts = tuple(_renamed(part, numbers, filters) for part in children(node))
    match node:
        case tree.And() | tree.Or() | tree.Some():
            return attrs.evolve(node, terms=parts)
        case tree.Then():
            return attrs.evolve(node, steps=parts)
        case tree.Not():
            return tree.Not(parts[0])
        case _:
            return node


def _explore(shape: tree.Node, letters: list[tuple[str, tuple[str, ...]]]) -> Reachability:
    from rewardkit.language.folding.program import bare_program

    program = bare_program(shape)
    if _least_states(program.plan.root) > MOST_STATES:
        return LOCAL
    events = [
        Event(name, 1, f"e{number}", properties=dict.fromkeys(held, 1)) for number, (name, held) in enumerate(letters)
    ]
    found = _edges(program, events)
    if found is None:
        return LOCAL
    leads, satisfying = found
    hopeful = set(satisfying)
    waiting = list(satisfying)
    back: dict[Key, list[Key]] = {}
    for key, following in leads.items():
        for after in following:
            back.setdefault(after, []).append(key)
    while waiting:
        for before in back.get(waiting.pop(), ()):
            if before not in hopeful:
                hopeful.add(before)
                waiting.append(before)
    return Reachability(exact=True, hopeless=frozenset(leads.keys() - hopeful))


def _edges(program: Program, events: list[Event]) -> tuple[dict[Key, list[Key]], list[Key]] | None:
    """Where each pending state leads, and those that lead to satisfaction at once; None where they are too many."""
    root = program.plan.root
    start = program.start(0)
    if start.status != PENDING:
        return {}, []
    leads: dict[Key, list[Key]] = {_key(root, start.root): []}
    states: list[tuple[Key, State]] = [(_key(root, start.root), start)]
    satisfying: list[Key] = []
    for count, ((key, state), event) in enumerate(_each(states, events)):
        if count >= MOST_FOLDS:
            return None
        after = program.step(state, event)
        if after.status == SATISFIED:
            satisfying.append(key)
        elif after.status != IMPOSSIBLE and after is not state:
            reached = _key(root, after.root)
            leads[key].append(reached)
            if reached not in leads:
                if len(leads) >= MOST_STATES:
                    return None
                leads[reached] = []
                states.append((reached, after))
    return leads, satisfying


def _each(states: list[tuple[Key, State]], events: list[Event]) -> Iterator[tuple[tuple[Key, State], Event]]:
    """Every state, those that are found on the way among them, with every event."""
    for one in states:
        yield from product((one,), events)


def _least_states(segment: Segment) -> int:
    """How many states the counters of a segment and of its chains have, at least if they move apart."""
    many = 1
    for slot in segment.slots:
        if isinstance(slot, Counter):
            many *= slot.most + 1
        elif isinstance(slot, Chain):
            for step in slot.steps:
                many *= _least_states(step)
    return many


def _key(segment: Segment, thread: Any) -> Key:
    """A thread without its anchor and phase: where there are no windows, both tell nothing."""
    kept: list[Any] = []
    for content, slot in zip(segment.slots, thread[2:], strict=True):
        if isinstance(content, Chain) and isinstance(slot, tuple):
            steps = zip(content.steps, slot[1:], strict=True)
            kept.append((slot[0], *(frozenset(_key(step, one) for one in threads) for step, threads in steps)))
        else:
            kept.append(slot)
    return tuple(kept)
