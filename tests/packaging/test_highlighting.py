"""Pygments finds the lexer of an installed package by its name."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Protocol

import pytest

FIND = (
    "from pygments.lexers import get_lexer_by_name; "
    "print([written for _, written in get_lexer_by_name('rewardkit').get_tokens('A then B')])"
)


class Environment(Protocol):
    def install(self, kind: str) -> None: ...

    def run(self, program: str, *arguments: str, **environment: str) -> str: ...


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_pygments_knows_the_language_of_an_installed_package(
    kind: str, clean_environment: Environment, tmp_path: Path
) -> None:
    alone = tmp_path / "pygments alone"
    alone.mkdir()
    (alone / "pygments").symlink_to(Path(str(metadata.distribution("pygments").locate_file("pygments"))))
    clean_environment.install(kind)
    assert "['A', ' ', 'then', ' ', 'B', '\\n']" == clean_environment.run("python", "-c", FIND, PYTHONPATH=str(alone))
