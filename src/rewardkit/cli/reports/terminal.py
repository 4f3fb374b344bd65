"""Sections in a terminal: bars where there is room for them, and no line longer than it."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Sequence

from rewardkit.cli.measures import bar
from rewardkit.cli.printing import heading
from rewardkit.cli.reports.sections import Line, Section
from rewardkit.language.diagnostic import printable

_NARROWEST, _WIDEST_BAR, _LEAST_BAR = 20, 30, 5
_LABEL = 24


def terminal_width() -> int:
    """Columns of the terminal, or of `COLUMNS`; 80 where nobody says."""
    return max(_NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def print_report(title: str, sections: Iterable[Section], cautions: Sequence[str], width: int) -> None:
    """Everything, on stdout."""
    print(heading(_cut(printable(title), width)))
    for section in sections:
        print(heading(_cut(printable(section.title), width)))
        label_width = min(_LABEL, width // 2, max((len(printable(line.label)) for line in section.lines), default=0))
        beside = max((len(printable(line.value)) for line in section.lines if line.share is not None), default=0)
        room = min(_WIDEST_BAR, width - label_width - beside - 8)
        for line in section.lines:
            print(_shown(line, label_width, beside, room, width))
    for caution in cautions:
        print(textwrap.fill(f"note: {printable(caution)}", width, subsequent_indent="  "))


def _shown(line: Line, label_width: int, beside: int, room: int, width: int) -> str:
    text = f"  {_cut(printable(line.label), label_width).ljust(label_width)}  {printable(line.value)}"
    if line.share is not None and room >= _LEAST_BAR:
        return f"{text.ljust(label_width + 4 + beside)}  {bar(line.share, room)}"
    if len(text) > width:
        text = textwrap.fill(text.strip(), width, initial_indent="  ", subsequent_indent="    ")
    return text.rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
