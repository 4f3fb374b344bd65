"""Codes for grants: each grant gets one of its own, issued to its user, out of the pool that its reward names.

A multi pool gives codes that nobody has as long as some remain; then its user's own code once more, or one that others
have too.

A grant by itself takes its code in one statement, as `IssueCode` does. Several in one decision lock all slices of their
pools, pool by pool, and share one view of them: what the one took, the next must not find, and nothing is written
before the decision is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.pools.issuee import issuee_of
from rewardkit.core.pools.needs import (
    CodeOf,
    Draw,
    ListIssuances,
    LockCode,
    LockSlices,
    NextCode,
    NextIssuedCode,
    SharePool,
    TakeCode,
    TakeHolding,
)
from rewardkit.core.pools.refusals import exhausted, require_open_to_issuing
from rewardkit.core.pools.slices import SLICES, counted, remaining
from rewardkit.core.pools.stocking import stock_effects
from rewardkit.core.requests.records import Issues
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.needs import ask
from rewardkit.core.storing.pool_rows import CodeRow, HoldingRow, IssuanceRow, PoolRow, SliceRow
from rewardkit.core.storing.rows import GrantRow
from rewardkit.errors import InvariantError, Refused

APPLICATION: Final = "rewardkit"
"""What issuances to grants name as the referring application; their reference is the grant's id."""

Want: TypeAlias = tuple[GrantRow, Issues]
"""A grant, and what its reward issues."""


class _Stock:
    """A pool whose slices are locked: as they were, and as they are by now."""

    def __init__(self, pool: PoolRow, slices: Sequence[SliceRow], woken: Sequence[CodeRow] = ()) -> None:
        self.pool = pool
        self.woken = {code.key: code for code in woken}
        """Codes as the decision has already changed them, which the store does not know yet."""
        self.before = tuple(slices)
        self.slices = list(slices)
        self.codes: dict[str, CodeRow] = {}
        self.held: dict[str, str] = {}
        """Whose holding is locked → the key of the code in it."""
        self.holdings: dict[str, HoldingRow] = {}
        self.had: set[tuple[str, str]] = set()
        """Codes, by key, and those who were issued them here."""


class Supply:
    """What one decision takes out of pools for its grants.

    Args:
        context: of the decision.
        several: whether it may ask more than once: then no grant is by itself.
    """

    def __init__(self, context: Context, *, several: bool = False) -> None:
        self._context = context
        self._several = several
        self._stocks: dict[int, _Stock] = {}
        self._issuances: list[IssuanceRow] = []

    def begin_with(self, pool: PoolRow, slices: Sequence[SliceRow], woken: Sequence[CodeRow] = ()) -> None:
        """See a pool as the decision has already changed it, with codes that it has woken; all slices are locked."""
        self._stocks[pool.id] = _Stock(pool, slices, woken)

    def take(self, wanted: Sequence[Want]) -> Deciding[list[GrantRow | Refused]]:
        """The grants with their codes, in the order given; or why there is none for one."""
        alone = len(wanted) == 1 and not self._several
        found: dict[int, GrantRow | Refused] = {}
        for place, (row, issues) in sorted(enumerate(wanted), key=lambda item: (item[1][1].pool_id, item[0])):
            taken = (yield from self._alone(row, issues)) if alone else None
            found[place] = taken or (yield from self._among(row, issues))
        return [found[place] for place in range(len(wanted))]

    def effects(self) -> tuple[Effect, ...]:
        """What is to be written once the decision is over."""
        found: list[Effect] = []
        for _, stock in sorted(self._stocks.items()):
            found += stock_effects(self._context, (stock.pool, stock.before), (stock.pool, stock.slices))
            if stock.codes:
                found.append(Replace(tuple(stock.codes[key] for key in sorted(stock.codes))))
            if stock.holdings:
                found.append(Replace(tuple(stock.holdings[issuee] for issuee in sorted(stock.holdings))))
        if self._issuances:
            found.append(Insert(tuple(self._issuances)))
        return tuple(found)

    def _alone(self, row: GrantRow, issues: Issues) -> Deciding[GrantRow | Refused | None]:
        """By one statement; None where somebody has to look at all slices."""
        new = self._issuance(row, issues)
        taken = yield from ask(TakeCode(issues.pool_id, new, known=False, another=True))
        if taken is None:
            raise _gone(issues.pool_id)
        if taken.code is not None:
            return row._replace(pool=issues.pool_id, code=taken.code.code, issuance=taken.issuance)
        return _closed(taken.pool, self._context.at)

    def _among(self, row: GrantRow, issues: Issues) -> Deciding[GrantRow | Refused]:
        stock = yield from self._stock(issues.pool_id)
        closed = _closed(stock.pool, self._context.at)
        if closed is not None:
            return closed
        new = self._issuance(row, issues)
        if remaining(stock.slices):
            code = yield from self._first(stock, new)
        elif stock.pool.distribution == "unique":
            return exhausted(stock.pool, sum(one.inactive for one in stock.slices))
        else:
            shared = yield from self._shared(stock, new)
            if shared is None:
                return exhausted(stock.pool, sum(one.inactive for one in stock.slices))
            code = shared
        stock.codes[code.key] = code
        stock.had.add((code.key, new.issuee))
        number = yield from self._number()
        self._issuances.append(new._replace(id=number, key=code.key, number=code.issuances, code=code.code))
        return row._replace(pool=issues.pool_id, code=code.code, issuance=number)

    def _first(self, stock: _Stock, new: IssuanceRow) -> Deciding[CodeRow]:
        """A code that nobody has had."""
        chosen = max(stock.slices, key=lambda one: (one.remaining, -one.slice))
        found = yield from ask(NextCode(stock.pool.id, chosen.slice, chosen.cursor))
        free = [one for one in stock.woken.values() if one.slice == chosen.slice and one.status == "unissued"]
        free += [] if found is None else [found]
        code = min(free, key=lambda one: one.position, default=None)
        if code is None:
            raise InvariantError(f"pool {stock.pool.id} counts codes that remain in slice {chosen.slice}, and has none")
        after = code._replace(
            status="issued",
            issuee=new.issuee,
            external_issuee=new.external_issuee,
            issuances=1,
            issuees=1,
            updated_at=self._context.at,
        )
        stock.woken.pop(code.key, None)
        stock.slices[chosen.slice] = counted(chosen, code, after)._replace(cursor=code.position + 1)
        if not (yield from self._held(stock, new.issuee)):
            self._hold(stock, new.issuee, code.key)
        return after

    def _shared(self, stock: _Stock, new: IssuanceRow) -> Deciding[CodeRow | None]:
        """The user's own code once more, or one that others have too; None where no code can be issued."""
        held = yield from self._held(stock, new.issuee)
        code = (yield from self._locked(stock, held)) if held else None
        if code is None or code.status != "issued" or not code.active:
            drawn = int.from_bytes(blake2b(new.issuee.encode(), digest_size=8).digest(), "big")
            place = drawn // SLICES % max(1, stock.pool.positions)
            found = yield from ask(NextIssuedCode(stock.pool.id, drawn % SLICES, place))
            if found is None:
                # Those of this decision are not there yet for others to see.
                known = stock.woken | stock.codes
                mine = [one for one in known.values() if one.active and one.status == "issued"]
                if not mine:
                    return None
                found = min(mine)
            code = stock.codes.get(found.key, found)
            self._hold(stock, new.issuee, code.key)
        again = (code.key, new.issuee) in stock.had or bool(
            (yield from ask(ListIssuances(code.key, new.issuee, -1, 1)))
        )
        issuees = code.issuees + (not again)
        return code._replace(issuances=code.issuances + 1, issuees=issuees, updated_at=self._context.at)

    def _locked(self, stock: _Stock, key: str) -> Deciding[CodeRow]:
        known = stock.woken | stock.codes
        if key in known:
            return known[key]
        locked = yield from ask(LockCode(key))
        if locked is None:
            raise InvariantError("an issuee has a code that is not there")
        return locked.code

    def _held(self, stock: _Stock, issuee: str) -> Deciding[str]:
        """The key of the code that an issuee has of the pool, or the empty text, whose place is locked then."""
        if issuee not in stock.held:
            key = yield from ask(TakeHolding(stock.pool.id, issuee))
            found = (yield from ask(CodeOf(key))) if key else None
            stock.held[issuee] = "" if found is None or found[0].status == "void" else key
        return stock.held[issuee]

    def _hold(self, stock: _Stock, issuee: str, key: str) -> None:
        stock.held[issuee] = key
        stock.holdings[issuee] = HoldingRow(stock.pool.id, issuee, key)

    def _stock(self, pool_id: int) -> Deciding[_Stock]:
        if pool_id not in self._stocks:
            pool = yield from ask(SharePool(pool_id))
            if pool is None:
                raise _gone(pool_id)
            self._stocks[pool_id] = _Stock(pool, (yield from ask(LockSlices(pool_id))))
        return self._stocks[pool_id]

    def _number(self) -> Deciding[int]:
        """A store that numbers by what it has would answer the same again: what was drawn here is not there yet."""
        drawn = yield from ask(Draw("issuance"))
        return max([drawn, *(row.id + 1 for row in self._issuances[-1:])])

    def _issuance(self, row: GrantRow, issues: Issues) -> IssuanceRow:
        issuee = issuee_of(self._context, row.user, None)
        return IssuanceRow(
            id=0,
            key="",
            number=0,
            code="",
            pool=issues.pool_id,
            issuee=issuee.id,
            external_issuee=issuee.external,
            application=APPLICATION,
            reference=row.id,
            created_at=self._context.at,
        )


def _closed(pool: PoolRow, at: int) -> Refused | None:
    """Why nothing may be issued from a pool now."""
    try:
        require_open_to_issuing(pool, at)
    except Refused as refused:
        return refused
    return None


def _gone(pool_id: int) -> InvariantError:
    return InvariantError(f"pool {pool_id} is gone")
