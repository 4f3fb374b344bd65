"""How many rewards one sender can earn, in all and in a period; one test a rule."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import rewardkit as rk
from rewardkit.testing.friends import Friends


@pytest.fixture
def friends() -> Iterator[Friends]:
    friends = Friends()
    yield friends
    assert friends.broken() == ()


def test_a_sender_over_her_cap_is_recorded_as_capped_and_the_recipient_earns_all_the_same(friends: Friends) -> None:
    friends.program(sender_cap=2)
    for name in ("ann", "bob", "cid"):
        friends.refer(name)
        friends.emit("A", user=name)
    assert [row[1:] for row in friends.statuses()] == [
        ("completed", "granted"),
        ("completed", "granted"),
        ("completed", "capped"),
    ]
    assert [row for row in friends.earned() if row[2] == "sender"] == [("sue", "ten", "sender")] * 2
    assert len([row for row in friends.earned() if row[2] == "recipient"]) == 3


def test_places_go_to_those_who_completed_first_in_a_batch(friends: Friends) -> None:
    friends.program(sender_cap=1)
    for name in ("ann", "bob", "cid"):
        friends.refer(name)
    friends.at(9)
    events = [rk.Event("A", friends.second(second), user=user) for user, second in (("ann", 3), ("bob", 1), ("cid", 2))]
    friends.kit.emit_many(events)
    assert friends.statuses() == [
        ("ann", "completed", "capped"),
        ("bob", "completed", "granted"),
        ("cid", "completed", "capped"),
    ]


def test_every_sender_has_a_cap_of_her_own(friends: Friends) -> None:
    friends.program(sender_cap=1)
    friends.refer("ann", sender="sue")
    friends.refer("bob", sender="tom")
    friends.kit.emit_many([rk.Event("A", user="ann"), rk.Event("A", user="bob")])
    assert {row[2] for row in friends.statuses()} == {"granted"}


@pytest.mark.parametrize(
    "period, zone, instants, outcomes",
    [
        ("month", "UTC", ("2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", "2026-02-28T23:59:59Z"), "gg-"),
        ("month", "Europe/Berlin", ("2026-01-31T22:59:59Z", "2026-01-31T23:00:00Z", "2026-02-01T00:00:00Z"), "gg-"),
        ("day", "Europe/Berlin", ("2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"), "g-g"),
        ("week", "UTC", ("2026-01-04T23:59:59Z", "2026-01-05T00:00:00Z", "2026-01-11T23:59:59Z"), "gg-"),
        ("quarter", "UTC", ("2026-03-31T23:59:59Z", "2026-04-01T00:00:00Z", "2026-06-30T00:00:00Z"), "gg-"),
        ("year", "UTC", ("2026-01-02T00:00:00Z", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z"), "g-g"),
    ],
)
def test_a_period_is_one_of_the_calendar_in_the_programs_zone(
    friends: Friends, period: str, zone: str, instants: tuple[str, ...], outcomes: str
) -> None:
    friends.program(period_cap=1, period=period, zone=zone)
    for number, at in enumerate(instants):
        friends.refer(f"r{number}")
        friends.clock.set(at)
        friends.emit("A", user=f"r{number}")
    assert "".join("g" if row[2] == "granted" else "-" for row in friends.statuses()) == outcomes


def test_both_caps_hold_and_a_place_that_only_one_of_them_gives_is_not_lost(friends: Friends) -> None:
    friends.program(sender_cap=2, period_cap=1)
    months = ["2026-01-05", "2026-01-06", "2026-02-05", "2026-02-06", "2026-03-05"]
    for number, day in enumerate(months):
        friends.clock.set(f"{day}T00:00:00Z")
        friends.refer(f"r{number}")
        friends.emit("A", user=f"r{number}")
    assert [row[2] for row in friends.statuses()] == ["granted", "capped", "granted", "capped", "capped"]


def test_a_cap_that_is_set_later_counts_what_was_earned_before(friends: Friends) -> None:
    friends.program()
    for name in ("ann", "bob"):
        friends.refer(name)
    friends.emit("A", user="ann")
    friends.program(sender_cap=1)
    friends.emit("A", user="bob")
    assert [row[2] for row in friends.statuses()] == ["granted", "capped"]


# --- what becomes of the grants ------------------------------------------------------------------------


def test_both_sides_are_held_as_the_program_says(friends: Friends) -> None:
    friends.program(hold="14d", review="always")
    friends.refer()
    friends.emit("A", user="rob")
    assert {(one.status, one.held_for) for one in friends.kit.ask(rk.Grants()).items} == {("held", "review")}
    for grant in friends.kit.ask(rk.Grants()).items:
        friends.kit.run(rk.ApproveGrant(grant.id, by="eve"))
    assert friends.kit.ready() == ()
    friends.clock.advance("14d")
    friends.kit.run_due()
    assert sorted(one.user for one in friends.kit.ready()) == ["rob", "sue"]


@pytest.mark.parametrize("frees, second", [(True, "granted"), (False, "capped")])
def test_a_senders_reward_that_is_reversed_gives_its_places_back_where_the_program_says_so(
    friends: Friends, *, frees: bool, second: str
) -> None:
    friends.program(sender_cap=1, period_cap=1, reversal_frees=frees)
    for name in ("ann", "bob"):
        friends.refer(name)
    friends.emit("A", user="ann")
    (mine,) = friends.kit.ask(rk.Grants("sue")).items
    friends.kit.run(rk.ReverseGrant(mine.id, reason="returned"))
    friends.emit("A", user="bob")
    assert [row[2] for row in friends.statuses()] == ["granted", second]
    (recipients,) = friends.kit.ask(rk.Grants("ann")).items
    friends.kit.run(rk.ReverseGrant(recipients.id, reason="returned"))
    assert friends.broken() == ()
