"""The command line. Data goes to stdout, notes to stderr; exit codes: 0 fine, 1 findings, 2 usage."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence

from rewardkit.cli import (
    campaigns,
    check,
    codes,
    conformance,
    deliver,
    demo,
    due,
    endpoints,
    explain,
    fmt,
    load,
    migrate,
    replay,
    report,
)
from rewardkit.cli.printing import FINDINGS, FINE, USAGE, complain
from rewardkit.errors import RewardKitError, ValidationError

INTERRUPTED = 130
"""As shells say it of a program that was ended by Ctrl-C."""

_COMMANDS = (
    demo,
    check,
    explain,
    fmt,
    conformance,
    load,
    migrate,
    replay,
    due,
    deliver,
    endpoints,
    campaigns,
    report,
    codes,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code.

    Args:
        argv: the words after the program's name; default is what this process was started with.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        parser = _parser()
        arguments = parser.parse_args(argv)
        if arguments.run is None:
            parser.print_help(sys.stderr)
            return USAGE
        code = _run(arguments)
    except SystemExit as stop:  # argparse has said why
        return stop.code if isinstance(stop.code, int) else USAGE
    except BrokenPipeError:
        _close_stdout()
        return FINE
    except KeyboardInterrupt:
        return INTERRUPTED
    except ValidationError as error:
        complain(str(error))
        return USAGE
    except RewardKitError as error:
        complain(str(error))
        return FINDINGS
    return code


def _run(arguments: argparse.Namespace) -> int:
    """The command's own exit code stands, even where nobody reads the end of what it printed."""
    code: int = arguments.run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _close_stdout()
    return code


def _close_stdout() -> None:
    """Whoever read our output has gone: what is still buffered goes nowhere, without a word."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rewardkit",
        description="Incentives: conditions over what users do, and the rewards that they earn.",
        epilog="Exit codes: 0 fine, 1 findings, 2 the command line or a file named on it cannot be meant.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    parser.set_defaults(run=None)
    for command in _COMMANDS:
        command.add_to(commands)
    return parser


class _ShowVersion(argparse.Action):
    """Looks the version up when it is asked for, and not on every start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        try:
            version = metadata.version("rewardkit")
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"rewardkit {version}")
        parser.exit()
