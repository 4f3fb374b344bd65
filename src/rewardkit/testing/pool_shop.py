"""A kit with a pool and a clock that stands still: short ways to tell a code's story in a test."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rewardkit.core.notices.notice import POOL_LOW
from rewardkit.core.pools.code import Code
from rewardkit.core.pools.commands import CreatePool, ImportCodes, IssueCode, RedeemCode, ReserveCode
from rewardkit.core.pools.issuance import Issuance
from rewardkit.core.pools.pool import Pool
from rewardkit.core.pools.queries import CodeStatus, PoolStatus
from rewardkit.core.pools.redemption import Redemption
from rewardkit.core.pools.reservation import Reservation
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.queries import Notices
from rewardkit.errors import Refused
from rewardkit.kit import RewardKit
from rewardkit.ports import Store
from rewardkit.testing.clock import FakeClock

POOL = "coupons"


class PoolShop:
    """Every call is about one pool.

    Args:
        codes: that it begins with: how many, or which.
        store: where it is kept.
        terms: of the pool.
    """

    def __init__(self, codes: int | Sequence[str] = 0, *, store: str | Store = ":memory:", **terms: Any) -> None:
        self.clock = FakeClock()
        self.kit = RewardKit(store, clock=self.clock)
        self.kit.run(CreatePool(POOL, **terms))
        self.add([f"code-{number:04}" for number in range(codes)] if isinstance(codes, int) else codes)

    def add(self, codes: Iterable[str]) -> None:
        """Import codes."""
        self.kit.run(ImportCodes(POOL, tuple(codes)))

    def issue(self, issuee: str | None = None, **given: Any) -> Issuance:
        """Issue a code."""
        return self.kit.run(IssueCode(POOL, issuee, **given))

    def redeem(self, code: str, issuee: str | None = None) -> Redemption:
        """Redeem a code."""
        return self.kit.run(RedeemCode(code, external_issuee_id=issuee))

    def reserve(self, code: str, name: str, issuee: str | None = None, seconds: int = 60) -> Reservation:
        """Reserve a code."""
        command = ReserveCode(code, reservation=name, external_issuee_id=issuee, seconds=seconds)
        return self.kit.run(command)

    def refusal(self, command: Command[Any]) -> str:
        """The machine code of the refusal that a command comes to; what is accepted answers the empty text."""
        answer = self.kit.attempt(command)
        return answer.code if isinstance(answer, Refused) else ""

    @property
    def pool(self) -> Pool:
        """The pool as it is."""
        return self.kit.ask(PoolStatus(POOL))

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Issued, remaining, inactive and void."""
        pool = self.pool
        return pool.issued, pool.remaining, pool.inactive, pool.void

    def code(self, code: str) -> Code:
        """A code as it is."""
        return self.kit.ask(CodeStatus(code))

    @property
    def warnings(self) -> list[int]:
        """What remained at each fall to the low threshold."""
        notices = self.kit.ask(Notices(limit=1_000)).items
        told = [json.loads(notice.body) for notice in notices if notice.kind == POOL_LOW]
        return [body["remaining"] for body in sorted(told, key=lambda body: int(body["step"]))]
