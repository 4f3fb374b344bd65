"""What reading a condition and importing the package cost; `python tests/benchmarks/parsing.py` prints the tables.

The peer is rule-engine, which reads a rule over counters that somebody else keeps; it has no history and no time, so
that its rule says at most what ours says. Both read texts that they have not seen before, in turns, in one process.
Times are those of the thread, best of several rounds, so that other work on the machine counts little.
"""

from __future__ import annotations

import itertools
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

from rewardkit.language.condition import Condition

PAIRS = (
    ("(A*2 | B) & !C", "(a >= 2 or b >= 1) and not (c >= 1)"),
    (
        '"User Signed Up" then "User Activated" within 7d',
        "signed_up_at != null and activated_at != null and activated_at - signed_up_at < 7",
    ),
    (
        'signup then purchase[amount > 50 and country in ("FR", "DE")]*2 within 7d then no refund within 14d',
        'amount > 50 and country in ["FR", "DE"] and purchases >= 2 and since_signup < 7 and since_purchase >= 14',
    ),
    ("sum(purchase:amount) - sum(refund:amount) >= 100 in any 30d", "purchased_30d - refunded_30d >= 100"),
    ("count(login) == 2 over 30d", "logins == 2 and days >= 30"),
    ("2 of (A, B, C*3)", "(a >= 1 and b >= 1) or (a >= 1 and c >= 3) or (b >= 1 and c >= 3)"),
    ("streak(login*2, 4 calendar weeks, skip 1)", "weeks >= 4 and skipped <= 1"),
    ("(purchase then no refund within 14d) by order_id", "purchases >= 1 and refunds == 0 and days >= 14"),
    ("satisfied(onboarding) then purchase within 7d", "onboarded and purchases >= 1 and days < 7"),
)
"""The examples of the language, each with a rule over ready-made counters."""

_FRESH = itertools.count()


def fresh(text: str, count: int) -> list[str]:
    """The same text so often that no memory knows it: a comment differs."""
    return [f"{text} # {next(_FRESH)}" for _ in range(count)]


def seconds(read: Callable[[str], object], texts: Sequence[str]) -> float:
    """Of the thread, for one text."""
    begin = time.thread_time()
    for text in texts:
        read(text)
    return (time.thread_time() - begin) / len(texts)


def against_peer(rounds: int = 20) -> list[tuple[str, float, float]]:
    """For each pair the condition, and the least seconds that it and its rule took."""
    from rule_engine import Rule

    Condition.parse("A")
    least = [[float("inf"), float("inf")] for _ in PAIRS]
    for _ in range(rounds):
        for best, (condition, rule) in zip(least, PAIRS, strict=True):
            best[0] = min(best[0], seconds(Condition.parse, fresh(condition, 20)))
            best[1] = min(best[1], seconds(Rule, [rule] * 10))
    return [(condition, ours, theirs) for (ours, theirs), (condition, _) in zip(least, PAIRS, strict=True)]


def remembered(rounds: int = 20) -> float:
    """The least seconds that a text takes that has been read before."""
    text = PAIRS[2][0]
    Condition.parse(text)
    return min(seconds(Condition.parse, [text] * 10_000) for _ in range(rounds))


def starting(statement: str, rounds: int = 15) -> float:
    """The least seconds in which a new interpreter runs a statement and ends."""

    def once() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        return time.perf_counter() - begin

    return min(once() for _ in range(rounds))


def main() -> None:
    """Print what docs/benchmarks.md shows."""
    measured = against_peer()
    print(f"Python {platform.python_version()}, rule-engine {version('rule-engine')}, lark {version('lark')}\n")
    print("| condition | rewardkit, µs | rule-engine, µs | ratio |\n|---|---:|---:|---:|")
    for condition, ours, theirs in measured:
        shown = condition.replace("|", "\\|")
        print(f"| `{shown}` | {ours * 1e6:.0f} | {theirs * 1e6:.0f} | {ours / theirs:.2f} |")
    ours, theirs = sum(row[1] for row in measured), sum(row[2] for row in measured)
    number = len(measured)
    print(f"| mean | {ours / number * 1e6:.0f} | {theirs / number * 1e6:.0f} | {ours / theirs:.2f} |")
    print(f"\nread again from memory: {remembered() * 1e6:.2f} µs")
    bare, imported = starting("pass"), starting("import rewardkit")
    # Lark compares all terminals of a grammar wherever `interegular` is installed, as it is for our tests alone.
    without = "import sys; sys.modules['interegular'] = None"
    parsed = starting(f"{without}; from rewardkit.language.condition import Condition; Condition.parse('A')")
    print(f"bare Python {bare * 1e3:.0f} ms, import rewardkit {(imported - bare) * 1e3:.0f} ms more, ", end="")
    print(f"a first condition {(parsed - bare) * 1e3:.0f} ms more")


if __name__ == "__main__":
    main()
