"""`rewardkit explain` on a log of events."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewardkit.cli import main

LOG = """id,user,name,at,amount
1,ann,signup,2024-01-01T00:00:00Z,
2,ann,purchase,2024-01-02T00:00:00Z,40
3,bob,signup,2024-01-03T00:00:00Z,
4,ann,purchase,2024-01-05T00:00:00Z,25
"""


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "log.csv"
    path.write_text(LOG, encoding="utf-8")
    return str(path)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["explain", *words])
    return code, capsys.readouterr().out


def test_a_pending_condition_shows_what_is_next_and_how_far_each_part_is(
    log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = told(capsys, "signup then (purchase*4 & !refund) within 14d", log, "--user", "ann")
    assert 0 == code
    assert out == (
        "signup then (purchase*4 & !refund) within 14d\n"
        "pending  [######----] 60%\n"
        "  2 more `purchase` by 2024-01-15T00:00:00Z\n"
        "  next deadline 2024-01-15T00:00:00Z, in 10d\n"
        "parts\n"
        "  signup      [##########]  1 of 1  done\n"
        "  purchase*4  [#####-----]  2 of 4  by 2024-01-15T00:00:00Z, 10d left\n"
        "  !refund     [##########]  0 of 1  done\n"
    )


def test_a_satisfied_condition_shows_its_proof_in_the_zone_that_is_asked_for(
    log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out = told(capsys, "sum(purchase:amount) >= 60", log, "--user", "ann", "--zone", "Asia/Tokyo")
    assert "satisfied since 2024-01-05T09:00:00+09:00 (Asia/Tokyo)" in out
    assert "`sum(purchase:amount)` was 65 up to 2024-01-05T09:00:00+09:00 (Asia/Tokyo)" in out


def test_json_holds_the_whole_explanation(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("purchase*3 within 7d", log, "--user", "ann", "--start", "2024-01-01T00:00:00Z", "--json")
    code, out = told(capsys, *words, "--now", "2024-01-06T00:00:00Z")
    found = json.loads(out)
    assert (0, "pending", 0.6666, "2024-01-08T00:00:00Z") == (
        code, found["status"], found["progress"], found["wake_at"]
    )  # fmt: skip
    assert ["1 more `purchase` by 2024-01-08T00:00:00Z"] == found["missing"]
    assert [{"text": "purchase*3", "have": 2.0, "need": 3.0}] == [
        {key: part[key] for key in ("text", "have", "need")} for part in found["parts"]
    ]
    _, out = told(capsys, *words, "--end", "2024-01-04T00:00:00Z")
    assert ("impossible", "2024-01-04T00:00:00Z") == (json.loads(out)["status"], json.loads(out)["killed_by"])


def test_the_modes_differ(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("purchase in last 1d", log, "--user", "ann", "--now", "2024-01-07T00:00:00Z")
    assert "pending" in told(capsys, *words, "--mode", "live")[1]
    assert "satisfied" in told(capsys, *words)[1]


def test_what_is_wrong_is_shown(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, "purchase within", log, "--user", "ann")
    assert (1, True) == (code, out.startswith("error[RK"))
    code, out = told(capsys, "purchase within", log, "--user", "ann", "--json")
    assert [1, None] == [code, json.loads(out)["condition"]]
    assert 2 == main(["explain", "purchase", log])
    assert "name one with --user" in capsys.readouterr().err
    assert 2 == main(["explain", "purchase", log, "--user", "zoe"])
    assert "no event of user `zoe`" in capsys.readouterr().err
    assert 2 == main(["explain", "purchase", log, "--user", "ann", "--zone", "Nowhere/Land"])
    assert "zone" in capsys.readouterr().err
