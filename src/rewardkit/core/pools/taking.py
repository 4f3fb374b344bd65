"""Room for one more redemption of a code: what is spent, what is reserved, and whose reservations are overdue."""

from __future__ import annotations

from collections.abc import Iterable

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.pools.issuee import Issuee
from rewardkit.core.pools.needs import Locked, OverdueReservations, RedeemerOf
from rewardkit.core.pools.refusals import limit_of, require_not_spent
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.needs import ask
from rewardkit.core.storing.pool_rows import CodeRow, PoolRow, RedeemerRow, ReservationRow
from rewardkit.core.values import limits
from rewardkit.core.values.input import masked
from rewardkit.errors import InvariantError, Refused


class Taking:
    """A locked code while something is taken of it or given back.

    Args:
        locked: the code, and its pool.
    """

    def __init__(self, context: Context, locked: Locked) -> None:
        self._context = context
        self._pool: PoolRow = locked.pool
        self.code: CodeRow = locked.code
        self._known: dict[str, RedeemerRow | None] = {}
        self._redeemers: dict[str, RedeemerRow] = {}
        self._freed: tuple[ReservationRow, ...] = ()

    def make_room(self, issuee: Issuee) -> Deciding[None]:
        """Raise `Refused` where there is no room for one more; overdue reservations are given back where that helps."""
        if (yield from self._full(issuee)) and self.code.reserved:
            yield from self._free_overdue()
        if not (yield from self._full(issuee)):
            return
        require_not_spent(self.code, self._pool)
        mine = yield from self._redeemer(issuee.id)
        name, most = masked(self.code.code), self._pool.issuee_limit
        if most is not None and mine.redemptions >= most:
            facts = {"used": mine.redemptions, "limit": most}
            raise Refused(
                "issuee_limit_reached", f"code `{name}` has been redeemed {most} of {most} times by her", facts
            )
        taken = self.code.redemptions + self.code.reserved
        facts = {"reserved": self.code.reserved, "taken": taken}
        raise Refused("code_reserved", f"code `{name}` is reserved: wait until that is released or over", facts)

    def redeem(self, issuee: str) -> Deciding[None]:
        """One more redemption."""
        yield from self._move(issuee, redemptions=1)

    def reserve(self, issuee: str) -> Deciding[None]:
        """One more reservation."""
        yield from self._move(issuee, reserved=1)

    def confirm(self, issuee: str) -> Deciding[None]:
        """A reservation becomes a redemption."""
        yield from self._move(issuee, redemptions=1, reserved=-1)

    def release(self, issuee: str) -> Deciding[None]:
        """A reservation less."""
        yield from self._move(issuee, reserved=-1)

    def roll_back(self, issuee: str) -> Deciding[None]:
        """A redemption less."""
        yield from self._move(issuee, redemptions=-1)

    def effects(self) -> Iterable[Effect]:
        """The code, who redeems it, and the reservations that were overdue."""
        yield Replace((self.code._replace(updated_at=self._context.at),))
        rows = tuple(self._redeemers[issuee] for issuee in sorted(self._redeemers))
        if rows:
            fresh = tuple(row for row in rows if self._known[row.issuee] is None)
            yield Insert(fresh)
            yield Replace(tuple(row for row in rows if row not in fresh))
        yield Replace(self._freed)

    def _full(self, issuee: Issuee) -> Deciding[bool]:
        limit = limit_of(self._pool)
        if limit is not None and self.code.redemptions + self.code.reserved >= limit:
            return True
        if self._pool.issuee_limit is None or not self._tells_apart:
            return False
        mine = yield from self._redeemer(issuee.id)
        return mine.redemptions + mine.reserved >= self._pool.issuee_limit

    @property
    def _tells_apart(self) -> bool:
        """Whether there can be several who redeem a code: then it is counted by whom."""
        return self._pool.distribution == "multi"

    def _move(self, issuee: str, *, redemptions: int = 0, reserved: int = 0) -> Deciding[None]:
        code = self.code
        redeemers = code.redeemers
        if self._tells_apart:
            mine = yield from self._redeemer(issuee)
            after = mine._replace(redemptions=mine.redemptions + redemptions, reserved=mine.reserved + reserved)
            redeemers += (after.redemptions > 0) - (mine.redemptions > 0)
            self._redeemers[issuee] = after
        else:
            redeemers += redemptions
        taken = code.redemptions + redemptions + code.reserved + reserved
        limit = limit_of(self._pool)
        self.code = code._replace(
            redemptions=code.redemptions + redemptions,
            redeemers=redeemers,
            reserved=code.reserved + reserved,
            redeemed=code.redeemed + (redemptions > 0),
            limit=None if limit is None else max(limit, taken),
        )

    def _redeemer(self, issuee: str) -> Deciding[RedeemerRow]:
        if issuee in self._redeemers:
            return self._redeemers[issuee]
        if issuee not in self._known:
            self._known[issuee] = yield from ask(RedeemerOf(self.code.key, issuee))
        return self._known[issuee] or RedeemerRow(self.code.key, issuee, 0, 0)

    def _free_overdue(self) -> Deciding[None]:
        rows = yield from ask(OverdueReservations(self.code.key, self._context.at, limits.PAGE_ROWS))
        if len(rows) > self.code.reserved:
            raise InvariantError(f"code of pool {self._pool.id} has more open reservations than it counts")
        for row in rows:
            yield from self.release(row.issuee)
        self._freed = tuple(row._replace(status="released", updated_at=self._context.at) for row in rows)
