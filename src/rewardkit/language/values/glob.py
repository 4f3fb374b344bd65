"""Globs: `like "a*"`. `*` stands for any run of characters, `?` for any single one; there is no escape."""

from __future__ import annotations

from collections.abc import Callable


def compile_glob(pattern: str) -> Callable[[str], bool]:
    """A matcher that takes time linear in the text, whatever the pattern."""
    if "?" in pattern:
        return _automaton(pattern)
    pieces = pattern.split("*")
    if len(pieces) == 1:
        return pattern.__eq__
    return _pieces(pieces[0], [piece for piece in pieces[1:-1] if piece], pieces[-1])


def _pieces(head: str, middle: list[str], tail: str) -> Callable[[str], bool]:
    shortest = len(head) + len(tail)

    def match(text: str) -> bool:
        if len(text) < shortest or not text.startswith(head) or not text.endswith(tail):
            return False
        begin, end = len(head), len(text) - len(tail)
        for piece in middle:
            found = text.find(piece, begin, end)
            if found < 0:
                return False
            begin = found + len(piece)
        return True

    return match


def _automaton(pattern: str) -> Callable[[str], bool]:
    """Every place in the pattern is a bit; a character moves all of them at once, so nothing is ever tried again."""
    letters: dict[str, int] = {}
    anything = staying = 0
    size = 0
    for character in pattern:
        if character == "*":
            staying |= 1 << size
            continue
        if character == "?":
            anything |= 1 << size
        else:
            letters[character] = letters.get(character, 0) | 1 << size
        size += 1
    goal = 1 << size

    def match(text: str) -> bool:
        places = 1
        for character in text:
            places = ((places & (letters.get(character, 0) | anything)) << 1) | (places & staying)
            if not places:
                return False
        return bool(places & goal)

    return match
