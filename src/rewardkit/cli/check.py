"""`rewardkit check`: what a condition means, and what is wrong with it, or with the campaigns of a file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rewardkit.cli.analysis_report import print_analysis
from rewardkit.cli.condition_source import from_argument
from rewardkit.cli.file_check import SUFFIX, check_file
from rewardkit.cli.options import Commands, add_command, add_store
from rewardkit.cli.printing import FINDINGS, FINE, print_json
from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.analysing.analysis import Analysis
from rewardkit.language.condition import EXAMPLE_START, Condition
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.shell.definition_file import read_conditions


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "check",
        run,
        "check a condition: its canonical text, the events that it listens to, and findings; or a definition file",
        "Exits with 1 where there is an error, a lint that was not acknowledged, or a finding that refuses a launch.",
    )
    parser.add_argument(
        "condition",
        metavar="EXPR",
        help="the condition, in one argument, `-` reads it from stdin; or a definition file, whose name ends in .toml",
    )
    add_store(parser)
    parser.add_argument("--entry", action="store_true", help="judge it as a campaign's entry, whose scope has no start")
    parser.add_argument("--analyse", action="store_true", help="show who would qualify, who could not, and its cost")
    parser.add_argument("--definitions", metavar="FILE", help="a definition file whose [conditions] it may name")
    parser.add_argument(
        "--acknowledge", metavar="CODE", action="append", default=[], help="a lint that is meant so; may be repeated"
    )


def run(arguments: argparse.Namespace) -> int:
    """Check and print."""
    if arguments.condition.endswith(SUFFIX):
        return check_file(arguments)
    text = from_argument(arguments.condition)
    definitions = None if arguments.definitions is None else read_conditions(arguments.definitions)
    condition: Condition | None = None
    try:
        condition = Condition.parse(text, definitions=definitions)
        found = condition.check(scope="open" if arguments.entry else "start")
    except ConditionSyntaxError as error:
        found = error.diagnostics
    analysis = None
    if arguments.analyse and condition is not None and not any(one.severity == "error" for one in found):
        analysis = condition.analyse(start=None if arguments.entry else EXAMPLE_START)
    open_findings = [one for one in found if one.severity == "error" or one.code not in arguments.acknowledge]
    if arguments.json:
        _print_json(condition, found, analysis)
    else:
        _print_text(condition, text, found)
        if analysis is not None:
            print_analysis(analysis)
    return FINDINGS if open_findings else FINE


def _print_text(condition: Condition | None, text: str, found: Sequence[Diagnostic]) -> None:
    if condition is not None:
        print(condition)
        print(f"events: {', '.join(sorted(condition.event_names))}")
    for diagnostic in found:
        print(diagnostic.show(text))


def _print_json(condition: Condition | None, found: Sequence[Diagnostic], analysis: Analysis | None) -> None:
    record: dict[str, Any] = {
        "condition": None if condition is None else str(condition),
        "events": [] if condition is None else sorted(condition.event_names),
        "diagnostics": found,
    }
    print_json(record if analysis is None else record | {"analysis": analysis.to_json()})
