"""What is shipped: the grammar has one copy in the checkout and reaches every way of installing."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GRAMMAR = "rewardkit/grammar/condition.lark"


def build(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", *arguments, ROOT], check=True, capture_output=True)


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("wheel")
    build("--wheel", "--outdir", folder)
    return contents(next(folder.glob("*.whl")))


@pytest.fixture(scope="module")
def through_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("sdist")
    build("--outdir", folder)
    return folder


def test_the_wheel_holds_the_checkouts_grammar(wheel: dict[str, bytes]) -> None:
    assert (ROOT / "grammar" / "condition.lark").read_bytes() == wheel[GRAMMAR]


def test_the_wheel_holds_every_module_and_nothing_from_outside(wheel: dict[str, bytes]) -> None:
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "rewardkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected | {GRAMMAR} == {name for name in wheel if ".dist-info/" not in name}
    assert "rewardkit/py.typed" in wheel


def test_the_wheel_needs_three_packages_only(wheel: dict[str, bytes]) -> None:
    metadata = next(text for name, text in wheel.items() if name.endswith(".dist-info/METADATA")).decode()
    requirements = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    always = [line.removeprefix("Requires-Dist: ") for line in requirements if "extra ==" not in line]
    assert ["attrs>=23.2", "lark<2,>=1.2", "python-dateutil<5,>=2.9"] == always


def test_the_wheel_from_the_sdist_is_the_same_wheel(wheel: dict[str, bytes], through_sdist: Path) -> None:
    assert wheel == contents(next(through_sdist.glob("*.whl")))


def test_the_sdist_holds_what_its_tests_need(through_sdist: Path) -> None:
    with tarfile.open(next(through_sdist.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set() == {"pyproject.toml", "LICENSE", "README.md", "grammar/condition.lark", "tests/conftest.py"} - names
    assert set() == {name for name in names if name.startswith((".venv", ".git/")) or name.endswith(".pyc")}


def test_no_second_copy_of_the_grammar_lies_in_the_source() -> None:
    assert [] == list((ROOT / "src").rglob("*.lark"))


def test_no_module_lies_beside_the_grammar() -> None:
    # It would be mapped into the package and shadow what is there.
    assert [] == list((ROOT / "grammar").rglob("*.py"))
