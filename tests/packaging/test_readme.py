"""The README opens with its two commands, and shows conditions that mean what they seem to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rewardkit

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_the_readme_opens_with_two_commands_of_one_line() -> None:
    assert [1, 1] == [len(block.splitlines()) for block in blocks(README, "sh")[:2]]


def conditions_shown() -> list[str]:
    table = README[README.index("| condition |") :].partition("\n\n")[0]
    return [cell.replace("\\|", "|") for cell in re.findall(r"^\| `(.*?)` \|", table, re.MULTILINE)]


@pytest.mark.parametrize("text", conditions_shown())
def test_every_condition_in_the_readme_can_be_judged_and_means_what_it_seems_to(text: str) -> None:
    condition = rewardkit.Condition.parse(text)
    condition.require()
    assert () == condition.lints
