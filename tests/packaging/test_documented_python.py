"""Every block of Python in the documents runs as it stands, after the blocks above it; definitions load, commands work.

The pages of the series go on where the ones before them ended: those are run first, in the same folder, and all of them
one after another on every store.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.db import connections

import rewardkit as rk
from rewardkit import RewardKit, Store
from rewardkit.cli import main
from rewardkit.storage import open_store

ROOT = Path(__file__).parents[2]
PRINTED = {
    "README.md": "amanda {'amount': '5.00', 'currency': 'USD'}\n",
    "docs/guides/conditions.md": (
        "pending\nsatisfied\nimpossible\n"
        "error[RK112]: `User` and `Activated` stand side by side with no operator\n"
        "  User Activated\n"
        "       ^^^^^^^^^ an operator is expected before this\n"
        "  help: put `&` (both), `|` (either) or `then` (in this order) between them,"
        ' or quote a name of several words: `"User Activated"`\n'
    ),
    "docs/guides/offers.md": "pay 5.00 USD to amanda\n",
    "docs/guides/embedding.md": "amanda gets CD-1\n",
    "docs/guides/looking-ahead.md": (
        "2024-01-02T00:00:00Z signup\n2024-01-03T00:00:00Z purchase (amount: 50)\n"
        "2024-01-04T00:00:00Z purchase (amount: 50)\n"
    ),
    "docs/guides/many-conditions.md": (
        "starter satisfied 2026-01-02T10:00:00+00:00\nquick satisfied 2026-01-02T10:00:00+00:00\n"
    ),
    "docs/guides/over-time.md": "satisfied\n",
    "docs/guides/referrals.md": "rob earned 5.00 as the recipient\namanda earned 5.00 as the sender\n",
    "docs/guides/referral-campaigns.md": (
        "`Purchase Completed` happened at 2026-06-20T12:00:00Z\n"
        "not double-in-july: its condition on the sender does not hold: 1 more `Purchase Completed`\n"
    ),
    "docs/guides/tracking.md": (
        "158 offered, 36 earned\nonce 71 users, 24 held out\ntwice 87 users, 18 held out\n"
        "USD 180.00 of which promised 180.00\nsue completed 1\n"
    ),
    "docs/guides/webhooks.md": "amanda: offer.made\namanda: grant.ready\n: test\nbea: grant.ready\n: test\n",
}


def blocks(document: str, language: str = "python") -> list[str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def series() -> list[str]:
    """Its pages, in the order in which the index has them."""
    section = (
        (ROOT / "docs" / "index.md").read_text(encoding="utf-8").partition("## The series")[2].partition("\n## ")[0]
    )
    return [f"docs/{page}" for page in re.findall(r"^\d+\. \[[^]]+\]\(([^)]+)\)", section, re.MULTILINE)]


def documents(language: str = "python", below: str = "") -> list[str]:
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "grammar").rglob("*.md"))]
    names = [path.relative_to(ROOT).as_posix() for path in found]
    return [name for name in names if name.startswith(below) and blocks(name, language)]


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


def run(document: str, change: Callable[[str], str] = str, **given: Any) -> None:
    """All blocks of a document in one program, as they are or changed; `given` names are known from the start."""
    names: dict[str, Any] = dict(given)
    for block in blocks(document):
        exec(compile(change(block), document, "exec"), names)
    for kit in [value for value in names.values() if isinstance(value, RewardKit)]:
        kit.close()


@pytest.mark.parametrize("document", documents())
@pytest.mark.usefixtures("surroundings")
def test_the_python_of_a_document_runs_word_for_word(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    for before in series()[: series().index(document)] if document in series() else []:
        run(before)
    capsys.readouterr()
    run(document)
    assert PRINTED.get(document, "") == capsys.readouterr().out


@pytest.mark.parametrize("document", documents("sh", "docs/guides/"))
@pytest.mark.usefixtures("surroundings")
def test_the_commands_of_a_guide_work_after_its_python(document: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(document)
    commands = [line for block in blocks(document, "sh") for line in block.splitlines()]
    assert [f"{line}: 0" for line in commands] == [f"{line}: {main(shlex.split(line)[1:])}" for line in commands]
    assert capsys.readouterr().out != ""


@pytest.mark.parametrize("document", documents("toml"))
def test_the_definitions_of_a_document_can_be_loaded(document: str, tmp_path: Path) -> None:
    """In a store that has what is defined above them, and nothing of their own."""
    kit = RewardKit()
    for reward in ("five-dollars", "ten-dollars"):
        kit.run(rk.DefineReward(reward, {"amount": "5.00"}))
    for offer, reward in (("five-back", "five-dollars"), ("ten-back", "ten-dollars")):
        kit.run(rk.DefineOffer(offer, reward, "A"))
    for text in blocks(document, "toml"):
        for program in ("friends", "friends-double"):
            if f"[referral-programs.{program}]" not in text:
                kit.run(rk.DefineReferralProgram(program, "five-dollars", "five-dollars", "A"))
        (tmp_path / "definitions.toml").write_text(text, encoding="utf-8")
        assert all(one.new for one in kit.load(tmp_path / "definitions.toml") if isinstance(one, rk.Defined))


def test_the_series_goes_from_events_to_referral_campaigns_and_each_page_leads_to_the_next() -> None:
    pages = series()
    names = ["events", "rewards", "conditions", "offers", "offer-campaigns", "referrals", "referral-campaigns"]
    assert [f"docs/guides/{name}.md" for name in names] == pages
    assert set(pages) < set(documents())
    for number, page in enumerate(pages, 1):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. ")
        following = re.findall(r"^Next: \[\d+\. [^]]+\]\(([^)]+)\)", text, re.MULTILINE)
        assert [Path(name).name for name in pages[number : number + 1]] == following


def conditions_listed() -> list[str]:
    text = (ROOT / "docs/guides/conditions.md").read_text(encoding="utf-8")
    return re.findall(r"^- `(.+?)`: ", text, re.MULTILINE)


def test_the_conditions_that_the_series_lists_are_judged_as_it_says() -> None:
    expected = {
        "A": ("pending", "satisfied", "pending", "satisfied", "pending", "pending"),
        "B": ("pending", "satisfied", "pending", "pending", "pending", "pending"),
        "AB": ("satisfied", "satisfied", "pending", "satisfied", "pending", "pending"),
        "bbb": ("pending", "satisfied", "satisfied", "satisfied", "satisfied", "pending"),
        "CA": ("pending", "satisfied", "pending", "impossible", "pending", "pending"),
        "SA": ("pending", "satisfied", "pending", "satisfied", "pending", "satisfied"),
    }
    names = {"A": "User Activated", "B": "Purchase Completed", "C": "Account Closed", "S": "User Signed Up"}
    found = {}
    for history in expected:
        events = [
            rk.Event(
                names[letter.upper()],
                id=str(number),
                at=f"2026-04-0{number}T12:00:00Z",
                properties={"total": 20 if letter == "b" else 19},
            )
            for number, letter in enumerate(history, 1)
        ]
        times = {"start": "2026-04-01T00:00:00Z", "now": "2026-04-05T00:00:00Z"}
        verdicts = [rk.Condition.parse(text).judge(events, **times) for text in conditions_listed()]  # type: ignore[arg-type]
        found[history] = tuple(verdict.status for verdict in verdicts)
    assert expected == found


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    texts = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = open_store(texts.get(request.param) or request.getfixturevalue("postgres_dsn"))
    store.migrate()
    yield store
    store.close()


def test_the_series_tells_one_story_on_every_store(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    for page in series():
        run(page, lambda block: block.replace('"sqlite:///rewards.db"', "STORE"), STORE=store)
        assert PRINTED.get(page, "") == capsys.readouterr().out
