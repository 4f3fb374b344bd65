"""Every example runs as it stands, and prints what it is there to show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

SHOWN = {
    "checkout.py": (
        "  rolled back",
        "  pay amanda {'amount': Decimal('5.00'), 'currency': 'USD'} because `Purchase Completed` at ",
    ),
    "conditions.py": (
        "2026-03-04T00:00:00Z: pending: ",
        "2026-03-06T00:00:00Z: satisfied: ",
        "  help: write `no refund within 14d`",
    ),
    "fastapi_shop.py": (
        "order-1: 201, earned []",
        "order-2: 201, earned ['store-credit']",
        "order-2: 200, earned []",
        '  told: {"campaign":"second-within-a-month",',
    ),
}


def test_every_example_is_run_here() -> None:
    assert set(SHOWN) == {path.name for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_an_example_shows_what_it_is_there_for(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent / "src")},
    )
    lines = done.stdout.splitlines()
    assert [] == [shown for shown in SHOWN[name] if not any(line.startswith(shown) for line in lines)]
    assert [] == list(tmp_path.iterdir())
