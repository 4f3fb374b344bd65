"""Every block of Python in the documents runs as it stands, after the blocks above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.db import connections

from rewardkit import RewardKit

ROOT = Path(__file__).parents[2]
PRINTED = {
    "README.md": "amanda {'amount': '5.00', 'currency': 'USD'}\n",
    "docs/guides/embedding.md": "amanda gets CD-1\n",
    "docs/guides/looking-ahead.md": (
        "2024-01-02T00:00:00Z signup\n2024-01-03T00:00:00Z purchase (amount: 50)\n"
        "2024-01-04T00:00:00Z purchase (amount: 50)\n"
    ),
    "docs/guides/many-conditions.md": (
        "starter satisfied 2026-01-02T10:00:00+00:00\nquick satisfied 2026-01-02T10:00:00+00:00\n"
    ),
    "docs/guides/over-time.md": "satisfied\n",
    "docs/guides/referrals.md": "sue earned 5.00 as the sender\nrob earned 5.00 as the recipient\n",
    "docs/guides/referral-campaigns.md": (
        "`Purchase Completed` happened at 2026-04-01T12:00:00Z\n"
        "not double-in-may: its condition on the sender does not hold: 1 more `Purchase Completed`\n"
    ),
    "docs/guides/tracking.md": (
        "158 offered, 36 earned\nonce 71 users, 24 held out\ntwice 87 users, 18 held out\n"
        "USD 180.00 of which promised 180.00\nsue completed 1\n"
    ),
    "docs/guides/webhooks.md": "amanda: offer.made\namanda: grant.ready\n: test\nbea: grant.ready\n: test\n",
}


def blocks(document: str) -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def documents() -> list[str]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "grammar").rglob("*.md"))]
    return [name for path in found if blocks(name := path.relative_to(ROOT).as_posix())]


@pytest.fixture
def surroundings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder, and what a host of its own would have: Django's settings, and the address of a PostgreSQL."""
    monkeypatch.chdir(tmp_path)
    if "postgresql" in (ROOT / request.getfixturevalue("document")).read_text(encoding="utf-8"):
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("fresh_postgres")())
    if not settings.configured:
        settings.configure(DATABASES={}, USE_TZ=True, LOGGING_CONFIG=None)
        django.setup()
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "shop.db"}
    connections.settings = connections.configure_settings({"default": database})
    yield
    connections["default"].close()
    del connections["default"]


@pytest.mark.parametrize("document", documents())
@pytest.mark.usefixtures("surroundings")
def test_the_python_of_a_document_runs_word_for_word(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    for block in blocks(document):
        exec(compile(block, document, "exec"), names)
    for kit in [value for value in names.values() if isinstance(value, RewardKit)]:
        kit.close()
    printed = capsys.readouterr().out
    assert PRINTED.get(document, "") == printed
