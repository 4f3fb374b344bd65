"""Referrals and what senders offer, sentence by sentence of Resonance's survey, on every store.

The month of double rewards is told in `test_referral_story.py`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.testing.clock import FakeClock


@pytest.fixture
def kit(store: rk.Store, clock: FakeClock) -> rk.RewardKit:
    """With a program whose sender earns ten, and whose recipient earns five by a purchase."""
    kit = rk.RewardKit(store, clock=clock)
    for name, amount in (("five", "5.00"), ("ten", "10.00"), ("twenty", "20.00")):
        kit.run(rk.DefineReward(name, {"amount": amount}))
    kit.run(rk.DefineReferralProgram("friends", "ten", "five", '"Purchase Completed"', expires_after="60d"))
    return kit


def buy(kit: rk.RewardKit, *users: str) -> list[tuple[str, str]]:
    """Who earned what by these users' purchases."""
    recorded = kit.emit_many([{"name": "Purchase Completed", "user": user} for user in users])
    return sorted((one.user, one.reward) for one in recorded.earned)


def test_a_referral_is_two_rewards_and_one_condition_that_the_recipient_satisfies(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    kit.run(rk.MakeReferral("friends", sender="sue", recipient="rob"))
    clock.advance("1s")
    assert buy(kit, "sue") == []  # it is not the sender's condition
    assert buy(kit, "rob") == [("rob", "five"), ("sue", "ten")]
    assert buy(kit, "rob") == []
    sides = {grant.user: (grant.side, grant.reward.properties) for grant in kit.ready()}
    assert sides == {"sue": ("sender", {"amount": "10.00"}), "rob": ("recipient", {"amount": "5.00"})}


def test_nobody_is_entered_into_a_referral_by_a_condition(kit: rk.RewardKit, tmp_path: Path) -> None:
    """Whoever is referred was referred by somebody, and no condition says by whom."""
    program = rk.DefineReferralProgram("other", "ten", "five", "A", entry='"User Signed Up"')
    refused = kit.attempt(program)
    assert isinstance(refused, rk.Refused)
    assert (refused.code, "was referred" in str(refused)) == ("referral_entry", True)
    with pytest.raises((rk.Refused, rk.ValidationError), match="referral"):
        kit.run(rk.DefineCampaign("campaign", program="friends", entry='"User Signed Up"'))
    written = '[referral-programs.other]\nsender_reward = "ten"\nrecipient_reward = "five"\ncondition = "A"\n'
    file = tmp_path / "friends.toml"
    file.write_text(written + "entry = '\"User Signed Up\"'\n", encoding="utf-8")
    with pytest.raises((rk.Refused, rk.ValidationError), match="referral"):
        kit.load(file)
    assert [one.name for one in kit.ask(rk.ReferralPrograms())] == ["friends"]
    kit.emit("User Signed Up", user="rob")
    assert kit.ask(rk.Referrals()).items == ()


def test_a_referral_is_made_by_a_direct_call(kit: rk.RewardKit, clock: FakeClock) -> None:
    made = kit.run(rk.MakeReferral("friends", sender="sue", recipient="rob"), key="invitation-17")
    assert (made.sender, made.recipient, made.program, made.status) == ("sue", "rob", "friends", "open")
    assert (made.made_at, made.ends_at) == (clock.now, datetime(2026, 5, 31, 12, tzinfo=UTC))
    assert kit.run(rk.MakeReferral("friends", sender="sue", recipient="rob"), key="invitation-17") == made
    assert kit.ask(rk.Referrals()).items == (made,)


def test_a_person_at_a_console_chooses_a_program_and_makes_the_same_call(kit: rk.RewardKit) -> None:
    (program,) = kit.ask(rk.ReferralPrograms())
    rewards = (program.sender_reward.properties["amount"], program.recipient_reward.properties["amount"])
    assert (rewards, program.condition) == (("10.00", "5.00"), '"Purchase Completed"')
    made = kit.run(rk.MakeReferral(program.name, sender="sue", recipient="rob"))
    assert kit.ask(rk.Referrals(sender="sue")).items == (made,)
    taken_back = kit.run(rk.VoidReferral(made.id, reason="one household"))
    assert (taken_back.status, taken_back.reason) == ("voided", "one household")
    assert buy(kit, "rob") == []


def test_a_referral_is_made_by_whoever_enters_the_senders_code(kit: rk.RewardKit) -> None:
    given = kit.run(rk.GiveReferralCode("sue", base_url="https://shop.example/i/"))
    assert given.link == "https://shop.example/i/" + given.code
    other = kit.run(rk.GiveReferralCode("tom"))
    assert other.code != given.code

    made = kit.run(rk.EnterReferralCode(f" {given.code[:4].lower()}-{given.code[4:]} ", recipient="rob"))
    assert (made.sender, made.recipient, made.program) == ("sue", "rob", "friends")
    mistyped = given.code[:-1] + ("2" if given.code[-1] != "2" else "3")
    refused = kit.attempt(rk.EnterReferralCode(mistyped, recipient="ann"))
    assert isinstance(refused, rk.Refused)
    assert refused.code == "referral_code_not_valid"
    assert [one.recipient for one in kit.ask(rk.Referrals()).items] == ["rob"]
    assert buy(kit, "rob", "ann") == [("rob", "five"), ("sue", "ten")]


def test_there_is_always_a_sender_and_she_is_somebody_else(kit: rk.RewardKit) -> None:
    for sender in ("", None):
        with pytest.raises(rk.ValidationError, match="sender"):
            kit.run(rk.MakeReferral("friends", sender=sender, recipient="rob"))  # type: ignore[arg-type]
    for command in (
        rk.MakeReferral("friends", sender="rob", recipient="rob"),
        rk.EnterReferralCode(kit.run(rk.GiveReferralCode("rob")).code, recipient="rob"),
    ):
        refused = kit.attempt(command)
        assert isinstance(refused, rk.Refused)
        assert refused.code == "self_referral"
    assert kit.ask(rk.Referrals()).items == ()


def test_both_sides_are_decided_together_or_not_at_all(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReferralProgram("friends", "ten", "five", '"Purchase Completed"', sender_cap=1))
    for recipient in ("rob", "ria"):
        kit.run(rk.MakeReferral("friends", sender="sue", recipient=recipient))
    kit.emit("Visited", user="ann", id="taken")
    whole = [rk.Event("Purchase Completed", user="rob", id="o-1"), rk.Event("Other", user="ann", id="taken")]
    with pytest.raises(rk.Conflict):
        kit.emit_many(whole)
    assert kit.ask(rk.Grants()).items == ()
    assert {one.status for one in kit.ask(rk.Referrals()).items} == {"open"}

    sides = []
    for recipient in ("rob", "ria"):
        recorded = kit.emit("Purchase Completed", user=recipient)
        sides.append(([one.user for one in recorded.earned], [one.sender_reward for one in recorded.referrals]))
    assert sides == [(["rob", "sue"], ["granted"]), (["ria"], ["capped"])]
    assert [one.sender_reward for one in kit.ask(rk.Referrals(sender="sue")).items] == ["granted", "capped"]


# --- what senders offer -----------------------------------------------------------------------------------------------


def double(kit: rk.RewardKit, **terms: str) -> None:
    """An evergreen campaign for everybody, and one with twice the reward for senders who have bought something."""
    kit.run(rk.DefineReferralProgram("friends-double", "twenty", "five", '"Purchase Completed"', expires_after="60d"))
    kit.run(rk.DefineCampaign("always", program="friends"))
    kit.run(
        rk.DefineCampaign(
            "double",
            program="friends-double",
            sender='"Purchase Completed"',
            **terms,  # type: ignore[arg-type]
        )
    )


def test_a_senders_condition_gives_her_the_enhanced_terms_and_others_the_normal_ones(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    double(kit)
    for campaign in ("always", "double"):
        kit.run(rk.LaunchCampaign(campaign))
    buy(kit, "sue")
    codes = {sender: kit.run(rk.GiveReferralCode(sender)).code for sender in ("sue", "tom")}
    offered = {sender: kit.ask(rk.SenderTerms(sender)) for sender in codes}
    assert {sender: terms.sender_reward.properties["amount"] for sender, terms in offered.items()} == {
        "sue": "20.00",
        "tom": "10.00",
    }
    assert [one.campaign for one in offered["tom"].passed_over] == ["double"]
    for sender, code in codes.items():
        kit.run(rk.EnterReferralCode(code, recipient=f"friend of {sender}"))
    clock.advance("1s")
    assert buy(kit, "friend of sue", "friend of tom") == [
        ("friend of sue", "five"),
        ("friend of tom", "five"),
        ("sue", "twenty"),
        ("tom", "ten"),
    ]


def test_a_campaign_needs_an_evergreen_one_for_everybody_who_is_not_in_it(kit: rk.RewardKit) -> None:
    double(kit)

    def refused(command: rk.LaunchCampaign | rk.EndCampaign) -> str:
        answer = kit.attempt(command)
        return answer.code if isinstance(answer, rk.Refused) else ""

    assert refused(rk.LaunchCampaign("double")) == "fallback_missing"
    kit.run(rk.LaunchCampaign("always"))
    assert refused(rk.LaunchCampaign("double")) == ""
    assert refused(rk.EndCampaign("always")) == "fallback_missing"
    terms = kit.ask(rk.SenderTerms("tom"))
    assert (terms.campaign, terms.until) == ("always", None)
    kit.run(rk.EndCampaign("double"))
    assert refused(rk.EndCampaign("always")) == ""


def test_recipients_use_the_senders_same_code_and_keep_the_terms_that_they_entered_on(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    double(kit, start="2026-04-10", end="2026-04-20")
    for campaign in ("always", "double"):
        kit.run(rk.LaunchCampaign(campaign))
    buy(kit, "sue")
    code = kit.run(rk.GiveReferralCode("sue")).code
    entered = {}
    for day in (5, 15, 25):
        clock.set(f"2026-04-{day:02}T12:00:00Z")
        assert kit.run(rk.GiveReferralCode("sue")).code == code
        recipient = f"day {day}"
        entered[recipient] = kit.run(rk.EnterReferralCode(code, recipient=recipient))
    # Afterwards the terms change for whoever enters next, and for nobody who is in.
    kit.run(rk.DefineReferralProgram("friends", "twenty", "twenty", '"Purchase Completed"*2', expires_after="1d"))
    kit.run(rk.DefineReferralProgram("friends-double", "five", "twenty", "Never", expires_after="1d"))
    clock.advance("2d")
    assert buy(kit, *entered) == [
        ("day 15", "five"),
        ("day 25", "five"),
        ("day 5", "five"),
        ("sue", "ten"),
        ("sue", "ten"),
        ("sue", "twenty"),
    ]
    assert {name: one.program for name, one in entered.items()} == {
        "day 5": "friends",
        "day 15": "friends-double",
        "day 25": "friends",
    }
