"""Figures as sections of lines: the one content of the terminal's report and of the page's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import attrs

from rewardkit.cli.measures import length
from rewardkit.core.tracking.figures import (
    CampaignFigures,
    GrantFigures,
    Lengths,
    ReferralFigures,
    ReferralVariantFigures,
    SenderGroup,
    SenderHoldout,
    VariantFigures,
)
from rewardkit.core.tracking.interval import Difference

UNKNOWN = "-"
"""Where there is nothing to take a share of."""


@attrs.frozen
class Line:
    """A label and what is said of it."""

    label: str
    value: str
    share: float | None = None
    """From 0 to 1, for a bar; None where a bar would say nothing."""


@attrs.frozen
class Section:
    """Lines under a title."""

    title: str
    lines: tuple[Line, ...]


def campaign_sections(figures: CampaignFigures) -> tuple[Section, ...]:
    """Of the campaign, of all variants together, and of each."""
    total = "all variants" if figures.variants else "offers"
    named = ((one.variant or "without a variant", one) for one in figures.variants)
    return (
        *_use(figures),
        Section(total, tuple(_variant(figures.total))),
        *(Section(f"variant {name}", tuple(_variant(one))) for name, one in named),
    )


def _use(figures: CampaignFigures) -> Iterator[Section]:
    use = figures.use
    lines = []
    if use.cap is not None:
        taken = use.reserved + use.confirmed
        lines.append(Line("cap", f"{taken:,} of {use.cap:,} taken", min(1.0, taken / use.cap)))
    if use.budget is not None:
        lines.append(_money(use.budget, use.spent, use.committed))
    if lines:
        yield Section("limits", tuple(lines))


def _money(budget: Decimal, spent: Decimal, committed: Decimal) -> Line:
    share = min(1.0, float((spent + committed) / budget)) if budget else None
    return Line("budget", f"{budget:,f}: {spent:,f} spent, {committed:,f} committed", share)


def _variant(one: VariantFigures) -> Iterator[Line]:
    yield Line("offered", f"{one.offered:,}")
    for label, count in (
        ("active", one.active),
        ("overdue", one.overdue),
        ("earned", one.earned),
        ("expired", one.expired),
        ("cancelled", one.cancelled),
    ):
        yield Line(f"  {label}", f"{count:,}", _share(count, one.offered))
    yield Line("capped", f"{one.capped:,}")
    yield _conversion("conversion", one.users_earned, one.users, "users")
    if one.holdout.users:
        yield _conversion("held out", one.holdout.converted, one.holdout.users, "users")
        yield Line("effect", effect(one.effect))
    yield Line("time to earn", lengths(one.time_to_earn))
    yield from _grants(one.grants)


def referral_sections(figures: ReferralFigures) -> tuple[Section, ...]:
    """The funnel, the rewards of both sides, the senders and the chains."""
    top = tuple(
        Line(one.sender, f"{one.completed:,} of {one.opened:,} completed", _share(one.completed, one.opened))
        for one in figures.top
    )
    chains = [
        Line(f"depth {one.depth}", f"{one.opened:,} opened, {one.completed:,} completed") for one in figures.depths
    ]
    if figures.elsewhere:
        chains.append(Line("elsewhere", f"{figures.elsewhere:,} deeper, or in a circle"))
    if figures.longest:
        chains.append(Line("longest", " > ".join(figures.longest)))
    caps = tuple(
        Line(
            f"cap of the {one.unit}" if one.unit else "cap",
            f"{one.taken:,} of {one.cap:,} taken",
            min(1.0, one.taken / one.cap),
        )
        for one in figures.caps
    )
    holdout = figures.holdout
    money = figures.budget
    limits = caps if money is None else (*caps, _money(money.budget, money.spent, money.committed))
    return (
        *((Section("limits", limits),) if limits else ()),
        Section("referrals", tuple(_funnel(figures))),
        *(
            Section(f"variant {one.variant}" if one.variant else "without a variant", tuple(_referral_variant(one)))
            for one in figures.variants
        ),
        *((Section("beside senders held out", tuple(_holdout(holdout))),) if holdout is not None else ()),
        Section("rewards of senders", tuple(_grants(figures.sender_side))),
        Section("rewards of recipients", tuple(_grants(figures.recipient_side))),
        *((Section("top senders", top), Section("chains", tuple(chains))) if top else ()),
    )


def _funnel(figures: ReferralFigures | ReferralVariantFigures) -> Iterator[Line]:
    yield Line("opened", f"{figures.opened:,}")
    for label, count in (
        ("open", figures.open),
        ("overdue", figures.overdue),
        ("completed", figures.completed),
        ("expired", figures.expired),
        ("voided", figures.voided),
    ):
        yield Line(f"  {label}", f"{count:,}", _share(count, figures.opened))
    yield Line("sender at a cap", f"{figures.capped:,}", _share(figures.capped, figures.completed))
    yield _conversion("conversion", figures.completed, figures.opened, "referrals")
    senders = figures.senders
    if isinstance(senders, SenderGroup):
        if senders.low is not None and senders.high is not None:
            yield Line("  may be", f"{senders.low:.1%} to {senders.high:.1%} at 95%")
        senders = senders.senders
    yield Line("senders", f"{senders:,}")
    yield Line("time to complete", lengths(figures.time_to_complete))


def _referral_variant(one: ReferralVariantFigures) -> Iterator[Line]:
    """Its funnel, how sure its conversion is, and the rewards of both sides."""
    yield from _funnel(one)
    for side, grants in (("senders", one.sender_side), ("recipients", one.recipient_side)):
        for line in _grants(grants):
            # Their statuses are told of all variants together.
            if not line.label.startswith(" "):
                yield attrs.evolve(line, label=f"{line.label} of {side}")


def _holdout(found: SenderHoldout) -> Iterator[Line]:
    for label, group in (("in the campaign", found.offering), ("held out", found.held_out)):
        yield _conversion(label, group.completed, group.opened, "referrals")
    yield Line("effect", effect(found.effect))
    for label, group in (("senders", found.offering), ("  held out", found.held_out)):
        each = group.referrals_per_sender
        yield Line(label, f"{group.senders:,}" + ("" if each is None else f", {each:.2f} referrals each"))
    more = found.effect_per_sender
    if more is not None:
        said = f"{more.estimate:+.2f} referrals, {more.low:+.2f} to {more.high:+.2f} at {more.confidence:.0%}"
        yield Line("effect on each", said)


def _grants(grants: GrantFigures) -> Iterator[Line]:
    counts = (
        ("held", grants.held),
        ("ready", grants.ready),
        ("fulfilled", grants.fulfilled),
        ("denied", grants.denied),
        ("reversed", grants.reversed),
        ("undeliverable", grants.undeliverable),
    )
    whole = sum(count for _, count in counts)
    yield Line("grants", f"{whole:,}")
    for label, count in counts:
        if count:
            yield Line(f"  {label}", f"{count:,}", _share(count, whole))
    for cost in grants.costs:
        parts = f"{cost.promised:,f} promised, {cost.paid:,f} paid, {cost.taken_back:,f} taken back"
        yield Line("cost", f"{cost.total:,f} {cost.currency}".rstrip() + f": {parts}")
    if grants.unpriced:
        yield Line("unpriced", f"{grants.unpriced:,} grants of rewards that have no amount")


def _share(count: int, of: int) -> float | None:
    return count / of if of else None


def _conversion(label: str, count: int, of: int, what: str) -> Line:
    share = _share(count, of)
    return Line(label, UNKNOWN if share is None else f"{share:.1%} ({count:,} of {of:,} {what})", share)


def effect(difference: Difference | None) -> str:
    """A difference in points, with its interval."""
    if difference is None:
        return UNKNOWN
    estimate, low, high = (f"{value * 100:+.1f}" for value in (difference.estimate, difference.low, difference.high))
    return f"{estimate} points, {low} to {high} at {difference.confidence:.0%}"


def lengths(found: Lengths | None) -> str:
    """The middle and the end of a list of lengths of time."""
    if found is None:
        return UNKNOWN
    return f"half within {_length(found.median)}, nine in ten within {_length(found.ninth_tenth)}"


def _length(value: timedelta) -> str:
    """What something took at most; a second, where it took less."""
    return length(max(value, timedelta(seconds=1)) // timedelta(microseconds=1))
