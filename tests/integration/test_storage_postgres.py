"""What only PostgreSQL can do to a store."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from rewardkit.core.storing import needs
from rewardkit.core.storing.effects import Insert, Replace
from rewardkit.core.storing.rows import UserOfferEnding
from rewardkit.errors import ForkError, SchemaError, StoreError
from rewardkit.storage.sql.migrations import MIGRATIONS
from rewardkit.storage.sql.postgres import PostgresStore
from rewardkit.storage.tables import TABLES
from rewardkit.testing.player import DEADLINE_SECONDS, Player, waits_or_is_refused
from rewardkit.testing.rows import event, grant, member, notice, user_offer
from rewardkit.testing.steps import ask, grants, put


@pytest.fixture
def store(postgres_dsn: str) -> Iterator[PostgresStore]:
    store = PostgresStore(postgres_dsn)
    store.migrate()
    yield store
    store.close()


def cut(dsn: str) -> int:
    """End all other connections to the database; how many there were."""
    with psycopg.connect(dsn, autocommit=True) as killer:
        rows = killer.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchall()
    return len(rows)


def test_tables_that_are_missing_are_said_to_be(fresh_postgres: Callable[[], str]) -> None:
    store = PostgresStore(fresh_postgres())
    for _ in range(2):
        with pytest.raises(SchemaError, match="rewardkit migrate"):
            put(store, grant())
    store.migrate()
    put(store, grant())
    assert grants(store) == ["grant-1"]
    store.close()


def test_newer_tables_are_refused(fresh_postgres: Callable[[], str]) -> None:
    dsn = fresh_postgres()
    store = PostgresStore(dsn)
    store.migrate()
    with psycopg.connect(dsn) as connection:
        connection.execute(f"INSERT INTO rewardkit_migration VALUES ({len(MIGRATIONS) + 1}, 'later')")
    for use in (store.migrate, lambda: put(store, grant())):
        with pytest.raises(SchemaError, match="upgrade rewardkit"):
            use()
    store.close()


def test_processes_may_migrate_together(fresh_postgres: Callable[[], str]) -> None:
    dsn = fresh_postgres()
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        applied = pool.map(_migrate, [dsn] * 3)
    assert sorted(name for names in applied for name in names) == [migration.name for migration in MIGRATIONS]


def _migrate(dsn: str) -> tuple[str, ...]:
    return PostgresStore(dsn).migrate()


def test_every_index_leads_with_the_tenant_and_text_is_ordered_by_code_point(
    store: PostgresStore, postgres_dsn: str
) -> None:
    with psycopg.connect(postgres_dsn) as connection:
        indexes = connection.execute("SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'rewardkit%'").fetchall()
        collations = connection.execute(
            "SELECT DISTINCT collation_name FROM information_schema.columns "
            "WHERE table_name LIKE 'rewardkit%' AND data_type = 'text'"
        ).fetchall()
    others = [index for (index,) in indexes if "(tenant" not in index]
    assert ["rewardkit_migration_pkey" in index for index in others] == [True]
    assert len(indexes) > len(TABLES)
    assert collations == [("C",)]


def test_its_own_connections_wait_for_the_disk_and_not_for_ever(store: PostgresStore) -> None:
    with store.connect() as connection:
        settings = ("synchronous_commit", "lock_timeout", "statement_timeout", "transaction_isolation")
        values = [connection.execute(f"SHOW {name}").fetchone() for name in settings]
    assert values == [("on",), ("5s",), ("1min",), ("read committed",)]


def test_a_connection_that_was_cut_is_replaced(store: PostgresStore, postgres_dsn: str) -> None:
    put(store, grant("a"))
    assert cut(postgres_dsn) == 1
    with pytest.raises(StoreError) as caught:
        put(store, grant("b"))
    assert (caught.value.outcome, caught.value.transient) == ("not_applied", True)
    put(store, grant("c"))
    assert grants(store) == ["a", "c"]


def test_a_connection_cut_inside_a_transaction_leaves_nothing(store: PostgresStore, postgres_dsn: str) -> None:
    with pytest.raises(StoreError) as caught, store.transaction("acme") as transaction:  # noqa: PT012, the block is the case
        transaction.write((Insert((grant(),)),))
        cut(postgres_dsn)
        transaction.ask(needs.GrantOf("grant-1"))
    assert caught.value.outcome == "not_applied"
    assert grants(store) == []


def test_a_connection_cut_during_the_commit_leaves_the_outcome_unknown(store: PostgresStore, postgres_dsn: str) -> None:
    caught: list[str] = []
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE OR REPLACE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql "
            "AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON rewardkit_notice "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger()"
        )
        try:
            with Player(store) as player:
                player.write((Insert((notice(),)),))
                ended = threading.Thread(target=_expect_unknown, args=(player, caught))
                ended.start()
                lingering = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                while not connection.execute(lingering).fetchall():
                    ended.join(0.01)
                ended.join(DEADLINE_SECONDS)
        finally:
            connection.execute("DROP TRIGGER linger ON rewardkit_notice")
            connection.execute("DROP FUNCTION linger")
    assert caught == ["unknown"]
    assert ask(store, needs.NoticesOf(("notice-1",))) == ()


def _expect_unknown(player: Player, caught: list[str]) -> None:
    try:
        player.commit()
    except StoreError as error:
        caught.append(error.outcome)


def test_a_deadlock_ends_for_one_as_transient_and_for_the_other_well(store: PostgresStore) -> None:
    put(store, member("ann"), member("bob"))
    with Player(store) as first, Player(store) as second:
        first.ask(needs.Members(("ann",)))
        second.ask(needs.Members(("bob",)))
        one = first.step(lambda transaction: transaction.ask(needs.Members(("bob",))))
        assert waits_or_is_refused(one)
        two = second.step(lambda transaction: transaction.ask(needs.Members(("ann",))))
        failures = [future.exception(DEADLINE_SECONDS) for future in (one, two)]
    (failure,) = [failure for failure in failures if failure is not None]
    assert isinstance(failure, StoreError)
    assert (failure.outcome, failure.transient) == ("not_applied", True)


def test_a_lock_is_waited_for_only_so_long(postgres_dsn: str, store: PostgresStore) -> None:
    put(store, member())
    hasty = PostgresStore(postgres_dsn, lock_timeout_seconds=0.1)
    with store.transaction("acme") as transaction:
        transaction.ask(needs.Members(("ann",)))
        with pytest.raises(StoreError) as caught:
            ask(hasty, needs.Members(("ann",)))
    assert (caught.value.outcome, caught.value.transient) == ("not_applied", True)
    assert ask(hasty, needs.Members(("ann",))) == (member(),)
    hasty.close()


def test_claims_in_one_batch_cannot_deadlock_each_other(store: PostgresStore) -> None:
    claims = needs.Claims(tuple(needs.Claim(f"cap {number}", 10_000, 1, 0, 0) for number in range(8)))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                ask(store, claims)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = ask(store, needs.Counters(tuple(claim.name for claim in claims.claims)))
    assert [row.reserved for row in rows] == [80] * 8


def test_a_skipped_row_does_not_make_a_lessee_wait(store: PostgresStore) -> None:
    put(store, grant("a"), grant("b"))
    with Player(store) as first:
        first.ask(needs.GrantOf("a"))
        assert [row.id for row in ask(store, needs.LeaseGrants(now=5, until=9, limit=9))] == ["b"]
        first.roll_back()


def test_users_do_not_wait_for_each_other(store: PostgresStore) -> None:
    with Player(store) as first:
        first.ask(needs.Accept((event("ann"),), ("ann",)))
        first.ask(needs.Members(("ann",)))
        assert ask(store, needs.Accept((event("bob"),), ("bob",))).fresh == {("bob", "1")}
        first.roll_back()


def test_a_batch_is_one_statement_a_need_and_one_for_all_effects(
    store: PostgresStore, caplog: pytest.LogCaptureFixture
) -> None:
    events = tuple(event(f"user {number:03}") for number in range(300))
    users = tuple(row.user for row in events)
    put(store, user_offer())
    with caplog.at_level(logging.DEBUG, "rewardkit.sql"), store.transaction("acme") as transaction:
        transaction.ask(needs.Accept(events, users))
        rows = transaction.ask(needs.Members(users))
        transaction.ask(needs.Claims((needs.Claim("a", 9, 1, 0, 0), needs.Claim("b", 9, 1, 0, 0))))
        ending = UserOfferEnding("offer-1", "earned", 5, "")
        transaction.write((Replace(rows), Replace((ending,)), Insert((grant(),)), Insert((notice(),))))
    assert len(caplog.records) == 4
    assert "user 001" not in caplog.text


@pytest.mark.parametrize("rows", [10, 20_000])
def test_a_replaced_row_is_reached_by_its_key_before_the_planner_knows_anything(
    store: PostgresStore, postgres_dsn: str, rows: int
) -> None:
    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE rewardkit_member SET (autovacuum_enabled = false)")
        connection.execute(
            "INSERT INTO rewardkit_member SELECT 'acme', 'user ' || n, 0, 0, 0, '', NULL, '' "
            "FROM generate_series(1, %s) AS n",
            (rows,),
        )
        connection.execute("SELECT pg_stat_force_next_flush()")
        before = _rows_read(connection)
        with store.transaction("acme") as transaction:
            transaction.write((Replace((member("user 1"), member("user 2"))),))
        store.close()
        for _ in range(100):
            after = _rows_read(connection)
            if after != before:
                break
            threading.Event().wait(0.05)
        connection.execute("ALTER TABLE rewardkit_member RESET (autovacuum_enabled)")
    assert 0 < after - before <= 10


def _rows_read(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'rewardkit_member'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_store_used_before_a_fork_is_refused_after_it(store: PostgresStore) -> None:
    put(store, grant("a"))
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    child = context.Process(target=lambda: results.put(_attempt(store)))
    child.start()
    child.join(30)
    assert results.get() == ForkError.__name__
    put(store, grant("b"))
    assert grants(store) == ["a", "b"]


def _attempt(store: PostgresStore) -> str:
    try:
        put(store, grant("child"))
    except StoreError as error:
        return type(error).__name__
    return "nothing"


def test_a_database_that_cannot_keep_all_text_is_refused(postgres_server: str) -> None:
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        store = PostgresStore(postgres_server.replace("/postgres?", "/latin?"))
        try:
            with pytest.raises(StoreError, match="UTF8"):
                store.migrate()
        finally:
            connection.execute("DROP DATABASE latin WITH (FORCE)")


def test_a_server_that_is_not_there_is_said_to_be(tmp_path: object) -> None:
    store = PostgresStore(f"postgresql://nobody@/nothing?host={tmp_path}&connect_timeout=2")
    with pytest.raises(StoreError, match="cannot connect") as caught:
        put(store, grant())
    assert caught.value.outcome == "not_applied"
