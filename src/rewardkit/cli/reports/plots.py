"""Plots as inline SVG: bars, shares with their intervals, and lengths of time. Every name in them is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from html import escape

import attrs

from rewardkit.cli.measures import length
from rewardkit.core.tracking.figures import Lengths
from rewardkit.language.diagnostic import printable

WIDTH, LEFT, RIGHT, ROW, TOP = 720, 190, 110, 26, 34
_LONGEST = 26
_MICROSECOND = timedelta(microseconds=1)


@attrs.frozen
class Share:
    """A share and the interval in which it may lie."""

    label: str
    value: float
    low: float
    high: float


def bars(title: str, rows: Sequence[tuple[str, int]]) -> str:
    """Counts beside each other."""
    greatest = max((count for _, count in rows), default=0) or 1
    parts = []
    for number, (label, count) in enumerate(rows):
        y = TOP + number * ROW
        width = _across(count / greatest) - LEFT
        parts.append(_label(label, y))
        parts.append(f'<rect class="bar" x="{LEFT}" y="{y + 4}" width="{max(width, 0.5):.1f}" height="{ROW - 10}"/>')
        parts.append(f'<text x="{LEFT + width + 6:.1f}" y="{y + 17}">{count:,}</text>')
    return _figure(title, len(rows), parts)


def shares(title: str, rows: Sequence[Share]) -> str:
    """Shares as dots on a line from low to high, of an axis from nothing to just beyond the highest."""
    end = min(1.0, max((row.high for row in rows), default=1.0) * 1.05) or 1.0
    parts = _axis([(part / 4, f"{end * part / 4:.0%}") for part in range(5)], len(rows))
    for number, row in enumerate(rows):
        y = TOP + number * ROW
        low, value, high = (_across(at / end) for at in (row.low, row.value, min(row.high, end)))
        parts.append(_label(row.label, y))
        parts.append(f'<path class="reach" d="M{low:.1f} {y + 12}H{high:.1f}"/>')
        parts.append(f'<circle class="bar" cx="{value:.1f}" cy="{y + 12}" r="5"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 17}">{row.value:.1%}</text>')
    return _figure(title, len(rows) + 1, parts)


def spreads(title: str, rows: Sequence[tuple[str, Lengths]]) -> str:
    """Lengths of time: the middle half as a box, with its median, up to what nine in ten took."""
    end = max((found.ninth_tenth for _, found in rows), default=_MICROSECOND) or _MICROSECOND
    parts = _axis([(part / 4, length(end * part // 4 // _MICROSECOND)) for part in (0, 2, 4)], len(rows))
    for number, (label, found) in enumerate(rows):
        y = TOP + number * ROW
        least, lower, median, upper, most = (
            _across(at / end)
            for at in (found.least, found.lower_quarter, found.median, found.upper_quarter, found.ninth_tenth)
        )
        parts.append(_label(label, y))
        parts.append(f'<path class="reach" d="M{least:.1f} {y + 12}H{most:.1f}"/>')
        box = f'x="{lower:.1f}" y="{y + 5}" width="{max(upper - lower, 1):.1f}" height="14"'
        parts.append(f'<rect class="box" {box}/><path class="median" d="M{median:.1f} {y + 3}v18"/>')
        middle = length(found.median // _MICROSECOND)
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{y + 17}">{escape(middle)}</text>')
    return _figure(title, len(rows) + 1, parts)


def safe(text: str) -> str:
    """Any text for HTML, in its body or in an attribute; what cannot be seen is written out."""
    return escape(printable(text), quote=True)


def _across(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _label(text: str, y: int) -> str:
    shown = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f'<text x="{LEFT - 10}" y="{y + 17}" text-anchor="end">{safe(shown)}<title>{safe(text)}</title></text>'


def _axis(ticks: Iterable[tuple[float, str]], rows: int) -> list[str]:
    bottom = TOP + rows * ROW
    parts = []
    for share, text in ticks:
        x = _across(share)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{bottom}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(text)}</text>')
    return parts


def _figure(title: str, rows: int, parts: Iterable[str]) -> str:
    height = TOP + rows * ROW + 8
    name = safe(title)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}">'
        f'<text class="title" x="10" y="22">{name}</text>{"".join(parts)}</svg>'
    )
