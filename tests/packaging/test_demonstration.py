"""The demonstration plays from the installed wheel, with our three dependencies and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Environment(Protocol):
    empty_folder: Path

    def install(self, kind: str) -> None: ...

    def run(self, program: str, *arguments: str, **environment: str) -> str: ...


def test_the_installed_wheel_plays_its_demonstration_and_leaves_nothing_behind(clean_environment: Environment) -> None:
    clean_environment.install("wheel")
    assert "(A*2 | B) & !C" in clean_environment.run("rewardkit", "demo")
    assert [] == list(clean_environment.empty_folder.iterdir())
