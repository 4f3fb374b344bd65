"""A pool of codes, as callers see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import attrs

from rewardkit.core.deciding.context import Context
from rewardkit.core.pools.document import Document
from rewardkit.core.pools.link import pool_url
from rewardkit.core.pools.needs import Stocked
from rewardkit.core.pools.stamp import stamp
from rewardkit.language.event import moment


@attrs.frozen
class Pool:
    """A pool and its counts: `issued + remaining + inactive + void` is `total`."""

    id: int
    name: str
    issuance_allowed: bool
    redemption_allowed: bool
    total: int
    issued: int
    """Codes that were issued, however often, and are not void."""
    remaining: int
    """Codes that can be issued for the first time."""
    low_threshold: int | None
    max_characters: int
    distribution: str
    """`unique`: a code is for one issuee and one redemption; `multi`: many of both."""
    notification_email_address: str | None = attrs.field(repr=False)
    created_at: datetime
    updated_at: datetime
    url: str
    inactive: int = attrs.field(default=0, kw_only=True)
    """Codes that were never issued, and are not to be."""
    void: int = attrs.field(default=0, kw_only=True)
    bearer: bool = attrs.field(default=False, kw_only=True)
    redemption_limit: int | None = attrs.field(default=None, kw_only=True)
    issuee_redemption_limit: int | None = attrs.field(default=None, kw_only=True)
    valid_from: datetime | None = attrs.field(default=None, kw_only=True)
    valid_until: datetime | None = attrs.field(default=None, kw_only=True)

    def to_json(self, base: str = "") -> dict[str, Any]:
        """The pool as a JSON object, in the order and formats of the Vibes platform.

        Args:
            base: stands in front of urls, such as `https://example.com/api`.
        """
        return {
            "id": self.id,
            "name": self.name,
            "issuance_allowed": self.issuance_allowed,
            "redemption_allowed": self.redemption_allowed,
            "incentive_codes": {
                "total": self.total,
                "issued": self.issued,
                "remaining": self.remaining,
                "low_threshold": self.low_threshold,
                "max_characters": self.max_characters,
            },
            "distribution": {"method": self.distribution},
            "notification_email_address": self.notification_email_address,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.updated_at),
            "url": base + self.url,
        }

    @classmethod
    def from_json(cls, source: Mapping[str, Any] | str | bytes) -> Self:
        """The pool of such a JSON object; codes that are neither issued nor remaining count as inactive.

        Raises:
            ValidationError: it is none.
        """
        read = Document.of(source, "a pool")
        codes = read.inside("incentive_codes")
        total, remaining = codes.integer("total"), codes.integer("remaining")
        issued = codes.optional_integer("issued")
        issued = total - remaining if issued is None else issued
        return cls(
            id=read.integer("id"),
            name=read.text("name"),
            issuance_allowed=read.boolean("issuance_allowed"),
            redemption_allowed=read.boolean("redemption_allowed"),
            total=total,
            issued=issued,
            remaining=remaining,
            low_threshold=codes.optional_integer("low_threshold"),
            max_characters=codes.integer("max_characters"),
            distribution=read.inside("distribution").text("method"),
            notification_email_address=read.optional_text("notification_email_address"),
            created_at=read.instant("created_at"),
            updated_at=read.instant("updated_at"),
            url=read.text("url"),
            inactive=total - issued - remaining,
        )


def pool_record(context: Context, stocked: Stocked) -> Pool:
    """The public record of a pool."""
    pool, slices = stocked
    return Pool(
        id=pool.id,
        name=pool.name,
        issuance_allowed=bool(pool.issuance_allowed),
        redemption_allowed=bool(pool.redemption_allowed),
        total=sum(row.total for row in slices),
        issued=sum(row.issued for row in slices),
        remaining=sum(row.remaining for row in slices),
        low_threshold=pool.low_threshold,
        max_characters=pool.max_characters,
        distribution=pool.distribution,
        notification_email_address=pool.email or None,
        created_at=moment(pool.created_at),
        updated_at=moment(pool.updated_at),
        url=pool_url(context.tenant, pool.id),
        inactive=sum(row.inactive for row in slices),
        void=sum(row.void for row in slices),
        bearer=bool(pool.bearer),
        redemption_limit=pool.redemption_limit,
        issuee_redemption_limit=pool.issuee_limit,
        valid_from=None if pool.valid_from is None else moment(pool.valid_from),
        valid_until=None if pool.valid_until is None else moment(pool.valid_until),
    )
