"""`rewardkit codes`: pools are filled and emptied from a terminal, and what was interrupted goes on."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.cli import code_export, main, progress
from rewardkit.shell import pool_stock

Codes = Callable[..., tuple[int, str, str]]


@pytest.fixture
def store(tmp_path: Path) -> str:
    text = f"sqlite:///{tmp_path / 'shop.db'}"
    with rk.RewardKit(text) as kit:
        kit.migrate()
        kit.run(rk.CreatePool("spring"))
    return text


@pytest.fixture
def codes(store: str, capsys: pytest.CaptureFixture[str]) -> Codes:
    def run(action: str, *words: str) -> tuple[int, str, str]:
        code = main(["codes", action, "--store", store, *words])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_codes_are_generated_after_it_was_said_how_hard_they_are_to_guess(codes: Codes) -> None:
    code, out, err = codes("generate", "spring", "3", "--code-prefix", "SP-", "--json")
    assert (code, json.loads(out)) == (0, {"added": 3, "duplicates": 0, "refused": 0, "rows": []})
    assert "codes such as SP-000000000000, 60.0 bits" in err
    code, out, err = codes("generate", "spring", "3", "--length", "4")
    assert (code, out) == (1, "")
    assert "can be guessed" in err


def test_a_file_is_imported_row_by_row_and_once(codes: Codes, tmp_path: Path) -> None:
    file = tmp_path / "codes.txt"
    file.write_text("TEN-01\nTEN-02\nten 01\n" + "X" * 51 + "\n")
    code, out, err = codes("import", "spring", str(file))
    assert code == 1
    rows = [line.split()[:2] for line in out.splitlines()]
    assert rows == [["row", "reason"], ["3", "duplicate"], ["4", "too_long"]]
    assert err == "2 codes added, 2 refused, 1 duplicates\n"
    # The same file again is the same command, and answers the same.
    assert codes("import", "spring", str(file))[2] == err
    assert codes("import", "spring", str(file), "--key", "other")[2] == "0 codes added, 4 refused, 3 duplicates\n"


def test_an_import_that_was_interrupted_goes_on(
    codes: Codes, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_stock, "BATCH_CODES", 10)
    file = tmp_path / "codes.txt"
    file.write_text("".join(f"CODE-{number:03}\n" for number in range(35)))

    class _Stop(Exception):
        pass

    def stop(_self: object, done: int) -> None:
        if done == 20:
            raise _Stop

    with monkeypatch.context() as patch:
        patch.setattr(progress._Lines, "__call__", stop)
        with pytest.raises(_Stop):
            codes("import", "spring", str(file))
    with rk.RewardKit(store) as kit:
        assert kit.ask(rk.PoolStatus("spring")).total == 20
    code, _, err = codes("import", "spring", str(file))
    assert (code, err.splitlines()[-1]) == (0, "35 codes added, 0 refused, 0 duplicates")
    with rk.RewardKit(store) as kit:
        assert kit.ask(rk.PoolStatus("spring")).total == 35


def test_a_code_is_issued_redeemed_and_asked_about(codes: Codes, tmp_path: Path) -> None:
    codes("generate", "spring", "2")
    code, out, _ = codes("issue", "spring", "--issuee", "amanda", "--reference", "letter 7")
    issued = out.strip()
    assert (code, len(issued)) == (0, 12)
    document = json.loads(codes("issue", "spring", "--issuee", "amanda", "--json")[1])
    assert (document["incentive_code"]["code"], document["external_issuee_id"]) == (issued, "amanda")
    assert codes("redeem", issued)[:2] == (0, "redeemed, redemption 1\n")
    code, out, err = codes("redeem", issued)
    assert (code, out) == (1, "")
    assert "has been redeemed 1 of 1 times (code_spent)" in err
    assert issued not in err
    status = json.loads(codes("status", issued.lower(), "--json")[1])
    assert (status["status"], status["issuances"], status["redemptions"]["total"]) == (
        "issued",
        {"total": 2, "unique": 1},
        1,
    )
    assert [line.split() for line in codes("status", "--pool", "spring")[1].splitlines()] == [
        ["pool", "total", "issued", "remaining", "inactive", "void"],
        ["spring", "2", "1", "1", "0", "0"],
    ]


def test_a_pool_is_exported_in_a_stated_order_and_whole(
    codes: Codes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_export, "PAGE_CODES", 4)
    codes("generate", "spring", "10")
    issued = codes("issue", "spring")[1].strip()
    file = tmp_path / "out.csv"
    code, out, err = codes("export", "spring", "--output", str(file))
    assert (code, out, err) == (0, "", "10 codes written\n")
    heading, *rows = csv.reader(file.read_text("utf-8").splitlines())
    assert ",".join(heading) == "code,status,active,issuances,issuees,redemptions,redeemers,created_at,updated_at"
    assert len({row[0] for row in rows}) == 10
    assert [row[:7] for row in rows if row[1] == "issued"] == [[issued, "issued", "yes", "1", "1", "0", "0"]]
    lines = codes("export", "spring", "--json")[1].splitlines()
    assert {json.loads(line)["code"] for line in lines} == {row[0] for row in rows}


def test_a_spreadsheet_computes_no_code_of_an_export(codes: Codes, store: str, tmp_path: Path) -> None:
    with rk.RewardKit(store) as kit:
        kit.run(rk.ImportCodes("spring", ("=1+1", "+1", "-1", "@SUM(1)", 'A","=B', "PLAIN=1")))
    file = tmp_path / "out.csv"
    assert codes("export", "spring", "--output", str(file))[0] == 0
    _, *rows = csv.reader(file.read_text("utf-8").splitlines())
    assert sorted(row[0] for row in rows) == ["'+1", "'-1", "'=1+1", "'@SUM(1)", 'A","=B', "PLAIN=1"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    lines = codes("export", "spring", "--json")[1].splitlines()
    assert sorted(json.loads(line)["code"] for line in lines) == ["+1", "-1", "=1+1", "@SUM(1)", 'A","=B', "PLAIN=1"]


def test_codes_are_drawn_for_people(codes: Codes, tmp_path: Path) -> None:
    pytest.importorskip("segno")
    codes("generate", "spring", "1")
    svg, png = tmp_path / "code.svg", tmp_path / "code.png"
    assert codes("issue", "spring", "--qr", str(svg), "--barcode", str(png))[0] == 0
    assert b"<svg" in svg.read_bytes()
    assert png.read_bytes().startswith(b"\x89PNG")
    code, _, err = codes("issue", "spring", "--qr", str(tmp_path / "code.gif"))
    assert code == 2
    assert "must end in .svg or .png, not `code.gif`" in err


def test_without_segno_nothing_is_issued_that_could_not_be_drawn(
    codes: Codes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes("generate", "spring", "1")
    monkeypatch.setitem(sys.modules, "segno", None)
    code, out, err = codes("issue", "spring", "--qr", str(tmp_path / "code.svg"))
    assert (code, out) == (1, "")
    assert "pip install 'rewardkit[codes]'" in err
    assert codes("status", "--pool", "spring")[1].split()[-4:] == ["0", "1", "0", "0"]


@pytest.mark.parametrize(
    "words, said",
    [
        (("issue", "autumn"), "pool `autumn` does not exist"),
        (("issue", "spring"), "pool `spring` has no code left"),
        (("status", "nothing"), "no pool has this code"),
        (("import", "spring", "nowhere.txt"), "`nowhere.txt` cannot be read"),
        (("export", "spring", "--output", "/nowhere/out.csv"), "`/nowhere/out.csv` cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(codes: Codes, words: tuple[str, ...], said: str) -> None:
    code, out, err = codes(*words)
    assert code in (1, 2)
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_long_work_says_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with progress.progress("codes", 3_000) as tell:
        for second in range(5):
            now = float(second)
            tell(1_000 + second)
    assert capsys.readouterr().err == "1,002 of 3,000 codes\n1,004 of 3,000 codes\n"
