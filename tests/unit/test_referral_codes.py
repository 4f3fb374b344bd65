"""A sender's one code: made, shown, typed and mistyped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.referrals.codes import sender_of
from rewardkit.core.storing.referral_needs import SenderOfCode
from rewardkit.testing.friends import Friends


@pytest.fixture
def friends() -> Iterator[Friends]:
    friends = Friends()
    yield friends
    assert friends.broken() == ()


def test_a_sender_has_one_code_for_ever(friends: Friends) -> None:
    first = friends.kit.run(rk.GiveReferralCode("sue"))
    friends.at(5)
    again = friends.kit.run(rk.GiveReferralCode("sue", base_url="https://shop.example/i/"))
    assert (again.code, again.made_at) == (first.code, friends.second(0))
    assert (first.link, again.link) == ("", f"https://shop.example/i/{first.code}")
    assert friends.kit.tenant("other").run(rk.GiveReferralCode("sue")).code != first.code


def test_codes_differ_and_have_no_look_alikes_and_no_vowels(friends: Friends) -> None:
    codes = {friends.kit.run(rk.GiveReferralCode(f"s{number}")).code for number in range(200)}
    assert len(codes) == 200
    assert {len(code) for code in codes} == {10}
    assert set("".join(codes)) <= set("0123456789BCDFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize(
    "typed", [str.lower, lambda code: f" {code[:5]}-{code[5:]} ", lambda code: code.replace("0", "O")]
)
def test_a_code_is_read_however_it_is_typed(friends: Friends, typed: Any) -> None:
    friends.program()
    code = friends.kit.run(rk.GiveReferralCode("sue")).code
    made = friends.kit.run(rk.EnterReferralCode(typed(code), "rob"))
    assert (made.sender, made.program, made.campaign) == ("sue", "friends", "")
    assert len(friends.emit("A", user="rob").earned) == 2


def test_a_mistyped_code_is_nobodys(friends: Friends) -> None:
    friends.program()
    code = friends.kit.run(rk.GiveReferralCode("sue")).code
    other = "7" if code[3] != "7" else "8"
    for wrong in (code[:3] + other + code[4:], code[:-1], "x", "-", "é" * 20):
        assert friends.refused(rk.EnterReferralCode(wrong, "rob")) == "referral_code_not_valid"


def test_a_mistyped_code_is_told_without_asking_the_store(friends: Friends) -> None:
    code = friends.kit.run(rk.GiveReferralCode("sue")).code
    other = "7" if code[3] != "7" else "8"
    assert list(sender_of(code[:3] + other + code[4:])) == []
    assert list(sender_of(code)) == [SenderOfCode(code)]


def test_a_code_enters_nothing_where_nothing_is_offered(friends: Friends) -> None:
    code = friends.kit.run(rk.GiveReferralCode("sue")).code
    assert friends.refused(rk.EnterReferralCode(code, "rob")) == "nothing_offered"
    friends.program()
    friends.program(name="firms")
    assert friends.refused(rk.EnterReferralCode(code, "rob")) == "nothing_offered"


@pytest.mark.parametrize("base_url", ["shop.example", "https://shop.example/ i", "javascript:alert(1)"])
def test_a_link_begins_with_an_address(friends: Friends, base_url: str) -> None:
    with pytest.raises(rk.ValidationError, match="base_url"):
        friends.kit.run(rk.GiveReferralCode("sue", base_url=base_url))
