"""Explanations as people read them: `language_explanations.txt` holds one of each kind, over all operators.

A block is a condition, a history with what else is said about it, the verdict, and the sentences. `A1 B2.5:40` is an A
on day 1 and a B at noon of day 2 whose `x` is 40; `@9` is day 9, at which it is judged, `>10` the scope's end, and
`zone=` and `mode=` what they say. `REWARDKIT_SNAPSHOT=write` writes the file anew, for a person to read.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rewardkit.language import tree
from rewardkit.language.condition import Condition
from rewardkit.language.descent import descend
from rewardkit.language.event import Event, rfc3339
from rewardkit.language.explaining.checker import objections
from rewardkit.language.verdict import Mode

DAY = 86_400_000_000
START = 1_704_067_200_000_000
FILE = Path(__file__).with_name("language_explanations.txt")


def blocks() -> list[str]:
    return [block.strip("\n") for block in FILE.read_text(encoding="utf-8").split("\n\n") if block.strip()]


def explained(block: str) -> str:
    """A block with its verdict and sentences as they are now."""
    condition, history, *_ = block.split("\n")
    events: list[Event] = []
    now, end, zone = START, None, "UTC"
    mode: Mode = "latch"
    for number, word in enumerate(history.split(), start=1):
        key, _, value = word.partition("=")
        if key == "zone":
            zone = value
        elif word == "mode=live":
            mode = "live"
        elif word == "mode=final":
            mode = "final"
        elif word[0] == ">":
            end = START + int(word[1:]) * DAY
        elif word[0] == "@":
            now = START + int(word[1:]) * DAY
        else:
            day, _, value = word[1:].partition(":")
            properties = {"x": int(value) if value.isdecimal() else value} if value else {}
            event = Event(word[0], START + int(float(day) * DAY), str(number), properties=properties)
            events.append(event)
            now = max(now, event.at)
    parsed = Condition.parse(condition)
    found = parsed.explain(events, start=START, now=now, end=end, zone=zone, mode=mode)
    assert () == objections(parsed.tree, found, events, START, now, end, zone=zone, mode=mode)
    decided = "" if found.decided_at is None else f" {rfc3339(found.decided_at)}"
    proof = f" by {', '.join(found.event_ids)}" if found.event_ids else ""
    head = f"= {found.status}{decided}{proof}, {found.progress}"
    return "\n".join((condition, history, head, *(f"  {sentence}" for sentence in found.sentences)))


if os.environ.get("REWARDKIT_SNAPSHOT") == "write":
    FILE.write_text("\n\n".join(map(explained, blocks())) + "\n", encoding="utf-8")


@pytest.mark.parametrize("block", blocks(), ids=lambda block: " ".join(block.split("\n")[:2]))
def test_an_explanation_reads_as_it_did(block: str) -> None:
    assert block == explained(block)


def test_every_operator_is_explained() -> None:
    found = {type(part) for block in blocks() for part in descend(Condition.parse(block.split("\n")[0]).tree)}
    assert {tree.Named} == set(tree.Node.__args__) - found
    assert 60 <= len(blocks())
