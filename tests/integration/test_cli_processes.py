"""The command line as processes: the two ways to start it, a reader that leaves, Ctrl-C, and colours."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import rewardkit as rk

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "examples" / "music_shop.csv"
CAMPAIGNS = ROOT / "examples" / "music_shop.toml"


def run(*words: str | Path, module: str = "rewardkit", **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "REWARDKIT_STORE")}
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        check=False,
        capture_output=True,
        encoding="utf-8",
        env=inherited | {"PYTHONPATH": str(ROOT / "src")} | environment,
    )


@pytest.mark.parametrize("module", ["rewardkit", "rewardkit.cli"])
def test_it_starts_as_a_module_and_exits_with_its_code(module: str) -> None:
    assert (0, "A*2\nevents: A\n", "") == _shown(run("check", "A * 2", module=module))
    assert 1 == run("check", "A * ", module=module).returncode
    assert 2 == run("chek", module=module).returncode


def _shown(done: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


def test_the_store_may_come_from_the_environment(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    assert 0 == run("load", CAMPAIGNS, REWARDKIT_STORE=store).returncode
    assert "nothing has changed\n" == run("load", CAMPAIGNS, "--store", store).stderr


def test_odd_characters_reach_a_terminal_that_has_none() -> None:
    done = run("check", '"Größe 🎁"', PYTHONIOENCODING="ascii")
    assert (0, '"Gr\\xf6\\xdfe \\U0001f381"') == (done.returncode, done.stdout.splitlines()[0])
    done = run("check", "--json", '"Größe"', PYTHONIOENCODING="ascii")
    assert '"events": ["Gr\\u00f6\\u00dfe"]' in done.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_ends_it_quietly(unbuffered: str) -> None:
    program = f"{sys.executable} -m rewardkit replay --json --campaigns {CAMPAIGNS} {SAMPLE} | head -n 0"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        ["bash", "-c", f"{program}; echo ${{PIPESTATUS[0]}}"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env=environment,
    )
    assert "0\n" == done.stdout
    assert "BrokenPipe" not in done.stderr
    assert "Traceback" not in done.stderr


def test_notices_that_nobody_read_stay_in_the_outbox(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    with rk.RewardKit(store) as kit:
        kit.load(CAMPAIGNS)
        kit.emit("Purchase Completed", user="ann")
        program = f"{sys.executable} -m rewardkit deliver --json --store {store} | true; exit ${{PIPESTATUS[0]}}"
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(["bash", "-c", program], check=False, capture_output=True, env=environment)
        assert (1, b"") == (done.returncode, done.stdout)
        assert b"Traceback" not in done.stderr
        assert 3 == len(kit.ask(rk.Notices(status="pending")).items)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_delivers_what_comes_until_it_is_told_to_end(tmp_path: Path, ending: signal.Signals) -> None:
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    with rk.RewardKit(store) as kit:
        kit.load(CAMPAIGNS)
        process = subprocess.Popen(
            [sys.executable, "-m", "rewardkit", "deliver", "--forever", "--poll", "1", "--json", "--store", store],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        )
        assert process.stdout is not None
        for user in ("ann", "bob"):
            kit.emit("Purchase Completed", user=user)
            told = [json.loads(process.stdout.readline()) for _ in range(3)]
            assert {user} == {one["user"] for one in told}
        process.send_signal(ending)
        rest, errors = process.communicate(timeout=30)
        assert (0, b"", b"6 delivered, 0 failed\n") == (process.returncode, rest, errors)
        assert () == kit.ask(rk.Notices(status="pending")).items


def test_a_worker_ends_where_nobody_reads_it_any_more(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'shop.db'}"
    with rk.RewardKit(store) as kit:
        kit.load(CAMPAIGNS)
        kit.emit("Purchase Completed", user="ann")
        program = (
            f"{sys.executable} -m rewardkit deliver --forever --json --store {store} | true; exit ${{PIPESTATUS[0]}}"
        )
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(["bash", "-c", program], check=False, capture_output=True, env=environment, timeout=60)
        assert (1, b"") == (done.returncode, done.stdout)
        assert b"Traceback" not in done.stderr
        assert 3 == len(kit.ask(rk.Notices(status="pending")).items)


def test_ctrl_c_ends_it_quietly() -> None:
    program = "import sys; from rewardkit.cli import main; print('started', flush=True); sys.exit(main(['check', '-']))"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None
    assert b"started\n" == process.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):  # it waits for stdin
        process.wait(timeout=0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (130, b"") == (process.returncode, errors)


def on_a_terminal(*words: str, **environment: str) -> str:
    """What a command shows where stdout and stderr are a terminal."""
    outside, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rewardkit", *words],
        stdout=inside,
        stderr=inside,
        env={name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "FORCE_COLOR")}
        | {"PYTHONPATH": str(ROOT / "src"), "TERM": "xterm"}
        | environment,
    )
    os.close(inside)
    shown = b""
    try:
        while part := os.read(outside, 65_536):
            shown += part
    except OSError:  # Linux says so at the end
        pass
    finally:
        os.close(outside)
    process.wait(timeout=30)
    return shown.decode()


def test_colours_are_for_terminals_and_for_those_who_want_them() -> None:
    words = ("load", "nowhere.toml", "--store", ":memory:")
    assert on_a_terminal(*words).startswith("\x1b[31merror:\x1b[0m ")
    assert on_a_terminal(*words, NO_COLOR="1").startswith("error: ")
    assert run(*words).stderr.startswith("error: ")
