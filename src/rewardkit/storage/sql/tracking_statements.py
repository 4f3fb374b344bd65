"""The statements that count for reports, the same in both dialects; each answers with few rows, whatever it reads."""

from __future__ import annotations

from collections.abc import Iterable

from rewardkit.core.tracking.needs import DEEPEST, PERCENTS
from rewardkit.storage.sql.statements import Statements

_INTEGERS, _FRACTIONS, CHUNK = 40, 24, 8
"""Digits that an amount may have before its point and after it, and how many are summed at once: sums of eight digits
stay below 2**63 for more rows than there can be.
"""

EXPONENT = _FRACTIONS
"""Chunks put together count the unit of this decimal place."""


class TrackingStatements:
    """Texts, with the tenant as the first parameter of each."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def offers(self) -> str:
        """The instant, the tenant, the campaign: `OfferTally`."""
        over = "CASE WHEN \"status\" IN ('active', 'held_out') AND \"ends_at\" <= ? THEN 1 ELSE 0 END"
        return self._text(
            f"SELECT {self._read('variant')}, {self._read('status')}, {over}, count(*) FROM {self._name('user_offer')} "
            'WHERE "tenant" = ? AND "campaign" = ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3'
        )

    def users(self, *, by_variant: bool) -> str:
        """The tenant, the campaign: `UserTally`."""
        held_out = "CASE WHEN \"status\" IN ('held_out', 'converted', 'lapsed') THEN 1 ELSE 0 END"
        won = "CASE WHEN \"status\" IN ('earned', 'converted') THEN 1 ELSE 0 END"
        return self._text(
            "SELECT one.variant, one.held_out, count(*), sum(one.won) FROM ("
            f'SELECT {self._group(by_variant)} AS variant, {held_out} AS held_out, "user" AS member, '
            f"max({won}) AS won FROM {self._name('user_offer')} "
            'WHERE "tenant" = ? AND "campaign" = ? AND "status" <> \'capped\' GROUP BY 1, 2, 3) AS one '
            "GROUP BY 1, 2 ORDER BY 1, 2"
        )

    def earning(self, *, by_variant: bool) -> str:
        """The tenant, the campaign: `LengthTally`."""
        return self._lengths("user_offer", self._group(by_variant), '"campaign" = ? AND "status" = \'earned\'')

    def completing(self, columns: Iterable[str], *, by_variant: bool) -> str:
        """The tenant, the filters: `LengthTally`."""
        return self._lengths("referral", self._group(by_variant), f"{_equal(columns)} AND \"status\" = 'completed'")

    def grants(self) -> str:
        """The tenant, the campaign: `GrantTally`, the sum in chunks."""
        return self._grants(
            self._read("variant", "o."),
            f"{self._name('grant')} AS g "
            f'JOIN {self._name("user_offer")} AS o ON o."tenant" = g."tenant" AND o."id" = g."user_offer"',
            'g."campaign" = ? AND g."referral" = \'\'',
        )

    def sides(self, columns: Iterable[str]) -> str:
        """The tenant, the filters: `GrantTally`, the sum in chunks."""
        # A grant of a referral has its program where others have their offer.
        filters = _equal(["offer" if column == "program" else column for column in columns], "g.")
        where = f"{filters} AND g.\"referral\" <> ''"
        return self._grants(self._read("side", "g."), f"{self._name('grant')} AS g", where)

    def variant_sides(self, columns: Iterable[str]) -> str:
        """The tenant, the filters, the side: `GrantTally`, the sum in chunks."""
        return self._grants(
            self._read("variant", "r."),
            f"{self._name('grant')} AS g "
            f'JOIN {self._name("referral")} AS r ON r."tenant" = g."tenant" AND r."id" = g."referral"',
            f'{_equal(columns, "r.")} AND g."side" = ?',
        )

    def referrals(self, columns: Iterable[str]) -> str:
        """The instant, the tenant, the filters: `ReferralTally`."""
        over = 'CASE WHEN "status" = \'open\' AND "ends_at" <= ? THEN 1 ELSE 0 END'
        return self._text(
            f"SELECT {self._read('status')}, {self._read('sender_reward')}, {over}, count(*), {self._read('variant')} "
            f'FROM {self._name("referral")} WHERE "tenant" = ? AND {_equal(columns)} '
            "GROUP BY 1, 2, 3, 5 ORDER BY 1, 2, 3, 5"
        )

    def senders(self, columns: Iterable[str]) -> str:
        """The tenant, the filters, the limit: `SenderTally`."""
        granted = "sum(CASE WHEN \"sender_reward\" = 'granted' THEN 1 ELSE 0 END)"
        return self._text(
            f"SELECT {self._read('sender')}, count(*) AS opened, {_COMPLETED} AS completed, {granted}, "
            f'count(*) OVER () FROM {self._name("referral")} WHERE "tenant" = ? AND {_equal(columns)} '
            "GROUP BY 1 ORDER BY completed DESC, opened DESC, 1 LIMIT ?"
        )

    def spread(self, columns: Iterable[str]) -> str:
        """The tenant, the filters: `SpreadTally`, with nulls for sums of nothing."""
        return self._text(f"SELECT {_SPREAD} FROM ({self._senders(columns)}) AS one")

    def variant_spreads(self, columns: Iterable[str]) -> str:
        """The tenant, the filters: `SpreadTally` of each variant."""
        return self._text(
            f"SELECT {_SPREAD}, one.variant FROM ({self._senders(columns, by_variant=True)}) AS one "
            "GROUP BY one.variant ORDER BY one.variant"
        )

    def _senders(self, columns: Iterable[str], *, by_variant: bool = False) -> str:
        """What each sender has, in all or of each variant."""
        opened, voided = (f"sum(CASE WHEN \"status\" = '{one}' THEN 1 ELSE 0 END)" for one in ("open", "voided"))
        return (
            f"SELECT {self._group(by_variant)} AS variant, count(*) AS opened, {_COMPLETED} AS completed, "
            f"{opened} AS undecided, {voided} AS voided "
            f'FROM {self._name("referral")} WHERE "tenant" = ? AND {_equal(columns)} GROUP BY "sender", 1'
        )

    def terms(self, columns: Iterable[str]) -> str:
        """The tenant, the filters: `TermsTally`."""
        return self._text(
            f'SELECT {self._read("program")}, "program_version", count(*) FROM {self._name("referral")} '
            f'WHERE "tenant" = ? AND {_equal(columns)} GROUP BY 1, 2 ORDER BY 1, 2'
        )

    def depths(self, columns: Iterable[str]) -> str:
        """The tenant, the filters, the tenant, the filters: `DepthTally`."""
        table, names = self._name("referral"), tuple(columns)
        same = "".join(f' AND u."{column}" = r."{column}"' for column in names)
        return self._text(
            'WITH RECURSIVE chain("user", "status", "depth") AS ('
            f'SELECT r."recipient", r."status", 1 FROM {table} AS r WHERE r."tenant" = ? AND {_equal(names, "r.")} '
            f'AND NOT EXISTS (SELECT 1 FROM {table} AS u WHERE u."tenant" = r."tenant" '
            f'AND u."recipient" = r."sender"{same}) '
            'UNION ALL SELECT r."recipient", r."status", c."depth" + 1 '
            f'FROM chain AS c JOIN {table} AS r ON r."tenant" = ? AND r."sender" = c."user" AND {_equal(names, "r.")} '
            f'WHERE c."depth" < {DEEPEST}) '
            f'SELECT "depth", count(*), {_COMPLETED}, min("user") FROM chain GROUP BY 1 ORDER BY 1'
        )

    def chain_into(self, columns: Iterable[str]) -> str:
        """The tenant, the recipient, the filters, the tenant, the filters: senders and recipients, first ones first."""
        table, filters = self._name("referral"), _equal(columns, "r.")
        return self._text(
            'WITH RECURSIVE up("sender", "recipient", "step") AS ('
            f'SELECT r."sender", r."recipient", 1 FROM {table} AS r '
            f'WHERE r."tenant" = ? AND r."recipient" = ? AND {filters} '
            'UNION ALL SELECT r."sender", r."recipient", c."step" + 1 '
            f'FROM up AS c JOIN {table} AS r ON r."tenant" = ? AND r."recipient" = c."sender" AND {filters} '
            f'WHERE c."step" < {DEEPEST}) '
            f'SELECT {self._read("sender")}, {self._read("recipient")} FROM up ORDER BY "step" DESC'
        )

    # --- parts -------------------------------------------------------------------------------------

    def _lengths(self, table: str, group: str, where: str) -> str:
        """The lengths at the `places` of each sorted list."""
        ranks = ", ".join(f"(ranked.many * {percent} + 99) / 100" for percent in PERCENTS)
        return self._text(
            "SELECT ranked.variant, ranked.many, ranked.place, ranked.length FROM ("
            "SELECT one.variant, one.length, "
            "row_number() OVER (PARTITION BY one.variant ORDER BY one.length) AS place, "
            "count(*) OVER (PARTITION BY one.variant) AS many FROM ("
            f'SELECT {group} AS variant, "ended_at" - "made_at" AS length FROM {self._name(table)} '
            f'WHERE "tenant" = ? AND {where}) AS one) AS ranked '
            f"WHERE ranked.place IN (1, {ranks}, ranked.many) ORDER BY 1, 3"
        )

    def _grants(self, group: str, tables: str, where: str) -> str:
        """Grants of which the same was taken back are counted first: their sum is the work, and most are alike."""
        columns = ("reward", "reward_version", "status")
        named = ", ".join(f"{self._read(column, 'g.')} AS {column}" for column in columns)
        return self._text(
            f"SELECT one.batch, one.reward, one.reward_version, one.status, sum(one.many), {self._sums()} FROM ("
            f'SELECT {group} AS batch, {named}, g."reversed" AS taken, count(*) AS many FROM {tables} '
            f'WHERE g."tenant" = ? AND {where} GROUP BY 1, 2, 3, 4, 5) AS one GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4'
        )

    def _sums(self) -> str:
        """The sum of decimals that are kept as text, exactly, by dialects that have no decimals in common.

        Each is written as a fixed number of digits, and each group of them is summed by itself.
        """
        taken = "one.taken"
        digits = "'0123456789'"
        # What is left of a text without the digits at its end: up to its point, or nothing where it has none.
        head = f"rtrim({taken}, {digits})"
        whole = f"CASE WHEN {head} = '' THEN {taken} ELSE rtrim({head}, '.') END"
        part = f"CASE WHEN {head} = '' THEN '' ELSE substr({taken}, length({head}) + 1) END"
        integers = f"substr('{'0' * _INTEGERS}' || {whole}, length({whole}) + 1, {_INTEGERS})"
        fractions = f"substr({part} || '{'0' * _FRACTIONS}', 1, {_FRACTIONS})"
        written = f"({integers} || {fractions})"
        begins = range(1, _INTEGERS + _FRACTIONS + 1, CHUNK)
        return ", ".join(f"sum(one.many * CAST(substr({written}, {begin}, {CHUNK}) AS BIGINT))" for begin in begins)

    def _group(self, by_variant: bool) -> str:  # noqa: FBT001 - as the needs say it
        return self._read("variant") if by_variant else "''"

    def _read(self, column: str, of: str = "") -> str:
        return self._statements.dialect.column.format(f'{of}"{column}"')

    def _name(self, table: str) -> str:
        return self._statements.name(table)

    def _text(self, text: str) -> str:
        return text.replace("?", self._statements.dialect.parameter)


_SQUARES = ("opened * one.opened", "completed * one.completed", "opened * one.completed")
_SUMS = ("opened", "completed", "undecided", "voided", *_SQUARES)
_SPREAD = ", ".join(("count(*)", *(f"sum(one.{term})" for term in _SUMS)))
_COMPLETED = "sum(CASE WHEN \"status\" = 'completed' THEN 1 ELSE 0 END)"


def _equal(columns: Iterable[str], of: str = "") -> str:
    return " AND ".join(f'{of}"{column}" = ?' for column in columns)
