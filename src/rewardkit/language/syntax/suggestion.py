"""The known name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

MOST_CANDIDATES = 1_000
"""Known names that are compared, so that a message stays cheap to make."""
_LONGEST = 80


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The closest known name: equal after folding case and separators, or within a quarter of its length in slips."""
    best, fewest = None, len(name) // 4 + 1
    for count, candidate in enumerate(sorted(known)):
        if count >= MOST_CANDIDATES:
            break
        if _folded(candidate) == _folded(name):
            return candidate
        if len(candidate) <= _LONGEST and abs(len(candidate) - len(name)) < fewest and len(name) <= _LONGEST:
            slips = distance(name, candidate)
            if slips < fewest:
                best, fewest = candidate, slips
    return best


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def distance(left: str, right: str) -> int:
    """Damerau-Levenshtein: how many letters were added, left out, replaced or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, 1):
        above, row = row, [i]
        for j, other in enumerate(right, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (one != other))
            if i > 1 and j > 1 and one == right[j - 2] and left[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1]
