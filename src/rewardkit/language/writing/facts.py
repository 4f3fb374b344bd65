"""What is known about a node at a reading, as Python expressions."""

from __future__ import annotations

from typing import NamedTuple


class Facts(NamedTuple):
    """Expressions for what is known about one node at a reading; see the bits of `chain`."""

    value: str
    true: str
    false: str
    dry: str
    ends: str


NEVER = Facts("False", "False", "True", "True", "False")


def conjunction(terms: list[str]) -> str:
    """All of some facts."""
    terms = [term for term in dict.fromkeys(terms) if term != "True"]
    if "False" in terms:
        return "False"
    return " and ".join(terms) if terms else "True"


def disjunction(terms: list[str]) -> str:
    """Any of some facts."""
    terms = [term for term in dict.fromkeys(terms) if term != "False"]
    if "True" in terms:
        return "True"
    return " or ".join(terms) if terms else "False"
