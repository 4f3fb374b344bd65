"""Work of many threads that begin at one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable


def at_once(*works: Callable[[], None]) -> None:
    """Do all of it in a thread each, which begin together, and wait for the last.

    Raises:
        AssertionError: one of them raised something.
    """
    gate = threading.Barrier(len(works))
    failed: list[BaseException] = []

    def begin(work: Callable[[], None]) -> None:
        try:
            gate.wait()
            work()
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            failed.append(error)

    threads = [threading.Thread(target=begin, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise AssertionError(f"{len(failed)} of {len(works)} threads failed: {failed}") from failed[0]
