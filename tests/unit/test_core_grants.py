"""What becomes of grants: each change by a command, everything else refused."""

from __future__ import annotations

import json
from datetime import timedelta

import rewardkit as rk
from rewardkit.core.notices.outbox import SCHEDULE_SECONDS
from rewardkit.testing.desk import Desk


def test_a_failed_grant_is_listed_with_its_reason_and_claimable_after_a_wait() -> None:
    desk = Desk()
    grant = desk.earn()
    (claimed,) = desk.kit.claim(lease_seconds=60)

    failed = desk.kit.run(rk.FailGrant(grant, "the bank did not answer", lease=claimed.lease))

    assert (failed.status, failed.failures, failed.reason) == ("ready", 1, "the bank did not answer")
    assert failed.leased_until is None
    assert failed.retry_at is not None
    wait = (failed.retry_at - desk.clock.now).total_seconds()
    assert SCHEDULE_SECONDS[0] / 2 <= wait < SCHEDULE_SECONDS[0] * 1.5
    assert desk.kit.ready() == (failed,)
    assert desk.kit.claim() == ()
    desk.clock.set(failed.retry_at)
    (again,) = desk.kit.claim()
    assert (again.id, again.lease, again.retry_at) == (grant, claimed.lease + 2, None)
    assert desk.kit.run(rk.FulfilGrant(grant, lease=again.lease)).status == "fulfilled"
    assert desk.history(grant) == ["fail ready", "fulfil fulfilled"]
    assert desk.told() == ["grant.ready"]
    desk.sound()


def test_a_caller_says_when_to_try_again() -> None:
    desk = Desk()
    grant = desk.earn()
    for number in range(20):
        failed = desk.kit.run(rk.FailGrant(grant, "closed for today", retry_after="30m"))
        assert (failed.status, failed.failures) == ("ready", number + 1)
        assert failed.retry_at is not None
        assert (failed.retry_at - desk.clock.now).total_seconds() == 1_800
    desk.sound()


def test_waits_grow_and_the_last_failure_makes_a_grant_undeliverable() -> None:
    desk = Desk()
    grant = desk.earn()
    for mean in SCHEDULE_SECONDS:
        failed = desk.kit.run(rk.FailGrant(grant, "no answer"))
        assert failed.retry_at is not None
        wait = (failed.retry_at - desk.clock.now).total_seconds()
        assert mean / 2 <= wait < mean * 1.5
        desk.clock.set(failed.retry_at)
    last = desk.kit.run(rk.FailGrant(grant, "no answer"))
    assert (last.status, last.failures, last.retry_at) == ("undeliverable", 10, None)
    assert desk.kit.claim() == ()
    assert desk.told() == ["grant.ready", "grant.undeliverable"]
    desk.sound()


def test_what_fails_together_comes_back_apart() -> None:
    desk = Desk()
    grants = [desk.earn(f"user {number}") for number in range(5)]
    retries = {desk.kit.run(rk.FailGrant(grant, "no answer")).retry_at for grant in grants}
    assert len(retries) == 5


def test_an_undeliverable_grant_is_put_back_and_told_of_again_under_another_id() -> None:
    desk = Desk()
    grant = desk.earn()
    aside = desk.kit.run(rk.FailGrant(grant, "no such account", final=True))
    assert (aside.status, aside.reason) == ("undeliverable", "no such account")
    assert desk.kit.ask(rk.Grants(status="undeliverable")).items == (aside,)
    assert desk.refused(rk.FulfilGrant(grant))[0] == "grant_undeliverable"

    back = desk.kit.run(rk.RetryGrant(grant, by="ann", reason="she has given another account"))

    assert (back.status, back.failures) == ("ready", 0)
    assert [claimed.id for claimed in desk.kit.claim()] == [grant]
    notices = [one for one in desk.kit.ask(rk.Notices()).items if one.kind == "grant.ready"]
    assert len({one.id for one in notices}) == 2
    assert {json.loads(one.body)["subject"] for one in notices} == {grant}
    (_, step) = desk.kit.ask(rk.GrantHistory(grant))
    assert (step.move, step.by, step.reason) == ("retry", "ann", "she has given another account")
    desk.sound()


def test_a_failure_ends_its_lease_and_counts_once() -> None:
    desk = Desk()
    grant = desk.earn()
    (claimed,) = desk.kit.claim()
    failure = rk.FailGrant(grant, "no answer", lease=claimed.lease, retry_after="1s")
    desk.kit.run(failure)
    leases = {"lease": claimed.lease, "newest_lease": claimed.lease + 1}
    assert desk.refused(failure) == ("lease_lost", leases)
    assert desk.refused(rk.FulfilGrant(grant, lease=claimed.lease)) == ("lease_lost", leases)
    assert desk.grant(grant).failures == 1


def test_only_the_lessee_says_that_a_leased_grant_has_failed() -> None:
    desk = Desk()
    grant = desk.earn()
    (claimed,) = desk.kit.claim(lease_seconds=60)
    code, facts = desk.refused(rk.FailGrant(grant, "no answer"))
    assert (code, facts["lease"]) == ("grant_leased", claimed.lease)
    desk.clock.advance("60s")
    assert desk.kit.run(rk.FailGrant(grant, "no answer")).failures == 1


def test_a_hold_period_is_over_at_its_instant_and_told_of_only_then() -> None:
    desk = Desk(hold="14d")
    desk.kit.run(rk.MakeOffer("spring", "amanda"))
    earned_at = desk.clock.now
    grant = desk.kit.emit("Purchase", user="amanda").earned[0].grant

    held = desk.grant(grant)
    assert (held.status, held.held_for) == ("held", "hold")
    assert held.hold_until is not None
    assert (held.hold_until - earned_at).days == 14
    assert desk.kit.ask(rk.Grants(held_for="hold")).items == (held,)
    assert (desk.told(), desk.kit.ready(), desk.kit.claim()) == ([], (), ())
    code, facts = desk.refused(rk.FulfilGrant(grant))
    assert (code, facts["held_for"], facts["hold_until"]) == ("grant_held", "hold", "2026-01-15T00:00:00Z")
    desk.clock.set(held.hold_until - timedelta(microseconds=1))
    assert desk.kit.run_due().released == ()
    desk.clock.set(held.hold_until)
    released = desk.kit.run_due()
    assert released.released == (rk.Released("amanda", grant, held.hold_until, "ready"),)
    assert desk.told() == ["grant.ready"]
    assert [one.id for one in desk.kit.claim()] == [grant]
    assert desk.kit.run_due().released == ()
    desk.sound()


def test_holds_are_released_in_the_order_of_time_and_at_their_instants_however_late() -> None:
    desk = Desk(hold="1d")
    grants = []
    for user in ("cleo", "bea", "ada"):
        grants.append(desk.earn(user))
        desk.clock.advance("1h")
    desk.clock.advance("30d")
    first = desk.kit.run(rk.RunDue(2))
    assert ([one.grant for one in first.released], first.more) == (grants[:2], True)
    assert [one.grant for one in desk.kit.run_due(limit=50).released] == grants[2:]
    for grant in grants:
        born, step = desk.kit.ask(rk.GrantHistory(grant))
        assert (born.move, step.move) == ("earn", "release")
        assert step.at == desk.grant(grant).hold_until
    desk.sound()


def test_a_kit_releases_all_holds_that_are_due_up_to_its_limit() -> None:
    desk = Desk(hold="1d")
    for number in range(7):
        desk.kit.run(rk.MakeOffer("spring", f"user {number}"))
        desk.kit.emit("Purchase", user=f"user {number}")
    desk.clock.advance("1d")
    done = desk.kit.run_due(limit=3)
    assert (len(done.released), done.more) == (3, True)
    done = desk.kit.run_due()
    assert (len(done.released), done.more) == (4, False)


def test_a_hold_period_that_is_over_when_the_earning_is_noticed_holds_nothing() -> None:
    desk = Desk(hold="1d")
    desk.kit.run(rk.DefineOffer("stay", "cash", "Signed then no Left within 1d", hold="1d"))
    desk.kit.run(rk.DefineCampaign("stayers", "stay"))
    desk.kit.run(rk.LaunchCampaign("stayers"))
    desk.kit.run(rk.MakeOffer("stayers", "amanda"))
    desk.kit.emit("Signed", user="amanda")
    desk.clock.advance("2d")
    (earned,) = desk.kit.run_due().earned
    assert desk.grant(earned.grant).status == "ready"
    assert desk.history(earned.grant) == []
    desk.sound()


def test_what_was_earned_under_a_hold_keeps_it_when_the_offer_changes() -> None:
    desk = Desk(hold="1d")
    before = desk.earn()
    desk.kit.run(rk.DefineOffer("back", "cash", "Purchase"))
    after = desk.earn("bea")
    assert (desk.grant(before).status, desk.grant(after).status) == ("held", "ready")
