"""The evidence of a grant, rebuilt from stored events: which versions, which events, at which instants."""

from __future__ import annotations

from datetime import timedelta

import pytest

import rewardkit as rk
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.desk import Desk


def shop(condition: str, *, entry: str | None = '"Signed Up"') -> tuple[rk.RewardKit, FakeClock]:
    clock = FakeClock()
    kit = rk.RewardKit(clock=clock)
    kit.run(rk.DefineReward("disc", {"sku": "CD-1"}))
    kit.run(rk.DefineOffer("third", "disc", condition))
    kit.run(rk.DefineCampaign("spring", variants=(rk.Variant("plain", "third"),), entry=entry))
    kit.run(rk.LaunchCampaign("spring"))
    return kit, clock


def test_the_evidence_names_versions_events_and_instants() -> None:
    kit, clock = shop("Purchase[amount > 10]*2")
    signed = kit.emit("Signed Up", user="amanda", id="s", properties={"via": "ad"}).entered[0]
    for number, amount in enumerate((50, 5, 60)):
        clock.advance("1d")
        recorded = kit.emit("Purchase", user="amanda", id=f"p{number}", properties={"amount": amount})
    grant = recorded.earned[0].grant

    found = kit.explain(grant)

    assert (found.condition, found.event_ids) == ("Purchase[amount > 10]*2", ("p0", "p2"))
    assert found.earned.upheld
    assert found.earned.decided_at == found.grant.earned_at == clock.now
    assert [(event.id, event.properties["amount"]) for event in found.earned.events] == [("p0", 50), ("p2", 60)]
    assert (found.deciding_event, found.made_at) == ("p2", signed.made_at)
    assert (found.grant.campaign, found.campaign_version, found.variant) == ("spring", 2, "plain")
    assert found.entered is not None
    assert (found.entered.condition, [event.id for event in found.entered.events]) == ('"Signed Up"', ["s"])
    assert found.entered.decided_at == signed.made_at


def test_later_definitions_change_no_evidence() -> None:
    kit, _ = shop("Purchase")
    kit.emit("Signed Up", user="amanda")
    grant = kit.emit("Purchase", user="amanda", id="p", at=FakeClock().now + timedelta(seconds=1)).earned[0].grant
    before = kit.explain(grant)
    kit.run(rk.DefineOffer("third", "disc", "Refund*9"))
    kit.run(rk.DefineCampaign("spring", "third", entry="Returned"))
    kit.run(rk.EndCampaign("spring"))
    kit.emit("Refund", user="amanda")
    assert kit.explain(grant) == before


def test_what_time_has_decided_names_no_event() -> None:
    kit, clock = shop("Purchase then no Refund within 14d")
    kit.emit("Signed Up", user="amanda")
    clock.advance("1h")
    kit.emit("Purchase", user="amanda", id="p")
    clock.advance("20d")
    (earned,) = kit.run_due().earned
    found = kit.explain(earned.grant)
    assert (found.deciding_event, found.event_ids) == ("", ("p",))
    assert found.earned.decided_at == earned.earned_at
    assert "no `Refund`" in " ".join(found.sentences)


def test_an_offer_that_was_made_directly_has_no_evidence_of_an_entry() -> None:
    kit, clock = shop("Purchase")
    kit.run(rk.MakeOffer("spring", "amanda"))
    clock.advance("1s")
    grant = kit.emit("Purchase", user="amanda").earned[0].grant
    assert kit.explain(grant).entered is None


def test_an_event_that_came_too_late_contradicts_what_stands() -> None:
    kit, clock = shop("Purchase then no Refund within 14d")
    kit.emit("Signed Up", user="amanda")
    clock.advance("1h")
    kit.emit("Purchase", user="amanda", id="p")
    refunded_at = clock.advance("1d")
    clock.advance("20d")
    (earned,) = kit.run_due().earned
    assert kit.explain(earned.grant).earned.upheld
    (late,) = kit.emit("Refund", user="amanda", id="r", at=refunded_at).late
    assert late.event_id == "r"
    found = kit.explain(earned.grant)
    assert not found.earned.upheld
    assert found.grant.status == "ready"


def test_the_evidence_tells_what_has_happened_since() -> None:
    desk = Desk(hold="1d")
    grant = desk.earn()
    desk.clock.advance("1d")
    desk.kit.run_due()
    desk.kit.run(rk.FulfilGrant(grant))
    desk.kit.run(rk.ReverseGrant(grant, "refunded", by="ann"))
    steps = desk.kit.explain(grant).steps
    assert [step.move for step in steps] == ["earn", "release", "fulfil", "reverse"]
    assert steps == desk.kit.ask(rk.GrantHistory(grant))


def test_both_sides_of_a_referral_are_proved_by_what_the_recipient_did() -> None:
    desk = Desk()
    desk.kit.run(rk.DefineReferralProgram("friends", "cash", "cash", "Purchase*2"))
    referral = desk.kit.run(rk.MakeReferral("friends", "sue", "amanda"))
    for number in (1, 2):
        desk.clock.advance("1d")
        recorded = desk.kit.emit("Purchase", user="amanda", id=f"p{number}")
    assert len(recorded.earned) == 2
    for earned in recorded.earned:
        found = desk.kit.explain(earned.grant)
        assert (found.event_ids, found.deciding_event) == (("p1", "p2"), "p2")
        assert found.made_at == referral.made_at
        assert found.earned.upheld


def test_a_grant_that_is_not_there_has_no_evidence() -> None:
    desk = Desk()
    for query in (rk.Explain("gr_none"), rk.GrantHistory("gr_none")):
        with pytest.raises(rk.Refused, match="grant_unknown"):
            desk.kit.ask(query)
