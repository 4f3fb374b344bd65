"""The JSON of the Incentives Manager, reproduced by commands, word for word, on every store.

Two of its examples lack a quote, and urls have placeholders: here they stand with the ids of what they name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rewardkit import (
    Code,
    CodeStatus,
    CreatePool,
    ImportCodes,
    Issuance,
    Issuances,
    IssueCode,
    Pool,
    PoolStatus,
    RedeemCode,
    Redemption,
    RewardKit,
    RollBackRedemption,
    ValidationError,
)
from rewardkit.core.pools.commands import ChangePool
from rewardkit.storage import open_store
from rewardkit.testing.clock import FakeClock

POOL = """{ "id": 42, "name": "Store Coupons", "issuance_allowed": true, "redemption_allowed": true,
"incentive_codes": { "total": 500, "issued": 143, "remaining": 357, "low_threshold": 100, "max_characters": 50 },
"distribution": { "method": "unique" }, "notification_email_address": "your.name@vibes.com",
"created_at":"2017-01-01T12:00Z", "updated_at":"2017-04-07T12:00Z", "url":"/companies/acme/incentives/pools/42" }"""

CODE = """{ "code": "coupon01", "active": true, "issuances": { "total": 2, "unique": 1 },
"redemptions": { "total": 1, "unique": 1 },
"incentive_pool": { "id": 42, "url": "/companies/acme/incentives/pools/42" },
"created_at": "2017-01-18T17:24Z", "updated_at": "2017-04-18T17:24Z",
"url": "/companies/acme/incentives/codes/coupon01" }"""

USE = """{ "id": 8, "external_issuee_id": "user@mycompany.com", "issuee_id": "%s",
"referring_application": "system", "referring_application_ref_id": "1234",
"incentive_code": { "code": "aabb-ccdd", "url": "/companies/acme/incentives/codes/aabb-ccdd" },
"incentive_pool": { "id": 1, "url": "/companies/acme/incentives/pools/1" },
"updated_at": "2017-04-13T18:34Z", "created_at": "2017-02-13T18:34Z" }"""


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2017, month, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def kit(
    request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path, fresh_postgres: Callable[[], str]
) -> Iterator[RewardKit]:
    """Ids begin at 1 in every store that is new."""
    names = {"memory": lambda: ":memory:", "sqlite": lambda: f"sqlite:///{tmp_path}/p.db", "postgresql": fresh_postgres}
    store = open_store(names[request.param]())
    store.migrate()
    with RewardKit(store, clock=clock, tenant="acme") as kit:
        yield kit


def document(entity: Pool | Code | Issuance | Redemption) -> str:
    return json.dumps(entity.to_json())


def example(text: str, *values: object) -> str:
    return json.dumps(json.loads(text % values if values else text))


def test_a_pool_is_shown_as_in_the_example(kit: RewardKit, clock: FakeClock) -> None:
    clock.set(at(1, 1, 12))
    for number in range(41):
        kit.run(CreatePool(f"pool {number}"))
    made = kit.run(CreatePool("Store Coupons", low_threshold=50, notification_email_address="your.name@vibes.com"))
    clock.set(at(4, 7, 12))
    kit.run(ChangePool(made.id, low_threshold=100))
    kit.run(ImportCodes("Store Coupons", [f"coupon{number:02}" for number in range(500)]))
    for number in range(143):
        kit.run(IssueCode("Store Coupons", f"user {number}"))
    assert document(kit.ask(PoolStatus(42))) == example(POOL)


def test_a_code_that_was_issued_twice_to_one_issuee_is_shown_as_in_the_example(
    kit: RewardKit, clock: FakeClock
) -> None:
    for number in range(42):
        kit.run(CreatePool(f"pool {number}"))
    clock.set(at(1, 18, 17, 24))
    kit.run(ImportCodes(42, ["coupon01"]))
    issued = [kit.run(IssueCode(42, "user@mycompany.com")) for _ in range(2)]
    assert ["coupon01", "coupon01"] == [issuance.code for issuance in issued]
    clock.set(at(4, 18, 17, 24))
    kit.run(RedeemCode("coupon01"))
    assert document(kit.ask(CodeStatus("COUPON-01"))) == example(CODE)


def test_an_issuance_and_a_redemption_are_shown_as_in_the_examples(kit: RewardKit, clock: FakeClock) -> None:
    clock.set(at(2, 13, 18, 34))
    kit.run(CreatePool("first"))
    kit.run(CreatePool("second", distribution="multi"))
    kit.run(ImportCodes("first", ["aabb-ccdd"]))
    kit.run(ImportCodes("second", ["everybody"]))
    for number in range(7):
        kit.run(IssueCode("second", f"user {number}"))
        kit.run(RedeemCode("everybody"))
    told: dict[str, Any] = {"referring_application": "system", "referring_application_ref_id": "1234"}
    issuee = kit.run(IssueCode("first", "user@mycompany.com", **told)).issuee_id
    redeemed = kit.run(RedeemCode("aabbccdd", external_issuee_id="user@mycompany.com", **told))
    clock.set(at(4, 13, 18, 34))
    rolled_back = kit.run(RollBackRedemption(redeemed.id))
    (issuance,) = kit.ask(Issuances(code="aabb-ccdd")).items
    assert document(issuance) == example(USE, issuee)
    assert document(rolled_back) == example(USE, issuee)


@pytest.mark.parametrize("entity, text", [(Pool, POOL), (Code, CODE), (Issuance, USE), (Redemption, USE)])
@pytest.mark.parametrize("seconds", ["", ":07"])
def test_what_was_shown_is_read_again_to_the_minute_or_the_second(entity: Any, text: str, seconds: str) -> None:
    written = text.replace("%s", "0eef8961-7568-485b-9b13-fc7dbd1cf712").replace(":34Z", f":34{seconds}Z")
    assert document(entity.from_json(written)) == example(written)
    assert entity.from_json(json.loads(written)) == entity.from_json(written)


def test_urls_begin_with_the_base(kit: RewardKit) -> None:
    made = kit.run(CreatePool("first")).to_json("https://example.com/api")
    assert made["url"] == "https://example.com/api/companies/acme/incentives/pools/1"


@pytest.mark.parametrize(
    "change",
    [
        {"id": "42"},
        {"id": True},
        {"name": None},
        {"issuance_allowed": 1},
        {"incentive_codes": []},
        {"incentive_codes": {"total": 1}},
        {"created_at": "2017-01-01"},
        {"created_at": "2017-13-01T12:00Z"},
        {"created_at": "2017-01-01T12:00+01:00"},
    ],
)
def test_what_is_no_pool_is_not_read_as_one(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="pool"):
        Pool.from_json(json.loads(POOL) | change)
