"""An analysis, for people."""

from __future__ import annotations

from rewardkit.cli.printing import heading
from rewardkit.language.analysing.analysis import Analysis
from rewardkit.language.analysing.relation import Answer
from rewardkit.language.analysing.witness import History
from rewardkit.language.diagnostic import printable
from rewardkit.language.syntax.literal import write_span
from rewardkit.language.tree import Elapsed

MOST_LINES = 12
"""Events of a history that are shown."""


def print_analysis(found: Analysis) -> None:
    """A few lines: who qualifies, who is out, what does nothing, and what it costs."""
    _answer("can be satisfied", found.satisfiable)
    _history(found.satisfying)
    _answer("can become impossible", found.refutable)
    _history(found.refuting)
    _answer("holds whatever happens", found.certain)
    print(
        f"impossible is said {'as soon as it is so' if found.exact else 'by a local rule, perhaps later than it is so'}"
    )
    for branch in found.dead:
        print(f"does nothing: {printable(branch.text)} ({branch.kind})")
    for unknown in found.unknown_events:
        meant = "" if unknown.suggestion is None else f", did you mean {printable(unknown.suggestion)}?"
        print(f"unknown event: {printable(unknown.name)}{meant}")
    for window in found.long_windows:
        print(f"longer than the scope: {window.text}")
    _cost(found)


def _answer(question: str, answer: Answer) -> None:
    print(f"{heading(question)}: {answer}")


def _history(history: History | None) -> None:
    if history is None:
        return
    lines = str(history).splitlines()
    for line in lines[:MOST_LINES]:
        print(f"  {printable(line)}")
    if len(lines) > MOST_LINES:
        print(f"  … and {len(lines) - MOST_LINES} more")


def _cost(found: Analysis) -> None:
    extent = found.extent
    kept = extent.retention_microseconds
    back = "the whole scope" if kept is None else write_span(Elapsed(kept))
    threads = "as many as there are events in its windows" if extent.threads is None else str(extent.threads)
    size = "" if extent.state_bytes is None else f", at most {extent.state_bytes} bytes a user"
    print(f"timers: {extent.timers}, threads: {threads}, looks back: {back}{size}")
