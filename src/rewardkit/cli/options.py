"""Options that several commands have."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import TypeAlias

from rewardkit.errors import ValidationError
from rewardkit.kit import RewardKit
from rewardkit.language.event import Instant, instant
from rewardkit.ports import Clock, Notifier
from rewardkit.shell.clock import system_clock

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse names it no other way
Run: TypeAlias = Callable[[argparse.Namespace], int]

STORE_VARIABLE = "REWARDKIT_STORE"


def add_command(commands: Commands, name: str, run: Run, about: str, more: str = "") -> argparse.ArgumentParser:
    """A command, which writes JSON lines when it is asked to."""
    parser = commands.add_parser(
        name, help=about, description=f"{about[:1].upper()}{about[1:]}. {more}".strip(), allow_abbrev=False
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.set_defaults(run=run)
    return parser


def add_store(parser: argparse.ArgumentParser) -> None:
    """Where a command works."""
    parser.add_argument(
        "--store",
        metavar="STORE",
        help=f"sqlite:///rewards.db, postgresql://user@host/database or :memory:; default is ${STORE_VARIABLE}",
    )
    parser.add_argument("--tenant", default="default", help="the company that everything is scoped to")
    parser.add_argument("--prefix", default="rewardkit_", help="in front of every table's name")


def positive(text: str) -> int:
    """A whole number from 1 on, as an option's value."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not `{number}`")
    return number


positive.__name__ = "int"
"""As argparse names it in a message about what is no number."""


def read_instant(text: str, option: str) -> Instant:
    """An instant that was given as an option.

    Raises:
        ValidationError: it is none, in the words of the command line.
    """
    try:
        return instant(text)
    except ValidationError:
        raise ValidationError(
            f"{option} `{text[:64]}` is not an instant with an offset, such as `2026-01-31T12:00:00Z`"
        ) from None


def open_kit(
    arguments: argparse.Namespace,
    *,
    clock: Clock = system_clock,
    notifiers: Iterable[Notifier] = (),
) -> RewardKit:
    """The kit that the options name.

    Raises:
        ValidationError: no store is named, or one that cannot be meant.
    """
    store = arguments.store or os.environ.get(STORE_VARIABLE)
    if not store:
        raise ValidationError(f"no store is named: pass --store sqlite:///rewards.db, or set {STORE_VARIABLE}")
    return RewardKit(store, clock=clock, tenant=arguments.tenant, prefix=arguments.prefix, notifiers=notifiers)
