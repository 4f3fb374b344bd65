"""Code 128 barcodes (ISO/IEC 15417): every printable ASCII code, and pairs of digits in half the width.

Drawn here and not by a package: the whole of it is the standard's one table and a checksum, and packages that draw it
bring an imaging library along.
"""

from __future__ import annotations

from typing import Final

from rewardkit.errors import ValidationError
from rewardkit.imaging.png import png

_WIDTHS: Final = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 "
    "122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 "
    "322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 "
    "112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 "
    "331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 "
    "112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 "
    "124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 "
    "411311 113141 114131 311141 411131 211412 211214 211232 "
).split()
"""Bars and gaps in turn, by the symbol's value; each is 11 modules wide."""

_STOP: Final = "2331112"
_START_B, _START_C = 104, 105
QUIET_MODULES: Final = 10
"""Of white at both sides, as the standard wants."""

HEIGHT_MODULES: Final = 50


def bars(text: str) -> tuple[int, ...]:
    """The widths of bars and gaps in turn, in modules, beginning with a bar.

    Raises:
        ValidationError: the text is empty, or not of printable ASCII.
    """
    if not text or not text.isascii() or not text.isprintable():
        raise ValidationError("a barcode holds printable ASCII, and at least one character of it")
    pairs = text.isdigit() and len(text) % 2 == 0
    values = [int(text[at : at + 2]) for at in range(0, len(text), 2)] if pairs else [ord(one) - 32 for one in text]
    start = _START_C if pairs else _START_B
    check = (start + sum(place * value for place, value in enumerate(values, 1))) % 103
    symbols = "".join(_WIDTHS[value] for value in (start, *values, check)) + _STOP
    return tuple(map(int, symbols))


def barcode_svg(text: str) -> bytes:
    """A barcode of a text as a file of SVG; two pixels a module until it is scaled."""
    widths = bars(text)
    whole = sum(widths) + 2 * QUIET_MODULES
    drawn, at = [], QUIET_MODULES
    for place, width in enumerate(widths):
        if place % 2 == 0:
            drawn.append(f"M{at} 0h{width}v{HEIGHT_MODULES}h-{width}z")
        at += width
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * whole}" height="{2 * HEIGHT_MODULES}" '
        f'viewBox="0 0 {whole} {HEIGHT_MODULES}" shape-rendering="crispEdges">'
        f'<path d="M0 0h{whole}v{HEIGHT_MODULES}h-{whole}z" fill="#fff"/><path d="{"".join(drawn)}"/></svg>\n'
    ).encode()


def barcode_png(text: str, *, scale: int = 2) -> bytes:
    """A barcode of a text as a file of PNG; `scale` is in pixels a module."""
    row = [False] * QUIET_MODULES * scale
    for place, width in enumerate(bars(text)):
        row += [place % 2 == 0] * width * scale
    row += [False] * QUIET_MODULES * scale
    return png(row, HEIGHT_MODULES * scale)
