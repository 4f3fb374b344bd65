"""Writing what a pool holds after a change, and telling of its fall to the low threshold in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from rewardkit.core.deciding.context import Context
from rewardkit.core.notices.notice import POOL_LOW, notice
from rewardkit.core.pools.link import pool_url
from rewardkit.core.pools.slices import is_low, remaining, with_quotas
from rewardkit.core.storing.effects import Effect, Insert, Replace
from rewardkit.core.storing.pool_rows import PoolRow, SliceRow
from rewardkit.core.storing.rows import NoticeRow


def stock_effects(
    context: Context, before: tuple[PoolRow, Sequence[SliceRow]], after: tuple[PoolRow, Sequence[SliceRow]]
) -> tuple[Effect, ...]:
    """The slices with their new quotas, and a notice where the pool has come to lie at or under its threshold.

    All slices are locked, so that of all who take codes exactly one sees the fall.
    """
    pool, slices = after[0], with_quotas(*after)
    effects: list[Effect] = []
    if is_low(*after) and not is_low(*before):
        slices = (slices[0]._replace(crossings=slices[0].crossings + 1), *slices[1:])
        effects.append(Insert((_low(context, pool, slices),)))
    changed = tuple(row for row, old in zip(slices, before[1], strict=True) if row != old)
    return (Replace(changed), *effects) if changed else tuple(effects)


def _low(context: Context, pool: PoolRow, slices: Sequence[SliceRow]) -> NoticeRow:
    body = {
        "pool": pool.id,
        "name": pool.name,
        "remaining": remaining(slices),
        "low_threshold": pool.low_threshold,
        "notification_email_address": pool.email,
        "url": pool_url(context.tenant, pool.id),
    }
    return notice(context, POOL_LOW, "", low_subject(pool.id), body, step=slices[0].crossings)


def low_subject(pool: int) -> str:
    """What a notice of a pool's fall to its threshold is about; its step says the how-manieth fall it was."""
    return f"pool/{pool}"
