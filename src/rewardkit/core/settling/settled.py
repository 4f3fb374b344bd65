"""What users' folds came to, once caps have been asked: what is answered, and what is written."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rewardkit.core.folding.fold import Fold
from rewardkit.core.requests.answers import Capped, Earned, Entered, Expired
from rewardkit.core.requests.referral_records import ReferralEnded
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.referral_rows import ReferralEnding, ReferralRow
from rewardkit.core.storing.rows import GrantRow, MemberRow, NoticeRow, UserOfferEnding, UserOfferRow


@attrs.define
class Settled:
    """What happened, and what is to be written for it."""

    members: list[MemberRow] = attrs.field(factory=list)
    """Rows of users that are written beside those that were folded."""
    entered: list[Entered] = attrs.field(factory=list)
    capped: list[Capped] = attrs.field(factory=list)
    earned: list[Earned] = attrs.field(factory=list)
    expired: list[Expired] = attrs.field(factory=list)
    offers: list[UserOfferRow] = attrs.field(factory=list)
    endings: list[UserOfferEnding] = attrs.field(factory=list)
    grants: list[GrantRow] = attrs.field(factory=list)
    """Whose status is `earned`, until they have passed the gates that are open to them."""
    unfunded: set[str] = attrs.field(factory=set)
    """The ids of those that their campaign's budget does not cover."""
    steps: list[GrantStepRow] = attrs.field(factory=list)
    notices: list[NoticeRow] = attrs.field(factory=list)
    referrals: list[ReferralEnded] = attrs.field(factory=list)
    referral_rows: list[ReferralRow] = attrs.field(factory=list)
    referral_endings: list[ReferralEnding] = attrs.field(factory=list)
    supplied: tuple[Effect, ...] = ()
    """What the pools have less by the grants, where nobody else writes that."""

    def effects(self, folds: Iterable[Fold]) -> tuple[Effect, ...]:
        """All of it as effects, members first."""
        members = (*(fold.result() for fold in folds if fold.changed), *self.members)
        found: list[Effect] = []
        if members:
            found.append(Replace(members))
        if self.offers:
            found.append(Insert(tuple(self.offers)))
        if self.endings:
            found.append(Replace(tuple(self.endings)))
        if self.referral_rows:
            found.append(Insert(tuple(self.referral_rows)))
        if self.referral_endings:
            found.append(Replace(tuple(self.referral_endings)))
        if self.grants:
            found.append(Insert(tuple(self.grants)))
        if self.steps:
            found.append(Insert(tuple(self.steps)))
        if self.notices:
            found.append(Insert(tuple(self.notices)))
        return (*found, *self.supplied)
