"""How blocking code waits for an event loop, so that one set of statements serves asynchronous hosts too.

The code runs in a greenlet beside the task that called it. What a driver wants awaited is handed to that task, and the
code goes on with what came of it; to the code it looks like a call that took a while. SQLAlchemy's asyncio works the
same way, and lends us its greenlet through `run_sync`; for psycopg's own connection there is `beside_task`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from rewardkit.errors import ExtraNotInstalled

A = TypeVar("A")


class Wait(Protocol):
    """Waits, in blocking code beside a task, for what only the task can await."""

    def __call__(self, awaitable: Awaitable[A], /) -> A:
        """What came of it."""
        ...


async def ended(statement: Coroutine[Any, Any, A], *, interruptible: bool) -> A:
    """Await a statement to its end, whoever cancels meanwhile: a connection is never left in the middle of one.

    A cancellation is passed on to an interruptible statement once, and raised when it has ended; one that is not
    interruptible ends by itself. Whoever cancels again and again, as anyio does, waits with us.
    """
    working = asyncio.ensure_future(statement)
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait((working,))
        except asyncio.CancelledError as error:
            if cancelled is None and interruptible:
                working.cancel()
            cancelled = cancelled or error
    if cancelled is not None:
        if not working.cancelled():
            working.exception()  # seen: it ended because it was cancelled, or beside it
        raise cancelled
    return working.result()


def beside_task() -> Callable[[Callable[[Wait], A]], Coroutine[Any, Any, A]]:
    """Runs blocking code beside the task that awaits it.

    Raises:
        ExtraNotInstalled: without the package `greenlet`.
    """
    try:
        from greenlet import getcurrent, greenlet
    except ImportError as error:
        raise ExtraNotInstalled("joining psycopg's AsyncConnection", "async") from error

    async def run(call: Callable[[Wait], A]) -> A:
        def wait(awaitable: Awaitable[Any]) -> Any:
            return getcurrent().parent.switch(awaitable)

        beside: Any = greenlet(lambda: call(wait))
        beside.gr_context = getcurrent().gr_context
        given: Any = beside.switch()
        while not beside.dead:
            try:
                came = await given
            except BaseException:  # noqa: BLE001 - raised where it is waited for
                beside.parent = getcurrent()
                given = beside.throw(*sys.exc_info())
            else:
                beside.parent = getcurrent()
                given = beside.switch(came)
        answer: A = given
        return answer

    return run
