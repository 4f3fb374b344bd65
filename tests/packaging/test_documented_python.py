"""Every block of Python in the documents runs as it stands, after the blocks above it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rewardkit import RewardKit

ROOT = Path(__file__).parents[2]
PRINTED = {"README.md": "amanda {'amount': '5.00', 'currency': 'USD'}\n"}


def blocks(document: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def documents() -> list[str]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "grammar").rglob("*.md"))]
    return [name for path in found if blocks(name := path.relative_to(ROOT).as_posix())]


@pytest.mark.parametrize("document", documents())
def test_the_python_of_a_document_runs_word_for_word(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks(document):
        exec(compile(block, document, "exec"), names)
    for kit in [value for value in names.values() if isinstance(value, RewardKit)]:
        kit.close()
    printed = capsys.readouterr().out
    assert PRINTED.get(document, printed) == printed
