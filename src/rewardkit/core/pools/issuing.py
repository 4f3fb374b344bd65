"""Issuing codes: quickly as long as some slice has a quota, with a look at all of them where it matters."""

from __future__ import annotations

from hashlib import blake2b

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.alphabet import read_code
from rewardkit.core.pools.commands import IssueCode
from rewardkit.core.pools.creating import pool_name
from rewardkit.core.pools.issuance import Issuance, issuance_record
from rewardkit.core.pools.issuee import Issuee, issuee_of
from rewardkit.core.pools.needs import (
    CodeOf,
    Draw,
    LockCode,
    LockSlices,
    NextCode,
    NextIssuedCode,
    PoolOf,
    SharePool,
    Stocked,
    TakeCode,
    TakeHolding,
)
from rewardkit.core.pools.refusals import (
    code_unknown,
    exhausted,
    pool_unknown,
    require_issuable,
    require_open_to_issuing,
)
from rewardkit.core.pools.slices import SLICES, counted, remaining
from rewardkit.core.pools.stocking import stock_effects
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.needs import ask
from rewardkit.core.storing.pool_rows import CodeRow, HoldingRow, IssuanceRow, PoolRow
from rewardkit.core.values.input import masked, text
from rewardkit.errors import InvariantError, Refused

REFERENCE_CHARACTERS = 255


def issue_code(command: IssueCode, context: Context) -> Deciding[Decision[Issuance]]:
    """A code for an issuee: the one that she has, or the next one."""
    issuee = issuee_of(context, command.external_issuee_id, command.issuee_id)
    new = _begun(command, issuee, context)
    issuing = Issuing(context, new, known=issuee.known)
    if command.code is not None:
        return (yield from issuing.this_one(pool_name(command.pool), command.code))
    taken = yield from ask(TakeCode(pool_name(command.pool), new, issuee.known))
    if taken is None:
        return Decision(pool_unknown(command.pool))
    require_open_to_issuing(taken.pool, context.at)
    if taken.code is not None:
        new = new._replace(id=taken.issuance, key=taken.code.key, number=1, code=taken.code.code, pool=taken.pool.id)
        return Decision(issuance_record(context, new, context.at))
    if taken.held:
        return (yield from issuing.again(taken.held))
    return (yield from issuing.looking_at_all(taken.pool.id))


def issue_unwritten(command: IssueCode, pool_id: int, context: Context) -> Deciding[Decision[Issuance]]:
    """The same of a pool whose id is known, with nothing taken before it is written: all its slices are locked."""
    issuee = issuee_of(context, command.external_issuee_id, command.issuee_id)
    issuing = Issuing(context, _begun(command, issuee, context), known=issuee.known)
    return (yield from issuing.looking_at_all(pool_id))


def _begun(command: IssueCode, issuee: Issuee, context: Context) -> IssuanceRow:
    """What is known of an issuance before its code is."""
    return IssuanceRow(
        id=0,
        key="",
        number=0,
        code="",
        pool=0,
        issuee=issuee.id,
        external_issuee=issuee.external,
        application=reference(command.referring_application, "a referring application"),
        reference=reference(command.referring_application_ref_id, "a reference"),
        created_at=context.at,
    )


def reference(given: str | None, what: str) -> str:
    """A referring application or its reference; empty where there is none."""
    return "" if given is None else text(given, what, most=REFERENCE_CHARACTERS)


class Issuing:
    """One issuance, in the ways that are not the common one.

    Args:
        new: the issuance without what is known when the code is.
        known: whether the issuee may have a code already.
    """

    def __init__(self, context: Context, new: IssuanceRow, *, known: bool) -> None:
        self._context = context
        self._new = new
        self._known = known

    def again(self, key: str) -> Deciding[Decision[Issuance]]:
        """The code that the issuee has, once more; where it is void, another one."""
        found = yield from ask(CodeOf(key))
        if found is not None and found[0].status == "void":
            return (yield from self.looking_at_all(found[1].id))
        locked = yield from ask(LockCode(key))
        if locked is None:
            raise InvariantError("an issuee has a code that is not there")
        require_open_to_issuing(locked.pool, self._context.at)
        require_issuable(locked.code)
        return self._given(locked.code, (yield from ask(Draw("issuance"))), ())

    def looking_at_all(self, pool_id: int) -> Deciding[Decision[Issuance]]:
        """With all slices locked where something may be left: it is the last one, or the fall to the threshold."""
        stocked = yield from ask(PoolOf(pool_id))
        if stocked is None:
            raise _gone(pool_id)
        if not remaining(stocked.slices):
            return (yield from self._shared(stocked))
        stocked = yield from self._locked(pool_id)
        before = stocked.slices
        require_open_to_issuing(stocked.pool, self._context.at)
        # Before anything is refused: somebody else may have issued her the last one at this moment.
        held = yield from self._holding(pool_id)
        if held is not None:
            return (yield from self.again(held))
        if not remaining(before):
            return (yield from self._shared(stocked))
        chosen = max(before, key=lambda row: (row.remaining, -row.slice))
        code = yield from ask(NextCode(pool_id, chosen.slice, chosen.cursor))
        if code is None:
            raise InvariantError(f"pool {pool_id} counts codes that remain in slice {chosen.slice}, and has none")
        return (yield from self._first(stocked, code))

    def this_one(self, pool: int | str, written: str) -> Deciding[Decision[Issuance]]:
        """The code that was asked for, unless somebody else has it."""
        stocked = yield from ask(PoolOf(pool))
        if stocked is None:
            return Decision(pool_unknown(pool))
        key = read_code(written)
        found = yield from ask(CodeOf(key))
        if found is None or found[0].pool != stocked.pool.id:
            return Decision(code_unknown())
        terms = yield from self._terms(stocked.pool.id)
        require_open_to_issuing(terms, self._context.at)
        if found[0].status == "unissued":
            stocked = Stocked(terms, (yield from ask(LockSlices(terms.id))))
        held = yield from self._holding(terms.id)
        if held not in (None, key):
            sentence = "the issuee has another code of this pool: each has one, which is issued again"
            return Decision(Refused("issuee_has_another", sentence, {"code": masked(held or "")}))
        locked = yield from ask(LockCode(key))
        if locked is None:
            raise InvariantError("a code is gone")
        code = locked.code
        require_issuable(code)
        if code.status == "unissued":
            return (yield from self._first(stocked, code))
        if held == key:
            return self._given(code, (yield from ask(Draw("issuance"))), ())
        if terms.distribution == "unique":
            return Decision(Refused("code_issued", f"code `{masked(code.code)}` was issued to somebody else", {}))
        return (yield from self._to_another(code))

    def _shared(self, stocked: Stocked) -> Deciding[Decision[Issuance]]:
        """None is left that was never issued: a code of a multi pool goes to one more issuee."""
        inactive = sum(row.inactive for row in stocked.slices)
        pool = yield from self._terms(stocked.pool.id)
        require_open_to_issuing(pool, self._context.at)
        held = yield from self._holding(pool.id)
        if held is not None:
            return (yield from self.again(held))
        if pool.distribution == "unique":
            return Decision(exhausted(pool, inactive))
        # Everybody begins at a place of her own, so that codes are given out evenly and nobody waits for one code.
        drawn = int.from_bytes(blake2b(self._new.issuee.encode(), digest_size=8).digest(), "big")
        place = drawn // SLICES % max(1, pool.positions)
        code = yield from ask(NextIssuedCode(pool.id, drawn % SLICES, place))
        if code is None:
            return Decision(exhausted(pool, inactive))
        return (yield from self._to_another(code))

    def _first(self, stocked: Stocked, code: CodeRow) -> Deciding[Decision[Issuance]]:
        """A code that nobody has had; all slices are locked."""
        pool, before = stocked
        after = code._replace(status="issued", issuee=self._new.issuee, external_issuee=self._new.external_issuee)
        slices = tuple(counted(row, code, after) if row.slice == code.slice else row for row in before)
        effects = (*stock_effects(self._context, (pool, before), (pool, slices)), self._hold(code))
        number = yield from ask(Draw("issuance"))
        return self._given(after._replace(issuees=1), number, effects)

    def _to_another(self, code: CodeRow) -> Deciding[Decision[Issuance]]:
        number = yield from ask(Draw("issuance"))
        return self._given(code._replace(issuees=code.issuees + 1), number, (self._hold(code),))

    def _given(self, code: CodeRow, number: int, effects: tuple[Effect, ...]) -> Decision[Issuance]:
        at = self._context.at
        after = code._replace(issuances=code.issuances + 1, updated_at=at)
        row = self._new._replace(id=number, key=code.key, number=after.issuances, code=code.code, pool=code.pool)
        return Decision(issuance_record(self._context, row, at), (*effects, Replace((after,)), Insert((row,))))

    def _hold(self, code: CodeRow) -> Effect:
        row = HoldingRow(code.pool, self._new.issuee, code.key)
        return Replace((row,)) if self._known else Insert((row,))

    def _holding(self, pool: int) -> Deciding[str | None]:
        """The code that the issuee has and that is not void; where she has none, the place for it is locked."""
        if not self._known:
            return None
        key = yield from ask(TakeHolding(pool, self._new.issuee))
        found = (yield from ask(CodeOf(key))) if key else None
        return None if found is None or found[0].status == "void" else key

    def _locked(self, pool_id: int) -> Deciding[Stocked]:
        """A pool's terms and slices, which nobody changes any more."""
        pool = yield from self._terms(pool_id)
        return Stocked(pool, (yield from ask(LockSlices(pool_id))))

    def _terms(self, pool_id: int) -> Deciding[PoolRow]:
        pool = yield from ask(SharePool(pool_id))
        if pool is None:
            raise _gone(pool_id)
        return pool


def _gone(pool_id: int) -> InvariantError:
    return InvariantError(f"pool {pool_id} is gone")
