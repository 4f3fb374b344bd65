"""Driving a decision: its needs are answered inside one transaction, its effects written at the end of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from rewardkit.core.deciding.context import Deciding, Decision
from rewardkit.core.pools.needs import FreshCodes
from rewardkit.errors import Refused, StoreError
from rewardkit.ports import Store, Transaction
from rewardkit.shell.fresh_codes import fresh_codes

A = TypeVar("A")

ATTEMPTS = 8
"""How often a decision that met a deadlock or a serialisation failure is made before the caller hears of it."""

PATIENCE_SECONDS = 5.0
"""After which nothing is begun again: a store that waits for a lock by itself may have used it up in one attempt."""

_FIRST_WAIT_SECONDS = 0.005


class _Dropped(Exception):
    """Leaves a transaction's block so that it rolls back."""


def drive(
    store: Store, tenant: str, make: Callable[[], Deciding[Decision[A]]], *, reading: bool = False
) -> Decision[A]:
    """Make a decision in one transaction, again from the start where the store says that this may well succeed.

    A refusal that changes nothing, and a dry run, roll back whatever was taken on the way.
    A query is made `reading`, and changes nothing at all.
    Inside a host's transaction nothing is repeated: the host retries its whole transaction.

    Raises:
        StoreError: the store could not; its `outcome` tells whether anything may have happened.
    """
    attempt = 0
    patient_until = time.monotonic() + PATIENCE_SECONDS
    while True:
        attempt += 1
        try:
            return _once(store, tenant, make(), reading=reading)
        except StoreError as error:
            over = attempt == ATTEMPTS or time.monotonic() > patient_until
            if over or not error.transient or error.outcome == "unknown" or store.joined:
                raise
        time.sleep(random.uniform(0, _FIRST_WAIT_SECONDS * 2**attempt))  # noqa: S311 - jitter, not a secret


def _once(store: Store, tenant: str, deciding: Deciding[Decision[A]], *, reading: bool) -> Decision[A]:
    decision: Decision[A] | None = None
    try:
        with store.transaction(tenant, reading=reading) as transaction:
            decision = _answer_needs(deciding, transaction)
            _keep(decision, transaction)
    except _Dropped:
        pass
    finally:
        deciding.close()
    if decision is None:
        raise StoreError("the transaction ended without a decision")
    return decision


def _keep(decision: Decision[A], transaction: Transaction) -> None:
    if not decision.keep or (isinstance(decision.answer, Refused) and not decision.effects):
        raise _Dropped
    if decision.effects:
        transaction.write(decision.effects)


def _answer_needs(deciding: Deciding[Decision[A]], transaction: Transaction) -> Decision[A]:
    try:
        need = next(deciding)
        while True:
            answer = fresh_codes(need) if isinstance(need, FreshCodes) else transaction.ask(need)
            need = deciding.send(answer)
    except StopIteration as stop:
        decision: Decision[A] = stop.value
        return decision
