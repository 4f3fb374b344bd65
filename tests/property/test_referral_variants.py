"""Laws of the variants of referral campaigns: a sender stays with hers, whoever asks, in whatever order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import rewardkit as rk
from rewardkit.core.definitions.draws import chosen
from rewardkit.core.requests.variant import Variant

SENDERS = ("ann", "bob", "cid", "dan", "eve")
NAMES = ("a", "b", "c", "d")
WAYS = ("terms", "preview", "enter", "make")
users = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
weights = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 4), min_size=1).filter(
    lambda found: any(found.values())
)


def variants(found: dict[str, int]) -> tuple[Variant, ...]:
    return tuple(Variant(name, program=name, weight=weight) for name, weight in found.items())


class Shop:
    """A kit whose fallback has variants, each with a program of its name."""

    def __init__(self) -> None:
        self.kit = rk.RewardKit(":memory:", clock=lambda: 1_800_000_000_000_000)
        self.kit.run(rk.DefineReward("five"))
        for name in NAMES:
            self.kit.run(rk.DefineReferralProgram(name, "five", "five", "A"))
        self.entered = 0

    def define(self, found: dict[str, int]) -> None:
        self.kit.run(rk.DefineCampaign("always", variants=variants(found)))
        self.kit.run(rk.LaunchCampaign("always"))

    def ask(self, way: str, sender: str) -> str:
        """The variant that a sender offers, as one of four ways to ask says."""
        self.entered += way in ("enter", "make")
        recipient = f"recipient {self.entered}"
        if way == "terms":
            return self.kit.ask(rk.SenderTerms(sender)).variant
        if way == "preview":
            return self.kit.ask(rk.Preview(sender, "always")).variant
        if way == "make":
            return self.kit.run(rk.MakeReferral("always", sender, recipient)).variant
        code = self.kit.run(rk.GiveReferralCode(sender)).code
        return self.kit.run(rk.EnterReferralCode(code, recipient)).variant


asked = st.lists(st.tuples(st.sampled_from(WAYS), st.sampled_from(SENDERS)), min_size=1, max_size=12)


@settings(deadline=None)
@given(weights, asked, st.randoms(use_true_random=False))
def test_a_sender_offers_one_variant_in_whatever_order_it_is_asked_and_by_whatever_kit(
    found: dict[str, int], questions: list[tuple[str, str]], chance: Any
) -> None:
    other = list(questions)
    chance.shuffle(other)
    answers = []
    for order in (questions, other):
        shop = Shop()
        shop.define(found)
        told: dict[str, set[str]] = {}
        for way, sender in order:
            told.setdefault(sender, set()).add(shop.ask(way, sender))
        answers.append(told)
    assert answers[0] == answers[1]
    assert {1} == {len(names) for names in answers[0].values()}
    assert all(found[name] > 0 for names in answers[0].values() for name in names)


@settings(deadline=None)
@given(st.lists(st.tuples(weights, asked), min_size=2, max_size=5))
def test_whoever_has_referred_stays_with_her_variant_as_long_as_there_is_one_of_that_name(
    history: Sequence[tuple[dict[str, int], list[tuple[str, str]]]],
) -> None:
    shop = Shop()
    has: dict[str, str] = {}
    for found, questions in history:
        shop.define(found)
        for way, sender in questions:
            name = shop.ask(way, sender)
            # What she was drawn for before is hers; else a hash draws, by the weights of now.
            drawn = chosen("always", sender, variants(found)).name
            assert name == (has[sender] if has.get(sender) in found else drawn)
            if way in ("enter", "make"):
                has[sender] = name


@given(users, weights, st.integers(0, 4), st.integers(1, 3))
def test_a_variant_without_weight_moves_nobody_wherever_it_is_put(
    sender: str, found: dict[str, int], place: int, times: int
) -> None:
    known = list(variants(found))
    more = [Variant(f"more {number}", program="a", weight=0) for number in range(times)]
    assert chosen("always", sender, known) == chosen("always", sender, [*known[:place], *more, *known[place:]])


@settings(max_examples=25, deadline=None)
@given(users, weights)
def test_shares_are_near_the_weights(prefix: str, found: dict[str, int]) -> None:
    many, whole = 4_000, sum(found.values())
    shares = Counter(chosen(prefix, f"{prefix} {number}", variants(found)).name for number in range(many))
    for name, weight in found.items():
        share = weight / whole
        # Six standard deviations: no draw of Hypothesis is unlucky enough, and a wrong share of 5 % is noticed.
        assert abs(shares[name] - many * share) <= 6 * (many * share * (1 - share)) ** 0.5


@given(users, st.integers(1, 4), st.integers(1, 4))
def test_more_weight_takes_senders_over_and_gives_none_away(sender: str, weight: int, more: int) -> None:
    before = chosen("always", sender, variants({"a": weight, "b": 2})).name
    after = chosen("always", sender, variants({"a": weight + more, "b": 2})).name
    assume(before == "a")
    assert after == "a"


@pytest.mark.parametrize("found", [{"a": 1, "b": 3}])
def test_a_kit_draws_as_many_senders_as_the_weights_say(found: dict[str, int]) -> None:
    shop = Shop()
    shop.define(found)
    shares = Counter(shop.ask("terms", f"sender {number}") for number in range(800))
    assert {"a", "b"} == set(shares)
    assert abs(shares["a"] - 200) < 74  # six standard deviations
