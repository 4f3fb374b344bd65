"""`rewardkit check FILE`: what there is to know of the campaigns of a definition file before it is loaded."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Final

from rewardkit.cli.options import STORE_VARIABLE, open_kit
from rewardkit.cli.printing import FINDINGS, FINE, note, print_json
from rewardkit.core.entrance.definition_checks import CampaignChecked
from rewardkit.core.pools.commands import CreatePool
from rewardkit.errors import ValidationError
from rewardkit.kit import RewardKit
from rewardkit.shell import definition_file

SUFFIX: Final = ".toml"
"""Of what is a file, and no condition."""


def check_file(arguments: argparse.Namespace) -> int:
    """Check and print; where no store is named, by the file alone."""
    for option in ("entry", "analyse", "definitions"):
        if getattr(arguments, option):
            raise ValidationError(f"--{option} is of a condition, and `{arguments.condition}` is a file")
    if arguments.store or os.environ.get(STORE_VARIABLE):
        with open_kit(arguments) as kit:
            found = definition_file.check(kit, arguments.condition, history=True)
    else:
        with RewardKit(":memory:") as kit:
            # What the file speaks of and does not define, a store would have.
            for pool in definition_file.pools_of(arguments.condition):
                kit.run(CreatePool(pool))
            found = definition_file.check(kit, arguments.condition, history=False)
    open_findings = _printed(found, arguments.acknowledge, as_json=arguments.json)
    if not any(one.findings for one in found):
        note("nothing to tell of its campaigns" if found else "it has no campaigns")
    return FINDINGS if open_findings else FINE


def _printed(found: Sequence[CampaignChecked], acknowledged: Sequence[str], *, as_json: bool) -> int:
    """How many findings would refuse a launch."""
    blocking = 0
    for checked in found:
        for finding in checked.findings:
            blocks = finding.code in checked.blocking and finding.code not in acknowledged
            blocking += blocks
            if as_json:
                print_json(
                    {
                        "campaign": checked.campaign,
                        "code": finding.code,
                        "message": finding.message,
                        "facts": finding.facts,
                        "blocks": blocks,
                    }
                )
            else:
                must = ": acknowledge it if it is meant" if blocks else ""
                print(f"campaign {checked.campaign}: {finding.message} ({finding.code}){must}")
    return blocking
