"""The language and the core reach for nothing: what they know of the world is handed to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

PURE_ROOMS = ("language", "core")
PURE_MODULES = frozenset(
    {
        "__future__",
        "abc",
        "array",
        "attrs",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "dateutil",
        "datetime",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "graphlib",
        "hashlib",
        "heapq",
        "itertools",
        "json",
        "keyword",
        "lark",
        "math",
        "numbers",
        "operator",
        "re",
        "reprlib",
        "rewardkit",
        "string",
        "struct",
        "sys",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
        "uuid",
        "zlib",
        "zoneinfo",
    }
)
"""Everything else is refused, so that a clock or a socket under a new name is refused as well."""
GRAMMAR_LOADER = {"rewardkit/language/grammar.py": frozenset({"importlib", "pathlib", "threading"})}
"""Reads one file, once, under a lock."""

IMPURE_CALLS = frozenset({"open", "input", "print", "breakpoint", "__import__"})
IMPURE_METHODS = frozenset({"now", "utcnow", "today", "uuid1", "uuid4", "getnode"})
PURE_CORNERS_OF_SYS = frozenset({"byteorder", "intern", "maxsize"})


def impurities(text: str, path: str) -> Iterator[str]:
    loader = GRAMMAR_LOADER.get(path, frozenset())
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom(level=0, module=str(module)):
                names = [module]
                taken = {alias.name for alias in node.names}
                impure = taken - PURE_CORNERS_OF_SYS if module == "sys" else taken & IMPURE_METHODS
                yield from (f"{path}:{node.lineno} takes {name} from {module}" for name in sorted(impure))
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS and not loader:
                yield f"{path}:{node.lineno} calls {name}"
            case ast.Call(func=ast.Attribute(attr=name)) if name in IMPURE_METHODS and not loader:
                yield f"{path}:{node.lineno} calls {ast.unparse(node.func)}"
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name not in PURE_CORNERS_OF_SYS:
                yield f"{path}:{node.lineno} reads sys.{name}"
        for name in names:
            if name.partition(".")[0] not in PURE_MODULES | loader:
                yield f"{path} imports {name}"


def pure_modules() -> list[Path]:
    package = SOURCE / "rewardkit"
    found = [path for room in PURE_ROOMS for path in (package / room).rglob("*.py")] + [package / "errors.py"]
    return sorted(path.relative_to(SOURCE) for path in found)


@pytest.mark.parametrize("path", pure_modules(), ids=str)
def test_language_and_core_are_pure(path: Path) -> None:
    assert [] == list(impurities((SOURCE / path).read_text(encoding="utf-8"), path.as_posix()))


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "from time import monotonic",
        "import random",
        "import secrets",
        "import socket",
        "import threading",
        "import sqlite3",
        "import psycopg.rows",
        "import os",
        "from pathlib import Path",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "import datetime\ndatetime.datetime.utcnow()",
        "import datetime\ndatetime.date.today()",
        "import uuid\nuuid.uuid4()",
        "from uuid import uuid4",
        "def f():\n    import asyncio",
        "import sys\nsys.modules['time']",
        "from sys import byteorder, modules",
        "open('x')",
        "print('x')",
    ],
)
def test_an_impurity_is_seen(text: str) -> None:
    assert 1 == len(list(impurities(text, "rewardkit/core/decide.py")))


@pytest.mark.parametrize("text", ["import uuid\nuuid.uuid5(SPACE, name)", "from rewardkit.language import event"])
def test_a_pure_module_is_left_alone(text: str) -> None:
    assert [] == list(impurities(text, "rewardkit/core/decide.py"))
