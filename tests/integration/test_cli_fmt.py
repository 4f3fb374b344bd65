"""`rewardkit fmt`: what it reads, what it prints, and how it exits."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from rewardkit.cli import main


def fmt(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The exit code, stdout and stderr."""
    code = main(("fmt", *words))
    return code, *capsys.readouterr()


def test_conditions_are_printed_in_their_canonical_text(capsys: pytest.CaptureFixture[str]) -> None:
    done = fmt(capsys, "(A * 2 or B) and not C # why", "A  then  B")
    assert (0, "(A*2 | B) & !C\nA then B\n", "") == done


def test_a_condition_is_formatted_from_stdin_and_from_files(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "condition.txt"
    file.write_bytes(b"A # first\r\n  or B\r\n")
    assert "A | B\n" == fmt(capsys, "--file", str(file))[1]
    for words in ((), ("-",)):
        monkeypatch.setattr("sys.stdin", io.StringIO("A  then\nB\n"))
        assert "A then B\n" == fmt(capsys, *words)[1]
    done = fmt(capsys, "--file", str(tmp_path / "nowhere.txt"))
    assert (2, "") == done[:2]
    assert "nowhere.txt` cannot be read: no such file" in done[2]
    file.write_bytes(b"\xff")
    assert "it is not UTF-8" in fmt(capsys, "--file", str(file))[2]


def test_texts_that_are_not_canonical_are_told_from_those_that_are(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "condition.txt"
    file.write_text("A then B\n", encoding="utf-8")
    done = fmt(capsys, "--check", "A & B", "--file", str(file))
    assert (0, "", "2 conditions, 0 not canonical\n") == done
    done = fmt(capsys, "--check", "A & B", "A and B", "--file", str(file))
    assert (1, "condition 2: A & B\n") == done[:2]


def test_what_is_no_condition_is_not_formatted(capsys: pytest.CaptureFixture[str]) -> None:
    done = fmt(capsys, "A", "A *")
    assert (1, "A\n") == done[:2]
    assert "condition 2: error[RK106]: `*` needs a whole number" in done[2]
    assert 1 == fmt(capsys, "--check", "A *")[0]


def test_formatting_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    done = fmt(capsys, "--json", "--check", "A and B", "B", "A *")
    assert 1 == done[0]
    objects = [json.loads(line) for line in done[1].splitlines()]
    assert [("condition 1", "A & B", False), ("condition 2", "B", True), ("condition 3", None, False)] == [
        (found["source"], found["condition"], found["canonical"]) for found in objects
    ]
    assert "RK106" == objects[2]["diagnostics"][0]["code"]
