"""A month of double rewards, told by its sender and by her recipients, on every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

BEFORE, START = "2026-04-30T23:59:59.999999-04:00", "2026-05-01T00:00:00-04:00"
LAST, END = "2026-05-31T23:59:59.999999-04:00", "2026-06-01T00:00:00-04:00"

Told = tuple[rk.RewardKit, FakeClock]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Told]:
    texts = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = open_store(texts.get(request.param) or request.getfixturevalue("postgres_dsn"), prefix="rewardkit_")
    store.migrate()
    clock = FakeClock("2026-04-01T12:00:00Z")
    yield rk.RewardKit(store, clock=clock), clock
    assert violations(snapshot_of(store, "default")) == ()
    store.close()


def define(kit: rk.RewardKit) -> None:
    for name, amount in (("five", "5.00"), ("ten", "10.00")):
        kit.run(rk.DefineReward(name, {"amount": amount, "currency": "USD"}))
    normal = rk.DefineReferralProgram("friends", "five", "five", '"Purchase Completed"', expires_after="60d")
    double = rk.DefineReferralProgram("friends-double", "ten", "five", '"Purchase Completed"', expires_after="60d")
    kit.run(normal)
    kit.run(double)
    kit.run(rk.DefineCampaign("always", program="friends"))
    kit.run(
        rk.DefineCampaign(
            "may",
            program="friends-double",
            sender='"Purchase Completed"',
            start="2026-05-01",
            end="2026-05-31",
            zone="America/New_York",
        )
    )
    kit.run(rk.LaunchCampaign("always"))
    kit.run(rk.LaunchCampaign("may"))


def test_in_may_senders_who_have_bought_earn_double_by_the_code_that_they_always_had(told: Told) -> None:
    kit, clock = told
    define(kit)
    code = kit.run(rk.GiveReferralCode("sue", base_url="https://shop.example/i/"))
    kit.emit("Purchase Completed", user="sue", id="o-1")
    other = kit.run(rk.GiveReferralCode("tom")).code  # who has never bought anything

    # As the sender sees it: what she offers, until when.
    seen = {}
    for at in (BEFORE, START, LAST, END):
        clock.set(at)
        offered = kit.ask(rk.SenderTerms("sue"))
        assert offered.code == code.code
        seen[at] = (offered.program, offered.until)
    start, end = FakeClock(START).now, FakeClock(END).now
    assert seen == {
        BEFORE: ("friends", start),
        START: ("friends-double", end),
        LAST: ("friends-double", end),
        END: ("friends", None),
    }

    # As recipients see it: they type the same code, in April, in May and in June.
    entered = {}
    for at, recipient in ((BEFORE, "ann"), (START, "bob"), (LAST, "cid"), (END, "dan")):
        clock.set(at)
        entered[recipient] = kit.run(rk.EnterReferralCode(code.code.lower(), recipient)).program
        if at == START:
            kit.run(rk.EnterReferralCode(other, "eve"))
    assert entered == {"ann": "friends", "bob": "friends-double", "cid": "friends-double", "dan": "friends"}

    # They buy in June. What counts is when they entered.
    clock.set("2026-06-10T12:00:00Z")
    for recipient in ("ann", "bob", "cid", "dan", "eve"):
        kit.emit("Purchase Completed", user=recipient, id="o-1")
    amounts = {
        user: sorted(one.reward.properties["amount"] for one in kit.ask(rk.Grants(user)).items)
        for user in ("sue", "tom", "ann", "bob", "cid", "dan", "eve")
    }
    assert amounts == {
        "sue": ["10.00", "10.00", "5.00", "5.00"],
        "tom": ["5.00"],
        **{recipient: ["5.00"] for recipient in ("ann", "bob", "cid", "dan", "eve")},
    }


def test_a_purchase_in_the_middle_of_may_doubles_what_is_offered_from_then_on(told: Told) -> None:
    kit, clock = told
    define(kit)
    code = kit.run(rk.GiveReferralCode("sue")).code
    clock.set("2026-05-10T12:00:00Z")
    before = kit.run(rk.EnterReferralCode(code, "ann"))
    clock.set("2026-05-10T12:00:01Z")
    kit.emit("Purchase Completed", user="sue")
    after = kit.run(rk.EnterReferralCode(code, "bob"))
    assert (before.campaign, after.campaign) == ("always", "may")


def test_every_way_into_a_referral_has_a_sender_and_decides_both_sides_together(told: Told) -> None:
    kit, _clock = told
    define(kit)
    code = kit.run(rk.GiveReferralCode("sue")).code
    direct = kit.run(rk.MakeReferral("friends", "sue", "ann"))
    by_code = kit.run(rk.EnterReferralCode(code, "bob"))
    assert {direct.sender, by_code.sender} == {"sue"}
    with pytest.raises(rk.Refused) as refused:
        kit.run(rk.DefineReferralProgram("entry", "five", "five", "A", entry='"User Signed Up"'))
    assert refused.value.code == "referral_entry"
    for recipient in ("ann", "bob"):
        recorded = kit.emit("Purchase Completed", user=recipient)
        assert [one.user for one in recorded.earned] == [recipient, "sue"]
        assert [one.sender_reward for one in recorded.referrals] == ["granted"]


def test_a_sender_over_her_cap_is_capped_in_the_same_transaction(told: Told) -> None:
    kit, _clock = told
    kit.run(rk.DefineReward("five"))
    kit.run(rk.DefineReferralProgram("friends", "five", "five", "A", sender_cap=5, period_cap=2))
    for number in range(4):
        kit.run(rk.MakeReferral("friends", "sue", f"r{number}"))
    recorded = kit.emit_many([{"name": "A", "user": f"r{number}"} for number in range(4)])
    assert [one.sender_reward for one in recorded.referrals] == ["granted", "granted", "capped", "capped"]
    assert len(kit.ask(rk.Grants("sue")).items) == 2
