"""The page about refusals lists every code that the core can answer with, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named(node: ast.expr, path: Path) -> Iterator[str]:
    """The codes that the first argument of a `Refused` stands for."""
    match node:
        case ast.Constant(value=str(code)):
            yield code
        case ast.JoinedStr():
            # `unknown` makes them from the kind that its callers name.
            calls = re.findall(r"\bunknown\(\"(\w+)\"", "".join(file.read_text("utf-8") for file in sources()))
            yield from (f"{kind}_unknown" for kind in calls)
        case _:
            raise AssertionError(f"{path.name}:{node.lineno}: a code that cannot be read from the source")


def sources() -> list[Path]:
    return sorted((ROOT / "src" / "rewardkit" / "core").rglob("*.py"))


def test_every_code_of_a_refusal_is_documented() -> None:
    answered = {
        code
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused" and node.args
        for code in named(node.args[0], path)
    }
    page = (ROOT / "docs" / "reference" / "refusals.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert len(answered) > 10
    assert sorted(answered) == sorted(code for row in rows for code in re.findall(r"`(\w+)`", row))
