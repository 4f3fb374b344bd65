"""The same job as a shop writes it: five plain statements, and an ORM. One event a transaction, safe to retry.

Insert the event if it is new; read and lock the user's progress; write it; for each reward, a row and an outbox row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

import psycopg
import sqlalchemy as sa
from sqlalchemy import orm
from tally import Tally
from workload import Campaign

import rewardkit as rk

TABLES = (
    'CREATE TABLE plain_event ("user" text, id text, at bigint, name text, properties text, PRIMARY KEY ("user", id))',
    'CREATE TABLE plain_progress ("user" text PRIMARY KEY, state text)',
    'CREATE TABLE plain_grant ("user" text, campaign text, PRIMARY KEY ("user", campaign))',
    'CREATE TABLE plain_outbox ("user" text, campaign text, body text, PRIMARY KEY ("user", campaign))',
)


class PlainStatements:
    """By the driver."""

    def __init__(self, store: str, campaigns: Sequence[Campaign]) -> None:
        self._tally = Tally(campaigns)
        self._connection: sqlite3.Connection | psycopg.Connection
        if store.startswith("sqlite"):
            self._connection = sqlite3.connect(store.removeprefix("sqlite:///"), isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._begin, self._mark, self._lock = "BEGIN IMMEDIATE", "?", ""
        else:
            self._connection = psycopg.connect(store, autocommit=True)
            self._begin, self._mark, self._lock = "BEGIN", "%s", " FOR UPDATE"

    def prepare(self, users: Iterable[str]) -> None:
        for table in TABLES:
            self._connection.execute(table)
        state = self._tally.signed_up()
        self._connection.execute("BEGIN")
        cursor = self._connection.cursor()
        text = f"INSERT INTO plain_progress VALUES ({self._mark}, {self._mark})"
        cursor.executemany(text, [(user, state) for user in users])
        self._connection.execute("COMMIT")

    def emit(self, event: rk.Event) -> None:
        execute, mark = self._connection.execute, self._mark
        execute(self._begin)
        fresh = execute(
            f"INSERT INTO plain_event VALUES ({mark}, {mark}, {mark}, {mark}, {mark}) ON CONFLICT DO NOTHING",
            (event.user, event.id, event.at, event.name, json.dumps(dict(event.properties))),
        )
        if fresh.rowcount:
            user = (event.user,)
            (row,) = execute(f'SELECT state FROM plain_progress WHERE "user" = {mark}{self._lock}', user).fetchall()
            state = json.loads(row[0])
            earned = self._tally.fold(state, event.name)
            execute(f'UPDATE plain_progress SET state = {mark} WHERE "user" = {mark}', (json.dumps(state), event.user))
            for campaign in earned:
                execute(f"INSERT INTO plain_grant VALUES ({mark}, {mark})", (event.user, campaign))
                body = json.dumps({"user": event.user, "campaign": campaign, "points": 10})
                execute(f"INSERT INTO plain_outbox VALUES ({mark}, {mark}, {mark})", (event.user, campaign, body))
        execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class _Tables(orm.DeclarativeBase):
    pass


class _Event(_Tables):
    __tablename__ = "plain_event"
    user: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    id: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    at: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    name: orm.Mapped[str]
    properties: orm.Mapped[str]


class _Progress(_Tables):
    __tablename__ = "plain_progress"
    user: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    state: orm.Mapped[str]


class _Grant(_Tables):
    __tablename__ = "plain_grant"
    user: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    campaign: orm.Mapped[str] = orm.mapped_column(primary_key=True)


class _Outbox(_Tables):
    __tablename__ = "plain_outbox"
    user: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    campaign: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    body: orm.Mapped[str]


class Mapper:
    """By SQLAlchemy's ORM."""

    def __init__(self, store: str, campaigns: Sequence[Campaign]) -> None:
        self._tally = Tally(campaigns)
        self._engine = sa.create_engine(store.replace("postgresql://", "postgresql+psycopg://"))
        if store.startswith("sqlite"):

            @sa.event.listens_for(self._engine, "connect")
            def durable(connection: sqlite3.Connection, _record: object) -> None:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")

        self._session = orm.sessionmaker(self._engine)

    def prepare(self, users: Iterable[str]) -> None:
        _Tables.metadata.create_all(self._engine)
        state = self._tally.signed_up()
        with self._session.begin() as session:
            session.execute(sa.insert(_Progress), [{"user": user, "state": state} for user in users])

    def emit(self, event: rk.Event) -> None:
        with self._session.begin() as session:
            if session.get(_Event, (event.user, event.id)) is not None:
                return
            session.add(
                _Event(
                    user=event.user,
                    id=event.id,
                    at=event.at,
                    name=event.name,
                    properties=json.dumps(dict(event.properties)),
                )
            )
            progress = session.get_one(_Progress, event.user, with_for_update=True)
            state = json.loads(progress.state)
            for campaign in self._tally.fold(state, event.name):
                session.add(_Grant(user=event.user, campaign=campaign))
                body = json.dumps({"user": event.user, "campaign": campaign, "points": 10})
                session.add(_Outbox(user=event.user, campaign=campaign, body=body))
            progress.state = json.dumps(state)

    def close(self) -> None:
        self._engine.dispose()
