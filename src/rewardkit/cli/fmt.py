"""`rewardkit fmt`: conditions in their canonical text."""

from __future__ import annotations

import argparse
from typing import NamedTuple

from rewardkit.cli.condition_source import from_argument, from_file
from rewardkit.cli.options import Commands, add_command
from rewardkit.cli.printing import FINDINGS, FINE, note, print_json
from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.condition import Condition
from rewardkit.language.diagnostic import Diagnostic


class _Formatted(NamedTuple):
    source: str
    """What people call it: its place on the command line, or its file."""
    text: str
    condition: str | None
    """The canonical text; None where it is no condition."""
    diagnostics: tuple[Diagnostic, ...]

    @property
    def canonical(self) -> bool:
        return self.text == self.condition


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "fmt",
        run,
        "print conditions in their canonical text, one a line; without any, the one on stdin",
        "Comments are left out. Exits with 1 where a text is no condition.",
    )
    parser.add_argument("conditions", metavar="EXPR", nargs="*", help="a condition; `-` reads one from stdin")
    parser.add_argument(
        "--file", metavar="FILE", action="append", default=[], help="a file that holds one condition; may be repeated"
    )
    parser.add_argument(
        "--check", action="store_true", help="print those alone that are not canonical, and exit with 1 where any is"
    )


def run(arguments: argparse.Namespace) -> int:
    """Read all, then print."""
    conditions: list[str] = arguments.conditions or ([] if arguments.file else ["-"])
    texts = [(_place(text, number), from_argument(text)) for number, text in enumerate(conditions, 1)]
    texts += [(name, from_file(name)) for name in arguments.file]
    found = [_formatted(source, text) for source, text in texts]
    for one in found:
        _print(one, arguments)
    wrong = [one for one in found if one.condition is None or (arguments.check and not one.canonical)]
    if arguments.check:
        note(f"{len(found)} conditions, {len(wrong)} not canonical")
    return FINDINGS if wrong else FINE


def _place(text: str, number: int) -> str:
    return "stdin" if text == "-" else f"condition {number}"


def _formatted(source: str, text: str) -> _Formatted:
    try:
        return _Formatted(source, text, str(Condition.parse(text)), ())
    except ConditionSyntaxError as error:
        return _Formatted(source, text, None, error.diagnostics)


def _print(one: _Formatted, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print_json(
            {
                "source": one.source,
                "condition": one.condition,
                "canonical": one.canonical,
                "diagnostics": one.diagnostics,
            }
        )
    elif one.condition is None:
        note("\n".join(f"{one.source}: {diagnostic.show(one.text)}" for diagnostic in one.diagnostics))
    elif not (arguments.check and one.canonical):
        print(f"{one.source}: {one.condition}" if arguments.check else one.condition)
