"""`rewardkit conformance`: vectors of the condition language, run through every engine."""

from __future__ import annotations

import argparse
from pathlib import Path

from rewardkit.cli.options import Commands, add_command
from rewardkit.cli.printing import FINDINGS, FINE, note, print_json
from rewardkit.errors import ValidationError
from rewardkit.language.conformance.run import Difference, run_case
from rewardkit.language.conformance.vectors import MOST_BYTES, Case, read_vectors


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "conformance",
        run,
        "run vectors of the condition language through every engine, and print what differs",
        "Exits with 1 where anything differs.",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="vectors as JSON, ours or your own")


def run(arguments: argparse.Namespace) -> int:
    """Read all files first, then run them, and print the differences."""
    read = [(name, _cases(name)) for name in arguments.files]
    found = 0
    for name, cases in read:
        for case in cases:
            for difference in run_case(case):
                found += 1
                _print(name, difference, as_json=arguments.json)
    count = sum(len(cases) for _, cases in read)
    note(f"{count} cases, {found} differences")
    return FINDINGS if found else FINE


def _cases(name: str) -> tuple[Case, ...]:
    """The cases of a file.

    Raises:
        ValidationError: it cannot be read, or holds no vectors.
    """
    try:
        with Path(name).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        return read_vectors(content)
    except OSError as error:
        raise ValidationError(f"`{name}` cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValidationError as error:
        raise ValidationError(f"{name}: {error}") from None


def _print(name: str, difference: Difference, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "file": name,
                "case": difference.case,
                "kind": difference.kind,
                "engine": difference.engine,
                "step": difference.step,
                "expected": difference.expected,
                "actual": difference.actual,
            }
        )
        return
    step = "" if difference.step is None else f" step {difference.step}"
    engine = f" ({difference.engine})" if difference.engine else ""
    print(f"{name}: {difference.case}{step}{engine}: {difference.kind}")
    print(f"  expected {difference.expected}")
    print(f"  actual   {difference.actual}")
