"""Every statement of the store, as text, made once for a prefix and a dialect. Values are always bound."""

from __future__ import annotations

from rewardkit.storage.sql.dialect import Dialect
from rewardkit.storage.tables import (
    ANSWER,
    ATTEMPT,
    COUNTER,
    DEFINITION,
    ENDPOINT,
    EVENT,
    GRANT,
    GRANT_STEP,
    MEMBER,
    NOTICE,
    PENDING,
    READY,
    REFERRAL,
    REFERRAL_CODE,
    REGISTERED_ENDPOINT,
    REMOVED,
    USER_OFFER,
    Table,
)

CLAIM_COLUMNS = ("name", "cap", "reserved", "confirmed", "granted", "confirming", "releasing")
"""A claim before it meets its counter: `reserved` and `granted` hold what it wants, at most the cap."""

_FREE = 'excluded."cap" - c."reserved" - c."confirmed" + excluded."releasing"'
_GRANTED = f'CASE WHEN excluded."granted" <= {_FREE} THEN excluded."granted" WHEN {_FREE} > 0 THEN {_FREE} ELSE 0 END'
_TAKEN = f'c."reserved" + c."confirmed" - excluded."releasing" + {_GRANTED}'

# Moving more than is reserved makes `reserved` negative, which its CHECK refuses.
ON_CLAIM = f"""ON CONFLICT ("tenant", "name") DO UPDATE SET
    "cap" = CASE WHEN excluded."cap" >= {_TAKEN} THEN excluded."cap" ELSE {_TAKEN} END,
    "reserved" = CASE WHEN excluded."confirming" + excluded."releasing" > c."reserved" THEN -1
        ELSE c."reserved" - excluded."confirming" - excluded."releasing" + {_GRANTED} END,
    "confirmed" = c."confirmed" + excluded."confirming",
    "granted" = {_GRANTED},
    "confirming" = 0,
    "releasing" = 0
RETURNING "name", "granted", "confirming" + "releasing\""""


class Statements:
    """Texts, with the tenant as the first parameter of each."""

    def __init__(self, dialect: Dialect, prefix: str) -> None:
        self.dialect = dialect
        self._prefix = prefix
        lock, unless_held = dialect.lock, dialect.lock_unless_held
        epoch = f'SELECT "epoch" FROM {self.name("tenant")} WHERE "tenant" = ?'
        self.epoch = self._text(f'SELECT "epoch", "fingerprint" FROM {self.name("tenant")} WHERE "tenant" = ?')
        self.lock_epoch = self._text(
            f'INSERT INTO {self.name("tenant")} AS t ("tenant", "epoch", "fingerprint") VALUES (?, 0, 0) '
            'ON CONFLICT ("tenant") DO UPDATE SET "epoch" = t."epoch" RETURNING "epoch", "fingerprint"'
        )
        self.publish = self._text(
            f'UPDATE {self.name("tenant")} SET "fingerprint" = ?, "epoch" = ? WHERE "tenant" = ? AND "epoch" = ?'
        )
        self.definitions = self._text(
            f'SELECT t."epoch", t."fingerprint", {self.columns(DEFINITION, "d.")} FROM (SELECT 1) AS one '
            f'LEFT JOIN {self.name("tenant")} AS t ON t."tenant" = ? '
            f'LEFT JOIN {self.name("definition")} AS d ON d."tenant" = ? ORDER BY d."number"'
        )
        self.digest = self._select(EVENT, '"user" = ? AND "id" = ?')
        self.members = self._select(MEMBER, self._among("user"), f'ORDER BY "user"{lock}')
        self.members_seen = self._select(MEMBER, self._among("user"), 'ORDER BY "user"')
        self.due_members = self._select(
            MEMBER,
            '"wake_at" IS NOT NULL AND "wake_at" <= ?',
            f'ORDER BY "wake_at", "user" LIMIT ?{unless_held}',
        )
        self.stale_members = self._select(
            MEMBER, f'"user" > ? AND "epoch" <> coalesce(({epoch}), 0)', f'ORDER BY "user" LIMIT ?{lock}'
        )
        self.histories = self._select(EVENT, self._among("user"), 'ORDER BY "user", "at", "order", "id"')
        self.recall = self._text(
            f"INSERT INTO {self.name('answer')} AS a "
            '("tenant", "operation", "key", "digest", "answer", "at") VALUES (?, ?, ?, ?, ?, 0) '
            'ON CONFLICT ("tenant", "operation", "key") DO UPDATE SET "at" = a."at" '
            f"RETURNING {self.columns(ANSWER)}"
        )
        self.user_offer_of = self._select(USER_OFFER, '"id" = ?')
        self.notices_of = self._select(NOTICE, self._among("id"), f'ORDER BY "id"{lock}')
        self.take_endpoint = self._text(
            f'INSERT INTO {self.name("endpoint")} AS e ("tenant", "name", "status", "since", "reason") '
            "VALUES (?, ?, 'enabled', 0, '') "
            'ON CONFLICT ("tenant", "name") DO UPDATE SET "status" = e."status" '
            f"RETURNING {self.columns(ENDPOINT)}"
        )
        self.endpoints = self._select(ENDPOINT, "", 'ORDER BY "name"')
        self.registered_endpoints_of = self._select(REGISTERED_ENDPOINT, self._among("name"), f'ORDER BY "name"{lock}')
        # Not as a parameter, or the partial index is not used.
        self.registered_endpoints = self._select(REGISTERED_ENDPOINT, f"\"status\" <> '{REMOVED}'", 'ORDER BY "name"')
        self.counters = self._select(COUNTER, self._among("name"), 'ORDER BY "name"')
        self.referral_of = self._select(REFERRAL, '"id" = ?')
        self.referrals_into = self._select(REFERRAL, self._among("recipient"), 'ORDER BY "recipient", "made_at", "id"')
        self.take_referral_code = self._text(
            f"{self._into(REFERRAL_CODE.name, REFERRAL_CODE.columns)} ON CONFLICT DO NOTHING RETURNING 1"
        )
        self.referral_code_of = self._select(REFERRAL_CODE, '"user" = ?')
        self.sender_of_code = self._select(REFERRAL_CODE, '"code" = ?')
        self._add_attempts()
        self._add_grants()
        due = f'"status" = \'{PENDING}\' AND "attempt_at" <= ?'
        self.lease_notices = self._lease(NOTICE, due, "attempt_at", "attempt_at")
        self.lease_own_notices = self._lease(NOTICE, f"{due} AND \"endpoint\" = ''", "attempt_at", "attempt_at")

    def _add_attempts(self) -> None:
        self.take_attempt = self._text(
            f'INSERT INTO {self.name("attempt")} AS a ("tenant", "subject", "begun", "attempts", "failures", '
            '"locked_until") VALUES (?, ?, 0, 0, 0, 0) '
            'ON CONFLICT ("tenant", "subject") DO UPDATE SET "begun" = a."begun" '
            f"RETURNING {self.columns(ATTEMPT)}"
        )
        self.forget_attempts = self._text(
            f'WITH chosen AS (SELECT "subject" FROM {self.name("attempt")} '
            'WHERE "tenant" = ? AND "begun" < ? AND "locked_until" <= ? '
            f'ORDER BY "begun", "subject" LIMIT ?{self.dialect.lock_unless_held}) DELETE FROM {self.name("attempt")} '
            'WHERE "tenant" = ? AND "subject" IN (SELECT "subject" FROM chosen) RETURNING 1'
        )
        self.attempts_of = self._select(ATTEMPT, self._among("subject"), 'ORDER BY "subject"')

    def _add_grants(self) -> None:
        self.give_back = self._text(
            f'UPDATE {self.name("counter")} SET "confirmed" = "confirmed" - 1 '
            'WHERE "tenant" = ? AND "name" = ? AND "confirmed" > 0 RETURNING 1'
        )
        self.grant_of = self._select(GRANT, '"id" = ?', self.dialect.lock)
        self.grant_seen = self._select(GRANT, '"id" = ?')
        self.steps_of = self._select(GRANT_STEP, '"grant" = ?', 'ORDER BY "number"')
        self.lease_grants = self._lease(
            GRANT, f'"status" = \'{READY}\' AND "lease_until" <= ?', "earned_at", "lease_until"
        )
        # As text, or the partial indexes are not used.
        self.due_holds = self._select(
            GRANT,
            '"status" = \'held\' AND "held_for" = \'hold\' AND "hold_until" <= ?',
            f'ORDER BY "hold_until", "id" LIMIT ?{self.dialect.lock_unless_held}',
        )
        self.seen_names = self._text(
            f'SELECT DISTINCT "name" FROM (SELECT "name" FROM {self.name("event")} WHERE "tenant" = ? LIMIT ?) AS seen '
            f"WHERE {self._among('name')}"
        )
        self.held_grants = self._select(
            GRANT,
            '"status" = \'held\' AND "held_for" = ? AND "campaign" = ?',
            f'ORDER BY "earned_at", "id" LIMIT ?{self.dialect.lock}',
        )
        waiting = "\"status\" = 'held' AND \"held_for\" = 'pool'"
        oldest = f'ORDER BY "earned_at", "id" LIMIT ?{self.dialect.lock_unless_held}'
        self.grants_of_pool = self._select(GRANT, f'{waiting} AND "pool" = ?', oldest)
        self.grants_to_supply = self._select(
            GRANT,
            f'{waiting} AND "pool" IN (SELECT p."id" FROM {self.name("pool")} AS p WHERE p."tenant" = ? '
            'AND p."issuance_allowed" = 1 AND (p."valid_until" IS NULL OR p."valid_until" > ?) '
            f'AND EXISTS (SELECT 1 FROM {self.name("slice")} AS s WHERE s."tenant" = p."tenant" '
            'AND s."pool" = p."id" AND (s."remaining" > 0 OR (p."distribution" = \'multi\' AND s."issued" > 0))))',
            oldest,
        )
        unchecked = "\"status\" = 'held' AND \"held_for\" = 'review' AND \"flags\" = ''"
        self.lease_checks = self._lease(GRANT, f'{unchecked} AND "lease_until" <= ?', "earned_at", "lease_until")

    def name(self, table: str) -> str:
        """A table's name, quoted."""
        return f'"{self._prefix}{table}"'

    def columns(self, table: Table, of: str = "") -> str:
        """A row's columns, as they are read."""
        return ", ".join(self.dialect.column.format(f'{of}"{column}"') for column in table.columns)

    def page(
        self, table: Table, instant: str, equal: tuple[str, ...], *, after: bool, written: str | None = None
    ) -> str:
        """Rows in the order of (`instant`, id): filtered by columns, after a place, of a status that has an index."""
        conditions = [f'"{column}" = ?' for column in equal]
        if "endpoint" in equal:
            conditions.append("\"endpoint\" <> ''")
        if written:
            # Not as a parameter, or the partial index is not used.
            conditions.append(f"\"status\" = '{written}'")
        if after:
            conditions.append(f'("{instant}", "id") > (?, ?)')
        return self._select(table, " AND ".join(conditions), f'ORDER BY "{instant}", "id" LIMIT ?')

    def insert(self, table: Table) -> str:
        """One row whose key must be new: the tenant, then the row."""
        return self._text(self._into(table.name, table.columns))

    def insert_if_absent(self, table: Table) -> str:
        """One row, unless its key is there: the tenant, then the row."""
        key = ", ".join(f'"{column}"' for column in ("tenant", *table.key))
        return self._text(f"{self._into(table.name, table.columns)} ON CONFLICT ({key}) DO NOTHING")

    def replace(self, table: Table) -> str:
        """One row whose key must be there: the columns that are no key, the tenant, the key."""
        values = ", ".join(f'"{column}" = ?' for column in table.columns if column not in table.key)
        key = " AND ".join(f'"{column}" = ?' for column in ("tenant", *table.key))
        return self._text(f"UPDATE {self.name(table.name)} SET {values} WHERE {key}")

    def claim(self) -> str:
        """One claim: the tenant, then `CLAIM_COLUMNS`."""
        return self._text(f"{self._into('counter AS c', CLAIM_COLUMNS)} {ON_CLAIM}")

    def _into(self, table: str, columns: tuple[str, ...]) -> str:
        name, _, alias = table.partition(" ")
        names = ", ".join(f'"{column}"' for column in ("tenant", *columns))
        return f"INSERT INTO {self.name(name)} {alias} ({names}) VALUES (?{', ?' * len(columns)})"

    def _select(self, table: Table, where: str, then: str = "") -> str:
        condition = f" AND {where}" if where else ""
        return self._text(
            f'SELECT {self.columns(table)} FROM {self.name(table.name)} WHERE "tenant" = ?{condition} {then}'
        )

    def _lease(self, table: Table, free: str, order: str, until: str) -> str:
        name = self.name(table.name)
        # A common table that locks is evaluated once; a plain subquery may be run again for each row, and lock more.
        return self._text(
            f'WITH chosen AS (SELECT "id" FROM {name} WHERE "tenant" = ? AND {free} '
            f'ORDER BY "{order}", "id" LIMIT ?{self.dialect.lock_unless_held}) '
            f'UPDATE {name} SET "lease" = "lease" + 1, "{until}" = ? '
            f'WHERE "tenant" = ? AND {self.dialect.chosen} RETURNING {self.columns(table)}'
        )

    def _among(self, column: str) -> str:
        return self.dialect.among.format(f'"{column}"')

    def _text(self, text: str) -> str:
        return text.replace("?", self.dialect.parameter)
