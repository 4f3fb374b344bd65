"""One table of one tenant in memory, with its indexes."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, TypeAlias

from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.storing.pool_rows import CodeRow, RedeemerRow, SliceRow
from rewardkit.core.storing.referral_rows import ReferralRow
from rewardkit.core.storing.rows import CounterRow, GrantRow, MemberRow, NoticeRow, Row
from rewardkit.errors import InvariantError
from rewardkit.storage.memory.pool_counts import check_counts
from rewardkit.storage.memory.queue import Queue
from rewardkit.storage.tables import PENDING, READY, TABLE_OF, TABLES, Table

Key: TypeAlias = Any
"""The key column's value, or the tuple of them where there are several."""


class Shelf:
    """Rows by key; by user, where they have one; in a queue, where they wait for something."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._unique = _picker(table, table.unique) if table.unique else None
        owned = table.owner in table.columns and table.key != (table.owner,)
        self._user = table.columns.index(table.owner) if owned else None
        self._taken: dict[Key, Key] = {}
        self._users: dict[str, dict[Key, Any]] = {}
        self.rows: dict[Key, Any] = {}
        self.queue = Queue()
        self.holds = Queue()
        """Grants by the end of the hold period that they wait for."""
        self.own = Queue()
        """Pending notices that are for no registered endpoint."""

    def of_user(self, user: str) -> Mapping[Key, Any]:
        """The rows of one user, by key."""
        return self._users.get(user, {})

    def having(self, unique: Key) -> Any:
        """The row whose further unique columns have this value, or None."""
        return self.rows.get(self._taken.get(unique))

    def put(self, key: Key, row: Row | None) -> Row | None:
        """Set or remove a row; answers what was there, which is all that is needed to undo it."""
        old: Row | None = self.rows.get(key)
        if self._unique:
            self._move(key, old, row)
        if isinstance(row, CounterRow):
            _check(row)
        if isinstance(row, SliceRow | CodeRow | RedeemerRow):
            check_counts(row)
        if isinstance(row, ReferralRow) and row.sender == row.recipient:
            raise InvariantError(f"user `{row.sender}` would refer herself")
        if row is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = row
        self._file(key, old, row)
        if isinstance(row or old, MemberRow | GrantRow | NoticeRow | AttemptRow):
            self.queue.put(key, None if row is None else _waits_for(row))
        if isinstance(row or old, GrantRow):
            self.holds.put(key, row.hold_until if isinstance(row, GrantRow) and row.held_for == "hold" else None)
        if isinstance(row or old, NoticeRow):
            self.own.put(key, _waits_for(row) if isinstance(row, NoticeRow) and not row.endpoint else None)
        return old

    def _move(self, key: Key, old: Row | None, row: Row | None) -> None:
        if self._unique is None:
            return
        before = None if old is None else self._unique(old)
        after = None if row is None else self._unique(row)
        if before == after:
            return
        if after in self._taken:
            raise InvariantError(f"two rows of `{self._table.name}` with the same {', '.join(self._table.unique)}")
        self._taken.pop(before, None)
        if after is not None:
            self._taken[after] = key

    def _file(self, key: Key, old: Any, row: Any) -> None:
        if self._user is None:
            return
        if old is not None:
            rows = self._users[old[self._user]]
            del rows[key]
            if not rows:
                del self._users[old[self._user]]
        if row is not None:
            self._users.setdefault(row[self._user], {})[key] = row


class Shelves:
    """All tables of one tenant."""

    def __init__(self) -> None:
        self.epoch = 0
        self.fingerprint = 0
        self._by_name = {table.name: Shelf(table) for table in TABLES}
        self._by_row = {row: self._by_name[table.name] for row, table in TABLE_OF.items()}

    def __getitem__(self, row: type[Any]) -> Shelf:
        return self._by_row[row]


def _picker(table: Table, columns: tuple[str, ...]) -> itemgetter[Any]:
    return itemgetter(*(table.columns.index(column) for column in columns))


KEY_OF = {row: _picker(table, table.key) for row, table in TABLE_OF.items()}
"""Reads a row's key, by the row's type."""


def _waits_for(row: Row) -> int | None:
    """The instant at which a row's turn comes."""
    match row:
        case MemberRow():
            return row.wake_at
        case GrantRow():
            return row.earned_at if row.status == READY else None
        case NoticeRow():
            return row.attempt_at if row.status == PENDING else None
        case AttemptRow():
            return row.begun
        case _:
            return None


def _check(row: CounterRow) -> None:
    if row.reserved < 0 or row.confirmed < 0 or row.reserved + row.confirmed > row.cap:
        raise InvariantError(f"counter `{row.name}` out of bounds: {row.reserved} + {row.confirmed} of {row.cap}")
