"""Specimens: values of one property, one for each way in which a set of comparisons can turn out.

Numbers are split at the literals, texts by walking all texts that the comparisons tell apart, shortest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

import attrs

from rewardkit.language.limits import LARGEST_EXPONENT, MOST_DIGITS
from rewardkit.language.tree import Compare, Has, Literal, OneOf
from rewardkit.language.values.filter import matches

Atom: TypeAlias = Compare | OneOf | Has

MISSING: Final = object()
"""Stands for a property that is not there."""

MOST_WALKED = 2_000
"""Prefixes that are followed to find texts: enough for what people write, and quick."""
_MOST_TEXTS = 40
"""Texts that are told apart one by one; more of them are only tried themselves."""
_NICE = "xyzabcdefghijklmnopqrstuvwXYZABCDEFGHIJKLMNOPQRSTUVW0123456789-_ "


class Specimens(NamedTuple):
    """Values, the plainest first; `complete` where every way in which the comparisons can turn out has one."""

    values: tuple[Any, ...]
    complete: bool


def specimens(atoms: Sequence[Atom]) -> Specimens:
    """Values of the property that all of these comparisons are about."""
    plain = [attrs.evolve(atom, field="v") for atom in atoms]
    literals = [literal for atom in plain for literal in _literals(atom)]
    texts, complete = _texts(plain, [literal for literal in literals if isinstance(literal, str)])
    numbers = numbers_around([literal for literal in literals if not isinstance(literal, str | bool)])
    truths = [literal for literal in literals if isinstance(literal, bool)]
    found: dict[tuple[bool, ...], Any] = {}
    for value in (MISSING, *literals, *truths, *(not truth for truth in truths), *numbers, *texts, None):
        found.setdefault(_answers(plain, value), value)
    return Specimens(tuple(found.values()), complete)


def _literals(atom: Atom) -> tuple[Literal, ...]:
    match atom:
        case Compare(operator="like") | Has():
            return ()
        case Compare(value=value):
            return (value,)
        case OneOf(values=values):
            return values


def _answers(atoms: Sequence[Atom], value: Any) -> tuple[bool, ...]:
    properties = {} if value is MISSING else {"v": value}
    return tuple(matches(atom, properties) for atom in atoms)


def numbers_around(literals: Sequence[int | Decimal]) -> Iterator[int | Decimal]:
    """A number in each gap between the literals, and beyond them."""
    ordered = sorted(set(literals))
    if not ordered:
        return
    yield int(ordered[-1] // 1) + 1
    for low, high in pairwise(ordered):
        whole = int(low // 1) + 1
        if low < whole < high:
            yield whole
        else:
            with localcontext() as context:
                context.prec = 2 * (MOST_DIGITS + LARGEST_EXPONENT) + 4
                yield (Decimal(low) + Decimal(high)) / 2
    yield int(ordered[0] // 1) - 1


# --- texts ---


def _texts(atoms: Sequence[Atom], literals: Sequence[str]) -> tuple[list[str], bool]:
    """Texts that the comparisons tell apart, and whether these are all ways."""
    walked = [atom for atom in atoms if isinstance(atom, Compare) and atom.operator not in ("==", "!=")]
    if not any(isinstance(atom.value, str) for atom in walked):
        return [_fresh(literals)] if literals else [], True
    distinct = list(dict.fromkeys(literals))
    if len(distinct) > _MOST_TEXTS:
        return [_fresh(literals)], False
    return _walk(atoms, distinct)


def _fresh(literals: Sequence[str]) -> str:
    """A text that is none of these."""
    known = set(literals)
    number = 0
    while (text := "other" if not number else f"other {number}") in known:
        number += 1
    return text


def _walk(atoms: Sequence[Atom], literals: list[str]) -> tuple[list[str], bool]:
    """Follows all texts, letter by letter, as far as the comparisons can still tell them apart."""
    globs = [str(atom.value) for atom in atoms if isinstance(atom, Compare) and atom.operator == "like"]
    plain = [glob.replace("*", "").replace("?", "") for glob in globs]
    ordered = any(isinstance(atom, Compare) and atom.operator in _ORDER for atom in atoms)
    signs = _signs([*literals, *plain], ordered=ordered)
    start = (tuple(_closure(glob, frozenset((0,))) for glob in globs), tuple(0 for _ in literals))
    queue = [("", start)]
    seen = {start}
    found: list[str] = []
    for text, (reached, places) in queue:
        found.append(text)
        for sign in signs:
            after = (
                tuple(_next(glob, at, sign) for glob, at in zip(globs, reached, strict=True)),
                tuple(_place(literal, at, sign) for literal, at in zip(literals, places, strict=True)),
            )
            if after not in seen:
                if len(seen) >= MOST_WALKED:
                    return found, False
                seen.add(after)
                queue.append((text + sign, after))
    return found, True


_ORDER = frozenset({"<", "<=", ">", ">="})
_LESS, _GREATER = -1, -2


def _place(literal: str, at: int, sign: str) -> int:
    """How far a text has followed a literal; or on which side it left it."""
    if at < 0:
        return at
    if at == len(literal):
        return _GREATER
    return at + 1 if sign == literal[at] else _LESS if sign < literal[at] else _GREATER


def _closure(glob: str, places: frozenset[int]) -> frozenset[int]:
    """The places of a pattern that can be reached without a letter: past every `*`."""
    reached = set(places)
    for place in range(len(glob)):
        if place in reached and glob[place] == "*":
            reached.add(place + 1)
    return frozenset(reached)


def _next(glob: str, places: frozenset[int], sign: str) -> frozenset[int]:
    moved = set()
    for place in places:
        if place < len(glob):
            if glob[place] == "*":
                moved.add(place)
            elif glob[place] in ("?", sign):
                moved.add(place + 1)
    return _closure(glob, frozenset(moved))


def _signs(literals: Sequence[str], *, ordered: bool) -> list[str]:
    """Every letter of the literals, and one for each stretch of letters that they do not name."""
    named = sorted(set("".join(literals)))
    if not ordered:
        return [*named, next(sign for sign in map(chr, _candidates()) if sign not in named)]
    bounds = [0, *(ord(sign) + 1 for sign in named)]
    ends = [*(ord(sign) for sign in named), 0x110000]
    between = [sign for low, high in zip(bounds, ends, strict=True) if (sign := _between(low, high)) is not None]
    return [*named, *between]


def _candidates() -> Iterator[int]:
    yield from map(ord, _NICE)
    yield from range(0xA1, 0xD800)


def _between(low: int, high: int) -> str | None:
    """A letter of a range of code points; surrogates are none."""
    nice = next((sign for sign in _NICE if low <= ord(sign) < high), None)
    if nice is not None:
        return nice
    if 0xD800 <= low < 0xE000:
        low = 0xE000
    return chr(low) if low < high else None
