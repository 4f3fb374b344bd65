"""Keeping a redemption free for a while: reserve, then confirm or release.

A reservation whose time is over holds nothing, whether or not anybody has noticed: it is given back when somebody wants
its place, and until then whoever reserves again under its name has it again.
"""

from __future__ import annotations

from rewardkit.core.attempts.attempt import require_uncounted
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.commands import ConfirmReservation, ReleaseReservation, ReserveCode
from rewardkit.core.pools.issuee import Issuee
from rewardkit.core.pools.needs import Draw, LockCode, Locked, RedemptionOf, ReservationFor, ReservationOf
from rewardkit.core.pools.redeeming import Redeeming, attempt_of
from rewardkit.core.pools.redemption import Redemption, redemption_record
from rewardkit.core.pools.refusals import UNIFORM, require_redeemable
from rewardkit.core.pools.reservation import Reservation, reservation_record
from rewardkit.core.pools.taking import Taking
from rewardkit.core.storing.effects import Insert, Replace
from rewardkit.core.storing.needs import ask
from rewardkit.core.storing.pool_rows import RedemptionRow, ReservationRow
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import InvariantError, Refused
from rewardkit.language.event import rfc3339

LONGEST_SECONDS = 24 * 3600
"""A payment that takes longer should redeem at once, and be rolled back if it fails."""


def reserve_code(command: ReserveCode, context: Context) -> Deciding[Decision[Reservation]]:
    """One redemption is kept; under a name that has one already, that one."""
    if command.public:
        return (yield from attempt_of(command, context).made(_reserve(command, context), uniform=UNIFORM))
    require_uncounted(command.subject, command.origin)
    return (yield from _reserve(command, context))


def _reserve(command: ReserveCode, context: Context) -> Deciding[Decision[Reservation]]:
    seconds = integer(command.seconds, "seconds", least=1, most=LONGEST_SECONDS)
    name = f"rs_{context.nonce}" if command.reservation is None else text(command.reservation, "a reservation")
    redeeming = Redeeming(context, command)
    locked, effects = yield from redeeming.code()
    row = yield from ask(ReservationOf(name))
    if row is not None and row.key != locked.code.key:
        sentence = f"reservation `{show(name)}` is of another code"
        return Decision(Refused("reservation_of_another_code", sentence, {}))
    if row is not None and row.status == "confirmed":
        return Decision(_confirmed(row))
    expires_at = context.at + seconds * 1_000_000
    if locked.pool.valid_until is not None:
        expires_at = min(expires_at, locked.pool.valid_until)
    if row is not None and row.status == "open":
        after = row._replace(expires_at=expires_at, updated_at=context.at)
        return Decision(reservation_record(after), (*effects, Replace((after,))))
    taking = Taking(context, locked)
    yield from taking.make_room(redeeming.issuee)
    issuee, external = redeeming.redeemer(locked)
    yield from taking.reserve(issuee)
    after = ReservationRow(
        id=name,
        key=locked.code.key,
        code=locked.code.code,
        pool=locked.pool.id,
        issuee=issuee,
        external_issuee=external,
        application=redeeming.application,
        reference=redeeming.reference,
        status="open",
        expires_at=expires_at,
        redemption=None,
        created_at=context.at,
        updated_at=context.at,
    )
    kept = Insert((after,)) if row is None else Replace((after,))
    return Decision(reservation_record(after), (*effects, *taking.effects(), kept))


def confirm_reservation(command: ConfirmReservation, context: Context) -> Deciding[Decision[Redemption]]:
    """What was reserved is redeemed, while its time lasts."""
    locked, row = yield from _locked(command.reservation)
    if row.status == "confirmed":
        known = None if row.redemption is None else (yield from ask(RedemptionOf(row.redemption)))
        if known is None:
            raise InvariantError("a confirmed reservation has no redemption")
        return Decision(redemption_record(context, known))
    if row.status == "released":
        return Decision(Refused("reservation_released", f"reservation `{show(row.id)}` has been given back", {}))
    if row.expires_at <= context.at:
        ended = rfc3339(row.expires_at)
        sentence = f"the time of reservation `{show(row.id)}` was over at {ended}: reserve again"
        return Decision(Refused("reservation_expired", sentence, {"expired": ended}))
    require_redeemable(locked.code, locked.pool, Issuee(row.issuee, row.external_issuee, known=False), context.at)
    taking = Taking(context, locked)
    yield from taking.confirm(row.issuee)
    redemption = RedemptionRow(
        id=(yield from ask(Draw("redemption"))),
        key=row.key,
        number=taking.code.redeemed,
        code=row.code,
        pool=row.pool,
        issuee=row.issuee,
        external_issuee=row.external_issuee,
        application=row.application,
        reference=row.reference,
        reservation=row.id,
        created_at=context.at,
        rolled_back_at=None,
    )
    after = row._replace(status="confirmed", redemption=redemption.id, updated_at=context.at)
    effects = (*taking.effects(), Insert((redemption,)), Replace((after,)))
    return Decision(redemption_record(context, redemption), effects)


def release_reservation(command: ReleaseReservation, context: Context) -> Deciding[Decision[Reservation]]:
    """What was reserved is free again."""
    locked, row = yield from _locked(command.reservation)
    if row.status == "confirmed":
        return Decision(_confirmed(row))
    if row.status == "released":
        return Decision(reservation_record(row))
    taking = Taking(context, locked)
    yield from taking.release(row.issuee)
    after = row._replace(status="released", updated_at=context.at)
    return Decision(reservation_record(after), (*taking.effects(), Replace((after,))))


def _locked(given: str) -> Deciding[tuple[Locked, ReservationRow]]:
    """The code of a reservation, and then the reservation.

    Raises:
        Refused: there is none of this name.
    """
    name = text(given, "a reservation")
    key = yield from ask(ReservationFor(name))
    locked = (yield from ask(LockCode(key))) if key else None
    row = (yield from ask(ReservationOf(name))) if key else None
    if locked is None or row is None:
        raise Refused("reservation_unknown", f"reservation `{show(name)}` does not exist", {})
    return locked, row


def _confirmed(row: ReservationRow) -> Refused:
    facts = {"redemption": row.redemption}
    return Refused("reservation_confirmed", f"reservation `{show(row.id)}` has been confirmed: it is redeemed", facts)
