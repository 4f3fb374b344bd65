"""Conditions by themselves: parsed, judged and explained, with no store.

Run it: `python examples/conditions.py`.
"""

from __future__ import annotations

import rewardkit as rk

ACTIVATED = rk.Condition.parse('"User Signed Up" then "User Activated" within 7d')

EVENTS = [
    rk.Event("User Signed Up", "2026-03-02T09:00:00Z", "e1"),
    rk.Event("User Activated", "2026-03-05T18:30:00Z", "e2"),
]


def main() -> None:
    """The same condition on Wednesday, on Friday, and where the activation came too late."""
    start = "2026-03-01T00:00:00Z"
    for now in ("2026-03-04T00:00:00Z", "2026-03-06T00:00:00Z"):
        verdict = ACTIVATED.judge(EVENTS, start=start, now=now)
        explained = ACTIVATED.explain(EVENTS, start=start, now=now)
        print(f"{now}: {verdict.status}: {'; '.join(explained.sentences)}")
    try:
        rk.Condition.parse("signup then no refund")
    except rk.ConditionSyntaxError as error:
        print(error)


if __name__ == "__main__":
    main()
