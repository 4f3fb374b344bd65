"""The kit that an application holds: the only place that knows the shell and the stores both."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from os import PathLike
from types import TracebackType
from typing import Any, Self, TypeVar

import attrs

from rewardkit.core import decide
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.definitions import catalogue
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.notices.outbox import LeaseOutbox
from rewardkit.core.notices.registered_endpoints import RegisteredEndpoints, RegisterEndpoint
from rewardkit.core.requests import commands, queries
from rewardkit.core.requests.answers import Progressed, Recorded
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.given_event import given_event, read_event
from rewardkit.core.requests.queries import Explained, Query
from rewardkit.core.requests.records import Grant
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import Refused, ValidationError
from rewardkit.language.event import Event, instant
from rewardkit.observe.watch import Watch
from rewardkit.ports import Check, Clock, EndpointNotifier, Jitter, Notifier, Observer, Store
from rewardkit.secret import Secret
from rewardkit.shell.check import Checked, check_grants
from rewardkit.shell.clock import system_clock
from rewardkit.shell.deliver import Delivery, Worker, endpoints_of, webhooks_of
from rewardkit.shell.drive import drive
from rewardkit.shell.forever import deliver_forever
from rewardkit.shell.judging import judgement_of
from rewardkit.shell.nonce import chance, nonce
from rewardkit.shell.pool_stock import PoolStock
from rewardkit.storage import not_a_store, open_store

A = TypeVar("A")

_BATCH_USERS = 100
"""Of `run_due` that are locked and committed together."""


class RewardKit(PoolStock):
    """Incentives over one store, for one tenant.

    Args:
        store: `":memory:"`, `"sqlite:///rewards.db"`, `"postgresql://…"`, or any `Store`.
        clock: gives now, as an aware datetime or microseconds since 1970 UTC; default is this machine's.
        tenant: the company that everything is scoped to.
        prefix: in front of every table's name.
        notifiers: callables that tell the outside; each is given every notice, after the commit, by `deliver()`.
        webhooks: tells the endpoints that tenants register, and judges their URLs: `RegisteredWebhooks`.
        jitter: gives a number from 0 up to 1, drawn evenly; spreads the attempts of notices that failed together.
        observer: is told of all that the kit does, as it does it: `OpenTelemetryObserver()`, or any `Observer`.

    Raises:
        ValidationError: an argument cannot be meant.
        ExtraNotInstalled: the store needs a package that is missing.
    """

    def __init__(
        self,
        store: str | Store = ":memory:",
        *,
        clock: Clock = system_clock,
        tenant: str = "default",
        prefix: str = "rewardkit_",
        notifiers: Iterable[Notifier] = (),
        webhooks: EndpointNotifier | None = None,
        jitter: Jitter = random.random,
        observer: Observer | None = None,
    ) -> None:
        if not isinstance(store, str) and not hasattr(store, "transaction"):
            raise not_a_store(store)
        if not callable(clock):
            raise ValidationError(
                f"a clock is called for the time of each decision, and `{type(clock).__name__}` is none"
            )
        self._store = open_store(store, prefix=prefix) if isinstance(store, str) else store
        self._clock = clock
        self._tenant = text(tenant, "a tenant")
        self._endpoints = endpoints_of(notifiers)
        self._webhooks = webhooks_of(webhooks)
        self._jitter = jitter
        self._watch = Watch(observer, self._tenant)
        self._catalogues: dict[str, Catalogue] = {}

    def _like(self, store: Store, tenant: str) -> Self:
        other = object.__new__(type(self))
        other._store, other._tenant = store, tenant
        other._clock, other._endpoints, other._jitter = self._clock, self._endpoints, self._jitter
        other._webhooks = self._webhooks
        other._catalogues = self._catalogues
        other._watch = Watch(self._watch.observer, tenant)
        return other

    def tenant(self, name: str) -> Self:
        """The same kit for another tenant, which shares nothing with this one but the store."""
        return self._like(self._store, text(name, "a tenant"))

    def on(self, host: object) -> Self:
        """The same kit inside the open transaction of the host's own connection or session.

        What it does is committed or rolled back by the host; call `deliver()` on the kit itself after the commit.

        Args:
            host: a `sqlite3` or `psycopg` connection, a SQLAlchemy Session or Connection, or Django's connection;
                asynchronous ones are joined by `AsyncRewardKit.on`.

        Raises:
            ValidationError: the store cannot join it, or it is in autocommit with no transaction open.
        """
        return self._like(self._store.join(host), self._tenant)

    # --- commands and queries ----------------------------------------------------------------------

    def run(self, command: Command[A], *, key: str | None = None) -> A:
        """Carry out a command and give its answer.

        Args:
            command: what is to be done.
            key: made by the caller, unique for each intention; repeating the call with it is always safe.

        Raises:
            Refused: the answer is no.
            ValidationError: the command cannot be meant.
            Conflict: the key, or an event's id, was used before with another body.
            StoreError: the store could not.
        """
        answer = self.attempt(command, key=key)
        if isinstance(answer, Refused):
            raise answer
        return answer

    def attempt(self, command: Command[A], *, key: str | None = None) -> A | Refused:
        """Carry out a command and give its answer, or the refusal; other errors are raised as by `run`."""
        return self._decide(command, self._now(), key)

    def ask(self, query: Query[A]) -> A:
        """Answer a question; nothing changes.

        Raises:
            Refused: what is asked about does not exist.
            ValidationError: the query cannot be meant.
        """
        context = self._context(self._now(), None)
        answer = self._drive("ask", query, lambda: decide.look(query, context))
        if isinstance(answer, Refused):
            raise answer
        return answer

    def _now(self) -> int:
        return instant(self._clock())

    def _context(self, at: int, key: str | None) -> Context:
        known = self._catalogues.get(self._tenant, catalogue.EMPTY)
        return Context(self._tenant, at, nonce(at), known, key, chance(), self._store.joined)

    def _decide(self, command: Command[A], at: int, key: str | None) -> A | Refused:
        context = self._context(at, key)
        if isinstance(command, RegisterEndpoint):
            judgement = judgement_of(command, self._webhooks, joined=self._store.joined)
            context = attrs.evolve(context, judgement=judgement)
        return self._drive("run", command, lambda: decide.decide(command, context))

    def _drive(self, operation: str, asked: object, make: Callable[[], Deciding[Decision[A]]]) -> A | Refused:
        decision = self._watch.deciding(
            operation, asked, make, partial(drive, self._store, self._tenant, reading=operation == "ask")
        )
        if decision.catalogue is not None:
            self._catalogues[self._tenant] = decision.catalogue
        return decision.answer

    # --- sugar ---------------------------------------------------------------------------------------

    def emit(
        self,
        name: str,
        *,
        user: str,
        at: datetime | str | int | None = None,
        id: str | None = None,
        order: int = 0,
        properties: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Recorded:
        """Record one event and fold it; what it earned is earned when this returns.

        Args:
            name: free text, such as `Purchase Completed`.
            user: who did it.
            at: when: an aware datetime, RFC 3339 text, or microseconds since 1970 UTC; default is now.
            id: unique per user; the same id and body again change nothing, another body is a `Conflict`.
            order: orders events of one instant.
            properties: free JSON data of at most 64 KiB; numbers exact.
            key: idempotency key, for callers who have no event id.

        Raises:
            ValidationError, Conflict, StoreError: as `run`; nothing was recorded.
        """
        return self.run(commands.Emit((given_event(name, user, at, id, order, properties),)), key=key)

    def emit_many(self, events: Iterable[Event | Mapping[str, Any]], *, key: str | None = None) -> Recorded:
        """Record up to 10,000 events and fold them in one transaction, all or nothing.

        Args:
            events: of any users, in any order; mappings have the names of `emit`'s arguments as keys.
            key: idempotency key of the whole.

        Raises:
            ValidationError, Conflict: names the index of the bad event; nothing was recorded.
            StoreError: as `run`.
        """
        if isinstance(events, Event | Mapping | str) or not isinstance(events, Iterable):
            raise ValidationError(f"events come as a list, not as one `{type(events).__name__}`; `emit` takes one")
        return self.run(commands.Emit(tuple(read_event(event, index) for index, event in enumerate(events))), key=key)

    def ready(self, *, limit: int = 100) -> tuple[Grant, ...]:
        """Grants that wait to be fulfilled, earliest earned first, leased ones too; `limit` is at most 1,000."""
        return self.ask(queries.Grants(status="ready", limit=limit)).items

    def claim(self, *, limit: int = 100, lease_seconds: int = 60) -> tuple[Grant, ...]:
        """Lease ready grants to this worker; what it has not fulfilled by then can be claimed again.

        Args:
            limit: grants, at most 1,000.
            lease_seconds: at most seven days; longer than paying for all of them takes.
        """
        return self.run(commands.ClaimGrants(limit, lease_seconds)).grants

    def explain(self, grant: str) -> Explained:
        """Why a grant was earned: the events that prove it, and sentences.

        Raises:
            Refused: there is no such grant.
        """
        return self.ask(queries.Explain(grant))

    def check(self, check: Check, *, limit: int = 100) -> Checked:
        """Check grants that are held for review: what passes goes on, what is flagged waits for a person.

        Args:
            check: called with each grant, outside any transaction; answers what speaks against it.
            limit: grants; others may be checked by other workers at the same time.

        Raises:
            ValidationError: this kit is inside a host's transaction.
        """
        if self._store.joined:
            raise ValidationError("checks take their time: call `check()` on the kit that `on` was called on")
        return check_grants(self.attempt, check, integer(limit, "limit", least=1))

    def run_due(self, now: datetime | str | int | None = None, *, limit: int = 1_000) -> Progressed:
        """Decide what time alone decides by `now`, for up to `limit` users and grants, in batches that commit apart.

        Its answer's `more` says whether there may be more to do.
        Safe to call from several places at once, late, early or twice.
        """
        at = self._now() if now is None else instant(now)
        done: list[Progressed] = []
        left = integer(limit, "limit", least=1)
        while left > 0:
            batch = min(left, _BATCH_USERS)
            answer = self._decide(commands.RunDue(batch), at, None)
            if isinstance(answer, Refused):
                raise answer
            done.append(answer)
            left -= max(answer.users, len(answer.released), len(answer.supplied))
            if not answer.more:
                break
        return Progressed(
            users=sum(one.users for one in done),
            entered=tuple(entered for one in done for entered in one.entered),
            capped=tuple(capped for one in done for capped in one.capped),
            earned=tuple(earned for one in done for earned in one.earned),
            expired=tuple(expired for one in done for expired in one.expired),
            referrals=tuple(ended for one in done for ended in one.referrals),
            released=tuple(released for one in done for released in one.released),
            supplied=tuple(supplied for one in done for supplied in one.supplied),
            more=bool(done) and done[-1].more,
        )

    def deliver(self, *, limit: int = 100) -> Delivery:
        """Tell the notifiers what is due, up to `limit` notices; safe to call from several workers at once.

        Without notifiers nothing is taken: notices wait for a kit that has some, or for `rewardkit deliver`.

        Raises:
            ValidationError: this kit is inside a host's transaction; deliver after its commit.
        """
        return self._worker(threading.Event()).deliver(integer(limit, "limit", least=1))

    def deliver_forever(self, stop: threading.Event, *, poll_seconds: float = 5.0) -> Delivery:
        """Deliver what is due as it becomes due, until somebody sets `stop`: the whole of a worker's thread or process.

        On PostgreSQL it hears of new notices as they are committed; everywhere it looks again every `poll_seconds`.
        While the store cannot be reached it says so in the log `rewardkit.notices`, and tries again.

        Args:
            stop: set it to end; what is being told is told and recorded, the rest is given back.
            poll_seconds: between looks where nothing is due.

        Raises:
            ValidationError: this kit is inside a host's transaction, or has no notifiers.
            SchemaError, ForkError: the store can never be reached like this.
        """
        if not self._endpoints and self._webhooks is None:
            raise ValidationError("this kit has no notifiers to deliver to; give it some with `notifiers=`")
        if not isinstance(stop, threading.Event):
            raise ValidationError(f"a worker ends when a `threading.Event` is set, and `{type(stop).__name__}` is none")
        if not 0 < poll_seconds < threading.TIMEOUT_MAX:
            raise ValidationError(f"poll_seconds must be above 0, not `{poll_seconds}`")
        listen = partial(self._store.listening, self._tenant)
        return deliver_forever(self._worker(stop), self._look, listen, poll_seconds)

    def _worker(self, stop: threading.Event) -> Worker:
        if self._store.joined:
            raise ValidationError("notices leave after the commit: call `deliver()` on the kit that `on` was called on")
        return Worker(self.run, self._endpoints, self._jitter, self._tenant, self._webhooks, stop, watch=self._watch)

    def _look(self, command: LeaseOutbox) -> Any:
        """Lease without a word: whether there is anything to tell of is known only afterwards."""
        context = self._context(self._now(), None)
        return drive(self._store, self._tenant, lambda: decide.decide(command, context)).answer

    def endpoint_secret(self, name: str) -> Secret:
        """What the receiver of a registered endpoint verifies with: to be shown to the tenant, and kept nowhere.

        Raises:
            Refused: no endpoint of this name is registered.
            ValidationError: this kit has no `webhooks`.
        """
        if self._webhooks is None:
            raise ValidationError("this kit has no `webhooks`, which derive the secrets of registered endpoints")
        name = text(name, "an endpoint's name")
        found = next((one for one in self.ask(RegisteredEndpoints()) if one.name == name), None)
        if found is None:
            raise Refused("endpoint_unknown", f"no endpoint `{show(name)}` is registered", {})
        return self._webhooks.secret(found, self._tenant)

    def load(self, path: str | PathLike[str]) -> tuple[Any, ...]:
        """Bring the definitions of a TOML file into force; loading it twice changes nothing.

        Returns:
            the answer of every command that the file came to, in order.

        Raises:
            ValidationError: with the file's name and the table that is wrong; nothing was changed.
        """
        from rewardkit.shell.definition_file import load

        return load(self, path)

    # --- life ------------------------------------------------------------------------------------------

    def migrate(self) -> tuple[str, ...]:
        """Bring the store's tables up to this version; gives the names of the migrations that were applied."""
        return self._store.migrate()

    def close(self) -> None:
        """Close the store's connections; the next call opens them again, and closing twice is harmless."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
