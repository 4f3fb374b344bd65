"""The life of a referral campaign on every store: looked at, launched, held out of, paused, resumed, ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

SENDERS = tuple(f"sender {number}" for number in range(60))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[rk.RewardKit]:
    texts = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = open_store(texts.get(request.param) or request.getfixturevalue("postgres_dsn"), prefix="rewardkit_")
    store.migrate()
    kit = rk.RewardKit(store, clock=FakeClock())
    for name, amount in (("five", "5.00"), ("ten", "10.00")):
        kit.run(rk.DefineReward(name, {"amount": amount}))
    kit.run(rk.DefineReferralProgram("normal", "five", "five", "A"))
    kit.run(rk.DefineReferralProgram("double", "ten", "five", "A"))
    kit.run(rk.DefineCampaign("normal", program="normal"))
    kit.run(rk.LaunchCampaign("normal"))
    yield kit
    assert violations(snapshot_of(store, "default")) == ()
    store.close()


def refused(kit: rk.RewardKit, command: rk.Command[rk.Referral]) -> str:
    answer = kit.attempt(command)
    assert isinstance(answer, rk.Refused)
    return answer.code


def test_a_campaign_is_looked_at_launched_paused_resumed_and_ended(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineCampaign("double", program="double", sender="P"))
    code = kit.run(rk.GiveReferralCode("sue")).code
    kit.emit("P", user="sue")
    assert {"unlimited_payout", "unlimited_per_sender", "event_never_seen"} == {
        one.code for one in kit.ask(rk.LaunchChecks("double"))
    }
    assert kit.ask(rk.Preview("sue", "double")).would_enter
    assert ["sender"] == [gate.name for gate in kit.ask(rk.Preview("tom", "double")).failed]
    entered = {}
    for number, change in enumerate((rk.LaunchCampaign, rk.PauseCampaign, rk.ResumeCampaign, rk.EndCampaign)):
        kit.run(change("double"))
        entered[f"friend {number}"] = kit.run(rk.EnterReferralCode(code, f"friend {number}")).campaign
    assert ["double", "normal", "double", "normal"] == list(entered.values())
    for friend in entered:
        kit.emit("A", user=friend)
    assert ["five", "five", "ten", "ten"] == sorted(one.reward.name for one in kit.ask(rk.Grants("sue")).items)


def test_who_is_held_out_offers_the_next_always_and_that_is_recorded(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineCampaign("double", program="double", sender="P", holdout="50%"))
    kit.run(rk.LaunchCampaign("double"))
    kit.emit_many([{"name": "P", "user": sender, "id": "1"} for sender in SENDERS])
    offered = {sender: kit.ask(rk.SenderTerms(sender)) for sender in SENDERS}
    out = {sender for sender, terms in offered.items() if terms.campaign == "normal"}
    assert 15 < len(out) < 45
    for sender, terms in list(offered.items())[:12]:
        made = kit.run(rk.EnterReferralCode(kit.run(rk.GiveReferralCode(sender)).code, f"friend of {sender}"))
        assert (terms.campaign, "double" if sender in out else "") == (made.campaign, made.held_out)
        assert kit.ask(rk.Referrals(sender)).items == (made,)
        looked = kit.ask(rk.Preview(sender, "double"))
        assert (["holdout"] if sender in out else []) == [gate.name for gate in looked.failed]
    somebody = min(out)
    assert "she is held out of it, to compare with" == offered[somebody].passed_over[0].reason
    assert "held_out" == refused(kit, rk.MakeReferral("double", somebody, "ann"))
    kit.emit("A", user=f"friend of {somebody}")
    assert {"double"} == {one.held_out for one in kit.ask(rk.Referrals(somebody)).items}


def test_a_campaign_that_holds_some_out_is_nobodys_fallback(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineCampaign("most", program="double", holdout="10%"))
    kit.run(rk.LaunchCampaign("most"))
    assert {"normal": True, "most": False} == {one.name: one.is_fallback for one in kit.ask(rk.ReferralCampaigns())}
    answer = kit.attempt(rk.EndCampaign("normal"))
    assert isinstance(answer, rk.Refused)
    assert "fallback_missing" == answer.code
    offered = {kit.ask(rk.SenderTerms(sender)).campaign for sender in SENDERS}
    assert {"normal", "most"} == offered
