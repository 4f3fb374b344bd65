"""Redeeming codes, and taking a redemption back."""

from __future__ import annotations

from rewardkit.core.attempts.attempt import Attempt, require_uncounted
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.alphabet import read_code
from rewardkit.core.pools.commands import CheckCode, RedeemCode, ReserveCode, RollBackRedemption
from rewardkit.core.pools.issuee import issuee_of
from rewardkit.core.pools.issuing import reference
from rewardkit.core.pools.needs import (
    CodeOf,
    Draw,
    LockCode,
    Locked,
    LockSlices,
    RedemptionFor,
    RedemptionOf,
    SharePool,
    TakeHolding,
)
from rewardkit.core.pools.redemption import Redemption, redemption_record
from rewardkit.core.pools.refusals import UNIFORM, code_unknown, require_not_spent, require_redeemable
from rewardkit.core.pools.slices import counted
from rewardkit.core.pools.stocking import stock_effects
from rewardkit.core.pools.taking import Taking
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.needs import ask
from rewardkit.core.storing.pool_rows import HoldingRow, IssuanceRow, RedemptionRow
from rewardkit.core.values.input import integer
from rewardkit.errors import InvariantError, Refused


def redeem_code(command: RedeemCode, context: Context) -> Deciding[Decision[Redemption]]:
    """By tenant and code alone; all that speaks against it is looked at before anything is locked, and again after."""
    if command.public:
        return (yield from attempt_of(command, context).made(redeem(command, context), uniform=UNIFORM))
    require_uncounted(command.subject, command.origin)
    return (yield from redeem(command, context))


def attempt_of(command: RedeemCode | ReserveCode | CheckCode, context: Context) -> Attempt:
    """Who tries a code: whom the host names, or the issuee, or nobody in particular."""
    issuee = issuee_of(context, command.external_issuee_id, command.issuee_id)
    subject = (issuee.external or issuee.id) if issuee.known else None
    return Attempt(context, subject if command.subject is None else command.subject, command.origin, command.limits)


def redeem(command: RedeemCode, context: Context) -> Deciding[Decision[Redemption]]:
    """With the reason of a refusal, whoever hears it."""
    redeeming = Redeeming(context, command)
    locked, effects = yield from redeeming.code()
    taking = Taking(context, locked)
    yield from taking.make_room(redeeming.issuee)
    issuee, external = redeeming.redeemer(locked)
    yield from taking.redeem(issuee)
    row = RedemptionRow(
        id=(yield from ask(Draw("redemption"))),
        key=locked.code.key,
        number=taking.code.redeemed,
        code=locked.code.code,
        pool=locked.pool.id,
        issuee=issuee,
        external_issuee=external,
        application=redeeming.application,
        reference=redeeming.reference,
        reservation="",
        created_at=context.at,
        rolled_back_at=None,
    )
    return Decision(redemption_record(context, row), (*effects, *taking.effects(), Insert((row,))))


class Redeeming:
    """What a caller who redeems or reserves a code has given.

    Args:
        command: `RedeemCode` or `ReserveCode`.
    """

    def __init__(self, context: Context, command: RedeemCode | ReserveCode) -> None:
        self._context = context
        self._key = read_code(command.code)
        self.issuee = issuee_of(context, command.external_issuee_id, command.issuee_id)
        self.application = reference(command.referring_application, "a referring application")
        self.reference = reference(command.referring_application_ref_id, "a reference")

    def code(self) -> Deciding[tuple[Locked, tuple[Effect, ...]]]:
        """The code, locked, and what its issuing to its bearer changes.

        Raises:
            Refused: it may not be redeemed.
        """
        found = yield from ask(CodeOf(self._key))
        if found is None:
            raise code_unknown()
        require_redeemable(*found, self.issuee, self._context.at)
        require_not_spent(*found)
        if found[0].status == "unissued":
            return (yield from self._bearers(found[1].id))
        locked = yield from ask(LockCode(self._key))
        if locked is None:
            raise InvariantError("a code is gone")
        require_redeemable(locked.code, locked.pool, self.issuee, self._context.at)
        return locked, ()

    def redeemer(self, locked: Locked) -> tuple[str, str]:
        """Who redeems it, and what the host calls her: of a unique pool the one who has it."""
        if not self.issuee.known and locked.pool.distribution == "unique":
            return locked.code.issuee, locked.code.external_issuee
        return self.issuee.id, self.issuee.external

    def _bearers(self, pool_id: int) -> Deciding[tuple[Locked, tuple[Effect, ...]]]:
        """A code that was never issued is issued to whoever bears it."""
        context, issuee = self._context, self.issuee
        pool = yield from ask(SharePool(pool_id))
        before = yield from ask(LockSlices(pool_id))
        held = (yield from ask(TakeHolding(pool_id, issuee.id))) if issuee.known else ""
        locked = yield from ask(LockCode(self._key))
        if pool is None or locked is None:
            raise InvariantError("a code or its pool is gone")
        require_redeemable(locked.code, pool, issuee, context.at)
        if locked.code.status == "issued":
            # In the meantime.
            return locked, ()
        holding = HoldingRow(pool_id, issuee.id, held or locked.code.key)
        code = locked.code._replace(
            status="issued", issuee=issuee.id, external_issuee=issuee.external, issuances=1, issuees=1
        )
        slices = tuple(counted(row, locked.code, code) if row.slice == code.slice else row for row in before)
        number = yield from ask(Draw("issuance"))
        issuance = IssuanceRow(
            id=number,
            key=code.key,
            number=1,
            code=code.code,
            pool=pool_id,
            issuee=issuee.id,
            external_issuee=issuee.external,
            application=self.application,
            reference=self.reference,
            created_at=context.at,
        )
        effects = (
            *stock_effects(context, (pool, before), (pool, slices)),
            Insert((issuance,)),
            Replace((holding,)) if issuee.known else Insert((holding,)),
        )
        return locked._replace(code=code), effects


def roll_back_redemption(command: RollBackRedemption, context: Context) -> Deciding[Decision[Redemption]]:
    """Exactly what it took is given back, once; the record stays, with the instant."""
    number = integer(command.redemption, "a redemption's id", least=0)
    key = yield from ask(RedemptionFor(number))
    locked = (yield from ask(LockCode(key))) if key else None
    row = (yield from ask(RedemptionOf(number))) if key else None
    if locked is None or row is None:
        return Decision(Refused("redemption_unknown", f"redemption `{number}` does not exist", {}))
    if row.rolled_back_at is not None:
        at = redemption_record(context, row).updated_at.isoformat()
        sentence = f"redemption `{number}` was rolled back before"
        return Decision(Refused("redemption_rolled_back", sentence, {"rolled_back_at": at}))
    taking = Taking(context, locked)
    yield from taking.roll_back(row.issuee)
    after = row._replace(rolled_back_at=context.at)
    return Decision(redemption_record(context, after), (*taking.effects(), Replace((after,))))
