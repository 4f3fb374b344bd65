"""Every test that the table of what is covered names is there, and checklists are covered whole, on every store."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STORES = {"memory", "sqlite", "postgresql"}
CHECKLISTS = {"RES": 37, "VIB": 40}
"""How many items each has."""


def rows() -> list[tuple[list[str], str, str]]:
    """Ids, file and test of every row."""
    text = (ROOT / "docs" / "reference" / "coverage.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([A-Z][^|]*) \| `([^`:]+)::(\w+)` \|", text, re.MULTILINE)
    return [(ids.split(", "), file, name) for ids, file, name in found]


def numbers(checklist: str) -> list[int]:
    """Of a checklist's items, as the rows have them."""
    ids = [each for found, _file, _name in rows() for each in found]
    return [int(each.removeprefix(f"{checklist}-")) for each in ids if each.startswith(f"{checklist}-")]


def test_the_table_names_tests_that_exist() -> None:
    found = rows()
    assert len(found) > 30
    missing = [
        (file, name)
        for _ids, file, name in found
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_row_of_the_table_names_a_test() -> None:
    text = (ROOT / "docs" / "reference" / "coverage.md").read_text(encoding="utf-8")
    written = [line for line in text.splitlines() if re.match(r"\| [A-Z]+-?\d", line)]
    assert len(written) == len(rows())


@pytest.mark.parametrize("checklist", CHECKLISTS)
def test_a_checklist_is_covered_whole_and_in_its_order(checklist: str) -> None:
    found = numbers(checklist)
    assert set(range(1, CHECKLISTS[checklist] + 1)) == set(found)
    assert sorted(found) == found


def test_what_covers_a_checklist_runs_on_every_store() -> None:
    """As pytest collects it: each test once for each store at least, by a parameter of that name."""
    named = sorted({f"{file}::{name}" for ids, file, name in rows() if ids[0].partition("-")[0] in CHECKLISTS})
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *named],
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout
    stores: dict[str, set[str]] = defaultdict(set)
    for line in collected.splitlines():
        test, _, parameters = line.partition("[")
        stores[test] |= set(parameters.rstrip("]").lower().split("-")) & STORES
    assert {} == {test: stores[test] for test in named if stores[test] != STORES}
