"""A code, as callers see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import attrs

from rewardkit.core.deciding.context import Context
from rewardkit.core.pools.document import Document
from rewardkit.core.pools.link import code_url, pool_url
from rewardkit.core.pools.stamp import stamp
from rewardkit.core.storing.pool_rows import CodeRow
from rewardkit.core.values.input import masked
from rewardkit.language.event import moment


@attrs.frozen
class Tally:
    """How often something was done with a code, and for how many different issuees."""

    total: int
    unique: int


@attrs.frozen
class Code:
    """A code and what has become of it."""

    code: str = attrs.field(repr=masked)
    active: bool
    """Whether it may be issued."""
    issuances: Tally
    redemptions: Tally
    """Without those that were rolled back."""
    pool_id: int
    pool_url: str
    created_at: datetime
    updated_at: datetime
    url: str = attrs.field(repr=False)
    status: str = attrs.field(default="issued", kw_only=True)
    """`unissued`, `issued` or `void`."""

    def to_json(self, base: str = "") -> dict[str, Any]:
        """The code as a JSON object, in the order and formats of the Vibes platform.

        Args:
            base: stands in front of urls.
        """
        return {
            "code": self.code,
            "active": self.active,
            "issuances": attrs.asdict(self.issuances),
            "redemptions": attrs.asdict(self.redemptions),
            "incentive_pool": {"id": self.pool_id, "url": base + self.pool_url},
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
            "url": base + self.url,
        }

    @classmethod
    def from_json(cls, source: Mapping[str, Any] | str | bytes) -> Self:
        """The code of such a JSON object.

        Raises:
            ValidationError: it is none.
        """
        read = Document.of(source, "a code")
        issuances, redemptions = read.inside("issuances"), read.inside("redemptions")
        pool = read.inside("incentive_pool")
        return cls(
            code=read.text("code"),
            active=read.boolean("active"),
            issuances=Tally(issuances.integer("total"), issuances.integer("unique")),
            redemptions=Tally(redemptions.integer("total"), redemptions.integer("unique")),
            pool_id=pool.integer("id"),
            pool_url=pool.text("url"),
            created_at=read.instant("created_at"),
            updated_at=read.instant("updated_at"),
            url=read.text("url"),
            status="issued" if issuances.integer("total") else "unissued",
        )


def code_record(context: Context, row: CodeRow) -> Code:
    """The public record of a code."""
    return Code(
        code=row.code,
        active=bool(row.active) and row.status != "void",
        issuances=Tally(row.issuances, row.issuees),
        redemptions=Tally(row.redemptions, row.redeemers),
        pool_id=row.pool,
        pool_url=pool_url(context.tenant, row.pool),
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        url=code_url(context.tenant, row.code),
        status=row.status,
    )
