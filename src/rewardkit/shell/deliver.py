"""Delivering notices: leased in one transaction, told outside any, marked in another."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, NoReturn

import attrs

from rewardkit.core.notices.notice import kind_of_notices, notice_of, settled_in
from rewardkit.core.notices.outbox import Attempt, Leased, LeaseOutbox, Marked, MarkOutbox
from rewardkit.core.notices.outcomes import Delivered, EndpointGone, FailedForGood, Outcome, RetryLater
from rewardkit.core.notices.registered_endpoints import registered_endpoint
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.records import Notice
from rewardkit.core.storing.rows import NoticeRow, RegisteredEndpointRow
from rewardkit.core.values.input import show, text
from rewardkit.errors import StoreError, ValidationError
from rewardkit.observe.watch import Watch
from rewardkit.ports import EndpointNotifier, Jitter, Notifier

TELL_SECONDS = 20
"""How long one notifier may take for one notice without another worker coming in between."""

PATIENCE_SECONDS = 30
"""After which a worker begins no more of its batch and gives the rest back: others may be idle."""

SLOW_SECONDS = 5
"""That one registered endpoint may take of a batch; the rest of what is for it goes behind what is for others."""

_BATCH_NOTICES = 50


@attrs.frozen
class Delivery:
    """What one call of `deliver` came to."""

    delivered: int = 0
    failed: int = 0
    """Not told to everybody: they are due again later, or dead."""
    overtaken: int = 0
    """Told too late: another worker has taken them since, and tells them again under the same id."""

    @property
    def taken(self) -> int:
        """How many notices were attempted."""
        return self.delivered + self.failed + self.overtaken

    def __add__(self, other: Delivery) -> Delivery:
        return Delivery(self.delivered + other.delivered, self.failed + other.failed, self.overtaken + other.overtaken)


@attrs.frozen
class Endpoint:
    """A notifier, by the name under which is remembered what it was told."""

    name: str
    notifier: Notifier
    kinds: Collection[str] | None = None
    """Of notices that it wants; None is all."""


@attrs.frozen
class Worker:
    """Delivers what is due; any number may work at once."""

    run: Callable[[Command[Any]], Any]
    endpoints: Sequence[Endpoint]
    jitter: Jitter
    tenant: str
    webhooks: EndpointNotifier | None = None
    """Tells registered endpoints; without it, what is for these waits for another worker."""
    stop: threading.Event = attrs.field(factory=threading.Event)
    """Set to have it give back what it has not begun, and return."""
    watch: Watch = attrs.field(kw_only=True)

    def deliver(self, limit: int) -> Delivery:
        """Tell every endpoint each notice that is due, up to `limit` notices, copies for registered endpoints included.

        A crash between the telling and its record tells a notice again, under its id.
        """
        if not self.endpoints and self.webhooks is None:
            self.watch.happened("deliver.waiting", "notices wait: this kit has no notifiers to deliver them to")
            return Delivery()
        return self.watch.delivering(partial(self._deliver, limit))

    def poll(self, limit: int, look: Callable[[LeaseOutbox], Any]) -> Delivery:
        """Deliver as `deliver` does, and tell log and observer nothing where nothing is due.

        Args:
            limit: as of `deliver`.
            look: leases what is found first, of which nobody is told.
        """
        try:
            found: Leased = look(self._lease(min(_BATCH_NOTICES, limit)))
        except StoreError as error:
            return self.watch.delivering(partial(_raise, error))
        return self.watch.delivering(partial(self._deliver, limit, found)) if found.rows else Delivery()

    def _lease(self, size: int) -> LeaseOutbox:
        lease_seconds = PATIENCE_SECONDS + TELL_SECONDS * (1 + max(1, len(self.endpoints)))
        return LeaseOutbox(size, lease_seconds, self.webhooks is not None)

    def _deliver(self, limit: int, found: Leased | None = None) -> Delivery:
        total, left = Delivery(), limit
        while left > 0 and (found is not None or not self.stop.is_set()):
            size = min(_BATCH_NOTICES, left)
            leased, found = found or self.run(self._lease(size)), None
            if not leased.rows:
                break
            left -= len(leased.rows)
            total += self._tell_all(leased)
            if len(leased.rows) < size and not leased.copied:
                break
        return total

    def _tell_all(self, leased: Leased) -> Delivery:
        began = time.monotonic()
        gone = {row.name: EndpointGone(row.reason) for row in leased.gone}
        registered = {row.name: row for row in leased.registered}
        done, taken = Delivery(), dict.fromkeys(registered, 0.0)
        attempts: list[Attempt] = []
        rest: list[NoticeRow] = []
        for row in leased.rows:
            at = time.monotonic()
            over = self.stop.is_set() or at - began > PATIENCE_SECONDS
            if over or taken.get(row.endpoint, 0.0) > SLOW_SECONDS:
                rest.append(row)
                continue
            known = len(gone), registered.get(row.endpoint)
            if row.endpoint:
                attempts.append(self._tell_registered(row, registered))
                taken[row.endpoint] = taken.get(row.endpoint, 0.0) + time.monotonic() - at
            else:
                attempts.append(Attempt(row.id, row.lease, self._tell(row, gone), self.jitter()))
            if known != (len(gone), registered.get(row.endpoint)):
                # Somebody wants nothing more: recorded before anything else is told, so that whoever leases knows it.
                done += self._mark(attempts)
                attempts = []
        return done + self._mark(attempts, rest)

    def _mark(self, attempts: Sequence[Attempt], rest: Sequence[NoticeRow] = ()) -> Delivery:
        if not attempts and not rest:
            return Delivery()
        marked: Marked = self.run(MarkOutbox(tuple(attempts), tuple((row.id, row.lease) for row in rest)))
        return Delivery(*marked)

    def _tell(self, row: NoticeRow, gone: dict[str, EndpointGone]) -> Mapping[str, Outcome]:
        notice, settled = notice_of(row), settled_in(row)
        outcomes: dict[str, Outcome] = {}
        for endpoint in self.endpoints:
            if endpoint.name in settled or (endpoint.kinds is not None and row.kind not in endpoint.kinds):
                continue
            outcome = gone.get(endpoint.name) or self.watch.telling(
                endpoint.name, notice, partial(outcome_of, endpoint.notifier, notice)
            )
            if isinstance(outcome, EndpointGone):
                # Before it is recorded already: the batch may hold more for it.
                gone[endpoint.name] = outcome
            outcomes[endpoint.name] = outcome
        return outcomes

    def _tell_registered(self, row: NoticeRow, registered: dict[str, RegisteredEndpointRow]) -> Attempt:
        endpoint = registered.get(row.endpoint)
        outcome: Outcome = FailedForGood("it has been removed")
        if endpoint is not None and endpoint.status == "gone":
            outcome = EndpointGone(endpoint.reason)
        elif endpoint is not None and self.webhooks is not None:
            tell, shown, notice = self.webhooks.tell, registered_endpoint(endpoint), notice_of(row)
            attempt = partial(outcome_of, lambda notice: tell(notice, shown, self.tenant), notice)
            outcome = self.watch.telling(endpoint.name, notice, attempt)
            if isinstance(outcome, EndpointGone):
                registered[row.endpoint] = endpoint._replace(status="gone", reason=outcome.reason)
        since = 0 if endpoint is None else endpoint.since
        return Attempt(row.id, row.lease, {row.endpoint: outcome}, self.jitter(), since)


def _raise(error: Exception) -> NoReturn:
    raise error


def outcome_of(notifier: Notifier, notice: Notice) -> Outcome:
    """What came of telling, whatever the notifier does: it is foreign code, and its failure is kept with the notice."""
    try:
        outcome = notifier(notice)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no reason to lose a notice
        return RetryLater(f"{type(error).__name__}: {error}")
    if outcome is None:
        return Delivered()
    if isinstance(outcome, Delivered | RetryLater | FailedForGood | EndpointGone):
        return outcome
    return RetryLater(f"the notifier answered a `{type(outcome).__name__}`, which is no outcome")


def endpoints_of(notifiers: Iterable[Notifier]) -> tuple[Endpoint, ...]:
    """Notifiers under their names; where several have no name of their own and look alike, they are numbered.

    Looked at early: a notifier that cannot be called would fail every notice until it is dead.

    Raises:
        ValidationError: one cannot be called, or its name or kinds cannot be meant.
    """
    if not isinstance(notifiers, Iterable):
        raise ValidationError(f"notifiers come as a list, not as one `{type(notifiers).__name__}`")
    found: dict[str, Endpoint] = {}
    for number, notifier in enumerate(notifiers):
        _check(notifier, f"notifier {number}")
        given = getattr(notifier, "endpoint", None)
        name = _own_name(notifier, found) if given is None else text(given, f"the endpoint of notifier {number}")
        if name in found:
            raise ValidationError(f"two notifiers have the endpoint `{show(name)}`; give each a name of its own")
        kinds = getattr(notifier, "kinds", None)
        if kinds is not None and (isinstance(kinds, str) or not isinstance(kinds, Collection)):
            raise ValidationError(f"the kinds of notifier {number} come as a list, not as `{type(kinds).__name__}`")
        found[name] = Endpoint(name, notifier, None if kinds is None else frozenset(map(kind_of_notices, kinds)))
    return tuple(found.values())


def webhooks_of(given: EndpointNotifier | None) -> EndpointNotifier | None:
    """What tells registered endpoints, looked at as early as notifiers are.

    Raises:
        ValidationError: it is something else, such as the secret that it is made from.
    """
    if given is not None and not _tells_endpoints(given):
        raise ValidationError(
            f"`webhooks` must be such as `RegisteredWebhooks(master)`, not a `{type(given).__name__}`;"
            " a `WebhookNotifier` belongs among the `notifiers`"
        )
    return given


def _check(notifier: object, what: str) -> None:
    if isinstance(notifier, type):
        raise ValidationError(
            f"{what} is the class `{notifier.__name__}`: make a notifier of it, `{notifier.__name__}(…)`"
        )
    if _tells_endpoints(notifier):
        raise ValidationError(f"{what} tells registered endpoints: give it as `webhooks=` instead")
    if not callable(notifier):
        raise ValidationError(f"{what} must be callable with a notice, not a `{type(notifier).__name__}`")
    if iscoroutinefunction(notifier) or iscoroutinefunction(type(notifier).__call__):
        raise ValidationError(
            f"{what} is asynchronous, and notifiers are called on a thread that waits for no coroutine:"
            " give a plain function, which may call `asyncio.run`"
        )


def _tells_endpoints(given: object) -> bool:
    return all(callable(getattr(given, name, None)) for name in ("admit", "tell", "secret"))


def _own_name(notifier: Notifier, taken: Collection[str]) -> str:
    name = text((getattr(notifier, "__qualname__", None) or type(notifier).__qualname__)[:200], "a notifier's name")
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return next(one for one in itertools.chain((name,), numbered) if one not in taken)
