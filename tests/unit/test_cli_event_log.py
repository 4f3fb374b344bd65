"""Logs of events as files: what a cell means, which order counts, and which line is wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from rewardkit.cli.event_log import LoggedEvent, read_log, value
from rewardkit.errors import ValidationError
from rewardkit.language.event import Event

HEAD = "id,user,name,at\n"
NOON = "2026-01-01T12:00:00Z"
ROW = f"1,ann,A,{NOON}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path()


@pytest.mark.parametrize(
    "cell, meant",
    [
        ("0", 0),
        ("-12", -12),
        ("9007199254740991", 9007199254740991),
        ("9007199254740992", "9007199254740992"),
        ("007", "007"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        ("1,5", "1,5"),
        (" 1", " 1"),
        ("١", "١"),
        ("1.", "1."),
        (".5", ".5"),
        ("29.30", Decimal("29.30")),
        ("-0.10", Decimal("-0.10")),
        ("1e3", Decimal("1e3")),
        ("1e999", "1e999"),
        ("0." + "1" * 40, "0." + "1" * 40),
        ("9" * 5_000, "9" * 5_000),
        ("NaN", "NaN"),
        ("true", "true"),
    ],
)
def test_a_cell_is_a_number_where_json_would_write_it_so(cell: str, meant: object) -> None:
    assert (type(meant), str(meant)) == (type(value(cell)), str(value(cell)))


def test_the_other_columns_are_properties_and_empty_cells_are_missing(folder: Path) -> None:
    (folder / "log.csv").write_text(
        f'id,country,user,"name",at,amount\n1,,ann,"Purchase, big",{NOON},29.30\n\n2,DE,ben,A,{NOON},\n'
    )
    assert (
        LoggedEvent(Event("Purchase, big", NOON, "1", "ann", properties={"amount": Decimal("29.30")}), 2),
        LoggedEvent(Event("A", NOON, "2", "ben", properties={"country": "DE"}), 4),
    ) == read_log("log.csv")


@pytest.mark.parametrize("name", ["log.jsonl", "log.ndjson"])
def test_json_lines_say_the_same(folder: Path, name: str) -> None:
    (folder / name).write_text(
        f'{{"id": "1", "user": "ann", "name": "A", "at": "{NOON}", "properties": {{"amount": 0.10, "x": [1]}}}}\n\n'
        f'{{"id": "0", "user": "ann", "name": "A", "at": "{NOON}", "order": 7}}\n'
    )
    first, second = read_log(name)
    assert (Decimal("0.10"), 1, "1") == (first.event.properties["amount"], first.line, first.event.id)
    assert (7, 3, "0") == (second.event.order, second.line, second.event.id)


def test_events_come_in_total_order_whatever_the_order_of_the_lines(folder: Path) -> None:
    (folder / "log.csv").write_text(
        f"{HEAD}2,ann,A,{NOON}\n1,ben,A,{NOON}\n1,ann,A,{NOON}\n0,zoe,A,2026-01-01T13:00:00+01:00\n"
        "9,ann,A,2025-12-31T23:59:59Z\n"
    )
    found = [(logged.event.id, logged.event.user) for logged in read_log("log.csv")]
    assert [("9", "ann"), ("0", "zoe"), ("1", "ann"), ("1", "ben"), ("2", "ann")] == found


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("log.txt", "", "`log.txt` is not a log that can be read: its name ends in .csv, .jsonl or .ndjson"),
        ("log.csv", "", "log.csv:1: the first line must name the columns id, user, name, at: `id` is missing"),
        ("log.csv", "id,user,name\n", "log.csv:1: the first line must name the columns id, user, name, at: `at`"),
        ("log.csv", "id,user,name,at,x,x\n", "log.csv:1: column `x` is there twice"),
        ("log.csv", f"{HEAD}{ROW}2,ann,A\n", "log.csv:3: 3 cells under 4 columns"),
        ("log.csv", f"{HEAD}{ROW}2,ann,A,{NOON},5\n", "log.csv:3: 5 cells under 4 columns"),
        ("log.csv", f"{HEAD}{ROW},ann,A,{NOON}\n", "log.csv:3: `id` is missing"),
        ("log.csv", f"{HEAD}{ROW}2,,A,{NOON}\n", "log.csv:3: `user` is missing"),
        ("log.csv", f"{HEAD}2,ann,A,2026-01-01T12:00:00\n", "log.csv:2: `2026-01-01T12:00:00` has no offset"),
        ("log.csv", f"{HEAD}2,ann,A,yesterday\n", "log.csv:2: `yesterday` is not an RFC 3339 instant"),
        ("log.csv", f'{HEAD}2,ann,"A"x,{NOON}\n', "log.csv:2: this is not CSV: "),
        ("log.csv", f'{HEAD}2,ann,"A,{NOON}\n', "log.csv:2: this is not CSV: "),
        ("log.csv", HEAD + "2,ann,A," + "x" * 200_000, "log.csv:2: this is not CSV: "),
        ("log.jsonl", "{\n", "log.jsonl:1: events are not JSON: "),
        ("log.jsonl", "[1]\n", "log.jsonl:1: an event is a JSON object"),
        ("log.jsonl", '{"id": 1, "user": "a", "name": "A"}\n', "log.jsonl:1: `id` must be text"),
        ("log.jsonl", '{"id": "1", "user": "a", "name": "A"}\n', "log.jsonl:1: `at` is missing"),
        ("log.jsonl", '{"id": "1", "id": "2"}\n', "log.jsonl:1: key `id` is there twice"),
        ("log.jsonl", '{"id": "1", "amount": 5}\n', "log.jsonl:1: key `amount` is unknown: put it under `properties`"),
        ("log.jsonl", "[" * 60_000, "log.jsonl:1: events are nested deeper than 16 levels"),
    ],
)
def test_a_wrong_line_names_itself(folder: Path, name: str, text: str, message: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(ValidationError) as caught:
        read_log(name)
    assert message == str(caught.value)[: len(message)]


def test_a_file_that_is_no_text_or_not_there_is_named(folder: Path) -> None:
    (folder / "log.csv").write_bytes(HEAD.encode() + b"\xff")
    with pytest.raises(ValidationError, match=r"^log.csv: this is not text in UTF-8"):
        read_log("log.csv")
    with pytest.raises(ValidationError, match=r"^`nowhere.csv` cannot be read: no such file or directory$"):
        read_log("nowhere.csv")
