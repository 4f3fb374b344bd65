"""What the moves of `rewardkit.testing.pool_world` come to where nothing goes wrong: in memory, one after the other."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from rewardkit.errors import Refused
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.faults_world import NOW, kit_at
from rewardkit.testing.pool_rewards_world import attempts_in
from rewardkit.testing.pool_world import build_pools, pool_moves, shape_of

TENANT: Final = "acme"
KEY: Final = "once"
"""Under which a move is made, and made again."""


class Outcome(NamedTuple):
    """What is there after a move, and what the move answers."""

    state: Mapping[str, Any]
    answer: str


@cache
def _built() -> MemoryStore:
    store = MemoryStore()
    build_pools(store, TENANT)
    return store


def fresh_world() -> MemoryStore:
    """A store of its own with the world in tenant `TENANT`."""
    store = MemoryStore()
    store._tenants = copy.deepcopy(_built()._tenants)  # noqa: SLF001 - six times as quick as building it
    return store


@cache
def pool_move_names() -> tuple[str, ...]:
    """The names of all moves."""
    return tuple(pool_moves(kit_at(_built(), TENANT), TENANT))


def seen(store: Store, tenant: str = TENANT) -> Mapping[str, Any]:
    """What matters of what a store keeps, in which no promise is broken."""
    found = snapshot_of(store, tenant)
    broken = violations(found)
    if broken:
        raise AssertionError(broken)
    return {**shape_of(found), "attempts": attempts_in(store, tenant)}


def told(answer: object) -> str:
    """What kind of answer it is, or which refusal."""
    return answer.code if isinstance(answer, Refused) else type(answer).__name__


def make_move(store: Store, name: str, tenant: str = TENANT, key: str | None = KEY) -> str:
    """Make a move, and tell what it answers."""
    kit = kit_at(store, tenant, NOW)
    return told(kit.attempt(pool_moves(kit, tenant)[name], key=key))


@cache
def outcome(name: str, times: int) -> Outcome:
    """Of a move that is made so many times under one key.

    Once is like many times but for attempts at promo codes that fail: each counts.
    """
    store = fresh_world()
    answer = ""
    for _ in range(times):
        answer = make_move(store, name)
    return Outcome(seen(store), answer)


@cache
def serial_outcomes(names: tuple[str, ...]) -> list[tuple[Mapping[str, Any], tuple[str, ...]]]:
    """What moves come to one after the other, in every order, and what each answers."""
    found = []
    for order in itertools.permutations(range(len(names))):
        store = fresh_world()
        answers = {place: make_move(store, names[place], key=None) for place in order}
        found.append((seen(store), tuple(answers[place] for place in range(len(names)))))
    return found
