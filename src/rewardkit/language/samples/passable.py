"""Whether some event passes a filter, where that can be seen quickly."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rewardkit.language.samples.specimen import numbers_around
from rewardkit.language.tree import Compare, Either, Every, Except, Has, OneOf, Predicate
from rewardkit.language.values.filter import matches

_ORDER = frozenset({"<", "<=", ">", ">="})


def passable(predicate: Predicate | None) -> bool:
    """Whether it is plain that some event passes a filter; False where it is not plain, whatever is so."""
    match predicate:
        case None | Has():
            return True
        case OneOf(values=values):
            return bool(values)
        case Compare(operator=operator, value=value):
            return operator not in _ORDER or not (isinstance(value, bool) or (value == "" and operator == "<"))
        case Except(term=term):
            # Every single comparison fails where the property is missing, other than `!=`, which fails where it is not.
            return isinstance(term, Has | OneOf | Compare)
        case Either(terms=terms):
            return any(map(passable, terms))
        case Every(terms=terms):
            return _all_passable(terms)


def _all_passable(terms: Sequence[Predicate]) -> bool:
    by_field: dict[str, list[Has | OneOf | Compare]] = {}
    for term in terms:
        if not isinstance(term, Has | OneOf | Compare) or not passable(term):
            return False
        by_field.setdefault(term.field, []).append(term)
    homes = [field.split(".")[0] for field in by_field]
    return len(homes) == len(set(homes)) and all(len(atoms) == 1 or _in_range(atoms) for atoms in by_field.values())


def _in_range(atoms: Sequence[Has | OneOf | Compare]) -> bool:
    """Whether some number passes several comparisons with numbers."""
    bounds = [
        atom.value
        for atom in atoms
        if isinstance(atom, Compare) and isinstance(atom.value, int | Decimal) and not isinstance(atom.value, bool)
    ]
    field = atoms[0].field
    home = field.split(".")
    if len(bounds) < len(atoms) or len(home) > 1:
        return False
    return any(all(matches(atom, {field: number}) for atom in atoms) for number in (*bounds, *numbers_around(bounds)))
