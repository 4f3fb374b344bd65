"""Counting for reports in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from rewardkit.core.definitions.amount import plus, shortest, total
from rewardkit.core.storing.referral_rows import ReferralRow
from rewardkit.core.storing.rows import GrantRow, UserOfferRow
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
from rewardkit.storage.memory.shelf import Shelves


class MemoryTracking:
    """Part of `MemoryRows`."""

    _shelves: Shelves

    def tally_offers(self, need: needs.TallyOffers) -> tuple[OfferTally, ...]:
        found: Counter[tuple[str, str, int]] = Counter()
        for row in self._made(need.campaign):
            open_ = row.status in ("active", "held_out")
            found[row.variant, row.status, int(open_ and row.ends_at is not None and row.ends_at <= need.now)] += 1
        return tuple(OfferTally(*key, count) for key, count in sorted(found.items()))

    def tally_users(self, need: needs.TallyUsers) -> tuple[UserTally, ...]:
        won: defaultdict[tuple[str, int], dict[str, bool]] = defaultdict(dict)
        for row in self._made(need.campaign):
            if row.status != "capped":
                held_out = int(row.status in ("held_out", "converted", "lapsed"))
                users = won[row.variant if need.by_variant else "", held_out]
                users[row.user] = users.get(row.user, False) or row.status in ("earned", "converted")
        return tuple(UserTally(*key, len(users), sum(users.values())) for key, users in sorted(won.items()))

    def tally_earning(self, need: needs.TallyEarning) -> tuple[LengthTally, ...]:
        lengths: defaultdict[str, list[int]] = defaultdict(list)
        for row in self._made(need.campaign):
            if row.status == "earned" and row.ended_at is not None:
                lengths[row.variant if need.by_variant else ""].append(row.ended_at - row.made_at)
        return tuple(tally for variant in sorted(lengths) for tally in _at_places(variant, lengths[variant]))

    def tally_grants(self, need: needs.TallyGrants) -> tuple[GrantTally, ...]:
        offers = self._shelves[UserOfferRow].rows
        rows = (row for row in self._earned() if row.campaign == need.campaign and not row.referral)
        return _grants(rows, lambda row: offers[row.user_offer].variant)

    def tally_referrals(self, need: needs.TallyReferrals) -> tuple[ReferralTally, ...]:
        found: Counter[tuple[str, str, int, str]] = Counter()
        for row in self._referred(need.of):
            over = row.status == "open" and row.ends_at is not None and row.ends_at <= need.now
            found[row.status, row.sender_reward, int(over), row.variant] += 1
        return tuple(
            ReferralTally(status, reward, over, count, variant)
            for (status, reward, over, variant), count in sorted(found.items())
        )

    def tally_completing(self, need: needs.TallyCompleting) -> tuple[LengthTally, ...]:
        lengths: defaultdict[str, list[int]] = defaultdict(list)
        for row in self._referred(need.of):
            if row.status == "completed" and row.ended_at is not None:
                lengths[row.variant if need.by_variant else ""].append(row.ended_at - row.made_at)
        return tuple(tally for variant in sorted(lengths) for tally in _at_places(variant, lengths[variant]))

    def tally_senders(self, need: needs.TallySenders) -> tuple[SenderTally, ...]:
        found: defaultdict[str, list[ReferralRow]] = defaultdict(list)
        for row in self._referred(need.of):
            found[row.sender].append(row)
        tallies = [
            SenderTally(
                sender,
                len(rows),
                sum(row.status == "completed" for row in rows),
                sum(row.sender_reward == "granted" for row in rows),
                len(found),
            )
            for sender, rows in found.items()
        ]
        tallies.sort(key=lambda one: (-one.completed, -one.opened, one.sender))
        return tuple(tallies[: need.limit])

    def tally_spread(self, need: needs.TallySpread) -> SpreadTally:
        return _spread(self._referred(need.of))

    def tally_variant_spreads(self, need: needs.TallyVariantSpreads) -> tuple[SpreadTally, ...]:
        found: defaultdict[str, list[ReferralRow]] = defaultdict(list)
        for row in self._referred(need.of):
            found[row.variant].append(row)
        return tuple(_spread(found[variant])._replace(variant=variant) for variant in sorted(found))

    def tally_terms(self, need: needs.TallyTerms) -> tuple[TermsTally, ...]:
        found = Counter((row.program, row.program_version) for row in self._referred(need.of))
        return tuple(TermsTally(*key, count) for key, count in sorted(found.items()))

    def tally_sides(self, need: needs.TallySides) -> tuple[GrantTally, ...]:
        program, campaign = need.of.program, need.of.campaign
        rows = (
            row
            for row in self._earned()
            if row.referral and program in (None, row.offer) and campaign in (None, row.campaign)
        )
        return _grants(rows, lambda row: row.side)

    def tally_variant_sides(self, need: needs.TallyVariantSides) -> tuple[GrantTally, ...]:
        variants = {row.id: row.variant for row in self._referred(need.of)}
        rows = (row for row in self._earned() if row.referral in variants and row.side == need.side)
        return _grants(rows, lambda row: variants[row.referral])

    def tally_depths(self, need: needs.TallyDepths) -> tuple[DepthTally, ...]:
        by_sender: defaultdict[str, list[ReferralRow]] = defaultdict(list)
        for row in self._referred(need.of):
            by_sender[row.sender].append(row)
        recipients = {row.recipient for rows in by_sender.values() for row in rows}
        level = [row for sender, rows in by_sender.items() if sender not in recipients for row in rows]
        found: list[DepthTally] = []
        while level and len(found) < needs.DEEPEST:
            completed = sum(row.status == "completed" for row in level)
            found.append(DepthTally(len(found) + 1, len(level), completed, min(row.recipient for row in level)))
            level = [below for row in level for below in by_sender.get(row.recipient, ())]
        return tuple(found)

    def chain_into(self, need: needs.ChainInto) -> tuple[str, ...]:
        senders = {row.recipient: row.sender for row in self._referred(need.of)}
        chain = [need.recipient]
        while chain[-1] in senders and len(chain) <= needs.DEEPEST:
            chain.append(senders[chain[-1]])
        return tuple(reversed(chain)) if len(chain) > 1 else ()

    def _made(self, campaign: str) -> Iterator[UserOfferRow]:
        return (row for row in self._shelves[UserOfferRow].rows.values() if row.campaign == campaign)

    def _earned(self) -> Iterable[GrantRow]:
        rows: dict[str, GrantRow] = self._shelves[GrantRow].rows
        return rows.values()

    def _referred(self, of: needs.Referred) -> Iterator[ReferralRow]:
        return (
            row
            for row in self._shelves[ReferralRow].rows.values()
            if all(getattr(row, column) == value for column, value in of.filters.items())
        )


def _spread(rows: Iterable[ReferralRow]) -> SpreadTally:
    opened: Counter[str] = Counter()
    completed: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for row in rows:
        opened[row.sender] += 1
        completed[row.sender] += row.status == "completed"
        statuses[row.status] += 1
    return SpreadTally(
        senders=len(opened),
        opened=opened.total(),
        completed=completed.total(),
        undecided=statuses["open"],
        voided=statuses["voided"],
        opened_squared=sum(count * count for count in opened.values()),
        completed_squared=sum(count * count for count in completed.values()),
        both=sum(count * completed[sender] for sender, count in opened.items()),
    )


def _at_places(variant: str, lengths: list[int]) -> Iterator[LengthTally]:
    ordered = sorted(lengths)
    for place in sorted(set(needs.places(len(ordered)))) if ordered else ():
        yield LengthTally(variant, len(ordered), place, ordered[place - 1])


def _grants(rows: Iterable[GrantRow], group: Callable[[GrantRow], str]) -> tuple[GrantTally, ...]:
    counts: Counter[tuple[str, str, int, str]] = Counter()
    taken: defaultdict[tuple[str, str, int, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        key = group(row), row.reward, row.reward_version, row.status
        counts[key] += 1
        taken[key] = plus(taken[key], total(row.reversed))
    return tuple(GrantTally(*key, count, shortest(taken[key])) for key, count in sorted(counts.items()))
