"""Everything of pools that somebody can be the last to get, prepared so that exactly one more can."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from rewardkit.core.pools.commands import CreatePool, ImportCodes, IssueCode, RedeemCode, ReserveCode
from rewardkit.core.promotions.commands import DefinePromotion
from rewardkit.core.requests import commands
from rewardkit.kit import RewardKit
from rewardkit.testing.audit import Snapshot

MOST_WORKERS: Final = 64


class LastUse(ABC):
    """One kind of it."""

    name: ClassVar[str]
    refusals: ClassVar[frozenset[str]]
    """What all others may hear."""
    shared: ClassVar[bool] = False
    """Whether several may be told of the one success."""
    often: ClassVar[bool] = True
    by_asking: ClassVar[bool] = True
    """Whether a store that looks first and writes later would give it to several."""
    terms: ClassVar[dict[str, Any]] = {}
    """Of its pool."""
    taken_before: ClassVar[int] = 0
    """Redemptions that each storm begins with."""

    def define(self, kit: RewardKit) -> None:
        """What all storms have in common."""
        kit.run(CreatePool("pool", **self.terms))

    @abstractmethod
    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """Leave one use; what the workers are to do.

        Args:
            kit: of the tenant.
            number: of the storm.
        """

    def left_wrong(self, snapshot: Snapshot, storms: int) -> Iterator[str]:
        """What is wrong in the end, beyond what an audit says."""
        taken = sum(row.rolled_back_at is None for row in snapshot.stock.redemptions) - self.taken_before * storms
        if taken != storms:
            yield f"{taken} redemptions are left of {storms} storms"

    def _one(self, kit: RewardKit, number: int, *issuees: str) -> str:
        """A code of the pool, issued."""
        code = f"L-{number:04}"
        kit.run(ImportCodes("pool", (code,)))
        for issuee in issuees:
            kit.run(IssueCode("pool", issuee, code=code))
        return code


class UniqueCode(LastUse):
    """A unique code, which is redeemed once."""

    name = "unique"
    refusals = frozenset({"code_spent", "code_reserved"})

    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """Issued to one, and taken by whoever bears it."""
        return {"what": "take", "pool": "pool", "code": self._one(kit, number, f"ann {number}"), "as": "nobody"}


class SharedCode(LastUse):
    """The last redemption of a code that several have."""

    name = "multi"
    refusals = frozenset({"code_spent", "code_reserved"})
    terms: ClassVar[dict[str, Any]] = {"distribution": "multi", "redemption_limit": 2}
    taken_before = 1

    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """Once it has been redeemed."""
        code = self._one(kit, number, f"ann {number}")
        kit.run(RedeemCode(code, external_issuee_id=f"ann {number}"))
        return {"what": "take", "pool": "pool", "code": code, "as": "each"}


class IssueesLimit(LastUse):
    """The last redemption of a code by one of those who have it."""

    name = "issuee"
    refusals = frozenset({"issuee_limit_reached", "code_reserved"})
    terms: ClassVar[dict[str, Any]] = {"distribution": "multi", "issuee_redemption_limit": 2}
    taken_before = 1

    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """Once she has redeemed it, and all are she."""
        code = self._one(kit, number, f"ann {number}")
        kit.run(RedeemCode(code, external_issuee_id=f"ann {number}"))
        return {"what": "take", "pool": "pool", "code": code, "as": f"ann {number}"}


class OverdueReservation(UniqueCode):
    """What somebody has reserved whose time is over."""

    name = "overdue"
    often = False

    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """The reservation still counts as open."""
        job = super().prepare(kit, number)
        kit.run(ReserveCode(job["code"], reservation=f"old {number}", seconds=1))
        time.sleep(1.01)
        return job


class Reservation(LastUse):
    """A reservation, which half of them confirm and the others release."""

    name = "reservation"
    refusals = frozenset({"reservation_released", "reservation_confirmed"})
    shared = True

    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """It is open."""
        kit.run(ReserveCode(self._one(kit, number, f"ann {number}"), reservation=f"order {number}", seconds=3_600))
        return {"what": "end", "pool": "pool", "code": f"order {number}", "as": ""}

    def left_wrong(self, snapshot: Snapshot, storms: int) -> Iterator[str]:
        """Each has become one redemption, or none."""
        ended = {row.id: row.redemption for row in snapshot.stock.reservations}
        redeemed = {row.id for row in snapshot.stock.redemptions}
        if len(ended) != storms or {one for one in ended.values() if one is not None} != redeemed:
            yield f"{len(ended)} reservations became {len(redeemed)} redemptions"


class LastCode(LastUse):
    """The last code of a pool."""

    name = "pool"
    refusals = frozenset({"pool_exhausted"})

    def define(self, kit: RewardKit) -> None:
        """Each storm has a pool of its own."""

    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """One is left, and it is also the fall to the threshold."""
        kit.run(CreatePool(f"pool {number}", low_threshold=number % 2 or None))
        kit.run(ImportCodes(f"pool {number}", (f"L-{number:04}",)))
        return {"what": "issue", "pool": f"pool {number}"}

    def left_wrong(self, snapshot: Snapshot, storms: int) -> Iterator[str]:
        """One issuance a storm."""
        if len(snapshot.stock.issuances) != storms:
            yield f"{len(snapshot.stock.issuances)} issuances are left of {storms} storms"


class PromoCode(LastUse):
    """A promo code, which makes one offer."""

    name = "promo"
    refusals = frozenset({"wrong_issuee", "code_spent"})
    terms: ClassVar[dict[str, Any]] = {"bearer": True}

    def define(self, kit: RewardKit) -> None:
        """A campaign without a limit, so that the code alone is one."""
        super().define(kit)
        kit.run(commands.DefineReward("disc"))
        kit.run(commands.DefineOffer("disc", "disc", "Bought"))
        kit.run(commands.DefineCampaign("sale", "disc"))
        kit.run(commands.LaunchCampaign("sale"))
        kit.run(DefinePromotion("pool", "sale"))

    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """For whoever enters it first."""
        return {"what": "enter", "pool": "pool", "code": self._one(kit, number)}

    def left_wrong(self, snapshot: Snapshot, storms: int) -> Iterator[str]:
        """One offer a storm."""
        yield from super().left_wrong(snapshot, storms)
        if len(snapshot.user_offers) != storms:
            yield f"{len(snapshot.user_offers)} offers are left of {storms} storms"


class EarnedCode(LastCode):
    """The last code of a pool that rewards take theirs from: all earn, and one has it at once."""

    name = "earned"
    refusals = frozenset({"held"})
    often = False
    by_asking = False
    """What is earned is looked for under the rows of users, whatever a pool does."""

    def prepare(self, kit: RewardKit, number: int) -> dict[str, Any]:
        """Everybody has an offer, and buys."""
        job, name = super().prepare(kit, number), f"pool {number}"
        kit.run(commands.DefineReward(name, issues={"pool": name}))
        kit.run(commands.DefineOffer(name, name, "Bought"))
        kit.run(commands.DefineCampaign(name, name, entry=f'"Visited {number}"'))
        kit.run(commands.LaunchCampaign(name))
        visits = [
            {"name": f"Visited {number}", "user": f"{name} {worker}", "id": "visit"} for worker in range(MOST_WORKERS)
        ]
        kit.emit_many(visits)
        return job | {"what": "earn"}


LAST_USES: Final[tuple[LastUse, ...]] = (
    UniqueCode(),
    SharedCode(),
    IssueesLimit(),
    OverdueReservation(),
    Reservation(),
    LastCode(),
    PromoCode(),
    EarnedCode(),
)
