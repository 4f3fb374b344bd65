"""Stands around decisions and deliveries, and tells logs and an observer of them: nothing unless somebody wants it.

A decision itself is pure and knows nothing of this. Every event of the log is in `LEVELS`, and on the page
`docs/reference/events.md`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from rewardkit.core.deciding.context import Deciding, Decision
from rewardkit.core.notices.outbox import SCHEDULE_SECONDS
from rewardkit.core.notices.outcomes import Delivered, EndpointGone, FailedForGood, Outcome, RetryLater
from rewardkit.core.requests.records import Notice
from rewardkit.errors import ValidationError
from rewardkit.observe.facts import Told, counts_of, facts_of_answer, facts_of_error, name_of
from rewardkit.ports import Observer

A = TypeVar("A")
T = TypeVar("T")

LEVELS: Final = {
    "run.answered": logging.DEBUG,
    "run.refused": logging.DEBUG,
    "run.failed": logging.DEBUG,  # whoever called hears of it, and knows better how bad it is
    "ask.answered": logging.DEBUG,
    "ask.refused": logging.DEBUG,
    "ask.failed": logging.DEBUG,
    "deliver.done": logging.DEBUG,
    "deliver.failed": logging.DEBUG,
    "deliver.waiting": logging.WARNING,
    "deliver.interrupted": logging.WARNING,
    "tell.delivered": logging.DEBUG,
    "tell.retry": logging.INFO,
    "tell.exhausted": logging.WARNING,
    "tell.rejected": logging.WARNING,
    "tell.gone": logging.WARNING,
    "tell.failed": logging.DEBUG,
    "observer.failed": logging.WARNING,
}
"""What a log is told, and how loudly: whatever comes with every event of a host is below INFO."""

_DECISIONS = logging.getLogger("rewardkit.decisions")
_NOTICES = logging.getLogger("rewardkit.notices")
# A library has no say in where an application's log goes: without a handler of its host it says nothing at all.
logging.getLogger("rewardkit").addHandler(logging.NullHandler())


def _callable(_watch: object, _field: object, observer: Observer | None) -> None:
    if observer is not None and not callable(observer):
        raise ValidationError(f"an observer is called as something begins, and `{type(observer).__name__}` is none")


@attrs.frozen
class Watch:
    """What one tenant's kit tells of itself."""

    observer: Observer | None = attrs.field(validator=_callable)
    tenant: str

    def deciding(
        self,
        operation: str,
        asked: object,
        make: Callable[[], Deciding[Decision[A]]],
        drive: Callable[[Callable[[], Deciding[Decision[A]]]], Decision[A]],
    ) -> Decision[A]:
        """Drive a decision, `run` for a command and `ask` for a query, and tell how it went."""
        if self.observer is None and not _DECISIONS.isEnabledFor(logging.DEBUG):
            return drive(make)
        tries = 0

        def again() -> Deciding[Decision[A]]:
            nonlocal tries
            tries += 1
            return make()

        def facts(decision: Decision[A]) -> Told:
            return facts_of_answer(decision.answer) | ({"tries": tries} if tries > 1 else {})

        begin = {"command" if operation == "run" else "query": name_of(asked), **counts_of(asked)}
        return self._over(operation, begin, lambda: drive(again), facts, _DECISIONS)

    def delivering(self, deliver: Callable[[], T]) -> T:
        """Deliver what is due, and tell how much it was."""
        if self.observer is None and not _NOTICES.isEnabledFor(logging.DEBUG):
            return deliver()
        return self._over("deliver", {}, deliver, lambda done: {"outcome": "done", **counts_of(done)}, _NOTICES)

    def telling(self, endpoint: str, notice: Notice, tell: Callable[[], Outcome]) -> Outcome:
        """Attempt one notice at one endpoint, and tell what came of it, without the reason, which is the endpoint's."""
        begin: Told = {"endpoint": endpoint, "notice": notice.id, "kind": notice.kind, "attempt": notice.attempt}

        def facts(outcome: Outcome) -> Told:
            return {"outcome": _word(outcome, notice.attempt)}

        if self.observer is None and not _NOTICES.isEnabledFor(logging.DEBUG):
            began = time.perf_counter_ns()
            outcome = tell()
            if not isinstance(outcome, Delivered):
                _log("tell", {"tenant": self.tenant, **begin}, facts(outcome), began, _NOTICES)
            return outcome
        return self._over("tell", begin, tell, facts, _NOTICES)

    def happened(self, event: str, sentence: str, error: BaseException | None = None) -> None:
        """Tell the log of something that is nobody's answer."""
        told = {} if error is None else facts_of_error(error)
        shown = {"event": event, "tenant": self.tenant, **told}
        shown.pop("outcome", None)
        _NOTICES.log(LEVELS[event], "%s", sentence, extra={"rewardkit": shown})

    def _over(
        self,
        operation: str,
        about: Told,
        call: Callable[[], T],
        facts: Callable[[T], Told],
        logger: logging.Logger,
    ) -> T:
        begin: Told = {"tenant": self.tenant, **about}
        end = self._begun(operation, begin)
        began = time.perf_counter_ns()
        try:
            answer = call()
        except BaseException as error:
            self._ended(operation, begin, facts_of_error(error), end, began, logger)
            raise
        self._ended(operation, begin, facts(answer), end, began, logger)
        return answer

    def _begun(self, operation: str, begin: Told) -> Callable[[Told], object] | None:
        if self.observer is None:
            return None
        try:
            return self.observer(operation, begin)
        except Exception as error:  # noqa: BLE001 - whoever watches a payment must not stop it
            self.happened("observer.failed", "the observer failed; what it observes goes on", error)
            return None

    def _ended(
        self,
        operation: str,
        begin: Told,
        told: Told,
        end: Callable[[Told], object] | None,
        began: int,
        logger: logging.Logger,
    ) -> None:
        if end is not None:
            try:
                end(told)
            except Exception as error:  # noqa: BLE001 - as above
                self.happened("observer.failed", "the observer failed; what it observes goes on", error)
        _log(operation, begin, told, began, logger)


def _log(operation: str, begin: Told, told: Told, began: int, logger: logging.Logger) -> None:
    event = f"{operation}.{told['outcome']}"
    if logger.isEnabledFor(LEVELS[event]):
        shown: Told = {"event": event, **begin, **told}
        shown["microseconds"] = (time.perf_counter_ns() - began) // 1_000
        del shown["outcome"]
        logger.log(LEVELS[event], "%s", _line(shown), extra={"rewardkit": shown})


def _line(shown: Told) -> str:
    """The same for people: the event, and its facts as `key=value`."""
    return " ".join(
        str(value) if key == "event" else f"{key}={value!r}" if " " in str(value) else f"{key}={value}"
        for key, value in shown.items()
    )


def _word(outcome: Outcome, attempt: int) -> str:
    match outcome:
        case Delivered():
            return "delivered"
        case RetryLater():
            return "retry" if attempt <= len(SCHEDULE_SECONDS) else "exhausted"
        case FailedForGood():
            return "rejected"
        case EndpointGone():
            return "gone"
