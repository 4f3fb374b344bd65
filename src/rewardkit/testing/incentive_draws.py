"""Definitions for random histories of offers, referrals and campaigns, as strategies that shrink.

Spans are seconds and a few names mean everything, so that deadlines, ties, late events and expiries meet all the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from hypothesis import strategies as st

from rewardkit.core.referrals.commands import DefineReferralProgram
from rewardkit.core.requests.commands import DefineCampaign, DefineOffer, DefineReward
from rewardkit.core.requests.variant import Variant
from rewardkit.language.event import Instant
from rewardkit.testing.random_commands import AUDIENCES, COMPLETIONS, ENTRIES, LINTS, SECOND

USERS = ("ann", "bea", "cid", "dan", "eve", "fay")
NAMES = ("A", "A", "A", "B", "B", "C", "E", "E")
CAMPAIGNS = ("c0", "c1", "c2", "c3")
REWARDS = ("cash", "thanks")
PROGRAMS = ("friends", "double")
OFFERINGS = ("always", "spring", "summer")
"""Referral campaigns, of which the first is the fallback."""

SENDERS = ("A", "A in last 5s", "A*2 in last 9s", "!C", "A & !B", "E then no B within 4s")
CHOICES = st.sampled_from((None, None, True, False))


@attrs.frozen
class Flavour:
    """What the launch of a campaign pins."""

    reentry: str
    budget: bool
    at_exhaustion: str


flavours = st.builds(
    Flavour,
    reentry=st.sampled_from(("never", "never", "after_earning", "day", "month")),
    budget=st.sampled_from((False, False, True)),
    at_exhaustion=st.sampled_from(("queue", "queue", "stop")),
)

offering_flavours = st.builds(
    Flavour,
    reentry=st.just("never"),
    budget=st.sampled_from((True, True, False)),
    at_exhaustion=st.sampled_from(("stop", "queue")),
)

rewards = st.builds(
    lambda name, amount: DefineReward(name, {"amount": amount}),
    st.sampled_from(REWARDS),
    st.sampled_from((1, "2.50", "4.0001", 5)),
)


def offers(name: str) -> st.SearchStrategy[DefineOffer]:
    """The offer of a campaign."""
    return st.builds(
        DefineOffer,
        st.just(f"{name}-offer"),
        st.sampled_from(REWARDS),
        st.sampled_from(("A", "A", "B", *COMPLETIONS)),
        expires_after=st.sampled_from((None, None, "3s", "6s", "10s")),
        hold=st.sampled_from((None, None, "2s", "5s")),
        review=st.sampled_from((None, None, "check", "always")),
        reversal=st.sampled_from(("parts", "parts", "whole")),
        reversal_frees=st.booleans(),
        acknowledge=st.just(LINTS),
    )


def campaigns(name: str, flavour: Flavour, now: Instant) -> st.SearchStrategy[DefineCampaign]:
    """A campaign with the offer of its name, or with variants of the offers that there are."""
    starts = st.sampled_from((None, None, None, *(now + seconds * SECOND for seconds in (-4, -1, 0, 2, 5))))
    another = CAMPAIGNS[name == CAMPAIGNS[0]]
    variants = st.tuples(
        st.builds(Variant, st.just("p"), st.just(f"{name}-offer"), weight=st.integers(0, 3)),
        st.builds(Variant, st.just("q"), st.just(f"{another}-offer"), weight=st.integers(1, 3)),
    )
    return st.builds(
        _campaign,
        st.just(name),
        st.just(flavour),
        entry=st.sampled_from((None, "E", *ENTRIES)),
        audience=st.sampled_from((None, None, None, *AUDIENCES)),
        variants=st.booleans().flatmap(lambda some: variants if some else st.just(())),
        holdout=st.sampled_from((0, 0, 0, "40%")),
        code=st.sampled_from((f"CODE-{name}", f"CODE-{name}", None)),
        start=starts,
        end=st.sampled_from((None, None, *(now + seconds * SECOND for seconds in (6, 12, 30)))),
        cap=st.sampled_from((None, None, None, 1, 2, 4)),
        user_cap=st.sampled_from((1, 1, 2)),
        budget=st.sampled_from((2, 4, "12.50")),
        caps_per=st.sampled_from(({}, {}, {}, {"day": 2}, {"week": 3, "day": 1})),
    )


def _campaign(
    name: str,
    flavour: Flavour,
    *,
    entry: str | None,
    audience: str | None,
    variants: tuple[Variant, ...],
    holdout: object,
    code: str | None,
    start: Instant | None,
    end: Instant | None,
    cap: int | None,
    user_cap: int,
    budget: object,
    caps_per: dict[str, int],
) -> DefineCampaign:
    begins_anew = audience is not None or flavour.reentry != "never"
    if entry == "!C" and begins_anew:
        entry = "E | C"
    return DefineCampaign(
        name,
        None if variants else f"{name}-offer",
        variants=variants,
        holdout=holdout,  # type: ignore[arg-type]  # a share, written as 0 or as a text
        entry=entry,
        audience=audience,
        reentry=flavour.reentry,
        code=code,
        start=start,  # type: ignore[arg-type]  # an instant as a number is an instant, too
        end=end,  # type: ignore[arg-type]
        cap=cap,
        caps_per=caps_per,
        user_cap=None if entry is not None and begins_anew else user_cap,
        budget=budget if flavour.budget else None,  # type: ignore[arg-type]
        at_exhaustion=flavour.at_exhaustion if flavour.budget else "stop",
        acknowledge=LINTS,
    )


programs = st.builds(
    DefineReferralProgram,
    st.sampled_from(PROGRAMS),
    st.just("thanks"),
    st.sampled_from(REWARDS),
    st.sampled_from(("A", "A", "A | B", "B*2", *COMPLETIONS)),
    expires_after=st.sampled_from((None, None, "4s", "9s")),
    sender_cap=st.sampled_from((None, 1, 2, 2)),
    period_cap=st.sampled_from((None, 1)),
    period=st.just("day"),
    hold=st.sampled_from((None, None, "2s")),
    review=st.sampled_from((None, None, "check", "always")),
    reversal_frees=st.booleans(),
    acknowledge=st.just(LINTS),
)


WEIGHTS = ("p1 q1", "p1 q1", "p0 q1", "q3 p1", "p2 r1", "r0 p1", "q1 r1 p2", "q1")
"""Of variants, by their letters: others from version to version, so that whoever was drawn stays, or loses hers."""


def _offered(weights: str, programs: tuple[str, ...]) -> dict[str, Any]:
    """What senders offer by a campaign: a program, or variants of them."""
    if not weights:
        return {"program": programs[0]}
    made = zip(weights.split(), programs, strict=False)
    return {"variants": tuple(Variant(name[0], program=program, weight=int(name[1:])) for name, program in made)}


offered = st.builds(
    _offered,
    st.sampled_from(("", "", *WEIGHTS)),
    st.tuples(*(st.sampled_from(PROGRAMS) for _ in range(3))),
)
fallbacks = offered.map(lambda terms: DefineCampaign(OFFERINGS[0], **terms))


def offerings(
    flavours: Mapping[str, Flavour], now: Instant, names: Sequence[str] = OFFERINGS[1:]
) -> st.SearchStrategy[DefineCampaign]:
    """A referral campaign that is no fallback."""
    return st.builds(
        lambda name, offered, sender, start, lasts, budget, **terms: DefineCampaign(
            name,
            **offered,
            budget=budget if flavours[name].budget else None,
            at_exhaustion=flavours[name].at_exhaustion if flavours[name].budget else "stop",
            sender=sender,
            start=now + start * SECOND,
            end=now + (start + lasts) * SECOND,
            acknowledge=LINTS,
            **terms,
        ),
        st.sampled_from(names),
        offered,
        st.sampled_from((None, None, "A", *SENDERS)),
        st.sampled_from((-3, -1, 0, 0, 2)),
        st.sampled_from((1, 5, 30, 200_000)),
        priority=st.sampled_from((0, 0, 1)),
        budget=st.sampled_from((3, 4, 7, 7, "12.50")),
        holdout=st.sampled_from((0, 0, "60%")),
        cap=st.sampled_from((None, None, None, 1, 2)),
        caps_per=st.sampled_from(({}, {}, {}, {"day": 1}, {"week": 2, "day": 1})),
    )
