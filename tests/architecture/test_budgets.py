"""Files and functions stay small, and are named after what they hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LINES_A_FILE = 400
LINES_A_FUNCTION = 70
ROOMS_WITHOUT_A_NOUN = frozenset({"base", "common", "core_", "_core", "helper", "helpers", "misc", "util", "utils"})
ENDINGS_WITHOUT_A_NOUN = ("Manager", "Service", "Helper", "Util", "Utils", "Base")


def long_functions(text: str) -> list[str]:
    return [
        f"{node.name} has {length} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LINES_A_FUNCTION
    ]


def empty_names(text: str, path: Path) -> Iterator[str]:
    if {path.stem, path.parent.name} & ROOMS_WITHOUT_A_NOUN or path.stem.endswith(("_manager", "_service")):
        yield str(path)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and (
            node.name.endswith(ENDINGS_WITHOUT_A_NOUN) or node.name.startswith("Base")
        ):
            yield f"{path}:{node.lineno} {node.name}"


def python_files() -> list[Path]:
    return sorted(
        path.relative_to(ROOT) for room in ("src", "tests", "examples") for path in (ROOT / room).rglob("*.py")
    )


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_every_file_keeps_its_budget(path: Path) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_A_FILE
    assert [] == long_functions(text)
    assert [] == list(empty_names(text, path))


def test_a_function_over_its_budget_is_seen() -> None:
    def function(lines: int) -> str:
        return "async def f():\n" + "    x = 1\n" * (lines - 1)

    assert [] == long_functions(function(LINES_A_FUNCTION))
    assert ["f has 71 lines"] == long_functions(function(LINES_A_FUNCTION + 1))


@pytest.mark.parametrize(
    "text, path",
    [
        ("", "src/rewardkit/core/utils.py"),
        ("", "src/rewardkit/helpers/text.py"),
        ("class OfferManager: ...", "src/rewardkit/core/offer.py"),
        ("class BaseStore: ...", "src/rewardkit/storage/memory.py"),
    ],
)
def test_a_name_without_a_noun_is_seen(text: str, path: str) -> None:
    assert 1 == len(list(empty_names(text, Path(path))))
