"""Every way of installing parses a condition in an empty folder, with our three dependencies and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

SOURCE = Path(__file__).parents[2] / "src"
PARSE = "from rewardkit.language.condition import Condition; print(Condition.parse('(A*2 | B) and not C'))"


class Environment(Protocol):
    empty_folder: Path

    def install(self, kind: str) -> None: ...

    def run(self, program: str, *arguments: str, **environment: str) -> str: ...


def test_a_bare_checkout_parses(clean_environment: Environment) -> None:
    assert "(A*2 | B) & !C" == clean_environment.run("python", "-c", PARSE, PYTHONPATH=str(SOURCE))


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_an_installed_package_parses(kind: str, clean_environment: Environment) -> None:
    clean_environment.install(kind)
    assert "(A*2 | B) & !C" == clean_environment.run("python", "-c", PARSE)
    assert [] == list(clean_environment.empty_folder.iterdir())
