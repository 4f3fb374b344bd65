"""Counting for reports in SQL: what both dialects do the same way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any

from rewardkit.core.definitions.amount import shortest
from rewardkit.core.tracking import needs
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
from rewardkit.storage.sql.statements import Statements
from rewardkit.storage.sql.tracking_statements import CHUNK, EXPONENT, TrackingStatements

_EXACT = Context(prec=96)
"""Room for all chunks, and for the sum of more rows than there can be."""


class SqlTracking(ABC):
    """Part of `SqlRows`."""

    _tenant: str
    _statements: Statements

    @abstractmethod
    def fetch(self, statement: str, values: Sequence[Any]) -> list[Any]: ...

    @property
    def _tracking(self) -> TrackingStatements:
        # Made when a report is asked for: nobody else pays for its texts.
        return TrackingStatements(self._statements)

    def tally_offers(self, need: needs.TallyOffers) -> tuple[OfferTally, ...]:
        rows = self.fetch(self._tracking.offers(), (need.now, self._tenant, need.campaign))
        return tuple(map(OfferTally._make, rows))

    def tally_users(self, need: needs.TallyUsers) -> tuple[UserTally, ...]:
        rows = self.fetch(self._tracking.users(by_variant=need.by_variant), (self._tenant, need.campaign))
        return tuple(UserTally(variant, held_out, users, int(won)) for variant, held_out, users, won in rows)

    def tally_earning(self, need: needs.TallyEarning) -> tuple[LengthTally, ...]:
        rows = self.fetch(self._tracking.earning(by_variant=need.by_variant), (self._tenant, need.campaign))
        return tuple(map(LengthTally._make, rows))

    def tally_grants(self, need: needs.TallyGrants) -> tuple[GrantTally, ...]:
        return tuple(map(_grants, self.fetch(self._tracking.grants(), (self._tenant, need.campaign))))

    def tally_referrals(self, need: needs.TallyReferrals) -> tuple[ReferralTally, ...]:
        values = (need.now, self._tenant, *need.of.filters.values())
        return tuple(map(ReferralTally._make, self.fetch(self._tracking.referrals(need.of.filters), values)))

    def tally_completing(self, need: needs.TallyCompleting) -> tuple[LengthTally, ...]:
        text = self._tracking.completing(need.of.filters, by_variant=need.by_variant)
        rows = self.fetch(text, (self._tenant, *need.of.filters.values()))
        return tuple(map(LengthTally._make, rows))

    def tally_senders(self, need: needs.TallySenders) -> tuple[SenderTally, ...]:
        values = (self._tenant, *need.of.filters.values(), need.limit)
        rows = self.fetch(self._tracking.senders(need.of.filters), values)
        return tuple(SenderTally(sender, *map(int, counts)) for sender, *counts in rows)

    def tally_spread(self, need: needs.TallySpread) -> SpreadTally:
        (row,) = self.fetch(self._tracking.spread(need.of.filters), (self._tenant, *need.of.filters.values()))
        return _spread(row)

    def tally_variant_spreads(self, need: needs.TallyVariantSpreads) -> tuple[SpreadTally, ...]:
        rows = self.fetch(self._tracking.variant_spreads(need.of.filters), (self._tenant, *need.of.filters.values()))
        return tuple(_spread(counts)._replace(variant=variant) for *counts, variant in rows)

    def tally_terms(self, need: needs.TallyTerms) -> tuple[TermsTally, ...]:
        rows = self.fetch(self._tracking.terms(need.of.filters), (self._tenant, *need.of.filters.values()))
        return tuple(map(TermsTally._make, rows))

    def tally_sides(self, need: needs.TallySides) -> tuple[GrantTally, ...]:
        rows = self.fetch(self._tracking.sides(need.of.filters), (self._tenant, *need.of.filters.values()))
        return tuple(map(_grants, rows))

    def tally_variant_sides(self, need: needs.TallyVariantSides) -> tuple[GrantTally, ...]:
        values = (self._tenant, *need.of.filters.values(), need.side)
        return tuple(map(_grants, self.fetch(self._tracking.variant_sides(need.of.filters), values)))

    def tally_depths(self, need: needs.TallyDepths) -> tuple[DepthTally, ...]:
        values = (self._tenant, *need.of.filters.values()) * 2
        rows = self.fetch(self._tracking.depths(need.of.filters), values)
        return tuple(DepthTally(depth, opened, int(completed), user) for depth, opened, completed, user in rows)

    def chain_into(self, need: needs.ChainInto) -> tuple[str, ...]:
        filters = need.of.filters.values()
        values = (self._tenant, need.recipient, *filters, self._tenant, *filters)
        rows = self.fetch(self._tracking.chain_into(need.of.filters), values)
        return (rows[0][0], *(recipient for _, recipient in rows)) if rows else ()


def _spread(counts: Sequence[Any]) -> SpreadTally:
    counted: Any = [int(count or 0) for count in counts]
    return SpreadTally(*counted)


def _grants(row: Sequence[Any]) -> GrantTally:
    group, reward, version, status, count, *chunks = row
    total = 0
    for chunk in chunks:
        total = total * 10**CHUNK + int(chunk)
    return GrantTally(group, reward, version, status, int(count), shortest(_EXACT.scaleb(Decimal(total), -EXPONENT)))
