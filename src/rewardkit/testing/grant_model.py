"""What becomes of grants, written down a second time: small, slow, and without the table that the core goes by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

SECOND = 1_000_000
TRIES = 10
"""Failures by the schedule, after which a grant is undeliverable."""


@attrs.define
class GrantModel:
    """One grant, and the rules of its life; times are microseconds."""

    id: str
    earned_at: int
    whole: Decimal = Decimal(10)
    hold: int = 0
    review: str = ""
    divisible: bool = True
    frees: bool = False
    funded: bool = True
    """Whether a budget covers it, where there is one."""
    where: str = ""
    """`budget`, `review`, `hold`, `ready`, `fulfilled`, `denied`, `reversed` or `undeliverable`."""
    lease: int = 0
    leased_until: int = 0
    waits_until: int = 0
    failures: int = 0
    taken: Decimal = Decimal(0)
    flags: tuple[str, ...] | None = None
    freed: bool = False

    def born(self, now: int) -> None:
        """Held where something holds it, else ready; it may be noticed after it was earned."""
        self._onward(now, reviewed=not self.review)

    def fund(self, now: int) -> None:
        """Let it pass its budget."""
        self.funded = True
        self._onward(now, reviewed=not self.review)

    def _onward(self, now: int, *, reviewed: bool) -> None:
        if not self.funded:
            self.where = "budget"
        elif not reviewed:
            self.where = "review"
        elif self.hold and now < self.earned_at + self.hold:
            self.where = "hold"
        else:
            self.where = "ready"

    @property
    def code(self) -> str:
        """Of the refusal of what cannot be done to it where it is."""
        return "grant_held" if self.where in ("budget", "review", "hold") else f"grant_{self.where}"

    def is_free(self, now: int) -> bool:
        """Whether somebody can claim it, to pay it or to check it."""
        return now >= max(self.leased_until, self.waits_until)

    def take(self, now: int, seconds: int) -> None:
        """Lease it."""
        self.lease += 1
        self.leased_until = now + seconds * SECOND

    def claim_one(self, now: int, seconds: int) -> str:
        if self.where != "ready":
            return self.code
        if now < self.leased_until:
            return "grant_leased"
        if now < self.waits_until:
            return "grant_failed"
        self.take(now, seconds)
        return ""

    def fulfil(self, lease: int | None) -> str:
        if self.where != "ready":
            return self.code
        if lease not in (None, self.lease):
            return "lease_lost"
        self.where = "fulfilled"
        return ""

    def fail(self, now: int, lease: int | None, *, after: int | None, final: bool) -> str:
        """`after` microseconds, or None for the schedule, whose wait the model is told afterwards."""
        if self.where != "ready":
            return self.code
        if lease is None and now < self.leased_until:
            return "grant_leased"
        if lease not in (None, self.lease):
            return "lease_lost"
        self.lease += 1
        self.leased_until = 0
        self.failures += 1
        self.waits_until = 0 if after is None else now + after
        if final or (after is None and self.failures >= TRIES):
            self.where = "undeliverable"
        return ""

    def retry(self) -> str:
        if self.where != "undeliverable":
            return self.code
        self.where, self.failures = "ready", 0
        return ""

    def check(self, now: int, flags: tuple[str, ...], lease: int | None) -> str:
        if self.where != "review":
            return self.code
        if lease not in (None, self.lease):
            return "lease_lost"
        if self.flags is not None:
            return "grant_checked"
        self.flags, self.leased_until = flags, 0
        self._onward(now, reviewed=not flags and self.review == "check")
        return ""

    def approve(self, now: int) -> str:
        if self.where != "review":
            return self.code
        self.leased_until = 0
        self._onward(now, reviewed=True)
        return ""

    def deny(self, *, frees: bool | None) -> str:
        if self.where != "review":
            return self.code
        self.where, self.leased_until = "denied", 0
        self.freed = self.frees if frees is None else frees
        return ""

    def reverse(self, now: int, amount: Decimal | None, *, frees: bool | None) -> str:
        if self.where in ("denied", "reversed"):
            return self.code
        if self.where == "ready" and now < self.leased_until:
            return "grant_leased"
        left = self.whole - self.taken
        if amount is not None and amount > left:
            return "amount_exceeded"
        if amount is not None and amount < left:
            if not self.divisible:
                return "grant_indivisible"
            self.taken += amount
            return ""
        self.taken, self.where = self.whole, "reversed"
        self.freed = self.frees if frees is None else frees
        return ""


def claimable(grants: Iterable[GrantModel], now: int, limit: int, where: str) -> Sequence[GrantModel]:
    """What a claim gets: what is free where it looks, earliest earned first."""
    found = [one for one in grants if one.where == where and one.is_free(now)]
    if where == "review":
        found = [one for one in found if one.flags is None]
    return sorted(found, key=lambda one: (one.earned_at, one.id))[:limit]


def release(grants: Iterable[GrantModel], now: int, limit: int) -> list[str]:
    """What a run of due work releases, earliest over first."""
    over = [one for one in grants if one.where == "hold" and one.earned_at + one.hold <= now]
    over.sort(key=lambda one: (one.earned_at + one.hold, one.id))
    for one in over[:limit]:
        one.where = "ready"
    return [one.id for one in over[:limit]]
