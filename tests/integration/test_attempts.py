"""Who guesses codes hears one answer and is soon not listened to, whatever she tries them for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.attempts.needs import AttemptsOf
from rewardkit.core.storing.attempt_rows import AttemptRow
from rewardkit.core.values.identity import digest
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

UNIFORM = rk.Refused("code_not_valid", "the code is not valid", {})
FEW = rk.AttemptLimits(failures_a_minute=3)

Asked = rk.RedeemCode | rk.ReserveCode | rk.CheckCode


def redeem(code: str, **given: Any) -> rk.RedeemCode:
    return rk.RedeemCode(code, public=True, **given)


def reserve(code: str, **given: Any) -> rk.ReserveCode:
    return rk.ReserveCode(code, public=True, **given)


WAYS: tuple[Callable[..., Asked], ...] = (redeem, reserve, rk.CheckCode)


class Shop:
    """A kit with a pool of codes for their bearers."""

    def __init__(self, store: str) -> None:
        self.clock = FakeClock()
        self.kit = rk.RewardKit(store, clock=self.clock)
        self.kit.migrate()
        self.kit.run(rk.CreatePool("gifts", bearer=True))
        self.kit.run(rk.ImportCodes("gifts", tuple(f"GIFT-{number:04}" for number in range(30))))

    def answer(self, command: rk.Command[Any], *, after: str = "10s") -> str:
        """`fine`, or the code of the refusal."""
        self.clock.advance(after)
        answer = self.kit.attempt(command)
        return answer.code if isinstance(answer, rk.Refused) else "fine"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    stores = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    shop = Shop(stores.get(request.param) or request.getfixturevalue("postgres_dsn"))
    yield shop
    assert violations(snapshot_of(shop.kit._store, "default")) == ()
    shop.kit.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("named", ["subject", "external_issuee_id"])
def test_who_fails_five_times_in_a_row_is_locked_out_and_hears_the_same(
    shop: Shop, way: Callable[..., Asked], named: str
) -> None:
    answers = [shop.kit.attempt(way(f"GUESS-{number}", **{named: "mallory"})) for number in range(5)]
    answers.append(shop.kit.attempt(way("GIFT-0001", **{named: "mallory"})))
    assert answers == [UNIFORM] * 6
    assert shop.answer(way("GIFT-0001", **{named: "ann"})) == "fine"
    assert shop.answer(way("GIFT-0002", **{named: "mallory"}), after="14m") == "code_not_valid"
    assert shop.answer(way("GIFT-0002", **{named: "mallory"}), after="1m") == "fine"


def test_all_ways_of_trying_count_together(shop: Shop) -> None:
    guesses = [
        redeem("GUESS-1", external_issuee_id="mallory"),
        reserve("GUESS-2", subject="mallory"),
        rk.CheckCode("GUESS-3", subject="mallory"),
        rk.EnterPromoCode("GUESS-4", "mallory"),
        rk.EnterReferralCode("GUESS-5", "mallory", public=True),
    ]
    answers = [shop.answer(guess) for guess in guesses]
    assert answers == ["code_not_valid"] * 4 + ["referral_code_not_valid"]
    assert shop.answer(redeem("GIFT-0001", subject="mallory")) == "code_not_valid"
    told = rk.EnterPromoCode("GIFT-0001", "mallory", public=False)
    assert shop.answer(told) == "too_many_attempts"


def test_an_origin_is_limited_by_the_minute_and_never_locked_out(shop: Shop) -> None:
    for number in range(10):
        assert shop.answer(redeem(f"GUESS-{number}", origin="192.0.2.1"), after="1s") == "code_not_valid"
    assert shop.answer(redeem("GIFT-0001", origin="192.0.2.1")) == "code_not_valid"
    assert shop.answer(redeem("GIFT-0001", origin="198.51.100.7")) == "fine"
    assert shop.answer(redeem("GIFT-0002", origin="192.0.2.1"), after="1m") == "fine"


def test_good_attempts_count_by_the_minute_too(shop: Shop) -> None:
    answers = [shop.answer(redeem(f"GIFT-{number:04}", subject="till"), after="1s") for number in range(11)]
    assert answers == ["fine"] * 10 + ["code_not_valid"]
    busy = rk.AttemptLimits(attempts_a_minute=20)
    assert shop.answer(redeem("GIFT-0010", subject="till", limits=busy)) == "fine"


def test_failures_of_all_together_are_limited_and_good_ones_are_not(shop: Shop) -> None:
    for number in range(3):
        assert shop.answer(redeem(f"GIFT-{number:04}", limits=FEW), after="1s") == "fine"
        assert shop.answer(redeem(f"GUESS-{number}", subject=f"m{number}", limits=FEW), after="1s") == "code_not_valid"
    # Nobody is listened to now, and what she has is still good afterwards.
    assert shop.answer(redeem("GIFT-0007", external_issuee_id="ann", limits=FEW)) == "code_not_valid"
    unlimited = rk.AttemptLimits(failures_a_minute=None)
    assert shop.answer(redeem("GIFT-0008", external_issuee_id="bea", limits=unlimited)) == "fine"
    assert shop.answer(redeem("GIFT-0007", external_issuee_id="ann", limits=FEW), after="1m") == "fine"


def test_a_success_ends_the_row_of_failures_and_a_look_at_a_code_of_ones_own_does_not(shop: Shop) -> None:
    for round in range(3):
        assert [shop.answer(redeem("GUESS", subject="ann")) for _ in range(4)] == ["code_not_valid"] * 4
        assert shop.answer(redeem(f"GIFT-{round:04}", subject="ann")) == "fine"
    assert [shop.answer(redeem("GUESS", subject="ann")) for _ in range(4)] == ["code_not_valid"] * 4
    assert shop.answer(rk.CheckCode("GIFT-0009", subject="ann")) == "fine"
    assert shop.answer(redeem("GUESS", subject="ann")) == "code_not_valid"
    assert shop.answer(redeem("GIFT-0009", subject="ann")) == "code_not_valid"


def test_a_row_of_failures_is_over_after_a_day_and_then_forgotten(shop: Shop) -> None:
    for number in range(3):
        assert shop.answer(redeem("GUESS", subject=f"name {number}")) == "code_not_valid"
    assert [shop.answer(redeem("GUESS", subject="ann")) for _ in range(4)] == ["code_not_valid"] * 4
    shop.clock.advance("23h")
    assert not shop.kit.run(rk.RunDue(limit=2)).more
    names = ("name 0", "name 1", "name 2", "ann")
    assert 5 == len(snapshot_rows(shop, *names))
    assert shop.answer(redeem("GUESS", subject="ann"), after="1h") == "code_not_valid"
    assert shop.answer(redeem("GIFT-0001", subject="ann")) == "fine"
    assert [True, False] == [shop.kit.run(rk.RunDue(limit=2)).more for _ in range(2)]
    assert 2 == len(snapshot_rows(shop, *names)) == len(snapshot_rows(shop, "ann"))


def test_operators_are_neither_counted_nor_kept_out(shop: Shop) -> None:
    for number in range(12):
        assert shop.answer(rk.RedeemCode(f"GUESS-{number}", external_issuee_id="ann"), after="1s") == "code_unknown"
    assert shop.answer(redeem("GIFT-0001", external_issuee_id="ann")) == "fine"
    for wrong in (
        rk.RedeemCode("GIFT-0002", subject="ann"),
        rk.ReserveCode("GIFT-0002", origin="192.0.2.1"),
        rk.EnterReferralCode("GIFT-0002", "ann", origin="192.0.2.1"),
    ):
        with pytest.raises(rk.ValidationError, match="pass `public=True`"):
            shop.kit.run(wrong)


def test_guesses_at_once_are_counted_one_by_one(shop: Shop) -> None:
    given = [redeem(f"GUESS-{number}", subject="mallory", limits=rk.AttemptLimits(failures=12)) for number in range(20)]
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(shop.kit.attempt, given))
    (row,) = [row for row in snapshot_rows(shop, "mallory") if row.subject != "*"]
    (everybody,) = [row for row in snapshot_rows(shop, "mallory") if row.subject == "*"]
    # Ten in the minute; the other ten were not looked at.
    assert (row.attempts, row.failures, everybody.attempts) == (10, 10, 10)


def snapshot_rows(shop: Shop, *subjects: str) -> tuple[AttemptRow, ...]:
    digests = (digest("attempt subject", subject).hex() for subject in subjects)
    with shop.kit._store.transaction("default") as transaction:
        return transaction.ask(AttemptsOf(tuple(sorted(("*", *digests)))))


def test_a_referral_code_is_not_guessed_by_trying(shop: Shop) -> None:
    kit = shop.kit
    kit.run(rk.DefineReward("thanks"))
    kit.run(rk.DefineReferralProgram("friends", "thanks", "thanks", "purchase"))
    kit.run(rk.DefineCampaign("friends", program="friends"))
    kit.run(rk.LaunchCampaign("friends"))
    code = kit.run(rk.GiveReferralCode("sue")).code
    assert shop.answer(rk.EnterReferralCode(code, "sue", public=True)) == "referral_code_not_valid"
    assert shop.answer(rk.EnterReferralCode(code, "rob", public=True)) == "fine"
    for number in range(5):
        guess = rk.EnterReferralCode(f"GUESS{number}", "mallory", public=True)
        assert shop.answer(guess) == "referral_code_not_valid"
    assert shop.answer(rk.EnterReferralCode(code, "mallory", public=True)) == "referral_code_not_valid"
    assert shop.answer(rk.EnterReferralCode(code, "mallory", public=True), after="15m") == "fine"
    assert [one.recipient for one in kit.ask(rk.Referrals()).items] == ["rob", "mallory"]


@pytest.mark.parametrize(
    "limits, message",
    [
        (rk.AttemptLimits(attempts_a_minute=0), "attempts_a_minute must lie between 1"),
        (rk.AttemptLimits(failures=0), "failures must lie between 1"),
        (rk.AttemptLimits(lockout_seconds=86_401), "lockout_seconds must lie between 1 and 86400"),
        (rk.AttemptLimits(failures_a_minute=0), "failures_a_minute must lie between 1"),
        ({"failures": 5}, "limits are `AttemptLimits"),
    ],
)
def test_limits_that_cannot_be_meant_are_said(limits: Any, message: str) -> None:
    shop = Shop(":memory:")
    with pytest.raises(rk.ValidationError, match=message):
        shop.kit.run(redeem("GIFT-0001", limits=limits))
