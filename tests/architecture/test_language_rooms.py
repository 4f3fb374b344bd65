"""The rooms of the language: each looks at the ones before it, and two that belong together look at each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LANGUAGE = Path(__file__).parents[2] / "src" / "rewardkit" / "language"
ORDER = (
    "values",
    "syntax",
    "specification",
    "samples",
    "planning",
    "running",
    "writing",
    "encoding",
    "reasons",
    "folding",
    "analysing",
    "checks",
    "explaining",
    "sets",
    "conformance",
)
"""From the words of the language to what is built on all of them; the tree, events and verdicts lie before them all."""
TOGETHER = frozenset({"planning", "running"})
"""A plan says what lives in a state, and what lives there says what a plan may hold."""
FACES = frozenset({"condition", "replay"})
"""What applications hold opens every room, on first use."""


def looked_at(path: Path) -> set[str]:
    """The rooms of the language that a module imports when it is imported."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rewardkit.language."):
            found.add(str(node.module).split(".")[2])
    return found & set(ORDER)


def test_every_room_has_its_place() -> None:
    assert sorted(ORDER) == sorted(path.name for path in LANGUAGE.iterdir() if (path / "__init__.py").exists())


@pytest.mark.parametrize("room", ORDER)
def test_a_room_looks_at_the_ones_before_it(room: str) -> None:
    allowed = {*ORDER[: ORDER.index(room) + 1], *(TOGETHER if room in TOGETHER else ())}
    for path in sorted((LANGUAGE / room).rglob("*.py")):
        assert looked_at(path) <= allowed, path.name


def test_the_words_of_the_language_look_at_no_room() -> None:
    for path in sorted(LANGUAGE.glob("*.py")):
        if path.stem not in FACES and path.stem != "__init__":
            assert looked_at(path) <= {"values"}, path.name
