"""Stores that an earlier version filled, brought up to this one: they keep everything, and go on where they were.

A file in `stores` holds the rows of a store as they were at the migration that its name begins with. Those of the first
one were written by this story, told by the kit of its day:
a campaign with a cap and a code; six users entered it, one by an offer made under a key, with an end in thirty days;
`ann` is half through, `bob`, `carl` and `dora` have earned, `bob`'s reward is leased, `dora`'s was paid under a key;
of nine notices two are delivered, one is dead, one has failed once and five wait; another tenant has a definition.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import pytest

import rewardkit as rk
from rewardkit.errors import SchemaError
from rewardkit.storage import open_store
from rewardkit.storage.sql.migrations import MIGRATIONS
from rewardkit.storage.sql.store import SqlStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

FILES = sorted((Path(__file__).parent / "stores").glob("*.json"))
FIRST = next(file for file in FILES if file.name.startswith("0001_"))
USERS = ("ann", "bob", "carl", "dora", "eve", "fred")
Rows = Mapping[str, Mapping[str, Any]]
"""By table: its `columns`, and `rows` in their order."""


def steps(file: Path) -> range:
    """The migrations up to which a file's store may have been brought before this version came."""
    return range(int(file.name[:4]), len(MIGRATIONS) + 1)


@attrs.frozen
class OldStore:
    """A database that a version which knew fewer migrations has made."""

    store: SqlStore[Any]
    patch: pytest.MonkeyPatch

    @property
    def version(self) -> int:
        """How many migrations have been applied."""
        with closing(self.store.connect()) as connection:
            return self.store.version(connection)

    def known(self, number: int) -> None:
        """Make this version know so many migrations and no more."""
        for module in ("store", "driver"):
            self.patch.setattr(f"rewardkit.storage.sql.{module}.MIGRATIONS", MIGRATIONS[:number])

    def fill(self, rows: Rows) -> None:
        """Insert rows as they were."""
        store = self.store
        with closing(store.connect()) as connection:
            store.begin(connection)
            for name, table in rows.items():
                marks = ", ".join([store.dialect.parameter] * len(table["columns"]))
                text = f'INSERT INTO "rewardkit_{name}" ({listed(table)}) VALUES ({marks})'
                for row in table["rows"]:
                    store.execute(connection, text, row)
            store.commit(connection)

    def kept(self, rows: Rows) -> Rows:
        """The same columns, as they are now, and all rows that there are."""
        store = self.store
        found = {}
        with closing(store.connect()) as connection:
            for name, table in rows.items():
                now = store.execute(connection, f'SELECT {listed(table)} FROM "rewardkit_{name}"')
                found[name] = {"columns": table["columns"], "rows": sorted(map(list, now), key=table["rows"].index)}
        return found


def listed(table: Mapping[str, Any]) -> str:
    return ", ".join(f'"{column}"' for column in table["columns"])


def read(file: Path) -> Rows:
    rows: Rows = json.loads(
        file.read_text("utf-8"), object_hook=lambda found: bytes.fromhex(found["hex"]) if "hex" in found else found
    )
    return rows


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OldStore]:
    if request.param == "SQLite":
        text = f"sqlite:///{tmp_path / 'old.db'}"
    else:
        text = request.getfixturevalue("fresh_postgres")()
    with opened(text) as old:
        yield old


@contextmanager
def opened(text: str) -> Iterator[OldStore]:
    """An empty database."""
    store = open_store(text)
    assert isinstance(store, SqlStore)
    with closing(store), pytest.MonkeyPatch.context() as patch:
        yield OldStore(store, patch)


def make(old: OldStore, file: Path, through: int) -> Rows:
    """Bring a database to a file's migration, fill it, and bring it to a later one; then all migrations are known."""
    rows = read(file)
    old.known(steps(file)[0])
    old.store.migrate()
    old.fill(rows)
    old.known(through)
    old.store.migrate()
    old.known(len(MIGRATIONS))
    return rows


@pytest.mark.parametrize("file, through", [(file, through) for file in FILES for through in steps(file)])
def test_an_older_store_keeps_everything_and_breaks_no_promise(old: OldStore, file: Path, through: int) -> None:
    rows = make(old, file, through)
    assert old.store.migrate() == tuple(migration.name for migration in MIGRATIONS[through:])
    assert old.kept(rows) == rows
    assert old.store.migrate() == ()
    for tenant in {row[0] for row in rows["tenant"]["rows"]}:
        users = sorted({row[1] for row in rows["member"]["rows"] if row[0] == tenant})
        assert violations(snapshot_of(old.store, tenant, users)) == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_migration_that_stops_at_any_statement_leaves_the_store_as_it_was(old: OldStore, file: Path) -> None:
    rows = make(old, file, steps(file)[0])
    stops = 0
    for number in steps(file)[1:]:
        old.known(number)
        for place in itertools.count():
            with pytest.MonkeyPatch.context() as patch, suppress(StoppedError):
                patch.setattr(old.store, "execute", stopping(old.store.execute, place))
                old.store.migrate()
            assert old.kept(rows) == rows
            if old.version == number:
                break
            assert old.version == number - 1
            stops += 1
    old.known(len(MIGRATIONS))
    assert old.store.migrate() == ()
    assert old.kept(rows) == rows
    # Before and after it each step says what it is, and has at least one statement.
    assert stops >= 3 * (len(MIGRATIONS) - steps(file)[0])


class StoppedError(Exception):
    """The process ended, as far as the database is concerned."""


def stopping(execute: Callable[..., list[Any]], place: int) -> Callable[..., list[Any]]:
    """Execute so many statements, and then no more."""
    left = itertools.count(place, -1)

    def stop(connection: Any, text: str, values: Any = ()) -> list[Any]:
        if next(left) <= 0:
            raise StoppedError
        return execute(connection, text, values)

    return stop


def test_a_postgresql_store_that_is_older_is_not_used_before_it_is_migrated(
    fresh_postgres: Callable[[], str],
) -> None:
    with opened(fresh_postgres()) as old:
        make(old, FIRST, 1)
        with pytest.raises(SchemaError, match="rewardkit migrate"):
            rk.RewardKit(old.store, tenant="acme").ready()


@pytest.mark.parametrize("through", steps(FIRST))
def test_the_first_stores_story_goes_on(old: OldStore, through: int) -> None:
    make(old, FIRST, through)
    old.store.migrate()
    clock = FakeClock("2026-01-02T00:00:00Z")
    told: list[rk.Notice] = []

    def tell(one: rk.Notice) -> None:
        told.append(one)

    kit = rk.RewardKit(old.store, tenant="acme", clock=clock, notifiers=[tell])
    repeated(kit)
    earned(kit, clock)
    delivered(kit, told)
    expired(kit, clock)
    assert violations(snapshot_of(old.store, "acme", USERS)) == ()
    assert violations(snapshot_of(old.store, "other", ())) == ()
    kit.close()


def repeated(kit: rk.RewardKit) -> None:
    """What was done under a key or an event's id is not done again."""
    offer = kit.run(rk.MakeOffer("spring", "fred"), key="fred's offer")
    assert (offer.user, offer.status) == ("fred", "active")
    with pytest.raises(rk.Conflict):
        kit.run(rk.MakeOffer("spring", "gus"), key="fred's offer")
    assert kit.emit("User Activated", user="ann", id="ann 1", properties={"price": 9.99}).duplicate == ("ann 1",)
    with pytest.raises(rk.Conflict):
        kit.emit("User Activated", user="ann", id="ann 1")
    paid = kit.run(rk.FulfilGrant("gr_0ddb31ca57b5a1b2801f77af"), key="dora is paid")
    assert (paid.user, paid.status) == ("dora", "fulfilled")


def earned(kit: rk.RewardKit, clock: FakeClock) -> None:
    """Who was half through needs the other half, and rewards are claimed once."""
    (found,) = kit.emit("User Activated", user="ann", id="ann 2", at=clock.now).earned
    assert [one.user for one in kit.ready()] == ["bob", "carl", "ann"]
    claimed = kit.claim()
    assert [(one.user, one.lease) for one in claimed] == [("bob", 2), ("carl", 1), ("ann", 1)]
    assert kit.claim() == ()
    assert kit.explain(found.grant).grant.user == "ann"
    assert [kit.run(rk.FulfilGrant(one.id)).status for one in claimed] == ["fulfilled"] * 3
    assert claimed[0].reward.properties == {"amount": "5.00", "note": "für Zoë"}


def delivered(kit: rk.RewardKit, told: list[rk.Notice]) -> None:
    """What waited is told, what is dead when somebody asks for it, under the ids and with the bodies that they had."""
    table = read(FIRST)["notice"]
    before = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    bodies = {row["id"]: row["body"] for row in before}
    done = {row["id"] for row in before if row["status"] == "delivered"}
    assert kit.run(rk.ReplayDeadLetters()) == 1
    kit.deliver(limit=1_000)
    assert {one.id: one.body for one in told if one.id in bodies} == {
        id: body for id, body in bodies.items() if id not in done
    }
    assert not kit.ask(rk.Notices(status="pending")).items


def expired(kit: rk.RewardKit, clock: FakeClock) -> None:
    """Timers that were set before still end what they were set for, and what it had taken of the cap is free again."""
    clock.set("2026-02-01T00:00:00Z")
    offers = {offer.id: offer.user for offer in kit.ask(rk.UserOffers()).items}
    assert sorted(offers[one.user_offer] for one in kit.run_due().expired) == ["eve", "fred"]
    made = [kit.attempt(rk.MakeOffer("spring", f"new {number}")) for number in range(7)]
    assert [isinstance(one, rk.Refused) for one in made] == [False] * 6 + [True]
