"""The diagram of a grant's life in the guide is drawn from the table that the core goes by."""

from __future__ import annotations

import os
import re
from pathlib import Path

from rewardkit.core.grants.life import MOVES, Place

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "grants.md"
BLOCK = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)


def node(place: Place) -> str:
    return "[*]" if place.status == "earned" else "_".join(filter(None, place))


def drawn() -> str:
    """Every change of the table as an arrow; those that leave a grant where it is are left out."""
    names: dict[tuple[str, str], list[str]] = {}
    for move in MOVES:
        for before in move.before:
            for after in move.after:
                if before != after and move.name != "reduce":
                    names.setdefault((node(before), node(after)), []).append(move.name)
    places = dict.fromkeys(place for move in MOVES for place in (*move.before, *move.after))
    lines = [f'    state "{place}" as {node(place)}' for place in places if place.held_for]
    lines += [f"    {before} --> {after}: {', '.join(by)}" for (before, after), by in names.items()]
    return "\n".join(["stateDiagram-v2", *lines, ""])


def test_the_guide_shows_the_table() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    if os.environ.get("REWARDKIT_DRAW"):
        GUIDE.write_text(BLOCK.sub(lambda _: f"```mermaid\n{drawn()}```", text, count=1), encoding="utf-8")
        text = GUIDE.read_text(encoding="utf-8")
    (shown,) = BLOCK.findall(text)
    assert shown == drawn()
