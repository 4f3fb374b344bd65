"""`import rewardkit` is quick: it loads no extra, and lark only when there is something to parse."""

from __future__ import annotations

import subprocess
import sys

EXTRAS = [
    "apprise",
    "asyncio",
    "django",
    "hypothesis",
    "opentelemetry",
    "psycopg",
    "pygments",
    "pytest",
    "rich",
    "sqlalchemy",
]


def loaded_after(statements: str, modules: list[str]) -> list[str]:
    """Those of `modules` that a new interpreter holds after `statements`."""
    program = f"import sys\n{statements}\nprint(*[name for name in {modules!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return run.stdout.split()


def test_the_import_loads_neither_lark_nor_an_extra() -> None:
    assert [] == loaded_after("import rewardkit", ["lark", *EXTRAS])


def test_lark_is_loaded_by_the_first_parse() -> None:
    naming = "from rewardkit.language.condition import Condition"
    assert [] == loaded_after(naming, ["lark", *EXTRAS])
    assert ["lark"] == loaded_after(f"{naming}\nCondition.parse('A')", ["lark", *EXTRAS])


def test_a_receiver_of_webhooks_loads_nothing_but_the_standard_library() -> None:
    assert [] == loaded_after("import rewardkit.webhooks", ["attrs", "attr", "lark", "dateutil", *EXTRAS])


def test_a_kit_that_nobody_observes_loads_no_tracer() -> None:
    used = "import rewardkit as rk\nkit = rk.RewardKit(notifiers=[len])\nkit.emit('A', user='amanda')\nkit.deliver()"
    assert [] == loaded_after(used, ["opentelemetry"])
    observed = "import rewardkit as rk\nrk.RewardKit(observer=rk.OpenTelemetryObserver())"
    assert ["opentelemetry"] == loaded_after(observed, ["opentelemetry"])
