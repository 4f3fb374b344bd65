"""What rewardkit asks of the outside: a store, a clock, notifiers. The promises are part of the type.

`rewardkit.testing` ships these promises as test classes, which every store and notifier here runs, and yours can too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar

from rewardkit.core.notices.outcomes import Outcome
from rewardkit.core.requests.records import Grant, Notice, RegisteredEndpoint
from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.needs import Need
from rewardkit.secret import Secret

T = TypeVar("T")

Clock: TypeAlias = Callable[[], datetime | int]
"""Gives now, as an aware datetime or microseconds since 1970 UTC; may stand still, never needs to tick."""


Jitter: TypeAlias = Callable[[], float]
"""Gives a number from 0 up to 1, drawn evenly: where in its span the next attempt of a notice falls."""

Hear: TypeAlias = Callable[[float], bool]
"""Waits, at most so many seconds, until a notice may have been committed; whether one was heard of."""


Facts: TypeAlias = Mapping[str, str | int]
"""What is told of an operation: names, counts and codes; no users, properties, secrets or texts of errors."""


Check: TypeAlias = Callable[[Grant], Iterable[str]]
"""Says what speaks against a grant, in words for a person; nothing where nothing does.

Called outside any transaction, at least once a grant; what it answered first is kept, and counts. While it raises, the
grant stays held. It may ask whom it likes: a service, a table, the user's history.
"""


class Transaction(Protocol):
    """One tenant's open transaction, used by one thread.

    What it has written or taken is seen by its own later questions, and by nobody else before the commit.
    """

    def ask(self, need: Need[T]) -> T:
        """Answer a need as its class in `rewardkit.core.storing.needs` promises.

        Raises:
            StoreError: the store could not; the transaction is lost.
            InvariantError: a promise would be broken.
        """
        ...

    def write(self, effects: Sequence[Effect]) -> None:
        """Write all effects; on PostgreSQL in one statement where they can share one.

        Raises:
            StoreError: the store could not; the transaction is lost.
            InvariantError: an `Insert` met an existing key, a `Replace` a missing one, a counter its bounds.
        """
        ...


class Store(Protocol):
    """Where everything is kept.

    Promises, for any number of threads and processes:
    a transaction whose block ends commits whole, one whose block raises leaves nothing;
    what has been committed survives the death of the process;
    rows that a need locks stay locked until the transaction ends; another that locks them waits or fails as transient;
    a commit whose outcome cannot be known raises `StoreError` with outcome `unknown`, any other failure `not_applied`;
    after any failure the next transaction works as soon as the cause is gone;
    tenants never see each other's rows;
    text comes back as it went in, and is ordered by code point; integers have 64 bits.
    """

    @property
    def joined(self) -> bool:
        """Whether transactions are part of one that the host opened, commits and retries itself."""
        ...

    def transaction(self, tenant: str, *, reading: bool = False) -> AbstractContextManager[Transaction]:
        """Begin; commit when the block ends, roll back when it raises.

        With `reading` it sees one committed state, and nothing is taken, locked or written in it: a database that can
        lets it wait for no writer, and no writer for it.

        A store that has joined a host's transaction uses a savepoint instead, and leaves the commit to the host.

        Raises:
            SchemaError: the tables are missing, half-migrated or newer than this version.
            ForkError: the connection was opened in another process.
        """
        ...

    def join(self, host: object) -> Store:
        """The same store inside the open transaction of the host's own connection or session.

        Raises:
            ValidationError: the store cannot join such an object, or it is in autocommit with no open transaction.
        """
        ...

    def join_async(self, host: object) -> AsyncJoined:
        """The same store inside the open transaction of an asynchronous host's connection or session.

        Nothing is awaited yet: what can be seen to be impossible is refused here, the rest at the first call.

        Raises:
            ValidationError: the store cannot join such an object, or it is in autocommit with no open transaction.
        """
        ...

    def listening(self, tenant: str) -> AbstractContextManager[Hear]:
        """Hear of the tenant's notices as they are committed, as long as the block lasts.

        Nothing that is committed in the block is missed while the store is reachable, or it never hears of anything:
        then each wait takes its whole time. Either way whoever waits looks again from time to time.

        Raises:
            StoreError: the store cannot be reached, or no longer; also while waiting.
            ValidationError: it has joined a host's transaction, in which nothing of others is heard.
        """
        ...

    def migrate(self) -> tuple[str, ...]:
        """Bring the tables up to this version; answers the names of the migrations that were applied, in order.

        Each is applied whole or not at all. Two processes may do it at once.
        """
        ...

    def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        ...


class AsyncJoined(Protocol):
    """A store that has joined an asynchronous host's transaction."""

    async def run(self, call: Callable[[Store], T]) -> T:
        """Call blocking code with the joined store; wherever the code waits for the store, the event loop goes on.

        A cancelled call leaves nothing behind, or all of it where it was cancelled in its last step.

        Raises:
            StoreError: another call is under way in the same transaction.
        """
        ...


class EndpointNotifier(Protocol):
    """Tells the endpoints that tenants have registered, and keeps the secrets that vouch for it.

    What a `Notifier` promises of one call holds here of one call for one endpoint.
    """

    def admit(self, url: Secret, /) -> object:
        """Judge a URL that is to be registered, within seconds; called outside any transaction.

        Raises:
            UrlRefused: it may not be told anything.
        """
        ...

    def tell(self, notice: Notice, endpoint: RegisteredEndpoint, tenant: str, /) -> Outcome | None:
        """Tell one endpoint of one tenant, within seconds, and say what came of it; judges the URL anew."""
        ...

    def secret(self, endpoint: RegisteredEndpoint, tenant: str, /) -> Secret:
        """What its receiver verifies with: that of its present generation."""
        ...


class Notifier(Protocol):
    """Tells somebody outside. Called after the commit, outside any transaction, at least once for each notice.

    It answers an `Outcome`; None counts as `Delivered`.
    Raising, or answering anything else, counts as `RetryLater` with that as its reason.
    It is called with the same id and the same body on every attempt, from several threads and processes at once.
    A failure has no consequences for its next call.

    Two attributes are read where it has them:
    `endpoint`, a text that names whom it reaches, the same in every process and after every restart: under this name
    it is remembered what has been told to whom, so that one endpoint's failure repeats nothing to another, and which
    endpoints are gone; default is the name of the function or class;
    `kinds`, a collection of the kinds of notices that it wants to be told; default is all.
    """

    def __call__(self, notice: Notice, /) -> Outcome | None:
        """Tell it, within seconds, and say what came of it."""
        ...


class Observer(Protocol):
    """Is told of what a kit does, as it does it: for traces, metrics, profiles.

    It is called in the thread and the context (`contextvars`) of what it observes, nested as that is.
    What it raises is logged, and changes nothing for whoever called the kit.
    """

    def __call__(self, operation: str, facts: Facts, /) -> Callable[[Facts], object]:
        """Something begins, and what is answered is called once as it ends, with what came of it under `outcome`.

        Args:
            operation: `run`, `ask`, `deliver` or `tell`.
            facts: as on the page `docs/reference/events.md`.
        """
        ...
