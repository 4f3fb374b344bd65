"""Taking a grant back: as a whole or a part of its amount, before it is given or after.

What had not been given is not given any more. What had been given is the host's to collect: the notice says so.
Neither gives money back to a budget by itself.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.definitions.amount import amount_of, minus, plus, read_amount, shown, total
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.grant_terms import WHOLE
from rewardkit.core.grants.failing import optional, sentence
from rewardkit.core.grants.freeing import places_of
from rewardkit.core.grants.granting import found, require_idle, written
from rewardkit.core.grants.life import FULFILLED, READY, REVERSED, Place, moved, place_of
from rewardkit.core.grants.terms import terms_of
from rewardkit.core.grants.withdrawing import withdrawn
from rewardkit.core.notices.notice import GRANT_REVERSED, notice, of_grant
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.records import Grant
from rewardkit.core.storing.rows import GrantRow, NoticeRow
from rewardkit.errors import Refused, ValidationError


@attrs.frozen
class ReverseGrant(Command[Grant]):
    """Take a grant back: a refund, a clawback, a mistake.

    A grant that was reversed as a whole is refused a second time; parts are taken back until nothing is left.
    No budget has more for it.

    Args:
        grant: its id; held, ready, undeliverable or fulfilled, and leased to nobody.
        reason: why; kept, shown and told.
        amount: how much of the reward's `amount`, as a whole number, a Decimal or its text; None is all that is left.
        by: who did it; kept and shown.
        frees: whether its places under the caps are given back, which only goes with all that is left;
            None is what its offer says.
    """

    grant: str
    reason: str
    amount: Decimal | int | str | None = attrs.field(default=None, kw_only=True)
    by: str = attrs.field(default="", kw_only=True)
    frees: bool | None = attrs.field(default=None, kw_only=True)


def reverse_grant(command: ReverseGrant, context: Context) -> Deciding[Decision[Grant]]:
    """To reversed, or a part less where it is."""
    reason, by = sentence(command.reason, "reason"), optional(command.by, "by")
    asked = None if command.amount is None else read_amount(command.amount)
    places = yield from places_of(command.grant, context, frees=command.frees)
    row, catalogue = yield from found(command.grant, "reverse", context)
    if row.status == READY:
        require_idle(row, context.at)
    taken, left = _share(row, catalogue, asked)
    amount = "" if taken is None else shown(taken)
    after = row if taken is None else row._replace(reversed=shown(plus(total(row.reversed), taken)))
    if left:
        if command.frees:
            raise ValidationError("frees goes with all that is left: a part gives no place back")
        part = moved(after, "reduce", place_of(row), context.at, by=by, reason=reason, amount=amount)
        told = _told(context, catalogue, part.row, reason, taken, fulfilled=row.status == FULFILLED)
        return written(catalogue, part, (told,))
    effects = (*(yield from places.give_back()), *(yield from withdrawn(row, catalogue, context)))
    whole = moved(after, "reverse", Place(REVERSED), context.at, by=by, reason=reason, amount=amount)
    told = _told(context, catalogue, whole.row, reason, taken, fulfilled=row.status == FULFILLED)
    return written(catalogue, whole, (told,), effects, reason=reason, freed=int(places.wanted))


def _share(row: GrantRow, catalogue: Catalogue, asked: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    """What is taken, and what is left then; nothing of either where the reward has no amount.

    Raises:
        Refused: it is more than there is, or less than the terms allow.
    """
    whole = amount_of(catalogue.reward_versions[row.reward, row.reward_version])
    if whole is None:
        if asked is not None:
            sentence = f"the reward of grant `{row.id}` has no amount, so there is no part of it"
            raise Refused("grant_indivisible", sentence, {"reward": row.reward})
        return None, None
    left = minus(whole, total(row.reversed))
    facts = {"amount": shown(whole), "left": shown(left)}
    if asked is not None and asked > left:
        raise Refused("amount_exceeded", f"only {shown(left)} of grant `{row.id}` is left", facts)
    if asked is not None and asked < left and terms_of(row, catalogue).reversal == WHOLE:
        raise Refused("grant_indivisible", f"grant `{row.id}` is taken back as a whole or not at all", facts)
    taken = left if asked is None else asked
    return taken, minus(left, taken)


def _told(
    context: Context, catalogue: Catalogue, row: GrantRow, reason: str, taken: Decimal | None, *, fulfilled: bool
) -> NoticeRow:
    body: dict[str, Any] = of_grant(row, catalogue) | {"reason": reason, "status": row.status, "fulfilled": fulfilled}
    if taken is not None:
        body["amount"] = shown(taken)
    return notice(context, GRANT_REVERSED, row.user, row.id, body, step=row.steps)
