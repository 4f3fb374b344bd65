"""Grants held for review: flagged by a check, approved or denied by a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.desk import Desk


def nothing(_grant: rk.Grant) -> tuple[str, ...]:
    return ()


def suspicious(grant: rk.Grant) -> Iterable[str]:
    if grant.user == "mallory":
        yield "three accounts from one address"


def test_what_the_check_clears_goes_on_and_what_it_flags_waits_for_a_person() -> None:
    desk = Desk(review="check")
    fair, doubtful = desk.earn("amanda"), desk.earn("mallory")
    assert desk.held() == {fair: "review", doubtful: "review"}
    assert desk.told() == []

    checked = desk.kit.check(suspicious)

    assert checked == rk.Checked(passed=1, flagged=1)
    assert desk.grant(fair).status == "ready"
    (waiting,) = desk.kit.ask(rk.Grants(held_for="review")).items
    assert (waiting.id, waiting.flags) == (doubtful, ("three accounts from one address",))
    assert desk.told() == ["grant.ready"]
    assert desk.kit.check(suspicious) == rk.Checked()
    desk.sound()


def test_without_a_check_nothing_passes() -> None:
    desk = Desk(review="check")
    grant = desk.earn()
    desk.clock.advance("365d")
    desk.kit.run_due()
    assert desk.kit.claim() == ()
    assert desk.held() == {grant: "review"}


def test_somebody_always_looks_at_what_is_always_reviewed_and_sees_what_the_check_found() -> None:
    desk = Desk(review="always")
    fair, doubtful = desk.earn("amanda"), desk.earn("mallory")
    assert desk.kit.check(suspicious) == rk.Checked(flagged=2)
    assert desk.held() == {fair: "review", doubtful: "review"}
    assert desk.grant(doubtful).flags == ("three accounts from one address",)
    assert desk.kit.check(suspicious) == rk.Checked()


def test_a_person_approves_with_her_name_and_reason() -> None:
    desk = Desk(review="check")
    grant = desk.earn("mallory")
    desk.kit.check(suspicious)
    approved = desk.kit.run(rk.ApproveGrant(grant, by="ann", reason="a family of four"))
    assert approved.status == "ready"
    assert desk.told() == ["grant.ready"]
    step = desk.kit.ask(rk.GrantHistory(grant))[-1]
    assert (step.move, step.by, step.reason) == ("approve", "ann", "a family of four")
    assert desk.refused(rk.ApproveGrant(grant, by="ann"))[0] == "grant_ready"
    desk.sound()


def test_a_person_denies_for_ever_and_the_reason_is_told() -> None:
    desk = Desk(review="check")
    grant = desk.earn("mallory")
    denied = desk.kit.run(rk.DenyGrant(grant, "one person, three accounts", by="ann"))
    assert (denied.status, denied.reason) == ("denied", "one person, three accounts")
    assert desk.told() == ["grant.denied"]
    for command in (rk.ApproveGrant(grant, by="bo"), rk.FulfilGrant(grant), rk.ReverseGrant(grant, "again")):
        assert desk.refused(command) == ("grant_denied", {"status": "denied", "reason": denied.reason})
    assert desk.kit.check(nothing) == rk.Checked()
    desk.sound()


@pytest.mark.parametrize("frees, terms, used", [(None, False, 1), (None, True, 0), (True, False, 0), (False, True, 1)])
def test_a_denied_grant_gives_its_places_back_where_its_terms_or_the_person_say_so(
    *, frees: bool | None, terms: bool, used: int
) -> None:
    desk = Desk(review="always", reversal_frees=terms)
    grant = desk.earn()
    desk.kit.run(rk.DenyGrant(grant, "made up", by="ann", frees=frees))
    assert desk.use() == (0, used)
    desk.sound()


def test_a_hold_period_runs_while_a_review_waits() -> None:
    desk = Desk(review="check", hold="2d")
    early, late = desk.earn("amanda"), desk.earn("bea")
    desk.clock.advance("1d")
    assert desk.kit.run(rk.ApproveGrant(early, by="ann")).held_for == "hold"
    desk.clock.advance("1d")
    assert desk.kit.run(rk.ApproveGrant(late, by="ann")).status == "ready"
    assert [one.grant for one in desk.kit.run_due().released] == [early]
    desk.sound()


def test_what_a_check_found_first_stands() -> None:
    desk = Desk(review="check")
    grant = desk.earn()
    flagged = desk.kit.run(rk.RecordCheck(grant, "odd"))
    assert flagged.flags == ("odd",)
    assert desk.refused(rk.RecordCheck(grant, ())) == ("grant_checked", {"flags": ["odd"]})


def test_a_check_that_fails_lets_nothing_pass_and_is_made_again() -> None:
    desk = Desk(review="check")
    grant, other = desk.earn("mallory"), desk.earn("amanda")

    def broken(grant: rk.Grant) -> tuple[str, ...]:
        if grant.user == "mallory":
            raise TimeoutError("nobody answers")
        return ()

    assert desk.kit.check(broken) == rk.Checked(passed=1, failed=1)
    assert desk.held() == {grant: "review"}
    assert desk.kit.check(nothing) == rk.Checked()
    desk.clock.advance("10m")
    assert desk.kit.check(nothing) == rk.Checked(passed=1)
    assert desk.grant(other).status == "ready"
    desk.sound()


@pytest.mark.parametrize("answer", [None, 5, [""], ["x" * 101], ["flag"] * 21, [b"x"], ["a\x00b"]])
def test_what_is_no_list_of_flags_lets_nothing_pass(answer: Any) -> None:
    desk = Desk(review="check")
    grant = desk.earn()
    assert desk.kit.check(lambda _grant: answer) == rk.Checked(failed=1)
    assert desk.held() == {grant: "review"}


def test_two_checkers_never_check_the_same_grant_at_a_time() -> None:
    desk = Desk(review="check")
    grants = {desk.earn(f"user {number}") for number in range(4)}
    first = desk.kit.run(rk.ClaimChecks(3)).grants
    second = desk.kit.run(rk.ClaimChecks(3)).grants
    assert {one.id for one in (*first, *second)} == grants
    assert len(first) + len(second) == 4


def test_a_checker_who_has_overslept_changes_nothing() -> None:
    desk = Desk(review="check")
    grant = desk.earn()
    (old,) = desk.kit.run(rk.ClaimChecks(1, 60)).grants
    desk.clock.advance("60s")
    (new,) = desk.kit.run(rk.ClaimChecks(1, 60)).grants
    assert desk.refused(rk.RecordCheck(grant, (), lease=old.lease))[0] == "lease_lost"
    assert desk.kit.run(rk.RecordCheck(grant, "odd", lease=new.lease)).held_for == "review"


def test_a_check_that_comes_after_a_person_is_overtaken() -> None:
    desk = Desk(review="check")
    grant = desk.earn()

    def slow(grant: rk.Grant) -> tuple[str, ...]:
        desk.kit.run(rk.DenyGrant(grant.id, "made up", by="ann"))
        return ()

    assert desk.kit.check(slow) == rk.Checked(overtaken=1)
    assert desk.grant(grant).status == "denied"
