"""Variants of referral campaigns on every store: who offers which program, for how long, and where it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.storage import open_store
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

SENDERS = tuple(f"sender {number}" for number in range(12))


def variants(five: int = 1, ten: int = 1) -> tuple[rk.Variant, ...]:
    return (
        rk.Variant("five", program="fives", weight=five, copy={"name": "$5 each"}),
        rk.Variant("ten", program="tens", weight=ten),
    )


class Shop:
    """A kit with programs of two sizes, and a fallback; recipients have names that nobody had before."""

    def __init__(self, kit: rk.RewardKit, clock: FakeClock) -> None:
        self.kit, self.clock = kit, clock
        for name, amount in (("five", "5.00"), ("ten", "10.00")):
            kit.run(rk.DefineReward(name, {"amount": amount}))
            kit.run(rk.DefineReferralProgram(f"{name}s", name, "five", "A & B", expires_after="10d"))
        kit.run(rk.DefineReferralProgram("normal", "five", "five", "A"))
        self.campaign("normal", program="normal")
        self.codes = {sender: kit.run(rk.GiveReferralCode(sender)).code for sender in SENDERS}
        self._recipients = 0

    def campaign(self, name: str, **terms: Any) -> None:
        self.kit.run(rk.DefineCampaign(name, **terms))
        self.kit.run(rk.LaunchCampaign(name))

    def terms(self, sender: str) -> rk.TermsOffered:
        return self.kit.ask(rk.SenderTerms(sender))

    def offered(self) -> dict[str, str]:
        """The variants that all senders offer."""
        return {sender: self.terms(sender).variant for sender in SENDERS}

    def enter(self, sender: str) -> rk.Referral:
        self._recipients += 1
        return self.kit.run(rk.EnterReferralCode(self.codes[sender], f"recipient {self._recipients}"))

    def refusal(self, command: rk.Command[Any]) -> rk.Refused:
        answer = self.kit.attempt(command)
        assert isinstance(answer, rk.Refused)
        return answer

    def one_of(self, variant: str) -> str:
        """A sender who offers a variant now."""
        return next(sender for sender, found in self.offered().items() if found == variant)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    texts = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = open_store(texts.get(request.param) or request.getfixturevalue("postgres_dsn"), prefix="rewardkit_")
    store.migrate()
    clock = FakeClock("2026-03-10T12:00:00Z")
    yield Shop(rk.RewardKit(store, clock=clock), clock)
    assert violations(snapshot_of(store, "default")) == ()
    store.close()


def test_each_sender_offers_one_of_the_programs_and_always_the_same(shop: Shop) -> None:
    shop.campaign("spring", variants=variants())
    offered = shop.offered()
    assert {"five", "ten"} == set(offered.values())
    for sender in (*SENDERS, *reversed(SENDERS)):
        made = shop.enter(sender)
        assert ("spring", offered[sender], f"{offered[sender]}s") == (made.campaign, made.variant, made.program)
    assert offered == shop.offered()
    listed = shop.kit.ask(rk.Referrals()).items
    assert {(one.sender, one.variant) for one in listed} == set(offered.items())


def test_which_one_follows_from_a_hash_of_campaign_and_sender_that_anybody_can_work_out(shop: Shop) -> None:
    shop.campaign("spring", variants=variants(1, 3))
    for sender, variant in shop.offered().items():
        number = int.from_bytes(blake2b(f"variant\x1fspring\x1f{sender}".encode(), digest_size=8).digest(), "big")
        assert ("five" if number * 4 >> 64 < 1 else "ten") == variant


def test_the_sender_earns_by_her_variant_and_texts_are_its_own_over_the_campaigns(shop: Shop) -> None:
    shop.campaign("spring", variants=variants(), copy={"name": "Bring them", "color": "green"})
    names = {"five": "$5 each", "ten": "Bring them"}
    for variant, name in names.items():
        sender = shop.one_of(variant)
        terms = shop.terms(sender)
        assert (f"{variant}s", variant) == (terms.program, terms.sender_reward.name)
        assert {"name": name, "color": "green"} == terms.copy
        made = shop.enter(sender)
        shop.kit.emit("A", user=made.recipient)
        earned = {one.user: one.reward for one in shop.kit.emit("B", user=made.recipient).earned}
        assert {sender: variant, made.recipient: "five"} == earned


@pytest.mark.parametrize("weights", [(1, 0), (0, 1), (9, 1)])
def test_other_weights_move_nobody_who_has_referred(shop: Shop, weights: tuple[int, int]) -> None:
    shop.campaign("spring", variants=variants())
    before = shop.offered()
    half = SENDERS[::2]
    for sender in half:
        shop.enter(sender)
    shop.campaign("spring", variants=variants(*weights))
    after = shop.offered()
    assert {sender: before[sender] for sender in half} == {sender: after[sender] for sender in half}
    fresh = {after[sender] for sender in SENDERS[1::2]}
    assert 0 not in weights or {"five" if weights[0] else "ten"} == fresh
    for sender in SENDERS:
        assert after[sender] == shop.enter(sender).variant
    # Those are in by now, too.
    shop.campaign("spring", variants=variants())
    assert after == shop.offered()


def test_a_variant_that_takes_no_new_ones_keeps_those_that_it_has(shop: Shop) -> None:
    shop.campaign("spring", variants=variants(1, 0))
    shop.enter("sender 0")
    shop.campaign("spring", variants=variants(0, 1))
    assert {"sender 0": "five"} | dict.fromkeys(SENDERS[1:], "ten") == shop.offered()
    assert "five" == shop.enter("sender 0").variant


def test_a_variant_that_is_gone_has_its_senders_drawn_anew_and_one_that_comes_back_moves_nobody(shop: Shop) -> None:
    shop.campaign("spring", variants=variants(1, 0))
    shop.enter("sender 0")
    shop.enter("sender 1")
    shop.campaign("spring", variants=(rk.Variant("ten", program="tens"),))
    assert ["ten"] * 12 == list(shop.offered().values())
    shop.enter("sender 0")
    shop.campaign("spring", variants=variants(1, 0))
    assert ["ten", "five", "five"] == [shop.offered()[sender] for sender in SENDERS[:3]]
    shop.campaign("spring", program="normal")
    made = shop.enter("sender 0")
    assert ("normal", "") == (made.program, made.variant)
    shop.campaign("spring", variants=variants(1, 0))
    assert "ten" == shop.terms("sender 0").variant


def test_a_fallback_with_variants_gives_terms_to_everybody(shop: Shop) -> None:
    shop.campaign("spring", program="normal", sender="P")
    shop.campaign("normal", variants=variants())
    assert {"five", "ten"} == set(shop.offered().values())
    listed = {one.name: (one.is_fallback, one.program, one.variants) for one in shop.kit.ask(rk.ReferralCampaigns())}
    assert {"normal": (True, "", ("five", "ten")), "spring": (False, "normal", ())} == listed
    shop.kit.emit("P", user="sender 0")
    assert ("spring", "") == (shop.terms("sender 0").campaign, shop.terms("sender 0").variant)


def test_who_is_held_out_offers_a_variant_of_the_fallback(shop: Shop) -> None:
    shop.campaign("normal", variants=variants())
    shop.campaign("spring", program="normal", holdout="50%")
    out = [sender for sender in SENDERS if shop.terms(sender).campaign == "normal"]
    made = shop.enter(out[0])
    assert ("normal", "spring", shop.terms(out[0]).variant) == (made.campaign, made.held_out, made.variant)
    assert made.variant in ("five", "ten")


def test_a_cap_counts_all_variants_together_and_where_it_is_full_she_offers_the_next(shop: Shop) -> None:
    shop.campaign("normal", variants=variants())
    shop.campaign("spring", variants=variants(1, 0), cap=2)
    assert ["spring", "spring", "normal"] == [shop.enter(sender).campaign for sender in SENDERS[:3]]
    shop.campaign("spring", variants=variants(0, 1), cap=9)
    # Whoever found no place is not in yet.
    assert ["five", "five", "ten"] == [shop.enter(sender).variant for sender in SENDERS[:3]]


def test_a_recipient_follows_one_invitation_whatever_variant_it_was(shop: Shop) -> None:
    shop.campaign("spring", variants=variants())
    five, ten = shop.one_of("five"), shop.one_of("ten")
    made = shop.enter(five)
    refused = shop.refusal(rk.EnterReferralCode(shop.codes[ten], made.recipient))
    assert ("already_referred", "fives") == (refused.code, refused.facts["program"])
    assert "already_referred" == shop.refusal(rk.MakeReferral("spring", ten, made.recipient)).code
    assert "already_referred" == shop.refusal(rk.MakeReferral("fives", ten, made.recipient)).code
    # A program by itself stands beside what campaigns chose, as ever.
    beside = shop.kit.run(rk.MakeReferral("tens", ten, made.recipient))
    assert ("tens", "", "") == (beside.program, beside.campaign, beside.variant)


def test_a_direct_referral_in_a_campaign_is_made_by_the_senders_variant(shop: Shop) -> None:
    shop.campaign("spring", variants=variants())
    sender = shop.one_of("ten")
    made = shop.kit.run(rk.MakeReferral("spring", sender, "ann"))
    assert ("spring", "tens", "ten") == (made.campaign, made.program, made.variant)
    shop.campaign("spring", variants=variants(1, 0))
    assert "ten" == shop.terms(sender).variant


def test_a_referral_keeps_its_variant_whatever_happens_to_it(shop: Shop) -> None:
    shop.campaign("spring", variants=variants(), cap=50)
    first, second, third = (shop.enter(sender) for sender in SENDERS[:3])
    shop.campaign("spring", variants=(rk.Variant("other", program="normal"),))
    shop.clock.set("2026-03-11T12:00:00Z")
    shop.kit.emit("B", user=second.recipient)
    shop.kit.emit("C", user=second.recipient)
    shop.kit.emit("A", user=second.recipient, at="2026-03-10T13:00:00Z")  # late, and folded anew
    voided = shop.kit.run(rk.VoidReferral(first.id, reason="by mistake"))
    assert (first.variant, "voided") == (voided.variant, voided.status)
    shop.clock.set("2026-03-20T12:00:00Z")
    shop.kit.run_due()
    found = {one.id: (one.variant, one.status) for one in shop.kit.ask(rk.Referrals()).items}
    assert {
        first.id: (first.variant, "voided"),
        second.id: (second.variant, "completed"),
        third.id: (third.variant, "expired"),
    } == found


def test_a_referral_that_is_folded_anew_keeps_its_variant_up_to_its_end(shop: Shop) -> None:
    shop.campaign("spring", variants=variants())
    made = shop.enter("sender 0")
    shop.clock.set("2026-03-11T12:00:00Z")
    shop.kit.emit("A", user=made.recipient)
    shop.kit.emit("A", user=made.recipient, at="2026-03-10T13:00:00Z")  # late, and still to be completed
    shop.kit.emit("B", user=made.recipient)
    told = [json.loads(notice.body) for notice in shop.kit.ask(rk.Notices()).items]
    assert [made.variant] == [body["variant"] for body in told if body["kind"] == "referral.ended"]


def test_a_sender_whose_row_is_brought_up_to_date_for_her_first_referral_keeps_her_variant(shop: Shop) -> None:
    for sender in SENDERS:
        shop.kit.emit("P", user=sender)
    shop.campaign("spring", variants=variants(1, 0), sender="P")
    for sender in SENDERS:
        assert "five" == shop.enter(sender).variant
    shop.campaign("spring", variants=variants(0, 1), sender="P")
    assert {"five"} == set(shop.offered().values())


def test_notices_and_explanations_name_the_variant(shop: Shop) -> None:
    shop.campaign("spring", variants=variants())
    sender = shop.one_of("five")
    made = shop.enter(sender)
    shop.kit.emit("A", user=made.recipient)
    shop.kit.emit("B", user=made.recipient)
    told = [json.loads(notice.body) for notice in shop.kit.ask(rk.Notices()).items]
    about = {body["kind"]: body["variant"] for body in told if body["kind"].startswith("referral.")}
    assert {"referral.made": "five", "referral.ended": "five"} == about
    for grant in shop.kit.ask(rk.Grants()).items:
        assert "five" == shop.kit.ask(rk.Explain(grant.id)).variant


def test_a_preview_says_which_variant_she_would_offer(shop: Shop) -> None:
    shop.kit.run(rk.DefineCampaign("spring", variants=variants(), copy={"name": "Bring them"}, holdout="50%"))
    drafts = {sender: shop.kit.ask(rk.Preview(sender, "spring")) for sender in SENDERS}
    shop.kit.run(rk.LaunchCampaign("spring"))
    for sender, looked in drafts.items():
        assert (f"{looked.variant}s", "") == (looked.program, looked.offer)
        assert {"amount": "5.00" if looked.variant == "five" else "10.00"} == looked.reward
        assert {"name": "$5 each" if looked.variant == "five" else "Bring them"} == looked.copy
        assert (looked.variant if looked.would_enter else "") == shop.terms(sender).variant
    sender = next(sender for sender, looked in drafts.items() if looked.would_enter)
    shop.enter(sender)
    shop.campaign("spring", variants=variants(0, 1) if drafts[sender].variant == "five" else variants(1, 0))
    assert drafts[sender].variant == shop.kit.ask(rk.Preview(sender, "spring")).variant


def test_launch_checks_look_at_every_program_and_tell_what_the_dearest_costs(shop: Shop) -> None:
    shop.kit.run(
        rk.DefineReferralProgram("capped", "ten", "five", "D | !E", sender_cap=3, acknowledge=["RK201", "RK206"])
    )
    both = (*variants(), rk.Variant("capped", program="capped", weight=0))
    shop.kit.run(rk.DefineCampaign("spring", variants=both, cap=10))
    found = [(one.code, one.message) for one in shop.kit.ask(rk.LaunchChecks("spring"))]
    assert ("worst_case_cost", "it costs at most 150.00, by 10 referrals of up to 15.00 each") in found
    assert ("worst_case_per_sender", "one sender earns at most 30.00, by 3 referrals of program `capped`") in found
    unbounded = sorted(message for code, message in found if code == "unlimited_per_sender")
    assert [
        "nothing bounds what one sender earns: program `fives` has no cap",
        "nothing bounds what one sender earns: program `tens` has no cap",
    ] == unbounded
    unseen = {message for code, message in found if code == "event_never_seen"}
    assert {f"event `{name}` has never been recorded" for name in "ABDE"} == unseen


def test_a_report_tells_what_came_of_each_variant(shop: Shop) -> None:
    shop.campaign("spring", program="normal", end="2026-12-31")
    shop.enter("sender 0")
    shop.campaign("spring", variants=(*variants(), rk.Variant("later", program="fives", weight=0)), end="2026-12-31")
    made = [shop.enter(sender) for sender in SENDERS for _ in range(2)]
    done = made[::3]
    shop.clock.set("2026-03-10T13:00:00Z")
    for one in done:
        shop.kit.emit("A", user=one.recipient)
        shop.kit.emit("B", user=one.recipient)
    lost = next(one for one in made if one.variant == "ten" and one not in done)
    shop.kit.run(rk.VoidReferral(lost.id, reason="by mistake"))
    found = shop.kit.ask(rk.ReferralReport(campaign="spring"))
    assert (25, 8) == (found.opened, found.completed)
    before, five, ten, later = found.variants
    assert ["", "five", "ten", "later"] == [before.variant, five.variant, ten.variant, later.variant]
    for told, price in ((five, 5), (ten, 10)):
        mine = [one for one in made if one.variant == told.variant]
        completed = len([one for one in done if one.variant == told.variant])
        voided = int(told is ten)
        assert (len(mine), completed, voided) == (told.opened, told.completed, told.voided)
        assert len(mine) - completed - voided == told.open
        assert (len({one.sender for one in mine}), len(mine)) == (told.senders.senders, told.senders.opened)
        assert told.conversion == completed / len(mine)
        assert told.senders.low is not None
        assert told.senders.high is not None
        assert told.senders.low < told.conversion < told.senders.high
        assert told.time_to_complete is not None
        assert (completed, 3_600) == (told.time_to_complete.count, told.time_to_complete.median.total_seconds())
        assert completed * price == told.sender_side.costs[0].promised
        assert completed * 5 == told.recipient_side.costs[0].promised
    assert (1, 0, 1) == (before.opened, before.completed, before.senders.senders)
    assert (0, None, None) == (later.opened, later.conversion, later.time_to_complete)
    assert (0, None, None) == (later.senders.senders, later.senders.low, later.senders.high)
    assert () == shop.kit.ask(rk.ReferralReport(campaign="normal")).variants
    of_fives = shop.kit.ask(rk.ReferralReport("fives", campaign="spring"))
    assert [five.opened, 0, 0] == [one.opened for one in of_fives.variants]
    assert () == shop.kit.ask(rk.ReferralReport("fives")).variants


def test_kits_of_other_processes_that_never_met_offer_the_same(shop: Shop) -> None:
    shop.campaign("spring", variants=variants(2, 3))
    other = Shop(rk.RewardKit(":memory:", clock=shop.clock), shop.clock)
    other.campaign("spring", variants=variants(2, 3))
    other.enter("sender 3")
    assert shop.offered() == other.offered()


def test_a_sender_who_has_done_much_keeps_her_variant_when_her_events_are_folded_anew(shop: Shop) -> None:
    shop.campaign("spring", variants=variants(), sender="P")
    for sender in SENDERS:
        shop.kit.emit("P", user=sender)
    before = shop.offered()
    for sender in SENDERS:
        shop.enter(sender)
    shop.campaign("summer", program="normal", sender="Q & P", priority=-1)
    shop.campaign("spring", variants=(*variants(9, 0), rk.Variant("more", program="tens", weight=90)), sender="P")
    shop.clock.set("2026-03-12T12:00:00Z")
    for sender in SENDERS:
        shop.kit.emit("Q", user=sender, at="2026-03-09T12:00:00Z")
    assert before == shop.offered()


@pytest.mark.parametrize(
    "terms, message",
    [
        ({"program": "fives", "variants": variants()}, "campaign `spring` offers one referral program: pass `program`"),
        ({"variants": (rk.Variant("a", "disc"), rk.Variant("b", program="fives"))}, "variants.a.offer is of campaigns"),
        ({"variants": (rk.Variant("a", "disc", program="fives"),)}, "variants.a.offer is of campaigns with offers"),
        ({"variants": (rk.Variant("a"), rk.Variant("b", program="fives"))}, "variants.a.program is missing"),
        ({"program": "fives", "variants": (rk.Variant("a", "disc"),)}, "variants.a.offer is of campaigns with offers"),
        ({"offer": "disc", "variants": variants()}, "offer is of campaigns with offers, and `spring` is one with a"),
        ({"variants": variants(0, 0)}, "variants need a weight above 0"),
        ({"variants": (rk.Variant("a"),)}, "variants.a.offer is missing: each variant has one `offer`"),
        ({"variants": (rk.Variant("a", "disc"),), "sender": "P"}, "sender is of campaigns with a referral program"),
    ],
)
def test_what_variants_cannot_be_is_refused_with_the_reason(shop: Shop, terms: dict[str, Any], message: str) -> None:
    with pytest.raises(rk.ValidationError) as refused:
        shop.kit.run(rk.DefineCampaign("spring", **terms))
    assert str(refused.value).startswith(message)


def test_a_program_that_is_not_there_is_named_with_those_that_are(shop: Shop) -> None:
    wrong = (*variants(), rk.Variant("more", program="fivess"))
    refused = shop.refusal(rk.DefineCampaign("spring", variants=wrong))
    assert "referral_program_unknown" == refused.code
    assert "`fivess`" in str(refused)
    assert "`fives`" in str(refused)


def test_a_name_stays_with_its_kind(shop: Shop) -> None:
    shop.kit.run(rk.DefineOffer("disc", "five", "A"))
    shop.kit.run(rk.DefineCampaign("offers", variants=(rk.Variant("a", "disc"),)))
    assert "campaign_of_other_kind" == shop.refusal(rk.DefineCampaign("offers", variants=variants())).code
    shop.kit.run(rk.DefineCampaign("spring", variants=variants()))
    assert (
        "campaign_of_other_kind" == shop.refusal(rk.DefineCampaign("spring", variants=(rk.Variant("a", "disc"),))).code
    )
