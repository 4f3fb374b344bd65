"""Who a code is for: somebody whom the host knows under an id of its own, or nobody in particular."""

from __future__ import annotations

from typing import NamedTuple
from uuid import NAMESPACE_URL, UUID, uuid5

from rewardkit.core.deciding.context import Context
from rewardkit.core.values.input import show, text
from rewardkit.errors import ValidationError


class Issuee(NamedTuple):
    """An issuee's id, and what the host calls her."""

    id: str
    external: str
    known: bool
    """Whether she may have been here before: false for one who was made up for this call."""


def issuee_of(context: Context, external_id: str | None, issuee_id: str | None) -> Issuee:
    """The issuee that a caller names.

    An external id has one issuee id a tenant, derived from both, so that every retry and every store has the same.
    Without either, somebody new is made up.

    Raises:
        ValidationError: both are given and do not belong together, or one cannot be meant.
    """
    if external_id is not None:
        external = text(external_id, "an external issuee id")
        derived = str(uuid5(NAMESPACE_URL, f"rewardkit:issuee:{context.tenant}\x1f{external}"))
        if issuee_id not in (None, derived):
            raise ValidationError("the external issuee id and the issuee id are not those of one issuee: pass one")
        return Issuee(derived, external, known=True)
    if issuee_id is not None:
        return Issuee(_uuid(issuee_id), "", known=True)
    return Issuee(
        str(uuid5(NAMESPACE_URL, f"rewardkit:anonymous:{context.tenant}\x1f{context.nonce}")), "", known=False
    )


def _uuid(given: object) -> str:
    try:
        return str(UUID(text(given, "an issuee id", most=45)))
    except ValueError:
        raise ValidationError(f"an issuee id is a UUID, not `{show(str(given))}`") from None
