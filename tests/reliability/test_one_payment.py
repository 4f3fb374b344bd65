"""Both ways, one payment: a webhook and pollers race for one grant, in every order, and it is paid once."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import attrs
import pytest

import rewardkit as rk
from rewardkit.ports import Store
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    texts = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = open_store(texts.get(request.param) or request.getfixturevalue("postgres_dsn"))
    store.migrate()
    yield store
    store.close()


@attrs.define
class Bank:
    """Pays whatever it is asked, and counts how often; a careful host would name the grant's id as the key."""

    asked: Counter[str] = attrs.field(factory=Counter)
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def pay(self, key: str) -> None:
        with self.lock:
            self.asked[key] += 1


def earn(kit: rk.RewardKit, users: Sequence[str]) -> list[str]:
    kit.run(rk.DefineReward("cash", {"amount": "10.00"}))
    kit.run(rk.DefineOffer("back", "cash", "Purchase"))
    kit.run(rk.DefineCampaign("spring", "back", entry="Signed"))
    kit.run(rk.LaunchCampaign("spring"))
    events = [
        rk.Event(name, order=order, user=user) for user in users for order, name in enumerate(("Signed", "Purchase"))
    ]
    return [earned.grant for earned in kit.emit_many(events).earned]


# --- every order of the steps of three who may pay --------------------------------------------------------------------

Steps = Iterator[None]


def poller(kit: rk.RewardKit, bank: Bank) -> Steps:
    """Claims what there is, pays it and says so; what it is refused it leaves to others."""
    claimed = kit.claim(limit=1, lease_seconds=60)
    yield
    for grant in claimed:
        bank.pay(grant.id)
    yield
    for grant in claimed:
        kit.attempt(rk.FulfilGrant(grant.id, lease=grant.lease))


def receiver(kit: rk.RewardKit, bank: Bank, grant: str) -> Steps:
    """Is told of a grant, claims it and pays it; its 2xx, whenever it comes, says nothing."""
    claimed = kit.attempt(rk.ClaimGrant(grant, lease_seconds=60))
    yield
    if isinstance(claimed, rk.Grant):
        bank.pay(grant)
    yield
    if isinstance(claimed, rk.Grant):
        kit.attempt(rk.FulfilGrant(grant, lease=claimed.lease))


def orders(seed: int, sizes: Sequence[int]) -> list[int]:
    places = [actor for actor, size in enumerate(sizes) for _ in range(size)]
    random.Random(seed).shuffle(places)
    return places


def play(store: Store, tenant: str, schedule: Sequence[int], *, pause_at: int | None) -> tuple[int, int]:
    """How often the bank was asked, and how often a payment was recorded."""
    clock, bank = FakeClock(), Bank()
    told: list[rk.Notice] = []
    kit = rk.RewardKit(store, clock=clock, tenant=tenant, notifiers=[told.append])
    (grant,) = earn(kit, ["amanda"])
    kit.deliver()
    assert "grant.ready" in [notice.kind for notice in told]
    assert [one.id for one in kit.ready()] == [grant]
    actors = [receiver(kit, bank, grant), poller(kit, bank), poller(kit, bank)]
    for number, actor in enumerate(schedule):
        if number == pause_at:
            # Everybody has overslept by now, and whoever comes next takes over.
            clock.advance("61s")
        next(actors[actor], None)
        (shown,) = kit.ask(rk.Grants()).items
        assert (shown in kit.ready()) == (shown.status == "ready")
    clock.advance("61s")
    for _ in poller(kit, bank):
        pass
    assert kit.ready() == ()
    moves = [step.move for step in kit.ask(rk.GrantHistory(grant))]
    assert violations(snapshot_of(store, tenant, ["amanda"])) == ()
    return bank.asked[grant], moves.count("fulfil")


SIZES = (3, 3, 3)


def test_in_every_order_one_of_three_pays_and_only_once(store: Store, scale: float) -> None:
    every = sorted(set(itertools.permutations([0, 0, 0, 1, 1, 1, 2, 2, 2])))
    assert len(every) == 1_680
    share = max(100, round(1_680 * scale)) if type(store).__name__ == "MemoryStore" else max(30, round(1_680 * scale))
    for number, schedule in enumerate(random.Random(5).sample(every, share)):
        assert play(store, f"company {number}", schedule, pause_at=None) == (1, 1)


def test_whoever_oversleeps_is_overtaken_and_still_one_payment_is_recorded(store: Store, scale: float) -> None:
    several = 0
    seeds = range(max(60, round(1_500 * scale)) if type(store).__name__ == "MemoryStore" else 30)
    for seed in seeds:
        asked, recorded = play(
            store, f"company {seed}", orders(seed, SIZES), pause_at=random.Random(seed).randrange(1, 9)
        )
        assert recorded == 1
        several += asked > 1
    # A lease cannot call back a payment that is under way: the grant's id, as the bank's key, has to.
    assert several > 0


def test_a_receivers_2xx_fulfils_nothing(store: Store) -> None:
    told: list[rk.Notice] = []
    kit = rk.RewardKit(store, clock=FakeClock(), notifiers=[told.append])
    (grant,) = earn(kit, ["amanda"])
    kit.deliver()
    assert kit.ask(rk.Notices(status="pending")).items == ()
    for _ in range(3):
        assert [one.id for one in kit.ready()] == [grant]
        kit.deliver()
    kit.run(rk.FulfilGrant(grant))
    assert kit.ready() == ()


# --- a storm


class Host:
    """Pays grants that it is told of or that it finds, dies in between now and then, and names the grant as the key."""

    def __init__(self, kit: rk.RewardKit, seed: int) -> None:
        self.kit = kit
        self.bank = Bank()
        self.paid: set[str] = set()
        self.chance = random.Random(seed)
        self.refused: Counter[str] = Counter()

    def handle(self, grant: rk.Grant) -> None:
        draw = self.chance.random()
        if draw < 0.2:
            self._attempt(rk.FailGrant(grant.id, "the bank did not answer", lease=grant.lease, retry_after="5ms"))
            return
        self.bank.pay(grant.id)
        with self.bank.lock:
            self.paid.add(grant.id)
        if draw < 0.4:
            return  # dies before it can say so
        self._attempt(rk.FulfilGrant(grant.id, lease=grant.lease))

    def told(self, notice: rk.Notice) -> rk.Outcome | None:
        if notice.kind == "grant.ready":
            subject = notice.body.decode().partition('"subject":"')[2].partition('"')[0]
            claimed = self._attempt(rk.ClaimGrant(subject, lease_seconds=1))
            if isinstance(claimed, rk.Grant):
                self.handle(claimed)
        return None if self.chance.random() < 0.7 else rk.RetryLater("busy")

    def _attempt(self, command: rk.Command[rk.Grant]) -> rk.Grant | rk.Refused:
        while True:
            try:
                answer = self.kit.attempt(command)
            except rk.StoreError as error:
                if not error.transient:
                    raise
                continue
            if isinstance(answer, rk.Refused):
                self.refused[answer.code] += 1
            return answer


def test_a_storm_of_pollers_and_webhooks_records_each_payment_once(store: Store) -> None:
    kit = rk.RewardKit(store)
    grants = earn(kit, [f"user {number:02}" for number in range(25)])
    hosts = [Host(kit, seed) for seed in range(4)]
    deadline = time.monotonic() + 45
    errors: list[BaseException] = []

    def until_done(work: Callable[[], object]) -> None:
        try:
            while kit.ready() and time.monotonic() < deadline:
                work()
        except BaseException as error:  # noqa: BLE001 - the test shows it
            errors.append(error)

    def polling(host: Host) -> Callable[[], object]:
        def poll() -> None:
            for grant in host.kit.claim(limit=3, lease_seconds=1):
                host.handle(grant)
            time.sleep(0.01)

        return poll

    telling = [rk.RewardKit(store, notifiers=[host.told], jitter=lambda: 0.0) for host in hosts[:2]]
    work: list[Callable[[], object]] = [*map(polling, hosts[2:]), *(lambda one=one: one.deliver() for one in telling)]
    threads = [threading.Thread(target=until_done, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    found = kit.ask(rk.Grants(limit=100)).items
    assert {one.status for one in found} == {"fulfilled"}
    for grant in grants:
        moves = [step.move for step in kit.ask(rk.GrantHistory(grant))]
        assert moves.count("fulfil") == 1
    assert set().union(*(host.paid for host in hosts)) == set(grants)
    assert violations(snapshot_of(store, "default", [one.user for one in found])) == ()
    kit.close()
