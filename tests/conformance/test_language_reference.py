"""The language's reference is executed: every block with a condition shows what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.condition import Condition
from rewardkit.language.diagnostic import CODES
from rewardkit.language.event import Event
from rewardkit.language.verdict import Mode

REFERENCE = (Path(__file__).parents[2] / "grammar" / "README.md").read_text(encoding="utf-8")
START = "2024-01-01T00:00:00Z"
SETTING = re.compile(r"(zone|mode|start|@\S+) ")
MODES: dict[str, Mode] = {mode: mode for mode in get_args(Mode)}
LINE = re.compile(r'(?P<at>\S+) (?P<name>"[^"]*"|\S+)(?: (?P<properties>\{.*\}))?(?: -> (?P<status>\w+))?')


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)\n```$", REFERENCE, re.MULTILINE | re.DOTALL)


def at(text: str) -> str:
    return text if text.endswith("Z") else f"{text}Z" if "T" in text else f"{text}T00:00:00Z"


@pytest.mark.parametrize("block", blocks("condition"))
def test_an_example_has_the_verdicts_that_it_shows(block: str) -> None:
    text, *lines = block.splitlines()
    told = dict(line.split(" ", 1) for line in lines if SETTING.match(line))
    definitions = {name.removeprefix("@"): text.removeprefix("= ") for name, text in told.items() if name[0] == "@"}
    condition = Condition.parse(text, definitions=definitions)
    start, zone, mode = at(told.get("start", START)), told.get("zone", "UTC"), MODES[told.get("mode", "latch")]
    events: list[Event] = []
    end = None
    for number, line in enumerate(line for line in lines if not SETTING.match(line)):
        read = LINE.fullmatch(line)
        assert read is not None, line
        name, properties = read["name"].strip('"'), json.loads(read["properties"] or "{}")
        if name == "end":
            end = at(read["at"])
            continue
        if name != "now":
            events.append(Event(name, at(read["at"]), str(number), properties=properties))
        verdict = condition.judge(events, start=start, now=max(start, at(read["at"])), end=end, zone=zone, mode=mode)
        assert (line, read["status"]) == (line, verdict.status)


@pytest.mark.parametrize("block", blocks("condition-error"))
def test_an_example_of_an_error_has_its_code(block: str) -> None:
    text, answer = block.splitlines()
    with pytest.raises(ConditionSyntaxError) as caught:
        Condition.parse(text).require()
    assert [answer.removeprefix("-> ")] == [found.code for found in caught.value.diagnostics]


def test_the_reference_shows_every_operator() -> None:
    assert len(blocks("condition")) >= 55
    assert len(blocks("condition-error")) >= 4


def test_the_reference_lists_every_code_with_what_it_stands_for() -> None:
    listed = dict(re.findall(r"^\| (RK\d+) \| (.*) \|$", REFERENCE, re.MULTILINE))
    assert listed == CODES
