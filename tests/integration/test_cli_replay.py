"""What a replay prints, how time passes in it, and how it exits. Its answers are compared in test_replay.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewardkit.cli import main, replay

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "examples" / "music_shop.csv"

HEAD = "id,user,name,at\n"
QUIET = """
[rewards.disc]
[offers.quiet]
reward = "disc"
condition = "no B within 1d"
[campaigns.quiet]
offer = "quiet"
entry = "A"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.toml").write_text(QUIET)
    return tmp_path


def earned(capsys: pytest.CaptureFixture[str], *words: str) -> list[tuple[str, str, str]]:
    capsys.readouterr()
    assert 0 == main(["replay", "--json", "--campaigns", "shop.toml", *words])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all({"user", "campaign", "offer", "reward", "earned_at", "event_ids"} == set(row) for row in rows)
    return [(row["user"], row["campaign"], row["earned_at"]) for row in rows]


def test_people_get_aligned_columns_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["replay", "--campaigns", str(ROOT / "examples" / "music_shop.toml"), str(SAMPLE)])
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert ["earned_at", "user", "campaign", "reward", "why"] == lines[0].split()
    column = lines[0].index("why")
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)
    assert (
        "1997-01-03T12:00:00Z  carla  big-spender            ten-percent"
        "     `Purchase Completed` at 1997-01-03T12:00:00Z (event p008)"
    ) in lines
    assert captured.err.startswith("35 events of 14 users up to 1998-06-30T12:00:00Z: ")


def test_time_stops_at_the_last_event_or_runs_on_until(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "log.csv").write_text(
        f"{HEAD}1,ann,A,2024-01-01T00:00:00Z\n2,ben,A,2024-01-01T06:00:00Z\n3,zoe,C,2024-01-02T00:00:00Z\n"
    )
    ann = ("ann", "quiet", "2024-01-02T00:00:00Z")
    ben = ("ben", "quiet", "2024-01-02T06:00:00Z")
    assert [ann] == earned(capsys, "log.csv")
    assert [ann] == earned(capsys, "log.csv", "--until", "2024-01-02T05:59:59.999999Z")
    assert [ann, ben] == earned(capsys, "log.csv", "--until", "2024-01-02T07:00:00+01:00")
    assert [] == earned(capsys, "log.csv", "--until", "2024-01-01T23:59:59Z")


def test_events_after_until_are_left_out(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "log.csv").write_text(f"{HEAD}1,ann,A,2024-01-01T00:00:00Z\n2,ann,B,2024-01-01T06:00:00Z\n")
    assert 0 == main(["replay", "--campaigns", "shop.toml", "log.csv", "--until", "2024-01-01T05:00:00Z"])
    assert "1 events of 1 users up to 2024-01-01T05:00:00Z, 1 left out: 0 rewards earned\n" == capsys.readouterr().err


def test_places_under_a_cap_go_by_the_log_and_come_back_in_time(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "shop.toml").write_text(
        '[rewards.disc]\n[offers.soon]\nreward = "disc"\ncondition = "B"\nexpires_after = "1d"\n'
        '[campaigns.first]\noffer = "soon"\nentry = "A"\ncap = 1\n'
    )
    (folder / "log.csv").write_text(
        f"{HEAD}"
        "5,ben,B,2024-01-03T01:00:00Z\n"
        "4,ben,A,2024-01-02T00:00:00Z\n"  # ann's place came back in this instant, before this event
        "3,zoe,B,2024-01-01T14:00:00Z\n"
        "2,zoe,A,2024-01-01T12:00:00Z\n"  # ann has the only place
        "1,ann,A,2024-01-01T00:00:00Z\n"
        "6,dan,A,2024-01-03T02:00:00Z\n"  # ben's day is over since midnight, unearned
        "7,dan,B,2024-01-03T03:00:00Z\n"
        "8,eve,A,2024-01-03T04:00:00Z\n"  # dan has earned, his place is gone for good
        "9,eve,B,2024-01-03T05:00:00Z\n"
    )
    assert [("dan", "first", "2024-01-03T03:00:00Z")] == earned(capsys, "log.csv")


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_size_of_a_chunk_changes_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, size: int
) -> None:
    (folder / "shop.toml").write_text((ROOT / "examples" / "music_shop.toml").read_text())
    whole = earned(capsys, str(SAMPLE))
    assert len(whole) > 20
    monkeypatch.setattr(replay, "CHUNK_EVENTS", size)
    assert whole == earned(capsys, str(SAMPLE))


def test_a_draft_makes_no_offers_and_is_named(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "shop.toml").write_text(QUIET + 'status = "draft"\n')
    (folder / "log.csv").write_text(f"{HEAD}1,ann,A,2024-01-01T00:00:00Z\n2,zoe,C,2024-01-03T00:00:00Z\n")
    assert 0 == main(["replay", "--json", "--campaigns", "shop.toml", "log.csv"])
    captured = capsys.readouterr()
    assert "" == captured.out
    assert "campaign quiet is a draft and makes no offers" in captured.err


def test_json_lines_and_csv_replay_alike(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "log.jsonl").write_text(
        '{"id": "1", "user": "ann", "name": "A", "at": "2024-01-01T00:00:00Z"}\n'
        '{"id": "2", "user": "zoe", "name": "C", "at": "2024-01-03T00:00:00Z", "properties": {"x": 1}}\n'
    )
    (folder / "log.csv").write_text(f"{HEAD}1,ann,A,2024-01-01T00:00:00Z\n2,zoe,C,2024-01-03T00:00:00Z\n")
    assert earned(capsys, "log.csv") == earned(capsys, "log.jsonl") == [("ann", "quiet", "2024-01-02T00:00:00Z")]


def test_a_line_that_comes_twice_counts_once(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "shop.toml").write_text(QUIET.replace("no B within 1d", "B*2"))
    line = "2,ann,B,2024-01-01T06:00:00Z\n"
    (folder / "log.csv").write_text(f"{HEAD}1,ann,A,2024-01-01T00:00:00Z\n{line}{line}")
    assert [] == earned(capsys, "log.csv")


@pytest.mark.parametrize(
    "log, said",
    [
        (HEAD, "log.csv: there is no event to replay"),
        (f"{HEAD}1,ann,A,never\n", "log.csv:2: `never` is not an RFC 3339 instant"),
        (
            f"{HEAD}1,ann,B,2024-01-01T00:00:00Z\n2,ann,B,2024-01-01T00:00:00Z\n1,ann,C,2024-01-01T00:00:00Z\n",
            "log.csv:4: ",
        ),
        (f"{HEAD}1,ann,B,2024-01-01T00:00:00Z\n2,{'x' * 300},B,2024-01-02T00:00:00Z\n", "log.csv:3: an event's user"),
    ],
)
def test_a_log_that_cannot_be_replayed_exits_with_two_and_prints_no_data(
    capsys: pytest.CaptureFixture[str], folder: Path, log: str, said: str
) -> None:
    (folder / "log.csv").write_text(log)
    assert 2 == main(["replay", "--campaigns", "shop.toml", "log.csv"])
    captured = capsys.readouterr()
    assert "" == captured.out
    assert captured.err.startswith(f"error: {said}")


def test_wrong_campaigns_exit_with_two(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "shop.toml").write_text(QUIET + "caps = 1\n")
    assert 2 == main(["replay", "--campaigns", "shop.toml", str(SAMPLE)])
    assert "error: shop.toml:9: [campaigns.quiet] caps: this key is unknown: did you mean `cap`?\n" == (
        capsys.readouterr().err
    )
