"""`rewardkit check --analyse`: who would qualify, who could not, and what it costs."""

from __future__ import annotations

import json

import pytest

from rewardkit.cli import main


def test_a_check_shows_who_would_qualify_and_who_could_not(capsys: pytest.CaptureFixture[str]) -> None:
    main(("check", "--analyse", "signup then purchase within 7d & !fraud"))
    said = capsys.readouterr().out
    assert "can be satisfied: yes\n  2024-01-02T00:00:00Z signup\n  2024-01-03T00:00:00Z purchase\n" in said
    assert "can become impossible: yes\n  2024-01-02T00:00:00Z fraud\n" in said
    assert "timers: 1, threads: 2, looks back: the whole scope" in said


def test_a_long_history_is_cut_and_dead_parts_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(("check", "--analyse", "A*20 | A*30"))
    said = capsys.readouterr().out
    assert "  … and 8 more\n" in said
    assert "does nothing: A*30 (never needed)\n" in said


def test_what_does_not_parse_has_no_analysis(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(("check", "--analyse", "A &"))
    assert "can be satisfied" not in capsys.readouterr().out


def test_an_analysis_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(("check", "--analyse", "--entry", "--json", "A & !A"))
    found = json.loads(capsys.readouterr().out)
    assert ("no", None) == (found["analysis"]["satisfiable"], found["analysis"]["satisfying"])
    main(("check", "--json", "A & B"))
    assert "analysis" not in json.loads(capsys.readouterr().out)
