"""The rooms of the core: each looks at the ones before it, also where an import is late or for type checkers alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "src" / "rewardkit" / "core"
CONTRIBUTING = Path(__file__).parents[2] / "docs" / "contributing.md"
PACKAGE = "rewardkit.core"
ORDER = (
    "values",
    "requests",
    "storing",
    "definitions",
    "deciding",
    "attempts",
    "notices",
    "pools",
    "drafts",
    "folding",
    "grants",
    "settling",
    "offers",
    "campaigns",
    "referrals",
    "promotions",
    "tracking",
    "entrance",
)
"""From what callers give to what decides about all of it."""
DOOR = "decide"
"""Names every command and query, and looks at every room; no room looks back at it."""


def imported(text: str, package: str) -> Iterator[str]:
    """The dotted names that a module of `package` imports anywhere in its text, whatever for."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            above = parts[: len(parts) + 1 - node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def rooms_of(names: Iterator[str]) -> set[str]:
    """The places of the core that dotted names lead to."""
    return {name.split(".")[2] for name in names if name.startswith(f"{PACKAGE}.")}


def name_of(path: Path) -> str:
    return ".".join([PACKAGE, *path.relative_to(CORE).with_suffix("").parts])


def looks_of_all() -> dict[str, set[str]]:
    """Which module of the core looks at which others."""
    paths = {name_of(path): path for path in CORE.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        names = imported(path.read_text(encoding="utf-8"), name.rpartition(".")[0])
        known = (one if one in paths else one.rpartition(".")[0] for one in names)
        found[name] = {one for one in known if one in paths}
    return found


def circle_in(looks: Mapping[str, set[str]]) -> list[str]:
    """Modules that look at each other in turn, the first of them again at the end; none where there is no such."""
    try:
        TopologicalSorter(looks).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_every_room_has_its_place() -> None:
    assert sorted(ORDER) == sorted(path.name for path in CORE.iterdir() if (path / "__init__.py").exists())


def test_the_table_for_contributors_tells_the_same_order() -> None:
    told = CONTRIBUTING.read_text(encoding="utf-8").partition("### The rooms of the core")[2].partition("\n## ")[0]
    assert list(ORDER) == re.findall(r"^\| `(\w+)/` \|", told, re.MULTILINE)


def test_every_file_but_the_door_lies_in_a_room() -> None:
    assert ["__init__", DOOR] == sorted(path.stem for path in CORE.glob("*.py"))


@pytest.mark.parametrize("room", ORDER)
def test_a_room_looks_at_the_ones_before_it(room: str) -> None:
    allowed = {*ORDER[: ORDER.index(room) + 1]}
    for path in sorted((CORE / room).rglob("*.py")):
        assert rooms_of(imported(path.read_text(encoding="utf-8"), f"{PACKAGE}.{room}")) <= allowed, path.name


def test_no_files_look_at_each_other_in_a_circle() -> None:
    assert [] == circle_in(looks_of_all())


@pytest.mark.parametrize(
    "text",
    [
        "from rewardkit.core.settling.settle import settle",
        "from rewardkit.core.settling import settle",
        "from rewardkit.core import settling",
        "import rewardkit.core.settling.settle",
        "from ..settling.settle import settle",
        "from .. import settling",
        "def late():\n    from rewardkit.core.settling.settle import settle",
        "if TYPE_CHECKING:\n    from rewardkit.core.settling.settle import settle",
    ],
)
def test_a_look_at_a_room_is_seen(text: str) -> None:
    assert {"settling"} == rooms_of(imported(text, "rewardkit.core.folding"))


def test_a_circle_is_seen() -> None:
    assert {"a", "b", "c"} == set(circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}))
    assert [] == circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()})
