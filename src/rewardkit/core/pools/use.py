"""What issuances and redemptions have in common: a code, an issuee, and the application that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import attrs

from rewardkit.core.pools.document import Document
from rewardkit.core.pools.stamp import stamp
from rewardkit.core.values.input import masked


@attrs.frozen
class Use:
    """One use of a code."""

    id: int
    external_issuee_id: str | None = attrs.field(repr=False)
    """What the host calls the issuee; None where she is anonymous."""
    issuee_id: str
    """A UUID: the same for the same external id of a tenant."""
    referring_application: str | None
    referring_application_ref_id: str | None
    code: str = attrs.field(repr=masked)
    code_url: str = attrs.field(repr=False)
    pool_id: int
    pool_url: str
    updated_at: datetime
    created_at: datetime

    def to_json(self, base: str = "") -> dict[str, Any]:
        """A JSON object in the order and formats of the Vibes platform.

        Args:
            base: stands in front of urls.
        """
        return {
            "id": self.id,
            "external_issuee_id": self.external_issuee_id,
            "issuee_id": self.issuee_id,
            "referring_application": self.referring_application,
            "referring_application_ref_id": self.referring_application_ref_id,
            "incentive_code": {"code": self.code, "url": base + self.code_url},
            "incentive_pool": {"id": self.pool_id, "url": base + self.pool_url},
            "updated_at": stamp(self.updated_at),
            "created_at": stamp(self.created_at),
        }

    @classmethod
    def from_json(cls, source: Mapping[str, Any] | str | bytes) -> Self:
        """What such a JSON object says.

        Raises:
            ValidationError: it is none.
        """
        read = Document.of(source, f"a {cls.__name__.lower()}")
        code, pool = read.inside("incentive_code"), read.inside("incentive_pool")
        return cls(
            id=read.integer("id"),
            external_issuee_id=read.optional_text("external_issuee_id"),
            issuee_id=read.text("issuee_id"),
            referring_application=read.optional_text("referring_application"),
            referring_application_ref_id=read.optional_text("referring_application_ref_id"),
            code=code.text("code"),
            code_url=code.text("url"),
            pool_id=pool.integer("id"),
            pool_url=pool.text("url"),
            updated_at=read.instant("updated_at"),
            created_at=read.instant("created_at"),
        )
