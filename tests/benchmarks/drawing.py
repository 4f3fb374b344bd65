"""Curves on two logarithmic axes, as an SVG file that needs nothing and is readable on dark and on light pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias
from xml.sax.saxutils import escape

Points: TypeAlias = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 760, 420
LEFT, TOP, RIGHT, BOTTOM = 70, 52, 230, 52
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8c6d00", "#56b4e9", "#7a7a7a", "#b22222")
MARKS = ("circle", "square", "diamond", "triangle")
STYLE = """
  .panel { fill: #ffffff; stroke: #c8c8c8 } text { fill: #1c1c1c; font: 13px system-ui, sans-serif }
  .title { font-size: 15px; font-weight: 600 } .grid { stroke: #e4e4e4 } .axis { stroke: #8a8a8a }
  @media (prefers-color-scheme: dark) {
    .panel { fill: #16191d; stroke: #3a3f45 } text { fill: #e8e8e8 } .grid { stroke: #2b3036 }
  }
"""


def chart(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """The text of an SVG file.

    Args:
        across: what the horizontal axis shows; `up`, the vertical one. Values are above nought.
        series: curves by what is written at their ends.
    """
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    x_axis, y_axis = _Axis(xs, LEFT, WIDTH - RIGHT), _Axis(ys, HEIGHT - BOTTOM, TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<style>{STYLE}</style>",
        f'<rect class="panel" x="1" y="1" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="8"/>',
        f'<text class="title" x="{LEFT}" y="28">{escape(title)}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(across)}</text>',
        f'<text transform="translate(18 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">',
        f"{escape(up)}</text>",
    ]
    for value in x_axis.ticks:
        x = x_axis.place(value)
        parts.append(f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{_number(value)}</text>')
    for value in y_axis.ticks:
        y = y_axis.place(value)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    parts.append(f'<path class="axis" fill="none" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>')
    ends = _apart([y_axis.place(points[-1][1]) for points in series.values()])
    for number, ((label, points), end) in enumerate(zip(series.items(), ends, strict=True)):
        parts += _curve([(x_axis.place(x), y_axis.place(y)) for x, y in points], number)
        x, y = x_axis.place(points[-1][0]), y_axis.place(points[-1][1])
        colour = COLOURS[number % len(COLOURS)]
        lead = f"M{x + 6:.1f} {y:.1f}L{x + 20:.1f} {end:.1f}"
        parts.append(f'<path stroke="{colour}" stroke-opacity="0.6" fill="none" d="{lead}"/>')
        parts.append(f'<text x="{x + 24:.1f}" y="{end + 4:.1f}">{escape(label.replace("`", ""))}</text>')
    return "\n".join([*parts, "</svg>", ""])


class _Axis:
    """From a value to a place, by powers of ten."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        low, high = math.log10(min(values)), math.log10(max(values))
        self.low, self.high = math.floor(low + 1e-9), max(math.ceil(high - 1e-9), math.floor(low) + 1)
        self.begin, self.end = begin, end
        self.ticks = [10.0**power for power in range(self.low, self.high + 1)]

    def place(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)


def _curve(points: Points, number: int) -> list[str]:
    colour, mark = COLOURS[number % len(COLOURS)], MARKS[number % len(MARKS)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    shapes = {
        "circle": "M{x:.1f} {y:.1f}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0",
        "square": "M{x:.1f} {y:.1f}m-3.5 -3.5h7v7h-7z",
        "diamond": "M{x:.1f} {y:.1f}m0 -5l5 5l-5 5l-5 -5z",
        "triangle": "M{x:.1f} {y:.1f}m0 -5l5 9h-10z",
    }
    marks = "".join(shapes[mark].format(x=x, y=y) for x, y in points)
    return [
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{line}"/>',
        f'<path fill="{colour}" d="{marks}"/>',
    ]


def _apart(places: Sequence[float], gap: float = 17) -> list[float]:
    """The same places, moved so far that labels do not touch."""
    order = sorted(range(len(places)), key=lambda number: places[number])
    found = list(places)
    for before, after in pairwise(order):
        found[after] = max(found[after], found[before] + gap)
    over = max(0.0, max(found, default=0.0) - (HEIGHT - BOTTOM))
    for number in reversed(order):
        found[number] = min(found[number], HEIGHT - BOTTOM) if over else found[number]
    for before, after in pairwise(reversed(order)):
        found[after] = min(found[after], found[before] - gap)
    return found


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
