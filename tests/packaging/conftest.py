"""Environments that hold rewardkit's three dependencies, what those require, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DEPENDENCIES = ("attrs", "lark", "python-dateutil")


def with_their_own(names: tuple[str, ...]) -> Iterator[metadata.Distribution]:
    """The distributions of these names, and of what they require in turn."""
    for name in names:
        distribution = metadata.distribution(name)
        yield distribution
        required = [Requirement(text) for text in distribution.requires or ()]
        needed = [each.name for each in required if each.marker is None or each.marker.evaluate({"extra": ""})]
        yield from with_their_own(tuple(needed))


class Environment:
    """An environment made for one test, and an empty folder to run its programs in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "environment" / "bin"
        self.empty_folder = folder / "empty"
        self.empty_folder.mkdir()
        venv.create(folder / "environment")
        packages = next((folder / "environment").glob("lib/python*/site-packages"))
        for distribution in with_their_own(DEPENDENCIES):
            for file in distribution.files or ():
                if ".." not in file.parts and file.suffix != ".pyc":
                    (packages / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(distribution.locate_file(file)), packages / file)

    def install(self, kind: str) -> None:
        """Asks the build backend as pip would for a `wheel`, or for the `editable` that `pip install -e` installs."""
        program = f"import sys, hatchling.build; print(hatchling.build.build_{kind}(sys.argv[1]))"
        built = output([sys.executable, "-c", program, self.folder], ROOT).splitlines()[-1]
        pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", self.programs / "python"]
        output([*pip, "install", "--no-index", "--no-deps", self.folder / built], self.folder)

    def run(self, program: str, *arguments: str, **environment: str) -> str:
        return output([self.programs / program, *arguments], self.empty_folder, **environment)


@pytest.fixture
def clean_environment(tmp_path: Path) -> Environment:
    """Not even pip is in it; the dependencies are copied from the environment that runs the tests."""
    return Environment(tmp_path)


def output(program: list[str | Path], folder: Path, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        program, cwd=folder, env=inherited | environment, check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return done.stdout.strip()
