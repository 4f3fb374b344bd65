"""A report as one page of HTML that needs nothing else: no script, no font, no image, no network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rewardkit.cli.printing import moment
from rewardkit.cli.reports.plots import Share, bars, safe, shares, spreads
from rewardkit.cli.reports.sections import Section
from rewardkit.core.tracking.figures import CampaignFigures, ReferralFigures, SenderGroup, VariantFigures
from rewardkit.core.tracking.interval import wilson

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fff; --faint: #d8d8d8; --bar: #0072b2; --box: #9ecae9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --paper: #16191d; --faint: #3a3f45; --bar: #56b4e9; --box: #1f5f86 }
}
body { color: var(--ink); background: var(--paper); font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse } td { border-bottom: 1px solid var(--faint); padding: .2rem .8rem .2rem 0 }
svg { display: block; margin: 1rem 0; max-width: 100%; border: 1px solid var(--faint); border-radius: 8px }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif } svg .title { font-weight: 600 }
.bar { fill: var(--bar) } .box { fill: var(--box); stroke: var(--bar) } .grid { stroke: var(--faint); fill: none }
.reach, .median { stroke: var(--bar); stroke-width: 2; fill: none } .note { border-left: 4px solid var(--bar);
  padding-left: .8rem }
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Whatever a name may hold, a browser fetches and runs nothing."""


def campaign_page(title: str, figures: CampaignFigures, sections: Iterable[Section]) -> str:
    """The page of a campaign."""
    groups = figures.variants or (figures.total,)
    plots = [
        bars("Offers by what became of them", _counts(figures.total)),
        _conversions(groups),
    ]
    taken = [(_name(one), one.time_to_earn) for one in groups]
    known = [(name, found) for name, found in taken if found is not None]
    if known:
        plots.append(spreads("Time to earn: the middle half, up to nine in ten", known))
    return _page(title, moment(figures.at), sections, [plot for plot in plots if plot], figures.cautions)


def referral_page(title: str, figures: ReferralFigures, sections: Iterable[Section]) -> str:
    """The page of referrals."""
    funnel = [
        ("open", figures.open),
        ("overdue", figures.overdue),
        ("completed", figures.completed),
        ("expired", figures.expired),
        ("voided", figures.voided),
    ]
    plots = [bars("Referrals by what became of them", funnel)]
    if figures.top:
        plots.append(
            bars("Completed referrals of the top senders", [(one.sender, one.completed) for one in figures.top])
        )
        plots.append(bars("Referrals by depth", [(f"depth {one.depth}", one.opened) for one in figures.depths]))
    if figures.time_to_complete is not None:
        plots.append(spreads("Time to complete", [("all referrals", figures.time_to_complete)]))
    variants = [(one.variant or "without a variant", one.senders) for one in figures.variants]
    plots.append(_groups("Conversion of referrals by variant, with 95 % intervals", variants))
    if figures.holdout is not None:
        both = [("in the campaign", figures.holdout.offering), ("held out", figures.holdout.held_out)]
        plots.append(_groups("Conversion of referrals, with 95 % intervals", both))
    return _page(title, moment(figures.at), sections, [plot for plot in plots if plot], figures.cautions)


def _counts(one: VariantFigures) -> list[tuple[str, int]]:
    return [
        ("active", one.active),
        ("overdue", one.overdue),
        ("earned", one.earned),
        ("expired", one.expired),
        ("cancelled", one.cancelled),
        ("capped", one.capped),
    ]


def _conversions(groups: Iterable[VariantFigures]) -> str:
    rows = []
    for one in groups:
        if one.users:
            rows.append(_share(_name(one), one.users_earned, one.users))
        if one.holdout.users:
            rows.append(_share(f"{_name(one)}, held out", one.holdout.converted, one.holdout.users))
    return shares("Conversion of users, with 95 % intervals", rows) if rows else ""


def _share(label: str, count: int, of: int) -> Share:
    low, high = wilson(count, of)
    return Share(label, count / of, low, high)


def _groups(title: str, groups: Iterable[tuple[str, SenderGroup]]) -> str:
    rows = [row for row in (_group(label, group) for label, group in groups) if row is not None]
    return shares(title, rows) if rows else ""


def _group(label: str, group: SenderGroup) -> Share | None:
    if group.conversion is None or group.low is None or group.high is None:
        return None
    return Share(label, group.conversion, group.low, group.high)


def _name(one: VariantFigures) -> str:
    return one.variant or "all"


def _page(
    title: str, counted_at: str, sections: Iterable[Section], plots: Sequence[str], cautions: Sequence[str]
) -> str:
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{safe(_POLICY)}">',
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">',
        f"<title>{safe(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{safe(title)}</h1><p>Counted at {safe(counted_at)}.</p>",
        *(f'<p class="note">{safe(caution)}</p>' for caution in cautions),
        *plots,
    ]
    for section in sections:
        rows = "".join(f"<tr><td>{safe(line.label)}</td><td>{safe(line.value)}</td></tr>" for line in section.lines)
        parts.append(f"<h2>{safe(section.title)}</h2><table>{rows}</table>")
    return "\n".join([*parts, "</body></html>", ""])
