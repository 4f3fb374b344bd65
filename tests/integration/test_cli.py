"""Every command by its door: what goes to stdout, what to stderr, and how it exits."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.cli import main
from rewardkit.cli.controlled_clock import ControlledClock
from rewardkit.language.event import instant

ROOT = Path(__file__).parents[2]
CAMPAIGNS = str(ROOT / "examples" / "music_shop.toml")
PURCHASES = str(ROOT / "examples" / "music_shop.csv")

SHOP = """
[rewards.disc]
properties = { price = 0.10 }
[offers.gift]
reward = "disc"
condition = "B"
[offers.quiet]
reward = "disc"
condition = "no B within 1d"
[campaigns.gift]
offer = "gift"
entry = "A"
[campaigns.quiet]
offer = "quiet"
entry = "A"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REWARDKIT_STORE", raising=False)
    (tmp_path / "shop.toml").write_text(SHOP)
    return tmp_path


class Done:
    """A command that has run."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def objects(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


class Door:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Done:
        self._capsys.readouterr()
        code = main(words)
        captured = self._capsys.readouterr()
        return Done(code, captured.out, captured.err)


@pytest.fixture
def rewardkit(capsys: pytest.CaptureFixture[str]) -> Door:
    return Door(capsys)


def fill(store: str = "sqlite:///shop.db") -> None:
    clock = ControlledClock(instant("2024-01-01T00:00:00Z"))
    with rk.RewardKit(store, clock=clock) as kit:
        kit.load("shop.toml")
        clock.move_to(instant("2024-01-01T02:00:00Z"))
        kit.emit_many(
            [
                rk.Event("A", "2024-01-01T00:00:00Z", "1", "ann"),
                rk.Event("B", "2024-01-01T01:00:00Z", "2", "ann"),
                rk.Event("A", "2024-01-01T02:00:00Z", "3", "ben"),
            ]
        )


# --- usage ---


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "usage: rewardkit [-h] [--version] COMMAND"),
        ((), "fold a log of events through the campaigns of a file"),
        (("dance",), "invalid choice: 'dance'"),
        (("check",), "the following arguments are required: EXPR"),
        (("check", "A", "--jso"), "unrecognized arguments: --jso"),
        (("replay", "log.csv"), "the following arguments are required: --campaigns"),
        (("conformance",), "the following arguments are required: FILE"),
        (("due",), "no store is named: pass --store sqlite:///rewards.db, or set REWARDKIT_STORE"),
        (("load", "shop.toml", "--store", "mysql://host/db"), "names no store; write `:memory:`"),
        (("load", "nowhere.toml", "--store", ":memory:"), "`nowhere.toml` cannot be read"),
        (("due", "--store", ":memory:", "--now", "soon"), "--now `soon` is not an instant with an offset, such as"),
        (("replay", "--campaigns", "shop.toml", "log.csv", "--until", "2026-12-01"), "--until `2026-12-01` is not an"),
        (("due", "--store", ":memory:", "--limit", "x"), "invalid int value: 'x'"),
        (("due", "--store", ":memory:", "--limit", "-1"), "argument --limit: must be at least 1, not `-1`"),
        (("deliver", "--store", ":memory:", "--limit", "0"), "argument --limit: must be at least 1, not `0`"),
        (("deliver", "--store", ":memory:", "--limit", "5", "--dead"), "--limit is for delivering once"),
        (("deliver", "--store", ":memory:", "--forever", "--dead"), "not allowed with argument --forever"),
        (("migrate", "--store", ":memory:", "--tenant", ""), "a tenant must not be empty"),
    ],
)
def test_what_cannot_be_meant_exits_with_two_and_prints_no_data(
    rewardkit: Door, words: tuple[str, ...], said: str
) -> None:
    done = rewardkit(*words)
    assert (2, "") == (done.code, done.out)
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [("--help",), ("check", "--help"), ("--version",)])
def test_help_and_version_are_data(rewardkit: Door, words: tuple[str, ...]) -> None:
    done = rewardkit(*words)
    assert (0, "") == (done.code, done.err)
    assert "rewardkit" in done.out


# --- demo ---


def test_the_demonstration_tells_why_each_reward_was_earned_and_why_one_was_not(rewardkit: Door, folder: Path) -> None:
    before = sorted(folder.iterdir())
    done = rewardkit("demo")
    assert (0, "") == (done.code, done.err)
    for said in (
        "amanda earned {'amount': '5.00', 'currency': 'USD'}",
        "because `User Activated` at 2026-03-02T10:01:00Z (event e2)",
        "condition  (A*2 | B) & !C",
        "bob earned {'badge': 'first-steps'}",
        "ann earned {'badge': 'first-steps'}",
        "cleo can no longer earn it: `C` happened at 2026-03-02T09:03:00Z",
        "2026-03-16T10:00:00Z     dora earned {'points': 100}",
        "because no `refund` between 2026-03-02T10:00:00Z and 2026-03-16T10:00:00Z",
    ):
        assert said in done.out
    assert before == sorted(folder.iterdir())


def test_the_demonstration_as_json_has_a_line_for_each_outcome(rewardkit: Door) -> None:
    found = rewardkit("demo", "--json").objects
    assert [(1, "amanda"), (2, "bob"), (2, "ann"), (2, "cleo"), (3, "dora")] == [
        (one["story"], one["user"]) for one in found
    ]
    assert {"amount": "5.00", "currency": "USD"} == found[0]["properties"]
    assert ["e2"] == found[0]["event_ids"]
    assert ["e1", "e4"] == found[2]["event_ids"]
    assert (None, ["`C` happened at 2026-03-02T09:03:00Z"]) == (found[3]["reward"], found[3]["why"])
    assert "2026-03-16T10:00:00Z" == found[4]["earned_at"]


# --- check ---


def test_a_condition_is_shown_in_its_canonical_text_with_its_events(rewardkit: Door) -> None:
    done = rewardkit("check", "(A * 2 or B) and not C")
    assert (0, "(A*2 | B) & !C\nevents: A, B, C\n", "") == (done.code, done.out, done.err)


def test_a_wrong_condition_is_pointed_into_and_exits_with_one(rewardkit: Door) -> None:
    done = rewardkit("check", "signup then no refund")
    assert 1 == done.code
    assert [
        "error[RK104]: `no refund` needs a deadline",
        "  signup then no refund",
        "              ^^^^^^^^^ an absence can only be decided by a timer",
        "  help: write `no refund within 14d`",
    ] == done.out.splitlines()


@pytest.mark.parametrize(
    "words, code",
    [(("!A",), 1), (("!A", "--acknowledge", "RK201"), 0), (("!A", "--acknowledge", "RK202"), 1)],
)
def test_a_lint_is_a_finding_unless_it_is_acknowledged(rewardkit: Door, words: tuple[str, ...], code: int) -> None:
    done = rewardkit("check", *words)
    assert code == done.code
    assert "lint[RK201]" in done.out


def test_an_entry_has_no_start_for_a_window(rewardkit: Door) -> None:
    assert 0 == rewardkit("check", "A within 7d").code
    done = rewardkit("check", "--entry", "A within 7d")
    assert 1 == done.code
    assert "error[RK150]" in done.out


def test_the_conditions_of_a_file_may_be_named(rewardkit: Door) -> None:
    assert 1 == rewardkit("check", "@big-purchase then A").code
    done = rewardkit("check", "@big-purchase then A", "--definitions", CAMPAIGNS)
    assert (0, '"Purchase Completed"[amount >= 100] then A') == (done.code, done.out.splitlines()[0])
    assert 2 == rewardkit("check", "@big-purchase", "--definitions", "nowhere.toml").code


def test_a_check_as_json(rewardkit: Door) -> None:
    [found] = rewardkit("check", "--json", '"User Activated" & !A').objects
    assert ('"User Activated" & !A', ["A", "User Activated"]) == (found["condition"], found["events"])
    [found] = rewardkit("check", "--json", "A *").objects
    assert (None, []) == (found["condition"], found["events"])
    assert {"code", "severity", "message", "span", "help", "fix", "note"} == set(found["diagnostics"][0])


def test_a_condition_may_come_from_stdin(rewardkit: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("A  then\nB\n"))
    assert "A then B\nevents: A, B\n" == rewardkit("check", "-").out


# --- conformance ---


def vectors(*cases: dict[str, Any]) -> str:
    return json.dumps({"spec_version": 1, "cases": list(cases)})


AGREES = {"id": "words", "condition": "A and not B", "format": "A & !B"}
DIFFERS = {
    "id": "count",
    "condition": "A*2",
    "steps": [
        {"event": {"id": "1", "name": "A", "at": "2024-01-02T00:00:00Z"}, "expect": {"status": "satisfied"}},
    ],
}


def test_vectors_that_agree_exit_with_nothing(rewardkit: Door, folder: Path) -> None:
    (folder / "mine.json").write_text(vectors(AGREES))
    done = rewardkit("conformance", "mine.json")
    assert (0, "", "1 cases, 0 differences\n") == (done.code, done.out, done.err)


def test_a_difference_is_printed_for_every_engine_and_exits_with_one(rewardkit: Door, folder: Path) -> None:
    (folder / "mine.json").write_text(vectors(AGREES, DIFFERS))
    done = rewardkit("conformance", "--json", "mine.json")
    assert 1 == done.code
    assert {"specification", "program"} <= {one["engine"] for one in done.objects}
    assert {("mine.json", "count", "differs", 1)} == {
        (one["file"], one["case"], one["kind"], one["step"]) for one in done.objects
    }
    text = rewardkit("conformance", "mine.json")
    assert "mine.json: count step 1 (specification): differs" in text.out.splitlines()


@pytest.mark.parametrize(
    "content, said",
    [
        (None, "`mine.json` cannot be read: no such file or directory"),
        ("{", "mine.json: this is no JSON that can be read"),
        ("[]", "mine.json: a file of vectors is an object with `spec_version` and `cases`"),
        ('{"spec_version": 2, "cases": []}', "mine.json: `spec_version` is 1 here, not `2`"),
        (vectors({"id": "x"}), "mine.json: case `x`: a case has exactly one of"),
    ],
)
def test_a_file_that_holds_no_vectors_exits_with_two(
    rewardkit: Door, folder: Path, content: str | None, said: str
) -> None:
    (folder / "good.json").write_text(vectors(DIFFERS))
    if content is not None:
        (folder / "mine.json").write_text(content)
    done = rewardkit("conformance", "good.json", "mine.json")
    assert (2, "") == (done.code, done.out)
    assert said in done.err


def test_our_own_vectors_agree(rewardkit: Door) -> None:
    files = sorted(str(path) for path in (ROOT / "grammar" / "conformance").glob("*.json"))
    assert files
    done = rewardkit("conformance", *files)
    assert (0, "") == (done.code, done.out)


# --- load, migrate, due, deliver ---


def test_loading_says_what_is_new_and_the_second_time_nothing(rewardkit: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REWARDKIT_STORE", "sqlite:///shop.db")
    first = rewardkit("load", "shop.toml")
    *checked, counted = first.err.splitlines()
    assert (0, "5 new or changed") == (first.code, counted)
    assert "campaign gift: event `A` has never been recorded (event_never_seen)" in checked
    assert "reward disc: version 1, new" in first.out.splitlines()
    again = rewardkit("load", "--json", "shop.toml")
    assert (0, "nothing has changed\n") == (again.code, again.err)
    assert {"kind": "reward", "name": "disc", "version": 1, "new": False} == again.objects[0]
    assert {"kind": "launch", "name": "gift", "version": 2, "status": "live"}.items() <= again.objects[-2].items()


def test_a_wrong_file_changes_nothing_and_exits_with_two(rewardkit: Door, folder: Path) -> None:
    (folder / "shop.toml").write_text(SHOP + "user_cup = 1\n")
    done = rewardkit("load", "shop.toml", "--store", "sqlite:///shop.db")
    assert (2, "") == (done.code, done.out)
    assert (
        "error: shop.toml:16: [campaigns.quiet] user_cup: this key is unknown: did you mean `user_cap`?\n" == done.err
    )


def test_migrating_names_what_was_applied_and_then_nothing(rewardkit: Door) -> None:
    first = rewardkit("migrate", "--store", "sqlite:///shop.db", "--json")
    assert 0 == first.code
    assert first.objects
    assert {"applied"} == set(first.objects[0])
    again = rewardkit("migrate", "--store", "sqlite:///shop.db")
    assert (0, "", "the tables are up to date\n") == (again.code, again.out, again.err)


def test_due_decides_what_time_decides_once(rewardkit: Door) -> None:
    fill()
    early = rewardkit("due", "--store", "sqlite:///shop.db", "--now", "2024-01-02T01:59:59Z")
    assert (0, "") == (early.code, early.out)
    done = rewardkit("due", "--store", "sqlite:///shop.db", "--now", "2024-01-02T02:00:00Z", "--json")
    [earned] = done.objects
    assert ("earned", "ben", "quiet", "disc", "2024-01-02T02:00:00Z", "") == tuple(
        earned[key] for key in ("what", "user", "campaign", "reward", "earned_at", "event_id")
    )
    assert "" == rewardkit("due", "--store", "sqlite:///shop.db").out


def test_due_tells_people_the_same(rewardkit: Door) -> None:
    fill()
    done = rewardkit("due", "--store", "sqlite:///shop.db", "--limit", "5")
    assert "2024-01-02T02:00:00Z ben earned disc in quiet\n" == done.out
    assert "1 users looked at, 1 rewards earned, 0 released\n" == done.err


def test_notices_are_printed_once_as_json_lines(rewardkit: Door) -> None:
    fill()
    first = rewardkit("deliver", "--store", "sqlite:///shop.db", "--jsonl", "--limit", "2")
    rest = rewardkit("deliver", "--store", "sqlite:///shop.db", "--json")
    found = first.objects + rest.objects
    assert (2, 0) == (len(first.objects), first.code)
    assert len(found) == len({one["id"] for one in found})
    [ready] = [one for one in found if one["kind"] == "grant.ready"]
    assert ("ann", 1, {"price": "0.10"}) == (ready["user"], ready["attempt"], ready["body"]["properties"])
    assert "" == rewardkit("deliver", "--store", "sqlite:///shop.db", "--json").out


def test_a_notice_with_the_largest_properties_is_printed_too(rewardkit: Door) -> None:
    with rk.RewardKit("sqlite:///shop.db") as kit:
        kit.run(rk.DefineReward("poster", {"text": "x" * 65_480}))
        kit.run(rk.DefineOffer("o", "poster", "A"))
        kit.run(rk.DefineCampaign("c", "o"))
        kit.run(rk.LaunchCampaign("c"))
        kit.run(rk.MakeOffer("c", "ann"))
        kit.emit("A", user="ann")
    done = rewardkit("deliver", "--store", "sqlite:///shop.db", "--json")
    assert (0, "2 delivered, 0 failed\n") == (done.code, done.err)
    assert [65_480] == [len(one["body"]["properties"]["text"]) for one in done.objects if one["kind"] == "grant.ready"]


def test_without_json_notices_go_to_a_log_on_stderr(rewardkit: Door) -> None:
    fill()
    done = rewardkit("deliver", "--store", "sqlite:///shop.db")
    assert (0, "") == (done.code, done.out)
    assert 1 == sum(line.startswith("grant.ready for ann: notice no_") for line in done.err.splitlines())


def test_a_tenant_sees_its_own_notices_alone(rewardkit: Door) -> None:
    fill()
    done = rewardkit("deliver", "--store", "sqlite:///shop.db", "--tenant", "acme", "--json")
    assert (0, "", "0 delivered, 0 failed\n") == (done.code, done.out, done.err)


def test_postgres_is_migrated_first_and_then_says_the_same(rewardkit: Door, fresh_postgres: Callable[[], str]) -> None:
    store = fresh_postgres()
    early = rewardkit("load", "shop.toml", "--store", store)
    assert (1, "") == (early.code, early.out)
    assert "rewardkit migrate" in early.err
    assert 0 == rewardkit("migrate", "--store", store).code
    fill(store)
    assert "nothing has changed\n" == rewardkit("load", "shop.toml", "--store", store).err
    assert "2024-01-02T02:00:00Z ben earned disc in quiet\n" == rewardkit("due", "--store", store).out
    told = {one["kind"] for one in rewardkit("deliver", "--store", store, "--json").objects}
    assert {"offer.made", "offer.ended", "grant.ready"} == told


def test_a_store_that_is_no_store_fails_with_one(rewardkit: Door, folder: Path) -> None:
    (folder / "shop.db").write_text("this is a shopping list, and no database at all")
    done = rewardkit("due", "--store", "sqlite:///shop.db")
    assert (1, "") == (done.code, done.out)
    assert done.err.startswith("error: ")


def test_ctrl_c_ends_quietly(rewardkit: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rewardkit.cli.check.Condition.parse", interrupt)
    done = rewardkit("check", "A")
    assert (130, "", "") == (done.code, done.out, done.err)
