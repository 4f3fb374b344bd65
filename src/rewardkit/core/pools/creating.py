"""Making pools, and changing their terms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.alphabet import CODE_CHARACTERS
from rewardkit.core.pools.commands import KEEP, ChangePool, CreatePool
from rewardkit.core.pools.needs import Draw, LockPool, LockSlices, PoolOf, Stocked
from rewardkit.core.pools.pool import Pool, pool_record
from rewardkit.core.pools.refusals import pool_unknown
from rewardkit.core.pools.slices import empty_slices, with_quotas
from rewardkit.core.pools.stocking import stock_effects
from rewardkit.core.storing.effects import Insert, Replace
from rewardkit.core.storing.needs import Published, ask
from rewardkit.core.storing.pool_rows import PoolRow, SliceRow
from rewardkit.core.values import limits
from rewardkit.core.values.civil import beginning, ending
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import Refused, ValidationError

_ADDRESS: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}", re.ASCII)
_COLUMNS: Final = {"notification_email_address": "email", "issuee_redemption_limit": "issuee_limit"}


def create_pool(command: CreatePool, context: Context) -> Deciding[Decision[Pool]]:
    """An empty pool; a name that is taken is refused."""
    terms = terms_of(attrs.asdict(command))
    # One at a time, so that of two with one name the second hears of the first.
    yield from ask(Published())
    if (yield from ask(PoolOf(terms["name"]))) is not None:
        return Decision(_name_taken(terms["name"]))
    number = yield from ask(Draw("pool"))
    pool = empty_pool(terms, context.at)._replace(id=number)
    slices = empty_slices(number)
    return Decision(pool_record(context, Stocked(pool, slices)), (Insert((pool,)), Insert(slices)))


def change_pool(command: ChangePool, context: Context) -> Deciding[Decision[Pool]]:
    """New terms. All slices are locked: whoever has begun to issue under the old ones is through."""
    given = {name: value for name, value in attrs.asdict(command).items() if value is not KEEP and name != "pool"}
    terms = terms_of(given)
    if "name" in terms:
        yield from ask(Published())
    before = yield from ask(LockPool(pool_name(command.pool)))
    if before is None:
        return Decision(pool_unknown(command.pool))
    if terms.get("name", before.name) != before.name and (yield from ask(PoolOf(terms["name"]))) is not None:
        return Decision(_name_taken(terms["name"]))
    slices = yield from ask(LockSlices(before.id))
    after = changed(before, slices, terms)
    if after == before:
        return Decision(pool_record(context, Stocked(before, slices)))
    after = after._replace(updated_at=context.at)
    effects = (Replace((after,)), *stock_effects(context, (before, slices), (after, slices)))
    return Decision(pool_record(context, Stocked(after, with_quotas(after, slices))), effects)


def empty_pool(terms: dict[str, Any], at: int) -> PoolRow:
    """A new pool that has no id yet.

    Raises:
        ValidationError: its terms do not go together.
    """
    pool = PoolRow(id=0, positions=0, created_at=at, updated_at=at, **terms)
    _check(pool)
    return pool


def changed(before: PoolRow, slices: Sequence[SliceRow], terms: Mapping[str, Any]) -> PoolRow:
    """A pool under new terms.

    Raises:
        Refused: it has issued codes, whose distribution stays.
        ValidationError: its terms do not go together.
    """
    after = before._replace(**terms)
    if after.distribution != before.distribution:
        if any(row.issued or row.void for row in slices):
            sentence = f"pool `{before.name}` has issued codes: its distribution stays `{before.distribution}`"
            raise Refused("distribution_pinned", sentence, {"distribution": before.distribution})
        if "redemption_limit" not in terms:
            after = after._replace(redemption_limit=1 if after.distribution == "unique" else None)
    _check(after)
    return after


def pool_name(pool: object) -> int | str:
    """The id or the name of a pool, as a caller gives it.

    Raises:
        ValidationError: it is neither.
    """
    if isinstance(pool, str):
        return text(pool, "a pool's name")
    return integer(pool, "a pool's id", least=0)


def _name_taken(name: str) -> Refused:
    return Refused("pool_name_taken", f"a pool `{show(name)}` is there already", {"name": name})


def terms_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a pool, checked one by one.

    Raises:
        ValidationError: one cannot be meant.
    """
    return {_COLUMNS.get(name, name): _term(name, value) for name, value in given.items()}


def _term(name: str, value: Any) -> Any:
    match name:
        case "name":
            return text(value, "a pool's name")
        case "distribution":
            if value not in ("unique", "multi"):
                raise ValidationError(f"a distribution is `unique` or `multi`, not `{show(str(value))}`")
            return value
        case "issuance_allowed" | "redemption_allowed" | "bearer":
            if not isinstance(value, bool):
                raise ValidationError(f"`{name}` is true or false, not `{show(repr(value))}`")
            return int(value)
        case "low_threshold":
            return None if value is None else integer(value, name, least=0, most=limits.INTEGER)
        case "max_characters":
            return integer(value, name, least=1, most=CODE_CHARACTERS)
        case "redemption_limit" | "issuee_redemption_limit":
            return None if value is None else integer(value, name, least=1)
        case "valid_from":
            return beginning(value, "UTC")
        case "valid_until":
            return ending(value, "UTC")
        case _:
            return read_address(value)


def read_address(value: object) -> str:
    """An address to send notices to; empty for None.

    Raises:
        ValidationError: it is none.
    """
    if value is None:
        return ""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value) or not value.isprintable():
        raise ValidationError(
            f"a notification address is one bare address such as `amanda@example.com`, not `{show(str(value))}`"
        )
    return value


def _check(pool: PoolRow) -> None:
    """What the terms have to be together."""
    if pool.distribution == "unique" and pool.redemption_limit not in (None, 1):
        raise ValidationError("redemption_limit is for a `multi` pool: a code of a unique pool is redeemed once")
    if pool.valid_from is not None and pool.valid_until is not None and pool.valid_from >= pool.valid_until:
        raise ValidationError("valid_from must come before `valid_until`")
