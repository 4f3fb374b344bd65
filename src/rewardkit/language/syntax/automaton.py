"""The automaton that reads lexemes: Lark's table of the grammar, driven by a loop of our own.

Lark's own loop finds every token a second time, by a lexer that depends on the state, and goes through three calls
for each rule; this one takes the lexemes that the scan has found anyway, and needs a fifth of the time.
It reads exactly what Lark reads. Where it is stuck, Lark says what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from rewardkit.language.grammar import table
from rewardkit.language.syntax.build import Builder
from rewardkit.language.syntax.scan import Lexeme
from rewardkit.language.tree import Node

if TYPE_CHECKING:
    from lark import Lark

_KINDS = {"string": "STRING", "duration": "DURATION", "reference": "REFERENCE", "end": "$END"}
_WORDS = 3
"""The priority of the grammar's own words, by which they come before names."""


class Stuck(Exception):
    """The lexemes are no condition."""


class _Reduction:
    """A rule, as the loop needs it."""

    __slots__ = ("callback", "flat", "origin", "size")

    def __init__(self, rule: Any, builder: Builder) -> None:
        self.size = len(rule.expansion)
        self.origin = str(rule.origin.name)
        self.flat = any(_repeats(symbol.name) for symbol in rule.expansion)
        """Whether a part is a repetition, whose own parts stand in its place."""
        self.callback: Callable[[list[Any]], Any] | None
        """What makes a part of its parts; None where its only part is passed on."""
        if _repeats(self.origin):
            self.callback = _Repetition
        elif rule.options.expand1 and not rule.alias:
            self.callback = None
        else:
            self.callback = getattr(builder, rule.alias or self.origin)


class _Repetition(list[Any]):
    """The parts of `(…)+` or `(…)*`."""


def _repeats(rule: str) -> bool:
    return rule.startswith("__")


_Row: TypeAlias = dict[str, Any]
"""What a state does at a terminal or behind a rule.

The state to go to; the `_Reduction` to make; or by the state below, the state in its place.
"""


_Role: TypeAlias = tuple[tuple[str, str], ...]
"""Terminals that a word may be, the language's own first, each with itself, or with nothing where more follows it."""
_Roles: TypeAlias = tuple[_Role, ...]
"""What a word may be; before a parenthesis in the second place, where that differs; nothing for a plain name."""
_END = Lexeme("end", "", 0, 0)


class Automaton:
    """Holds the table; reading changes nothing but a memory of words."""

    def __init__(self, lark: Lark, builder: Builder) -> None:
        configuration: Any = lark.parse_interactive("").parser_state.parse_conf
        self._start: int = configuration.start_state
        self._end: int = configuration.end_state
        self._rows = _rows(configuration.parse_table.states, builder)
        self._signs = {
            terminal.pattern.value: str(terminal.name) for terminal in lark.terminals if terminal.pattern.type == "str"
        }
        patterns = {str(terminal.name): terminal.pattern.value for terminal in lark.terminals}
        words = [str(terminal.name) for terminal in lark.terminals if terminal.priority == _WORDS]
        self._words = {word: re.compile(patterns[word]) for word in words}
        self._name = re.compile(patterns["NAME"])
        self._roles = lru_cache(maxsize=1_024)(self._find_roles)

    def read(self, text: str, lexemes: list[Lexeme]) -> Node:
        """The tree of a text that has these lexemes.

        Raises:
            Stuck: they are no condition.
            Slip: a rule refuses its parts.
        """
        rows, signs, find_roles = self._rows, self._signs, self._roles
        row = rows[self._start]
        states, values = [self._start], list[Any]()
        for index, lexeme in enumerate((*lexemes, _END)):
            if lexeme.kind == "symbol":
                terminal = signs.get(lexeme.text, "COMPARE")
            elif lexeme.kind == "word":
                terminal = "NAME"
                if roles := find_roles(lexeme.text):
                    role = roles[-1] if len(roles) == 1 or _called(text, lexemes, index) else roles[0]
                    terminal = next((found for one, found in role if one in row), "")
            elif lexeme.kind == "number":
                terminal = "INT" if lexeme.text.isdecimal() else "DECIMAL"
            else:
                terminal = _KINDS[lexeme.kind]
            while (action := row.get(terminal)).__class__ is not int:
                if action.__class__ is dict:
                    states[-1] = state = action[states[-2]]
                elif action is None:
                    if states[-1] == self._end:
                        break
                    raise Stuck
                else:
                    parts = values[-action.size :]
                    del states[-action.size :], values[-action.size :]
                    values.append(action.callback(_flat(parts) if action.flat else parts))
                    state = rows[states[-1]][action.origin]
                    states.append(state)
                row = rows[state]
            else:
                states.append(action)
                values.append(lexeme)
                row = rows[action]
        node: Node = values[-1]
        return node

    def _find_roles(self, written: str) -> _Roles:
        found = tuple(self._find(written, f"{written}{behind}") for behind in ("", "("))
        plain, called = found
        return () if called == (("NAME", "NAME"),) else (plain,) if plain == called else found

    def _find(self, written: str, ahead: str) -> _Role:
        matches = {terminal: pattern.match(ahead) for terminal, pattern in self._words.items()}
        found = {
            terminal: terminal if match.end() == len(written) else ""
            for terminal, match in matches.items()
            if match is not None
        }
        if self._name.fullmatch(written):
            found["NAME"] = "NAME"
        return tuple(found.items())


def _called(text: str, lexemes: list[Lexeme], index: int) -> bool:
    """Whether a parenthesis follows a lexeme, with nothing but space between."""
    if index + 1 == len(lexemes) or lexemes[index + 1].text != "(":
        return False
    return "#" not in text[lexemes[index].end : lexemes[index + 1].start]


def _rows(states: dict[int, dict[str, tuple[object, Any]]], builder: Builder) -> dict[int, _Row]:
    reductions: dict[Any, _Reduction] = {}
    rows: dict[int, _Row] = {}
    for state, actions in states.items():
        row: _Row = {}
        rows[state] = row
        for symbol, (_, argument) in actions.items():
            if not isinstance(argument, int) and argument not in reductions:
                reductions[argument] = _Reduction(argument, builder)
            row[str(symbol)] = argument if isinstance(argument, int) else reductions[argument]
    return _shortened(rows)


def _shortened(rows: dict[int, _Row]) -> dict[int, _Row]:
    """The table with every run of rules that pass on their only part replaced by its end, by the state below."""
    shortened = {state: dict(row) for state, row in rows.items()}
    for below, row in rows.items():
        for state in {target for target in row.values() if isinstance(target, int)}:
            for terminal, action in rows[state].items():
                if isinstance(action, _Reduction) and action.callback is None:
                    if not isinstance(shortened[state][terminal], dict):
                        shortened[state][terminal] = {}
                    shortened[state][terminal][below] = _passed_on(rows, below, action, terminal)
    return shortened


def _passed_on(rows: dict[int, _Row], below: int, action: Any, terminal: str) -> int:
    state = 0
    while isinstance(action, _Reduction) and action.callback is None:
        state = rows[below][action.origin]
        action = rows[state].get(terminal)
    return state


def _flat(parts: list[Any]) -> list[Any]:
    return [inner for part in parts for inner in (part if isinstance(part, _Repetition) else (part,))]


@cache
def automaton() -> Automaton:
    """The automaton of the grammar; made on first use, since that takes tens of milliseconds."""
    return Automaton(table(), Builder())
