"""Every test that the table of what is covered names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def named_tests() -> list[tuple[str, str]]:
    """File and test of every row."""
    text = (ROOT / "docs" / "reference" / "coverage.md").read_text(encoding="utf-8")
    return re.findall(r"^\| [A-Z][^|]* \| `([^`:]+)::(\w+)` \|", text, re.MULTILINE)


def test_the_table_names_tests_that_exist() -> None:
    found = named_tests()
    assert len(found) > 30
    missing = [
        (file, name)
        for file, name in found
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_row_of_the_table_names_a_test() -> None:
    text = (ROOT / "docs" / "reference" / "coverage.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| [A-Z]+-?\d", line)]
    assert len(rows) == len(named_tests())
