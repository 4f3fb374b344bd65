"""Filling pools from files and by chance, in batches; and the e-mail when one runs low."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewardkit import (
    AsyncRewardKit,
    ChangePool,
    CreatePool,
    EmailNotifier,
    Notices,
    PoolStatus,
    Refused,
    RewardKit,
    StoreError,
    ValidationError,
    pool_address,
    pool_letter,
)
from rewardkit.core.requests.records import Notice
from rewardkit.shell.pool_stock import BATCH_CODES
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.faults import Fault, WatchedStore
from rewardkit.testing.pool_shop import POOL, PoolShop


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        dsn: str = request.getfixturevalue("postgres_dsn")
        store = open_store(dsn)
        store.migrate()
        store.close()
        return dsn
    return ":memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/pools.db"


@pytest.fixture
def kit(name: str) -> Iterator[RewardKit]:
    with RewardKit(name) as kit:
        kit.run(CreatePool(POOL))
        yield kit


def test_a_file_of_one_column_is_imported_row_by_row(kit: RewardKit, tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_bytes(
        b'\xef\xbb\xbfAAA-1\r\n"AAA-2"\r\n\r\n  AAA-3  \naaa1\nstra\xc3\x9fe\nbad\xff\n' + b"x" * 5_000 + b"\nlast"
    )
    report = kit.import_codes(POOL, path)
    assert report.added == 4
    assert [(row.row, row.reason) for row in report.rows] == [
        (4, "duplicate"),
        (5, "malformed"),
        (6, "malformed"),
        (7, "too_long"),
        (8, "too_long"),
        (9, "too_long"),
    ]
    assert kit.ask(PoolStatus(POOL)).remaining == 4


def test_batches_report_as_one_and_progress_is_told(kit: RewardKit) -> None:
    told: list[int] = []
    rows = (f"code-{number % 12_000}" for number in range(12_345))
    report = kit.import_codes(POOL, rows, progress=told.append)
    assert (report.added, report.duplicates, len(report.rows)) == (12_000, 345, 345)
    assert told == [5_000, 10_000, 12_345]
    assert report.rows[0].row == 12_001


def test_an_import_that_was_interrupted_goes_on_under_its_key(name: str) -> None:
    store = open_store(name)
    RewardKit(store).run(CreatePool(POOL))
    rows = [f"code-{number}" for number in range(2 * BATCH_CODES + 10)]
    broken = RewardKit(WatchedStore(store, Fault(20)))
    with pytest.raises(StoreError, match="injected"):
        broken.import_codes(POOL, rows, key="file")
    assert 0 < RewardKit(store).ask(PoolStatus(POOL)).total < len(rows)
    for _ in range(2):
        report = RewardKit(store).import_codes(POOL, rows, key="file")
        assert (report.added, report.duplicates) == (len(rows), 0)
    assert RewardKit(store).ask(PoolStatus(POOL)).total == len(rows)
    assert () == violations(snapshot_of(store, "default"))
    store.close()


def test_any_number_is_generated(kit: RewardKit) -> None:
    told: list[int] = []
    report = kit.generate_codes(POOL, 2 * BATCH_CODES + 1, prefix="GET-", progress=told.append, key="spring")
    assert report.added == 2 * BATCH_CODES + 1
    assert told == [BATCH_CODES, 2 * BATCH_CODES, 2 * BATCH_CODES + 1]
    assert kit.generate_codes(POOL, 2 * BATCH_CODES + 1, prefix="GET-", key="spring") == report
    assert kit.ask(PoolStatus(POOL)).remaining == 2 * BATCH_CODES + 1


def test_what_could_be_guessed_once_all_were_there_is_refused_before_the_first_is_made(kit: RewardKit) -> None:
    # A batch by itself would pass: 40 bits, and two hundred million guesses for one of its codes.
    with pytest.raises(Refused, match="codes_guessable"):
        kit.generate_codes(POOL, 1_200_000, length=8)
    assert kit.ask(PoolStatus(POOL)).total == 0
    with pytest.raises(Refused, match="space_exhausted"):
        kit.generate_codes(POOL, 2_000_000, length=4, allow_guessable=True)
    assert kit.ask(PoolStatus(POOL)).total == 0


def test_generating_goes_on_under_its_key_with_what_was_planned_at_first(kit: RewardKit) -> None:
    told: list[int] = []

    def stop(codes: int) -> None:
        told.append(codes)
        if len(told) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kit.generate_codes(POOL, 8_000, key="spring", progress=stop)
    assert kit.ask(PoolStatus(POOL)).total == 5_000
    assert kit.generate_codes(POOL, 8_000, key="spring", progress=stop).added == 8_000
    assert kit.ask(PoolStatus(POOL)).total == 8_000


def test_what_cannot_be_read_or_meant_says_so(kit: RewardKit, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="cannot be read"):
        kit.import_codes(POOL, tmp_path / "nowhere.csv")
    with pytest.raises(ValidationError, match="count"):
        kit.generate_codes(POOL, 0)


def test_pools_are_filled_by_asynchronous_hosts_too(tmp_path: Path) -> None:
    async def fill() -> int:
        async with AsyncRewardKit(f"sqlite:///{tmp_path}/async.db") as kit:
            await kit.run(CreatePool(POOL))
            await kit.import_codes(POOL, ["one", "two"])
            await kit.generate_codes(POOL, 3)
            return (await kit.ask(PoolStatus(POOL))).remaining

    assert asyncio.run(fill()) == 5


def low_notice(address: str | None = "shop@example.com", name: str = POOL) -> Notice:
    shop = PoolShop(1, low_threshold=0, notification_email_address=address)
    shop.kit.run(ChangePool(POOL, name=name))
    shop.kit.run(ChangePool(name, low_threshold=1))
    (notice,) = shop.kit.ask(Notices()).items
    return notice


def test_the_e_mail_about_a_pool_that_runs_low_goes_to_its_own_address() -> None:
    assert pool_address(low_notice()) == ("shop@example.com",)
    assert pool_address(low_notice(None)) == ()
    assert pool_letter(low_notice()).subject == "1 codes remain in pool 1: coupons"
    assert "low threshold of 1 codes: 1 remain" in pool_letter(low_notice()).text


@pytest.mark.parametrize("name", ["=?utf-8?q?=0ABcc?=", "Zo\u00eb \U0001f381", "x" * 255])
def test_no_name_of_a_pool_keeps_its_e_mail_from_being_sent(name: str) -> None:
    letter = pool_letter(low_notice(name=name))
    assert letter.subject.isascii()
    assert "=?" not in letter.subject
    assert name in letter.text


def test_the_notifier_is_told_of_pools_alone() -> None:
    notifier = EmailNotifier(
        "localhost", sender="a@example.com", to=pool_address, write=pool_letter, security="none", kinds=["pool.low"]
    )
    assert notifier.kinds == frozenset({"pool.low"})
