"""What a store promises about counting for reports."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rewardkit.core.storing.rows import GrantRow, UserOfferRow
from rewardkit.core.tracking.needs import (
    DEEPEST,
    ChainInto,
    Referred,
    TallyCompleting,
    TallyDepths,
    TallyEarning,
    TallyGrants,
    TallyOffers,
    TallyReferrals,
    TallySenders,
    TallySides,
    TallySpread,
    TallyTerms,
    TallyUsers,
    TallyVariantSides,
    TallyVariantSpreads,
)
from rewardkit.core.tracking.tallies import (
    DepthTally,
    GrantTally,
    LengthTally,
    OfferTally,
    ReferralTally,
    SenderTally,
    SpreadTally,
    TermsTally,
    UserTally,
)
from rewardkit.ports import Store
from rewardkit.testing.rows import grant, referral, user_offer
from rewardkit.testing.steps import ask, put

FRIENDS = Referred("friends", None)


class StoreTracking:
    """Part of `StoreContract`."""

    def test_user_offers_are_counted_by_variant_status_and_whether_their_time_is_over(self, store: Store) -> None:
        put(
            store,
            _made("a"),
            _made("b", ends_at=5),
            _made("c", ends_at=6),
            _made("d", "held_out", ends_at=5),
            _made("e", "earned", ends_at=5),
            _made("f", variant="é 'x'"),
            _made("g", campaign="autumn"),
        )
        put(store, _made("a"), tenant="other")
        assert ask(store, TallyOffers("spring", 5)) == (
            OfferTally("", "active", 0, 2),
            OfferTally("", "active", 1, 1),
            OfferTally("", "earned", 0, 1),
            OfferTally("", "held_out", 1, 1),
            OfferTally("é 'x'", "active", 0, 1),
        )
        assert ask(store, TallyOffers("winter", 5)) == ()

    def test_users_are_counted_once_however_often_they_entered(self, store: Store) -> None:
        put(
            store,
            _made("a", "earned", user="ann"),
            _made("b", "expired", user="ann", entry=2),
            _made("c", "earned", user="ann", entry=3, variant="x"),
            _made("d", "active", user="bob"),
            _made("e", "capped", user="cid"),
            _made("f", "converted", user="dan"),
            _made("g", "held_out", user="dan", entry=2),
            _made("h", "lapsed", user="eve"),
            _made("i", "cancelled", user="fay"),
        )
        assert ask(store, TallyUsers("spring", by_variant=False)) == (UserTally("", 0, 3, 1), UserTally("", 1, 2, 1))
        assert ask(store, TallyUsers("spring", by_variant=True)) == (
            UserTally("", 0, 3, 1),
            UserTally("", 1, 2, 1),
            UserTally("x", 0, 1, 1),
        )

    def test_lengths_are_given_at_the_places_of_the_nearest_rank(self, store: Store) -> None:
        rows = [_made(f"{length}", "earned", made_at=10, ended_at=10 + length, variant="x") for length in range(1, 11)]
        put(store, *rows, _made("one", "earned", made_at=7, ended_at=7), _made("b", "expired", ended_at=1_000))
        assert ask(store, TallyEarning("spring", by_variant=True)) == (
            LengthTally("", 1, 1, 0),
            *(LengthTally("x", 10, place, place) for place in (1, 3, 5, 8, 9, 10)),
        )
        together = ask(store, TallyEarning("spring", by_variant=False))
        assert [(row.number, row.place, row.length) for row in together] == [
            (11, 1, 0), (11, 3, 2), (11, 6, 5), (11, 9, 8), (11, 10, 9), (11, 11, 10),
        ]  # fmt: skip
        assert ask(store, TallyEarning("winter", by_variant=True)) == ()

    def test_grants_are_counted_with_the_variant_of_their_offers_and_the_exact_sum_taken_back(
        self, store: Store
    ) -> None:
        put(store, _made("x", "earned", variant="x"), _made("y", "earned"))
        greatest = "9" * 38 + "." + "9" * 18
        taken = ["", greatest, greatest, "0.000000000000000001", "1.5", "20"]
        put(store, *(_earned(f"{number}", "x", reversed=text) for number, text in enumerate(taken)))
        put(store, _earned("y", "y", status="fulfilled"), _earned("z", "y", campaign="autumn"))
        put(store, _earned("s", "", referral="r1", side="sender"))
        expected = 2 * int(greatest.replace(".", "")) + 1 + 15 * 10**17 + 20 * 10**18
        assert ask(store, TallyGrants("spring")) == (
            GrantTally("", "gold", 1, "fulfilled", 1, Decimal(0)),
            GrantTally("x", "gold", 1, "ready", 6, Decimal(f"{expected}E-18")),
        )

    def test_referrals_are_counted_by_status_and_whether_their_time_is_over(self, store: Store) -> None:
        ended = referral("c", "cid")._replace(status="completed", ended_at=9, sender_reward="capped")
        put(
            store,
            referral("a", "ann")._replace(ends_at=5),
            referral("b", "bob")._replace(ends_at=6),
            ended,
            referral("d", "ann", program="firms"),
            referral("e", "dan")._replace(campaign="may"),
        )
        assert ask(store, TallyReferrals(FRIENDS, 5)) == (
            ReferralTally("completed", "capped", 0, 1),
            ReferralTally("open", "", 0, 2),
            ReferralTally("open", "", 1, 1),
        )
        assert ask(store, TallyReferrals(Referred(None, "may"), 5)) == (ReferralTally("open", "", 0, 1),)
        assert ask(store, TallyReferrals(Referred("firms", "may"), 5)) == ()
        made = ended.made_at
        assert ask(store, TallyCompleting(FRIENDS)) == (LengthTally("", 1, 1, 9 - made),)

    def test_senders_are_counted_the_most_successful_first(self, store: Store) -> None:
        put(
            store,
            referral("a", "ann", sender="sue"),
            referral("b", "bob", sender="sue"),
            referral("c", "cid", sender="tim"),
            referral("d", "dan", sender="uma")._replace(status="completed", sender_reward="capped"),
            referral("e", "eve", sender="val")._replace(status="completed", sender_reward="granted"),
        )
        expected = (
            SenderTally("uma", 1, 1, 0, 4),
            SenderTally("val", 1, 1, 1, 4),
            SenderTally("sue", 2, 0, 0, 4),
            SenderTally("tim", 1, 0, 0, 4),
        )
        assert ask(store, TallySenders(FRIENDS, 9)) == expected
        assert ask(store, TallySenders(FRIENDS, 2)) == expected[:2]
        assert ask(store, TallySenders(Referred("none", None), 2)) == ()

    def test_referrals_of_senders_held_out_are_counted_with_how_they_are_spread(self, store: Store) -> None:
        put(
            store,
            referral("a", "ann", sender="sue", status="completed")._replace(held_out="may"),
            referral("b", "bob", sender="sue", status="completed")._replace(held_out="may"),
            referral("c", "cid", sender="sue", status="voided")._replace(held_out="may"),
            referral("d", "dan", sender="tim")._replace(held_out="may", program_version=2),
            referral("e", "eve", sender="tim", program="firms", status="expired")._replace(held_out="may"),
            referral("f", "fay", sender="sue")._replace(campaign="may"),
            referral("g", "gil", sender="sue")._replace(campaign="may", held_out="june"),
        )
        put(store, referral("h", "hal", sender="tim")._replace(held_out="may"), tenant="other")
        held_out = Referred(None, None, "may")
        assert ask(store, TallySpread(held_out)) == SpreadTally(2, 5, 2, 1, 1, 9 + 4, 4, 3 * 2)
        assert ask(store, TallyTerms(held_out)) == (
            TermsTally("firms", 1, 1),
            TermsTally("friends", 1, 3),
            TermsTally("friends", 2, 1),
        )
        assert ask(store, TallySpread(Referred(None, "may", ""))) == SpreadTally(1, 1, 0, 1, 0, 1, 0, 0)
        assert ask(store, TallySpread(Referred(None, "may"))) == SpreadTally(1, 2, 0, 2, 0, 4, 0, 0)
        assert ask(store, TallySpread(Referred(None, None, "july"))) == SpreadTally(0, 0, 0, 0, 0, 0, 0, 0)
        assert ask(store, TallyTerms(Referred(None, None, "july"))) == ()
        assert ask(store, TallyReferrals(Referred("firms", None, "may"), 5)) == (ReferralTally("expired", "", 0, 1),)

    def test_referrals_are_counted_by_the_variant_of_their_campaign(self, store: Store) -> None:
        done = referral("a", "ann", status="completed")._replace(ended_at=1_007, sender_reward="granted")
        done = done._replace(campaign="may", variant="x")
        put(
            store,
            done._replace(sender="sue"),
            referral("b", "bob", sender="sue")._replace(campaign="may", variant="x"),
            done._replace(id="c", recipient="cid", sender="tim", ended_at=1_003),
            referral("d", "dan", sender="uma", status="voided")._replace(campaign="may", variant="é 'y'"),
            referral("e", "eve", sender="uma")._replace(campaign="may"),
            referral("f", "fay", sender="sue", program="firms")._replace(campaign="may", variant="x"),
            referral("g", "gil", sender="sue")._replace(campaign="june", variant="x"),
        )
        of = Referred("friends", "may")
        assert ask(store, TallyReferrals(of, 5)) == (
            ReferralTally("completed", "granted", 0, 2, "x"),
            ReferralTally("open", "", 0, 1, ""),
            ReferralTally("open", "", 0, 1, "x"),
            ReferralTally("voided", "", 0, 1, "é 'y'"),
        )
        assert ask(store, TallyVariantSpreads(of)) == (
            SpreadTally(1, 1, 0, 1, 0, 1, 0, 0, ""),
            SpreadTally(2, 3, 2, 1, 0, 4 + 1, 1 + 1, 2 + 1, "x"),
            SpreadTally(1, 1, 0, 0, 1, 1, 0, 0, "é 'y'"),
        )
        assert ask(store, TallyCompleting(of, by_variant=True)) == (
            LengthTally("x", 2, 1, 3),
            LengthTally("x", 2, 2, 7),
        )
        assert [row.variant for row in ask(store, TallyCompleting(of))] == ["", ""]
        assert ask(store, TallyVariantSpreads(Referred(None, "july"))) == ()

    def test_grants_of_one_side_are_counted_by_variant(self, store: Store) -> None:
        for id_, variant, campaign in (("r1", "x", "may"), ("r2", "y", "may"), ("r3", "x", "june")):
            put(store, referral(id_, f"to {id_}")._replace(campaign=campaign, variant=variant))
            for side in ("sender", "recipient"):
                both = {"referral": id_, "user_offer": "", "offer": "friends", "campaign": campaign}
                put(store, _earned(f"{side} {id_}", "", **both, side=side, reversed="2.50" if id_ == "r2" else ""))
        put(store, _earned("d", "offer", campaign="may", offer="friends"))
        assert ask(store, TallyVariantSides(Referred(None, "may"), "sender")) == (
            GrantTally("x", "gold", 1, "ready", 1, Decimal(0)),
            GrantTally("y", "gold", 1, "ready", 1, Decimal("2.5")),
        )
        assert len(ask(store, TallyVariantSides(FRIENDS, "recipient"))) == 2
        assert ask(store, TallyVariantSides(Referred("firms", "may"), "recipient")) == ()

    def test_grants_of_referrals_are_counted_by_side(self, store: Store) -> None:
        both = {"referral": "r1", "user_offer": "", "offer": "friends"}
        put(
            store,
            _earned("a", "", **both, side="sender", reversed="2.50"),
            _earned("b", "", **both, side="recipient", campaign="may"),
            _earned("c", "", **both | {"offer": "firms"}, side="recipient"),
            _earned("d", "offer", campaign="may", offer="friends"),
        )
        assert ask(store, TallySides(FRIENDS)) == (
            GrantTally("recipient", "gold", 1, "ready", 1, Decimal(0)),
            GrantTally("sender", "gold", 1, "ready", 1, Decimal("2.5")),
        )
        assert [row.group for row in ask(store, TallySides(Referred("friends", "may")))] == ["recipient"]

    def test_chains_are_counted_by_depth_and_circles_are_in_none(self, store: Store) -> None:
        pairs = ["s>a", "s>b", "a>c", "c>d", "t>e", "x>y", "y>z", "z>x", "z>w"]
        put(store, *(referral(pair, pair[2], sender=pair[0]) for pair in pairs))
        put(store, referral("c>s", "s", sender="c", program="firms"))
        put(store, referral("d>f", "f", sender="d")._replace(status="completed"))
        assert ask(store, TallyDepths(FRIENDS)) == (
            DepthTally(1, 3, 0, "a"),
            DepthTally(2, 1, 0, "c"),
            DepthTally(3, 1, 0, "d"),
            DepthTally(4, 1, 1, "f"),
        )
        assert ask(store, ChainInto(FRIENDS, "f")) == ("s", "a", "c", "d", "f")
        assert ask(store, ChainInto(FRIENDS, "s")) == ()
        assert ask(store, ChainInto(Referred("firms", None), "s")) == ("c", "s")

    @pytest.mark.parametrize("more", [0, 5])
    def test_chains_are_followed_down_to_a_limit(self, store: Store, more: int) -> None:
        names = [f"u{number:03d}" for number in range(DEEPEST + more + 1)]
        put(store, *(referral(names[n], names[n], sender=names[n - 1]) for n in range(1, len(names))))
        depths = ask(store, TallyDepths(FRIENDS))
        assert [(row.depth, row.opened) for row in depths] == [(depth, 1) for depth in range(1, DEEPEST + 1)]
        assert ask(store, ChainInto(FRIENDS, names[-1])) == tuple(names[more:])


def _made(
    id: str,
    status: str = "active",
    *,
    user: str = "",
    campaign: str = "spring",
    variant: str = "",
    entry: int = 1,
    made_at: int = 1,
    ends_at: int | None = None,
    ended_at: int | None = None,
) -> UserOfferRow:
    row = user_offer(id, user or id, campaign=campaign, entry=entry, status=status, made_at=made_at)
    ended = made_at if status == "earned" and ended_at is None else ended_at
    return row._replace(variant=variant, ends_at=ends_at, ended_at=ended)


def _earned(id: str, offer_id: str, *, status: str = "ready", **columns: str) -> GrantRow:
    return grant(id, status=status)._replace(**{"user_offer": offer_id} | columns)  # type: ignore[arg-type]
