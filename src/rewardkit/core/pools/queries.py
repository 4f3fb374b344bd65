"""What can be asked about pools without changing anything."""

from __future__ import annotations

import attrs

from rewardkit.core.pools.code import Code
from rewardkit.core.pools.issuance import Issuance
from rewardkit.core.pools.pool import Pool
from rewardkit.core.pools.redemption import Redemption
from rewardkit.core.requests.queries import Page, Query
from rewardkit.core.values.input import masked


@attrs.frozen
class PoolStatus(Query[Pool]):
    """A pool by its id or name, with its counts."""

    pool: int | str


@attrs.frozen
class Pools(Query[Page[Pool]]):
    """Pools in the order of their ids, with their counts."""

    after: str | None = attrs.field(default=None, kw_only=True)
    limit: int = attrs.field(default=100, kw_only=True)


@attrs.frozen
class CodeStatus(Query[Code]):
    """A code, of whatever pool, and what has become of it.

    Args:
        code: as it was typed.
        public: whether the answer goes to somebody who may be guessing: then a code that could not be redeemed now is
            refused, and all refusals are the same.
    """

    code: str = attrs.field(repr=masked)
    public: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Codes(Query[Page[Code]]):
    """Codes of a pool, in no particular order."""

    pool: int | str
    after: str | None = attrs.field(default=None, kw_only=True)
    limit: int = attrs.field(default=100, kw_only=True)


@attrs.frozen
class Issuances(Query[Page[Issuance]]):
    """Issuances in the order of their ids; of one code or one issuee where that is given."""

    code: str | None = attrs.field(default=None, kw_only=True, repr=False)
    external_issuee_id: str | None = attrs.field(default=None, kw_only=True, repr=False)
    issuee_id: str | None = attrs.field(default=None, kw_only=True)
    after: str | None = attrs.field(default=None, kw_only=True)
    limit: int = attrs.field(default=100, kw_only=True)


@attrs.frozen
class Redemptions(Query[Page[Redemption]]):
    """Redemptions in the order of their ids, those that were rolled back too; see `Issuances`."""

    code: str | None = attrs.field(default=None, kw_only=True, repr=False)
    external_issuee_id: str | None = attrs.field(default=None, kw_only=True, repr=False)
    issuee_id: str | None = attrs.field(default=None, kw_only=True)
    after: str | None = attrs.field(default=None, kw_only=True)
    limit: int = attrs.field(default=100, kw_only=True)


@attrs.frozen
class CodeOdds(Query["CodeSpace"]):
    """How hard codes are to guess that `GenerateCodes` would add with the same arguments, before any is made."""

    pool: int | str
    count: int
    length: int = attrs.field(default=12, kw_only=True)
    prefix: str = attrs.field(default="", kw_only=True)
    pattern: str | None = attrs.field(default=None, kw_only=True)
    alphabet: str = attrs.field(default="0123456789ABCDEFGHJKMNPQRSTVWXYZ", kw_only=True)
    check: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class CodeSpace:
    """The codes that a pattern can make, and how many of them would be there."""

    codes: int
    """Of the whole pool, with those that are asked for."""
    space: int
    """How many different ones there can be."""
    bits: float
    """What is drawn for each."""
    example: str
    """How they look, with every drawn character the alphabet's first."""
    guesses: float
    """How many it takes on average to hit a code: space / codes."""
    guessable: bool
    """Whether that is refused unless `allow_guessable`."""
