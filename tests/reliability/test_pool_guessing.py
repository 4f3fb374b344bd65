"""Somebody who guesses codes: what she hears, how much of it, and what she can learn from how long it takes.

`REWARDKIT_SCALE=1 pytest -s tests/reliability/test_pool_guessing.py` prints what was measured.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

import rewardkit as rk
from rewardkit.core.storing.effects import Effect, Publish
from rewardkit.core.storing.needs import Need
from rewardkit.ports import Store, Transaction
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.guessing import bad_codes, effect, interleaved, promote, public_ways

T = TypeVar("T")
WAYS = ("redeem", "reserve", "check", "enter")
SAMPLES = 2_000


class Noting:
    """A store that notes what is asked of it, and how many rows of which kind are written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.joined = False
        self.noted: list[str] = []
        self.join, self.migrate, self.close = store.join, store.migrate, store.close
        self.join_async, self.listening = store.join_async, store.listening

    @contextmanager
    def transaction(self, tenant: str, *, reading: bool = False) -> Iterator[Transaction]:
        with self._store.transaction(tenant, reading=reading) as transaction:
            yield NotingTransaction(transaction, self.noted)


class NotingTransaction:
    def __init__(self, transaction: Transaction, noted: list[str]) -> None:
        self._transaction = transaction
        self._noted = noted

    def ask(self, need: Need[T]) -> T:
        self._noted.append(type(need).__name__)
        return self._transaction.ask(need)

    def write(self, effects: Sequence[Effect]) -> None:
        rows = Counter(type(row).__name__ for one in effects if not isinstance(one, Publish) for row in one.rows)
        self._noted.append(f"write {dict(rows)}")
        self._transaction.write(effects)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    names = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = open_store(names.get(request.param) or request.getfixturevalue("postgres_dsn"))
    store.migrate()
    yield store
    assert () == violations(snapshot_of(store, "default"))
    store.close()


def told(answer: object) -> bytes:
    """Everything that reaches whoever asked."""
    assert isinstance(answer, rk.Refused)
    return json.dumps([answer.code, str(answer), repr(answer), dict(answer.facts)]).encode()


@pytest.mark.parametrize("way", WAYS)
def test_whatever_is_wrong_is_answered_and_asked_alike(store: Store, way: str) -> None:
    noting = Noting(store)
    kit = rk.RewardKit(noting, clock=FakeClock())
    codes = bad_codes(kit)
    promote(kit)
    kit.attempt(public_ways("PLAIN-Z", "mallory")[way])
    found = {}
    for reason, code in codes.items():
        noting.noted.clear()
        answer = told(kit.attempt(public_ways(code, "mallory")[way]))
        found[reason] = (answer, *noting.noted)
    # Nothing but her own attempts is written, and nothing is asked of one code that is not asked of all.
    assert {found["unknown"]} == set(found.values())
    assert "write {'AttemptRow': 1}" == found["unknown"][-1]
    assert 1 == found["unknown"].count("CodeOf") - (way == "enter")
    reasons = {reason: operator(kit, code) for reason, code in codes.items()}
    assert {
        "unknown": "code_unknown",
        "spent": "code_spent",
        "void": "code_void",
        "inactive": "code_not_issued",
        "never issued": "code_not_issued",
        "expired": "pool_expired",
        "not begun": "pool_not_begun",
        "closed": "redemption_not_allowed",
        "somebody else's": "wrong_issuee",
    } == reasons


def operator(kit: rk.RewardKit, code: str) -> str:
    answer = kit.attempt(rk.RedeemCode(code, external_issuee_id="mallory"))
    assert isinstance(answer, rk.Refused)
    return answer.code


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("disguise", ["herself", "ever new ones from one address"])
def test_an_attacker_hears_one_answer_and_is_hardly_listened_to(
    store: Store, way: str, disguise: str, scale: float
) -> None:
    """A guess a second, for an hour of hers; the right code comes when nobody listens."""
    noting, clock = Noting(store), FakeClock()
    kit = rk.RewardKit(noting, clock=clock)
    codes = [*bad_codes(kit).values()]
    promote(kit)
    kit.run(rk.CreatePool("gifts", bearer=True))
    kit.run(rk.DefinePromotion("gifts", "sale"))
    kit.run(rk.ImportCodes("gifts", ("RIGHT-CODE",)))
    noting.noted.clear()
    seconds, answers = max(130, round(3_600 * scale)), set()
    for second in range(seconds):
        who = "mallory" if disguise == "herself" else f"mallory {second}"
        code = "RIGHT-CODE" if second % 60 == 30 else codes[second % len(codes)]
        answers.add(told(kit.attempt(from_one_address(way, code, who))))
        clock.advance("1s")
    # The limiter answers what a bad code is answered, and does not look at the code at all.
    assert 1 == len(answers)
    listened = noting.noted.count("CodeOf") / (2 if way == "enter" else 1)
    minutes, lockouts = divmod(seconds, 60), divmod(seconds, 904)
    expected = {
        "herself": 5 * lockouts[0] + min(5, lockouts[1]),
        "ever new ones from one address": 10 * minutes[0] + min(10, minutes[1]),
    }
    assert expected[disguise] == listened
    assert 0 == kit.ask(rk.CodeStatus("RIGHT-CODE")).redemptions.total
    assert kit.run(rk.RedeemCode("RIGHT-CODE", external_issuee_id="ann")).code == "RIGHT-CODE"


def from_one_address(way: str, code: str, who: str) -> rk.Command[Any]:
    origin = "192.0.2.1"
    match way:
        case "redeem":
            return rk.RedeemCode(code, external_issuee_id=who, public=True, origin=origin)
        case "reserve":
            return rk.ReserveCode(code, external_issuee_id=who, public=True, origin=origin)
        case "check":
            return rk.CheckCode(code, external_issuee_id=who, origin=origin)
        case _:
            return rk.EnterPromoCode(code, who, origin=origin)


@pytest.mark.parametrize("way", ["redeem", "enter"])
def test_time_tells_nobody_what_is_wrong_with_a_code(
    store: Store, way: str, scale: float, record_property: Callable[[str, object], None]
) -> None:
    kit = rk.RewardKit(store)
    codes = bad_codes(kit)
    promote(kit)
    calls = {
        reason: lambda number, code=code: kit.attempt(public_ways(code, f"mallory {number % 50}")[way])
        for reason, code in codes.items()
    }
    interleaved(calls, 10, seed=0)
    rounds = max(60, round(SAMPLES * scale))
    samples = interleaved(calls, rounds, seed=1)
    effects = {reason: effect(samples["unknown"], samples[reason]) for reason in codes if reason != "unknown"}
    median = sorted(samples["unknown"])[rounds // 2] * 1e6
    print(f"\n{type(store).__name__}, {way}, {rounds} samples each, {median:.0f} µs")
    for reason, found in effects.items():
        print(f"  {reason}: {found.microseconds:+.1f} µs, {found.spreads:+.2f} spreads, AUC {found.auc:.3f}")
    record_property("effects", {reason: tuple(found) for reason, found in effects.items()})
    # Five standard errors of what chance alone gives, and what an attacker could use in a few attempts a minute.
    bound = 0.1 + 5 * math.sqrt(1 / (6 * rounds))
    assert {} == {reason: found for reason, found in effects.items() if abs(found.auc - 0.5) > bound}


def test_the_measure_tells_whoever_answers_too_early() -> None:
    kit = rk.RewardKit(":memory:")
    bad_codes(kit)
    # An answer that has not been counted: as if unknown codes were refused before anything else.
    calls = {
        "counted": lambda _: kit.attempt(public_ways("PLAIN-Z", "mallory")["redeem"]),
        "early": lambda _: kit.attempt(rk.RedeemCode("PLAIN-Z")),
    }
    interleaved(calls, 20, seed=0)
    samples = interleaved(calls, 60, seed=1)
    assert effect(samples["counted"], samples["early"]).auc < 0.2
