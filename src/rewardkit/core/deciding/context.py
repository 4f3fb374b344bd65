"""What a decision may know of the world around it: nothing but this."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.needs import Need
from rewardkit.errors import Refused, UrlRefused

A = TypeVar("A")
R = TypeVar("R")


@attrs.frozen
class Judgement:
    """What the guard in front of webhooks said of a URL before the decision, which cannot ask the network itself."""

    url: str = attrs.field(repr=False)
    refusal: UrlRefused | None


@attrs.frozen
class Context:
    """The circumstances of one decision."""

    tenant: str
    at: int
    """Now, read once from the clock."""
    nonce: str
    """Differs between calls and grows with them; names events that came without an id. A retry has the same one."""
    catalogue: Catalogue
    """The definitions as they were last seen; a decision that finds them stale reads them anew."""
    key: str | None = None
    """The caller's idempotency key."""
    chance: bytes = b""
    """Drawn anew for each call, and known to nobody: codes are made of it."""
    joined: bool = False
    """Whether all of it may be rolled back by the host."""
    judgement: Judgement | None = None
    """Of the URL that is to be registered, where one is."""


@attrs.frozen
class Decision(Generic[A]):
    """What has been decided: an answer or a refusal, and what it changes."""

    answer: A | Refused
    effects: tuple[Effect, ...] = ()
    catalogue: Catalogue | None = None
    """The definitions that it was decided under, for the next decision."""
    keep: bool = True
    """False for a dry run: the transaction is to be rolled back, whatever it took."""


Deciding: TypeAlias = Generator[Need[Any], Any, R]
"""A part of a decision: yields needs, is sent their answers, returns an `R`."""
