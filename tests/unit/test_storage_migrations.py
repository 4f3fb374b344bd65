"""The steps of the schema: numbered by their places, each in a file that has its name."""

from __future__ import annotations

from pathlib import Path

from rewardkit.storage.sql import migrations
from rewardkit.storage.sql.migrations import MIGRATIONS


def test_the_number_of_a_step_is_its_place() -> None:
    assert list(range(1, len(MIGRATIONS) + 1)) == [int(step.name[:4]) for step in MIGRATIONS]


def test_every_step_lies_in_a_file_of_its_name() -> None:
    files = Path(str(migrations.__file__)).parent.glob("step_*.py")
    assert [f"step_{step.name}" for step in MIGRATIONS] == sorted(file.stem for file in files)
