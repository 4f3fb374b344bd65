"""A transaction as the shell sees it, the same for every store: open, then lost by a failure or ended."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from rewardkit.core.attempts import needs as attempts
from rewardkit.core.pools import needs as pools
from rewardkit.core.storing import needs
from rewardkit.core.storing import referral_needs as referrals
from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.needs import Need
from rewardkit.core.storing.pool_rows import (
    CodeRow,
    IssuanceRow,
    PoolRow,
    RedeemerRow,
    RedemptionRow,
    ReservationRow,
    SliceRow,
)
from rewardkit.core.storing.referral_rows import ReferralCodeRow, ReferralRow
from rewardkit.core.storing.rows import (
    AnswerRow,
    CounterRow,
    EndpointRow,
    EventRow,
    GrantRow,
    MemberRow,
    NoticeRow,
    RegisteredEndpointRow,
    UserOfferRow,
)
from rewardkit.core.storing.seen_needs import InForce, MembersSeen
from rewardkit.core.tracking import needs as tracking
from rewardkit.core.tracking.tallies import (
    DepthTally,
    GrantTally,
    LengthTally,
    OfferTally,
    ReferralTally,
    SenderTally,
    SpreadTally,
    TermsTally,
    UserTally,
)
from rewardkit.errors import InvariantError, StoreError

T = TypeVar("T")


class Rows(Protocol):
    """One tenant's rows inside a transaction: a method for each need, promised by the need's class."""

    def accept(self, need: needs.Accept) -> needs.Accepted: ...
    def digests(self, need: needs.Digests) -> Mapping[tuple[str, str], bytes]: ...
    def in_force(self, need: InForce) -> tuple[int, int]: ...
    def members(self, need: needs.Members) -> tuple[MemberRow, ...]: ...
    def members_seen(self, need: MembersSeen) -> tuple[MemberRow, ...]: ...
    def due_members(self, need: needs.DueMembers) -> needs.Due: ...
    def stale_members(self, need: needs.StaleMembers) -> needs.Due: ...
    def histories(self, need: needs.Histories) -> Mapping[str, tuple[EventRow, ...]]: ...
    def definitions(self, need: needs.Definitions) -> needs.DefinitionSet: ...
    def published(self, need: needs.Published) -> tuple[int, int]: ...
    def claims(self, need: needs.Claims) -> tuple[int, ...]: ...
    def give_back(self, need: needs.GiveBack) -> None: ...
    def recall(self, need: needs.Recall) -> AnswerRow | None: ...
    def user_offer_of(self, need: needs.UserOfferOf) -> UserOfferRow | None: ...
    def grant_of(self, need: needs.GrantOf) -> GrantRow | None: ...
    def grant_seen(self, need: needs.GrantSeen) -> GrantRow | None: ...
    def lease_grants(self, need: needs.LeaseGrants) -> tuple[GrantRow, ...]: ...
    def due_holds(self, need: needs.DueHolds) -> tuple[GrantRow, ...]: ...
    def seen_names(self, need: needs.SeenNames) -> frozenset[str]: ...
    def held_grants(self, need: needs.HeldGrants) -> tuple[GrantRow, ...]: ...
    def grants_to_supply(self, need: needs.GrantsToSupply) -> tuple[GrantRow, ...]: ...
    def lease_checks(self, need: needs.LeaseChecks) -> tuple[GrantRow, ...]: ...
    def lease_notices(self, need: needs.LeaseNotices) -> tuple[NoticeRow, ...]: ...
    def notices_of(self, need: needs.NoticesOf) -> tuple[NoticeRow, ...]: ...
    def take_endpoints(self, need: needs.TakeEndpoints) -> tuple[EndpointRow, ...]: ...
    def take_attempts(self, need: attempts.TakeAttempts) -> tuple[AttemptRow, ...]: ...

    def forget_attempts(self, need: attempts.ForgetAttempts) -> int: ...
    def attempts_of(self, need: attempts.AttemptsOf) -> tuple[AttemptRow, ...]: ...
    def list_endpoints(self, need: needs.ListEndpoints) -> tuple[EndpointRow, ...]: ...
    def registered_endpoints_of(self, need: needs.RegisteredEndpointsOf) -> tuple[RegisteredEndpointRow, ...]: ...
    def list_registered_endpoints(self, need: needs.ListRegisteredEndpoints) -> tuple[RegisteredEndpointRow, ...]: ...
    def list_grants(self, need: needs.ListGrants) -> tuple[GrantRow, ...]: ...
    def steps_of(self, need: needs.StepsOf) -> tuple[GrantStepRow, ...]: ...
    def list_user_offers(self, need: needs.ListUserOffers) -> tuple[UserOfferRow, ...]: ...
    def list_notices(self, need: needs.ListNotices) -> tuple[NoticeRow, ...]: ...
    def counters(self, need: needs.Counters) -> tuple[CounterRow, ...]: ...
    def referral_of(self, need: referrals.ReferralOf) -> ReferralRow | None: ...
    def referrals_into(self, need: referrals.ReferralsInto) -> tuple[ReferralRow, ...]: ...
    def list_referrals(self, need: referrals.ListReferrals) -> tuple[ReferralRow, ...]: ...
    def take_referral_code(self, need: referrals.TakeReferralCode) -> ReferralCodeRow | None: ...
    def referral_code_of(self, need: referrals.ReferralCodeOf) -> ReferralCodeRow | None: ...
    def sender_of_code(self, need: referrals.SenderOfCode) -> ReferralCodeRow | None: ...
    def pool_of(self, need: pools.PoolOf) -> pools.Stocked | None: ...
    def lock_pool(self, need: pools.LockPool) -> PoolRow | None: ...
    def share_pool(self, need: pools.SharePool) -> PoolRow | None: ...
    def take_positions(self, need: pools.TakePositions) -> PoolRow | None: ...
    def lock_slices(self, need: pools.LockSlices) -> tuple[SliceRow, ...]: ...
    def add_codes(self, need: pools.AddCodes) -> frozenset[str]: ...
    def take_code(self, need: pools.TakeCode) -> pools.Taken | None: ...
    def take_holding(self, need: pools.TakeHolding) -> str: ...
    def next_code(self, need: pools.NextCode) -> CodeRow | None: ...
    def next_issued_code(self, need: pools.NextIssuedCode) -> CodeRow | None: ...
    def code_of(self, need: pools.CodeOf) -> tuple[CodeRow, PoolRow] | None: ...
    def lock_code(self, need: pools.LockCode) -> pools.Locked | None: ...
    def draw(self, need: pools.Draw) -> int: ...
    def redeemer_of(self, need: pools.RedeemerOf) -> RedeemerRow | None: ...
    def redemption_of(self, need: pools.RedemptionOf) -> RedemptionRow | None: ...
    def reservation_of(self, need: pools.ReservationOf) -> ReservationRow | None: ...
    def redemption_for(self, need: pools.RedemptionFor) -> str: ...
    def reservation_for(self, need: pools.ReservationFor) -> str: ...
    def overdue_reservations(self, need: pools.OverdueReservations) -> tuple[ReservationRow, ...]: ...
    def list_pools(self, need: pools.ListPools) -> tuple[pools.Stocked, ...]: ...
    def list_codes(self, need: pools.ListCodes) -> tuple[CodeRow, ...]: ...
    def list_issuances(self, need: pools.ListIssuances) -> tuple[IssuanceRow, ...]: ...
    def list_redemptions(self, need: pools.ListRedemptions) -> tuple[RedemptionRow, ...]: ...
    def tally_offers(self, need: tracking.TallyOffers) -> tuple[OfferTally, ...]: ...
    def tally_users(self, need: tracking.TallyUsers) -> tuple[UserTally, ...]: ...
    def tally_earning(self, need: tracking.TallyEarning) -> tuple[LengthTally, ...]: ...
    def tally_grants(self, need: tracking.TallyGrants) -> tuple[GrantTally, ...]: ...
    def tally_referrals(self, need: tracking.TallyReferrals) -> tuple[ReferralTally, ...]: ...
    def tally_completing(self, need: tracking.TallyCompleting) -> tuple[LengthTally, ...]: ...
    def tally_senders(self, need: tracking.TallySenders) -> tuple[SenderTally, ...]: ...
    def tally_spread(self, need: tracking.TallySpread) -> SpreadTally: ...
    def tally_variant_spreads(self, need: tracking.TallyVariantSpreads) -> tuple[SpreadTally, ...]: ...
    def tally_terms(self, need: tracking.TallyTerms) -> tuple[TermsTally, ...]: ...
    def tally_sides(self, need: tracking.TallySides) -> tuple[GrantTally, ...]: ...
    def tally_variant_sides(self, need: tracking.TallyVariantSides) -> tuple[GrantTally, ...]: ...
    def tally_depths(self, need: tracking.TallyDepths) -> tuple[DepthTally, ...]: ...
    def chain_into(self, need: tracking.ChainInto) -> tuple[str, ...]: ...
    def write(self, effects: Sequence[Effect]) -> None: ...


_METHODS: Mapping[type[Need[Any]], str] = {
    needs.Accept: "accept",
    needs.Digests: "digests",
    InForce: "in_force",
    needs.Members: "members",
    MembersSeen: "members_seen",
    needs.DueMembers: "due_members",
    needs.StaleMembers: "stale_members",
    needs.Histories: "histories",
    needs.Definitions: "definitions",
    needs.Published: "published",
    needs.Claims: "claims",
    needs.GiveBack: "give_back",
    needs.Recall: "recall",
    needs.UserOfferOf: "user_offer_of",
    needs.GrantOf: "grant_of",
    needs.GrantSeen: "grant_seen",
    needs.LeaseGrants: "lease_grants",
    needs.DueHolds: "due_holds",
    needs.SeenNames: "seen_names",
    needs.HeldGrants: "held_grants",
    needs.GrantsToSupply: "grants_to_supply",
    needs.LeaseChecks: "lease_checks",
    needs.LeaseNotices: "lease_notices",
    needs.NoticesOf: "notices_of",
    needs.TakeEndpoints: "take_endpoints",
    attempts.TakeAttempts: "take_attempts",
    attempts.ForgetAttempts: "forget_attempts",
    attempts.AttemptsOf: "attempts_of",
    needs.ListEndpoints: "list_endpoints",
    needs.RegisteredEndpointsOf: "registered_endpoints_of",
    needs.ListRegisteredEndpoints: "list_registered_endpoints",
    needs.ListGrants: "list_grants",
    needs.StepsOf: "steps_of",
    needs.ListUserOffers: "list_user_offers",
    needs.ListNotices: "list_notices",
    needs.Counters: "counters",
    referrals.ReferralOf: "referral_of",
    referrals.ReferralsInto: "referrals_into",
    referrals.ListReferrals: "list_referrals",
    referrals.TakeReferralCode: "take_referral_code",
    referrals.ReferralCodeOf: "referral_code_of",
    referrals.SenderOfCode: "sender_of_code",
    pools.PoolOf: "pool_of",
    pools.LockPool: "lock_pool",
    pools.SharePool: "share_pool",
    pools.TakePositions: "take_positions",
    pools.LockSlices: "lock_slices",
    pools.AddCodes: "add_codes",
    pools.TakeCode: "take_code",
    pools.TakeHolding: "take_holding",
    pools.NextCode: "next_code",
    pools.NextIssuedCode: "next_issued_code",
    pools.CodeOf: "code_of",
    pools.LockCode: "lock_code",
    pools.Draw: "draw",
    pools.RedeemerOf: "redeemer_of",
    pools.RedemptionOf: "redemption_of",
    pools.ReservationOf: "reservation_of",
    pools.RedemptionFor: "redemption_for",
    pools.ReservationFor: "reservation_for",
    pools.OverdueReservations: "overdue_reservations",
    pools.ListPools: "list_pools",
    pools.ListCodes: "list_codes",
    pools.ListIssuances: "list_issuances",
    pools.ListRedemptions: "list_redemptions",
    tracking.TallyOffers: "tally_offers",
    tracking.TallyUsers: "tally_users",
    tracking.TallyEarning: "tally_earning",
    tracking.TallyGrants: "tally_grants",
    tracking.TallyReferrals: "tally_referrals",
    tracking.TallyCompleting: "tally_completing",
    tracking.TallySenders: "tally_senders",
    tracking.TallySpread: "tally_spread",
    tracking.TallyVariantSpreads: "tally_variant_spreads",
    tracking.TallyTerms: "tally_terms",
    tracking.TallySides: "tally_sides",
    tracking.TallyVariantSides: "tally_variant_sides",
    tracking.TallyDepths: "tally_depths",
    tracking.ChainInto: "chain_into",
}


class OpenTransaction:
    """See `rewardkit.ports.Transaction`.

    After a failure nothing of it may be kept, even where the block swallows the exception:
    PostgreSQL would answer the COMMIT with a silent rollback, and the caller would believe in rows that are not there.
    """

    def __init__(self, rows: Rows, *, reading: bool = False) -> None:
        self._rows = rows
        self._reading = reading
        self._state: Literal["open", "lost by an earlier failure", "ended"] = "open"

    def ask(self, need: Need[T]) -> T:
        """See `rewardkit.ports.Transaction.ask`."""
        self.check()
        try:
            answer: T = getattr(self._rows, _METHODS[type(need)])(need)
        except BaseException:
            self._state = "lost by an earlier failure"
            raise
        return answer

    def write(self, effects: Sequence[Effect]) -> None:
        """See `rewardkit.ports.Transaction.write`."""
        self.check()
        if self._reading:
            raise InvariantError("a transaction that reads was to write")
        try:
            self._rows.write(effects)
        except BaseException:
            self._state = "lost by an earlier failure"
            raise

    def check(self) -> None:
        """Raise where nothing can be asked, written or committed any more."""
        if self._state != "open":
            raise StoreError(f"the transaction is {self._state}, nothing of it was applied; begin another one")

    def end(self) -> None:
        """Refuse everything from now on."""
        self._state = "ended"


def unhearing(seconds: float) -> bool:
    """See `rewardkit.ports.Hear`: waits, and hears of nothing."""
    time.sleep(seconds)
    return False
