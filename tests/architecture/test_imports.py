"""Imports point one way: a room may look into the rooms below it, never sideways, never up."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[2] / "src"

FLOORS = {
    "errors": 0,
    "secret": 1,
    "imaging": 1,
    "language": 1,
    "webhooks": 2,
    "core": 2,
    "ports": 3,
    "observe": 4,
    "shell": 5,
    "storage": 5,
    "notify": 5,
    "kit": 6,
    "async_kit": 7,
    "testing": 8,
    "cli": 8,
    "batch": 8,
    "http": 8,
    "console": 8,
    "pygments_lexer": 8,
    "__main__": 9,
}
TABLE_OF_CONTENTS = "__init__"
DOORS = 8
SYNTAX_ERRORS_CARRY_DIAGNOSTICS = ("errors", "language", True)
"""`ConditionSyntaxError` names the type of what it carries, for type checkers alone: nothing is imported."""


class Import(NamedTuple):
    module: str
    line: int
    typing_only: bool


def imports(tree: ast.AST, package: str, *, typing_only: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (Import(f"{origin}.{alias.name}", node.lineno, typing_only) for alias in node.names)
        else:
            guarded = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
            yield from imports(node, package, typing_only=typing_only or guarded)


def room_of(module: str) -> str:
    """The room that a dotted name leads to; a name that the package itself exports is its table of contents."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else TABLE_OF_CONTENTS


def wrong_arrows(text: str, path: Path) -> list[str]:
    """What a module at `path`, relative to `src`, imports although it lies beside it or above."""
    own = path.parts[1].removesuffix(".py")
    if own == TABLE_OF_CONTENTS:
        return []
    found = []
    for module, line, typing_only in imports(ast.parse(text), ".".join(path.parent.parts)):
        room = room_of(module)
        if module.partition(".")[0] != "rewardkit" or room == own:
            continue
        if (own, room, typing_only) == SYNTAX_ERRORS_CARRY_DIAGNOSTICS:
            continue
        allowed = FLOORS[own] >= DOORS if room == TABLE_OF_CONTENTS else FLOORS[room] < FLOORS[own]
        if not allowed:
            found.append(f"{path}:{line} looks from {own} into {room}")
    return found


def modules() -> list[Path]:
    return sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py"))


def test_every_room_has_a_floor() -> None:
    rooms = {path.parts[1].removesuffix(".py") for path in modules()} - {TABLE_OF_CONTENTS}
    assert set() == rooms - FLOORS.keys()


@pytest.mark.parametrize("path", modules(), ids=str)
def test_no_module_looks_sideways_or_up(path: Path) -> None:
    assert [] == wrong_arrows((SOURCE / path).read_text(encoding="utf-8"), path)


@pytest.mark.parametrize(
    "path, text",
    [
        ("rewardkit/language/condition.py", "from rewardkit.core.reward import Reward"),
        ("rewardkit/language/condition.py", "from rewardkit import core"),
        ("rewardkit/language/condition.py", "from .. import core"),
        ("rewardkit/language/condition.py", "from ..core import reward"),
        ("rewardkit/language/condition.py", "import rewardkit"),
        ("rewardkit/core/decide.py", "def f():\n    import rewardkit.storage.memory"),
        ("rewardkit/core/decide.py", "if TYPE_CHECKING:\n    from rewardkit.ports import Store"),
        ("rewardkit/errors.py", "from rewardkit.language.diagnostic import Diagnostic"),
        ("rewardkit/shell/drive.py", "from rewardkit.storage import memory"),
        ("rewardkit/storage/memory.py", "from rewardkit.shell import drive"),
        ("rewardkit/notify/mail.py", "from rewardkit import RewardKit"),
        ("rewardkit/kit.py", "from rewardkit.testing import FakeClock"),
        ("rewardkit/cli/__init__.py", "from rewardkit.testing import FakeClock"),
    ],
)
def test_a_wrong_arrow_is_seen(path: str, text: str) -> None:
    assert 1 == len(wrong_arrows(text, Path(path)))


@pytest.mark.parametrize(
    "path, text",
    [
        ("rewardkit/core/decide.py", "from rewardkit.language.event import Event"),
        ("rewardkit/core/decide.py", "from .reward import Reward"),
        ("rewardkit/errors.py", "if TYPE_CHECKING:\n    from rewardkit.language.diagnostic import Diagnostic"),
        ("rewardkit/cli/replay.py", "import rewardkit as rk"),
        ("rewardkit/kit.py", "from rewardkit.storage.memory import MemoryStore"),
        ("rewardkit/__init__.py", "from rewardkit.kit import RewardKit"),
    ],
)
def test_a_right_arrow_is_left_alone(path: str, text: str) -> None:
    assert [] == wrong_arrows(text, Path(path))
