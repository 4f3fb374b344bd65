"""Giving back what a grant took under the caps: its campaign's, its user's, its sender's."""

from __future__ import annotations

import attrs

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.grants.granting import covering
from rewardkit.core.grants.terms import terms_of
from rewardkit.core.storing.effects import Effect, Replace
from rewardkit.core.storing.needs import Claim, Claims, GiveBack, GrantSeen, Members, UserOfferOf, ask
from rewardkit.core.storing.progress import Progress
from rewardkit.core.storing.referral_needs import ReferralOf
from rewardkit.core.storing.rows import GrantRow, MemberRow
from rewardkit.core.values.input import text
from rewardkit.errors import InvariantError, ValidationError

SENDER = "sender"


@attrs.frozen
class Places:
    """What is to be given back with a grant."""

    wanted: bool = False
    member: MemberRow | None = None
    """Whose row counts it."""
    campaign_id: int = 0
    """Under whose number."""
    confirmed: tuple[str, ...] = ()
    """Counters that have it as confirmed."""
    reserved: tuple[str, ...] = ()
    """Counters that have it as reserved."""

    def give_back(self) -> Deciding[tuple[Effect, ...]]:
        """Take it off the counters, once it is sure that the grant ends here; the user's row is an effect."""
        if self.reserved:
            yield from ask(Claims(tuple(Claim(name, 0, 0, 0, 1) for name in sorted(self.reserved))))
        for name in sorted(self.confirmed):
            yield from ask(GiveBack(name))
        if self.member is None:
            return ()
        progress = Progress(self.member.state)
        made, taken = progress.counts(self.campaign_id)
        progress.count(self.campaign_id, made, taken - 1)
        return (Replace((self.member._replace(state=progress.pack()),)),)


def places_of(grant: str, context: Context, *, frees: bool | None) -> Deciding[Places]:
    """The places that a grant has taken, if they are to be given back.

    Asked before the grant is locked, since users are locked before grants.

    Args:
        grant: its id, of a grant or of none.
        context: of the decision.
        frees: as the caller says; None leaves it to the terms that it was earned under.
    """
    if frees is not None and not isinstance(frees, bool):
        raise ValidationError("frees must be True, False or None")
    row = yield from ask(GrantSeen(text(grant, "a grant's id")))
    if row is None:
        return Places()
    catalogue = yield from covering(context, (row,))
    if not (terms_of(row, catalogue).reversal_frees if frees is None else frees):
        return Places()
    if row.referral:
        return (yield from _of_a_sender(row, catalogue))
    return (yield from _of_a_user_offer(row, catalogue))


def _of_a_sender(row: GrantRow, catalogue: Catalogue) -> Deciding[Places]:
    referral = yield from ask(ReferralOf(row.referral))
    if referral is None:
        raise InvariantError(f"grant `{row.id}` names referral `{row.referral}`, which is not there")
    if row.side != SENDER:
        return Places(wanted=True)
    program = catalogue.referrals.programs[referral.program]
    names = [program.counter(referral.sender)]
    if referral.period:
        names.append(program.counter(referral.sender, referral.period))
    return Places(wanted=True, reserved=tuple(names))


def _of_a_user_offer(row: GrantRow, catalogue: Catalogue) -> Deciding[Places]:
    members = yield from ask(Members((row.user,)))
    offer = yield from ask(UserOfferOf(row.user_offer))
    if offer is None or not members:
        raise InvariantError(f"grant `{row.id}` names user offer `{row.user_offer}`, which is not there")
    campaign_id = catalogue.campaigns[row.campaign].id
    terms = catalogue.campaign_versions[offer.campaign, offer.campaign_version]
    return Places(
        wanted=True,
        member=members[0],
        campaign_id=campaign_id,
        # What was spent of a budget comes back by replenishing it alone.
        confirmed=tuple(terms.amounts(terms.taking(offer.made_at, 0))),
    )
