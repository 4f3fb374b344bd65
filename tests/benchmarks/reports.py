"""What a report of a campaign costs by its grants: `python tests/benchmarks/reports.py > table.md`.

One user earns by the kit, and her rows are copied for all others. PostgreSQL is a server of its own, as in `emit`.
`REWARDKIT_SCALE` multiplies the largest campaign, a million grants.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

import psycopg
from emit import postgres
from pool_issuing import blocks

import rewardkit as rk
from rewardkit.storage.tables import GRANT, USER_OFFER, Table

LARGEST = int(1_000_000 * float(os.environ.get("REWARDKIT_SCALE", "1")))
CAMPAIGN = "spring"


def prepare(kit: rk.RewardKit) -> None:
    """A campaign of two variants, and somebody who has earned."""
    kit.migrate()
    kit.run(rk.DefineReward("five", {"amount": "5.00", "currency": "EUR"}))
    kit.run(rk.DefineReward("nine", {"amount": "9.00", "currency": "EUR"}))
    kit.run(rk.DefineOffer("small", "five", "purchase"))
    kit.run(rk.DefineOffer("large", "nine", "purchase"))
    variants = [rk.Variant("small", offer="small", weight=1), rk.Variant("large", offer="large", weight=1)]
    kit.run(rk.DefineCampaign(CAMPAIGN, entry="signup", variants=variants))
    kit.run(rk.LaunchCampaign(CAMPAIGN, acknowledge=["payout_unlimited"]))
    kit.emit("signup", user="user 0")
    kit.emit("purchase", user="user 0")


def copy(server: psycopg.Connection[tuple[object, ...]], table: Table, have: int, want: int) -> None:
    """Have rows of a table for so many users."""
    changed = {"id": "\"id\" || ' ' || n", "user": "'user ' || n", "user_offer": "\"user_offer\" || ' ' || n"}
    changed |= {"ended_at": '"ended_at" + n', "variant": "CASE WHEN n %% 2 = 0 THEN 'small' ELSE 'large' END"}
    names = ", ".join(f'"{column}"' for column in ("tenant", *table.columns))
    values = ", ".join(changed.get(column, f'"{column}"') for column in ("tenant", *table.columns))
    text = f"INSERT INTO rewardkit_{table.name} ({names}) SELECT {values} FROM rewardkit_{table.name} "
    text += ", generate_series(%s::bigint, %s::bigint) AS g(n) WHERE \"user\" = 'user 0'"
    server.execute(text.encode(), (have, want - 1))


def sections() -> Iterator[str]:
    """The table, line by line."""
    yield "| grants | seconds, without an index where that is quicker | seconds, by indexes | pages looked at |"
    yield "|---:|---:|---:|---:|"
    with postgres() as database:
        store = database()
        kit = rk.RewardKit(store)
        prepare(kit)
        have = 1
        for want in (LARGEST // 100, LARGEST // 10, LARGEST):
            with psycopg.connect(store, autocommit=True) as server:
                for table in (USER_OFFER, GRANT):
                    copy(server, table, have, want)
                server.execute("VACUUM ANALYZE")
            have = want
            before = blocks(store)
            own = _seconds(kit)
            with psycopg.connect(store) as host:
                joined = _seconds(kit.on(host))
                host.rollback()
            time.sleep(1)
            looked = (blocks(store) - before) // 2
            yield f"| {want:,} | {joined:.1f} | {own:.1f} | {looked:,} |"
        kit.close()


def _seconds(kit: rk.RewardKit) -> float:
    began = time.perf_counter()
    found = kit.ask(rk.CampaignReport(CAMPAIGN))
    seconds = time.perf_counter() - began
    print(found.total.earned, found.total.users, file=sys.stderr)
    return seconds


if __name__ == "__main__":
    for line in sections():
        print(line, flush=True)
