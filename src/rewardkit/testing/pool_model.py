"""Pools as a person would explain them: every answer of a command about a code from a few sets, and no counts."""

from __future__ import annotations

from typing import Any

import attrs

from rewardkit.core.pools.commands import CreatePool, ImportCodes
from rewardkit.core.promotions.commands import DefinePromotion
from rewardkit.core.requests import commands
from rewardkit.core.requests.commands import Command

UNIQUE, MULTI = "unique", "multi"
LIMIT, ISSUEE_LIMIT = 3, 2
"""Of a code of the multi pool; a code of the unique pool is redeemed once."""

PROMO_CODES = ("promo-0", "promo-1", "promo-2")


def rewards_of_pools() -> tuple[Command[Any], ...]:
    """Grants for purchases after visits, which carry codes of the unique pool; and promo codes."""
    return (
        CreatePool("promo", bearer=True),
        ImportCodes("promo", PROMO_CODES),
        commands.DefineReward("voucher", issues={"pool": UNIQUE}),
        commands.DefineReward("disc"),
        commands.DefineOffer("voucher", "voucher", "Bought"),
        commands.DefineOffer("disc", "disc", "Bought"),
        commands.DefineCampaign("vouchers", "voucher", entry="Visited", reentry="after_earning", user_cap=999),
        commands.DefineCampaign("sale", "disc"),
        commands.LaunchCampaign("vouchers"),
        commands.LaunchCampaign("sale"),
        DefinePromotion("promo", "sale"),
    )


@attrs.define
class ModelCode:
    """What has happened to one code."""

    pool: str
    active: bool = True
    void: bool = False
    issued_to: set[str] = attrs.field(factory=set)
    issuances: int = 0
    redemptions: dict[int, str] = attrs.field(factory=dict)
    """Those that were not rolled back: who, by their ids."""
    reservations: dict[str, tuple[str, int]] = attrs.field(factory=dict)
    """Those that were neither confirmed nor released: who and until when, by their names."""

    @property
    def remains(self) -> bool:
        """Whether it can be issued for the first time."""
        return self.active and not self.void and not self.issuances


class PoolModel:
    """A unique and a multi pool of one tenant."""

    def __init__(self, threshold: int) -> None:
        self.threshold = threshold
        self.codes: dict[str, ModelCode] = {}
        self.issuing = {UNIQUE: True, MULTI: True}
        self.redeeming = {UNIQUE: True, MULTI: True}
        self.held: dict[tuple[str, str], str] = {}
        self.ended: dict[str, str] = {}
        """Reservations that are over: `confirmed` or `released`, by their names; one may begin anew."""
        self.rolled_back: set[int] = set()
        self.falls = 0
        self.waiting: list[str] = []
        """Grants that wait for a code of the unique pool, oldest first."""
        self.carried: dict[str, str] = {}
        """The code of each grant that has one."""
        self.entered: dict[str, str] = {}
        """Who has entered each promo code that was entered."""

    def remaining(self, pool: str) -> int:
        """How many codes of a pool were never issued and may be."""
        return sum(code.remains for code in self.codes.values() if code.pool == pool)

    def noticing(self, before: int) -> None:
        """Count a fall of the unique pool to its threshold."""
        self.falls += before > self.threshold >= self.remaining(UNIQUE)

    def issuable(self, pool: str, issuee: str) -> str | set[str]:
        """The refusal, or the codes one of which she gets."""
        if not self.issuing[pool]:
            return "issuance_not_allowed"
        held = self.held.get((pool, issuee))
        if held is not None and not self.codes[held].void:
            return {held} if self.codes[held].active else "code_inactive"
        mine = {name: code for name, code in self.codes.items() if code.pool == pool}
        fresh = {name for name, code in mine.items() if code.remains}
        if fresh or pool == UNIQUE:
            return fresh or "pool_exhausted"
        return {name for name, code in mine.items() if code.active and not code.void} or "pool_exhausted"

    def issued(self, pool: str, issuee: str, name: str) -> None:
        """She got it."""
        before = self.remaining(UNIQUE)
        code = self.codes[name]
        code.issued_to.add(issuee)
        code.issuances += 1
        self.held[pool, issuee] = name
        self.noticing(before)

    def barred(self, name: str, issuee: str | None) -> str:
        """Why it cannot be redeemed by her at all, or nothing."""
        code = self.codes.get(name)
        if code is None:
            return "code_unknown"
        if code.void:
            return "code_void"
        if not self.redeeming[code.pool]:
            return "redemption_not_allowed"
        if not code.issuances:
            return "code_not_issued"
        if code.pool == UNIQUE and issuee is not None and issuee not in code.issued_to:
            return "wrong_issuee"
        return ""

    def crowded(self, name: str, issuee: str | None, now: int) -> str:
        """Why there is no room for one more redemption, or nothing; what is overdue is given back where that helps."""
        code = self.codes[name]
        limit = 1 if code.pool == UNIQUE else LIMIT
        if len(code.redemptions) >= limit:
            return "code_spent"
        if self._full(code, limit, issuee):
            for reservation, (_, until) in tuple(code.reservations.items()):
                if until <= now:
                    self.release(name, reservation)
        if not self._full(code, limit, issuee):
            return ""
        if code.pool == MULTI and list(code.redemptions.values()).count(issuee or "") >= ISSUEE_LIMIT:
            return "issuee_limit_reached"
        return "code_reserved"

    def _full(self, code: ModelCode, limit: int, issuee: str | None) -> bool:
        if len(code.redemptions) + len(code.reservations) >= limit:
            return True
        if code.pool == UNIQUE or issuee is None:
            return False
        reserved = [who for who, _ in code.reservations.values()]
        return list(code.redemptions.values()).count(issuee) + reserved.count(issuee) >= ISSUEE_LIMIT

    def reserved_code(self, reservation: str) -> str | None:
        """The code that a reservation holds."""
        return next((name for name, code in self.codes.items() if reservation in code.reservations), None)

    def release(self, name: str, reservation: str) -> None:
        """It holds nothing any more."""
        del self.codes[name].reservations[reservation]
        self.ended[reservation] = "released"

    @property
    def fresh(self) -> set[str]:
        """The codes of the unique pool that grants may be given now."""
        return {name for name, code in self.codes.items() if code.pool == UNIQUE and code.remains}

    def carry(self, grant: str, user: str, name: str) -> None:
        """A grant got a code that nobody had."""
        code = self.codes[name]
        code.issued_to.add(user)
        code.issuances += 1
        self.carried[grant] = name

    def enterable(self, name: str, user: str, codes: set[str]) -> str:
        """Why a promo code cannot be entered by somebody, or nothing; each may enter one."""
        if name not in codes:
            return "code_unknown"
        if name in self.entered:
            return "code_spent" if self.entered[name] == user else "wrong_issuee"
        return "user_cap_reached" if user in self.entered.values() else ""
