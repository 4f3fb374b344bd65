"""`rewardkit migrate`: the store's tables, brought up to this version."""

from __future__ import annotations

import argparse

from rewardkit.cli.options import Commands, add_command, add_store, open_kit
from rewardkit.cli.printing import FINE, note, print_json


def add_to(commands: Commands) -> None:
    """Declare the command."""
    add_store(add_command(commands, "migrate", run, "bring the store's tables up to this version"))


def run(arguments: argparse.Namespace) -> int:
    """Migrate, and print the names of the migrations that were applied."""
    with open_kit(arguments) as kit:
        applied = kit.migrate()
    for name in applied:
        if arguments.json:
            print_json({"applied": name})
        else:
            print(name)
    note(f"{len(applied)} applied" if applied else "the tables are up to date")
    return FINE
