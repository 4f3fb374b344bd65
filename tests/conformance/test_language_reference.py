"""The language's reference is executed: every block with a condition shows what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.condition import Condition
from rewardkit.language.diagnostic import CODES
from rewardkit.language.event import Event
from rewardkit.language.reach import NOT_EVALUATED

REFERENCE = (Path(__file__).parents[2] / "grammar" / "README.md").read_text(encoding="utf-8")
START = "2024-01-01T00:00:00Z"
LINE = re.compile(r'(?P<at>\S+) (?P<name>"[^"]*"|\S+)(?: (?P<properties>\{.*\}))?(?: -> (?P<status>\w+))?')


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)\n```$", REFERENCE, re.MULTILINE | re.DOTALL)


def at(text: str) -> str:
    return f"{text}Z" if "T" in text else f"{text}T00:00:00Z"


@pytest.mark.parametrize("block", blocks("condition"))
def test_an_example_has_the_verdicts_that_it_shows(block: str) -> None:
    text, *lines = block.splitlines()
    condition = Condition.parse(text)
    events: list[Event] = []
    end = None
    for number, line in enumerate(lines):
        read = LINE.fullmatch(line)
        assert read is not None, line
        name, properties = read["name"].strip('"'), json.loads(read["properties"] or "{}")
        if name == "end":
            end = at(read["at"])
            continue
        if name != "now":
            events.append(Event(name, at(read["at"]), str(number), properties=properties))
        verdict = condition.judge(events, start=START, now=max(START, at(read["at"])), end=end)
        assert (line, read["status"]) == (line, verdict.status)


@pytest.mark.parametrize("block", blocks("condition-error"))
def test_an_example_of_an_error_has_its_code(block: str) -> None:
    text, answer = block.splitlines()
    with pytest.raises(ConditionSyntaxError) as caught:
        Condition.parse(text).require()
    assert [answer.removeprefix("-> ")] == [found.code for found in caught.value.diagnostics]


def test_the_reference_shows_every_operator() -> None:
    assert len(blocks("condition")) >= 20
    assert len(blocks("condition-error")) >= 4


LISTED = re.findall(r"^\| ([^|]*) \| [^|]* \| (RK9[0-9, RK]*) \|$", REFERENCE, re.MULTILINE)


@pytest.mark.parametrize(
    "written, code", [(text, code) for row, code in LISTED for text in re.findall("`([^`]+)`", row)]
)
def test_what_is_listed_as_not_evaluated_parses_and_is_refused_with_its_code(written: str, code: str) -> None:
    text = f"A {written}" if written.startswith("within") else written.replace("φ", "A")
    found = {one.code for one in Condition.parse(text).check() if one.severity == "error"}
    assert found & set(code.split(", "))


def test_every_operator_that_is_not_evaluated_is_listed_with_an_example() -> None:
    codes = {code for _, listed in LISTED for code in listed.split(", ")}
    assert {code for code in CODES if code.startswith("RK9")} == codes


def test_the_reference_lists_every_code_with_what_it_stands_for() -> None:
    listed = dict(re.findall(r"^\| (RK\d+) \| (.*) \|$", REFERENCE, re.MULTILINE))
    assert listed == CODES


@pytest.mark.parametrize("code", [code for code, _ in NOT_EVALUATED.values()])
def test_what_is_not_evaluated_is_said_to_be(code: str) -> None:
    section = REFERENCE.partition("## What parses and is not evaluated yet")[2].partition("## Limits")[0]
    assert code in section
