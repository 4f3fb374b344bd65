"""Random histories of registered endpoints against a small model: who is told what, how often, and what is dead."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

SCALE = int(os.environ.get("REWARDKIT_SCALE", "1"))
FIRST = int(os.environ.get("REWARDKIT_SEED", "0"))
STEPS = 40
NAMES = ("a", "b", "c")
KINDS = ("grant.ready", "offer.ended", "offer.made")


class Receivers:
    """All endpoints' receivers: each answers by its URL, and keeps what it was told."""

    def __init__(self) -> None:
        self.answers: dict[str, rk.Outcome | None] = {}
        self.told: list[tuple[str, str, str, bytes]] = []

    def admit(self, url: rk.Secret) -> None:
        if url.reveal().startswith("http:"):
            raise rk.UrlRefused("not `https://`", "scheme")

    def tell(self, notice: rk.Notice, endpoint: rk.RegisteredEndpoint, _tenant: str) -> rk.Outcome | None:
        self.told.append((endpoint.name, endpoint.url, notice.id, notice.body))
        return self.answers.get(endpoint.url)

    def secret(self, endpoint: rk.RegisteredEndpoint, tenant: str) -> rk.Secret:
        return rk.Secret(f"{tenant} {endpoint.name} {endpoint.generation}")


class Endpoint:
    """What the model knows of a registered endpoint."""

    def __init__(self, url: str, kinds: tuple[str, ...] | None) -> None:
        self.url = url
        self.kinds = kinds
        self.gone = False


class History:
    """A kit under random commands, and the model beside it."""

    def __init__(self, store: rk.Store, tenant: str, seed: int) -> None:
        self.chance = random.Random(seed)
        self.store, self.tenant = store, tenant
        self.clock = FakeClock()
        self.receivers = Receivers()
        self.own: list[rk.Notice] = []
        self.kit = rk.RewardKit(
            store, clock=self.clock, tenant=tenant, notifiers=[self.own.append], webhooks=self.receivers
        )
        self.registered: dict[str, Endpoint] = {}
        self.generations: Counter[str] = Counter()
        self.waiting: list[tuple[str, str]] = []
        """Kind and subject of what nobody has taken up."""
        self.owed: Counter[tuple[str, str, str]] = Counter()
        """Endpoint, kind and subject of what is to be told, and is not dead."""
        self.kit.run(rk.DefineReward("disc"))
        self.kit.run(rk.DefineOffer("o", "disc", "A"))
        self.kit.run(rk.DefineCampaign("c", "o", user_cap=1_000))
        self.kit.run(rk.LaunchCampaign("c"))

    def play(self) -> None:
        steps = (
            self.happen, self.happen, self.happen, self.register, self.register, self.rotate, self.remove,
            self.answer, self.answer, self.test, self.deliver, self.deliver, self.replay, self.wait,
        )  # fmt: skip
        for _ in range(STEPS):
            self.chance.choice(steps)()
            self.check()
        self.receivers.answers.clear()
        for name in [name for name, endpoint in self.registered.items() if endpoint.gone]:
            self.kit.run(rk.RegisterEndpoint(name, self.registered[name].url, kinds=self.registered[name].kinds))
            self.registered[name].gone = False
        self.kit.run(rk.ReplayDeadLetters(1_000))
        for _ in range(3):
            self.clock.advance("10d")
            self.deliver(limit=1_000)
        self.check()
        left = {one.endpoint for one in self.kit.ask(rk.Notices(limit=1_000)).items if one.status != "delivered"}
        assert left.isdisjoint(self.registered)

    def happen(self) -> None:
        made = self.kit.run(rk.MakeOffer("c", "ann"))
        self.waiting.append(("offer.made", made.id))
        if self.chance.random() < 0.5:
            self.kit.run(rk.CancelUserOffer(made.id))
            self.waiting.append(("offer.ended", made.id))

    def register(self) -> None:
        name, kinds = self.chance.choice(NAMES), self.chance.choice((None, KINDS[2:], KINDS[1:2], KINDS))
        url = f"{self.chance.choice(('https', 'https', 'http'))}://{name}.example/{self.chance.randrange(2)}"
        answer = self.kit.attempt(rk.RegisterEndpoint(name, url, kinds=kinds))
        if url.startswith("http:"):
            assert isinstance(answer, rk.Refused)
            return
        assert isinstance(answer, rk.RegisteredEndpoint)
        if name not in self.registered:
            self.generations[name] += 1
        self.registered[name] = Endpoint(url, None if kinds is None else tuple(sorted(kinds)))
        assert answer.generation == self.generations[name]

    def rotate(self) -> None:
        name = self.chance.choice(NAMES)
        answer = self.kit.attempt(rk.RotateEndpointSecret(name))
        assert isinstance(answer, rk.Refused) == (name not in self.registered)
        self.generations[name] += name in self.registered

    def remove(self) -> None:
        name = self.chance.choice(NAMES)
        answer = self.kit.attempt(rk.RemoveEndpoint(name))
        assert isinstance(answer, rk.Refused) == (name not in self.registered)
        self.registered.pop(name, None)

    def answer(self) -> None:
        url = f"https://{self.chance.choice(NAMES)}.example/{self.chance.randrange(2)}"
        answers = (None, rk.RetryLater("503"), rk.FailedForGood("400"), rk.EndpointGone("410"))
        self.receivers.answers[url] = self.chance.choice(answers)

    def test(self) -> None:
        name = self.chance.choice(NAMES)
        answer = self.kit.attempt(rk.SendTestNotice(name))
        known = self.registered.get(name)
        assert isinstance(answer, rk.Refused) == (known is None or known.gone)
        if isinstance(answer, rk.Notice):
            self.owed[name, "test", answer.id] += 1

    def replay(self) -> None:
        self.kit.run(rk.ReplayDeadLetters(1_000))

    def wait(self) -> None:
        self.clock.advance(self.chance.choice(("1s", "1h", "2d")))

    def deliver(self, limit: int | None = None) -> None:
        before = len(self.receivers.told)
        self.kit.deliver(limit=limit or self.chance.choice((1, 3, 1_000)))
        taken = {(body["kind"], body["subject"]) for body in map(_body, self.own)}
        for kind, subject in [one for one in self.waiting if one in taken]:
            self.waiting.remove((kind, subject))
            for name, endpoint in self.registered.items():
                if endpoint.kinds is None or kind in endpoint.kinds:
                    self.owed[name, kind, subject] += 1
        for name, url, _id, _told in self.receivers.told[before:]:
            assert url == self.registered[name].url
            assert not self.registered[name].gone
            if isinstance(self.receivers.answers.get(url), rk.EndpointGone):
                self.registered[name].gone = True

    def check(self) -> None:
        """Everything that is owed is one row for its endpoint; what is registered is what the model says."""
        rows = self.kit.ask(rk.Notices(limit=1_000)).items
        found: Counter[tuple[str, str, str]] = Counter()
        for row in rows:
            if row.endpoint:
                found[row.endpoint, row.kind, row.id if row.kind == "test" else _body(row)["subject"]] += 1
        assert found == self.owed
        assert {
            one.name: (one.url, one.kinds, one.status == "gone", one.generation)
            for one in self.kit.ask(rk.RegisteredEndpoints())
        } == {name: (one.url, one.kinds, one.gone, self.generations[name]) for name, one in self.registered.items()}
        bodies: dict[str, set[bytes]] = {}
        for _name, _url, id, body in self.receivers.told:
            bodies.setdefault(id, set()).add(body)
        stored = {row.id: row for row in rows}
        for id, seen in bodies.items():
            assert seen == {stored[id].body}
        for row in rows:
            if row.endpoint and row.status == "delivered":
                assert row.id in bodies
        assert violations(snapshot_of(self.store, self.tenant)) == ()


def _body(notice: rk.Notice) -> dict[str, str]:
    body: dict[str, str] = json.loads(notice.body)
    return body


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rk.Store]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('model') / 'shop.db'}", prefix="rewardkit_")
    store.migrate()
    yield store
    store.close()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + 25 * SCALE))
def test_every_endpoint_is_told_what_it_was_owed_and_nothing_else_in_memory(seed: int) -> None:
    History(open_store(":memory:", prefix="rewardkit_"), "default", seed).play()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + 4 * SCALE))
def test_the_same_holds_on_sqlite(seed: int, sqlite_store: rk.Store) -> None:
    History(sqlite_store, f"tenant {seed}", seed).play()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + 2 * SCALE))
def test_the_same_holds_on_postgresql(seed: int, postgres_dsn: str) -> None:
    store = open_store(postgres_dsn, prefix="rewardkit_")
    store.migrate()
    History(store, f"tenant {seed}", seed).play()
    store.close()
