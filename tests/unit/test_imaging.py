"""Codes for people: what is drawn says what it should."""

from __future__ import annotations

import re
import struct
import sys
import zlib
from itertools import pairwise

import pytest

import rewardkit as rk
from rewardkit.imaging import barcode
from rewardkit.imaging.barcode import barcode_png, barcode_svg, bars
from rewardkit.imaging.qr_code import qr_png, qr_svg


def values_of(widths: tuple[int, ...]) -> list[int]:
    """The symbols of a barcode's widths, without the stop."""
    body = widths[:-7]
    return [barcode._WIDTHS.index("".join(map(str, body[at : at + 6]))) for at in range(0, len(body), 6)]


@pytest.mark.parametrize(
    "text, values",
    [
        # The example of the standard's own articles: start B, the letters, check 88.
        ("PJJ123C", [104, 48, 42, 42, 17, 18, 19, 35, 54]),
        ("RI 476 394", [104, 50, 41, 0, 20, 23, 22, 0, 19, 25, 20, 57]),
        ("123456", [105, 12, 34, 56, 44]),
        ("~", [104, 94, 95]),
    ],
)
def test_a_barcode_has_the_symbols_and_the_checksum_of_the_standard(text: str, values: list[int]) -> None:
    found = values_of(bars(text))
    assert found[:-1] == values[:-1]
    assert found[-1] == (found[0] + sum(place * value for place, value in enumerate(found[1:-1], 1))) % 103


def test_a_barcode_ends_with_the_stop_and_is_as_wide_as_its_symbols() -> None:
    widths = bars("SPRING-0001")
    assert widths[-7:] == (2, 3, 3, 1, 1, 1, 2)
    assert sum(widths) == 11 * (1 + 11 + 1) + 13


@pytest.mark.parametrize("text", ["", "é", "a\nb", "\x7f"])
def test_what_a_barcode_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(rk.ValidationError, match="printable ASCII"):
        bars(text)


def test_svg_and_png_of_a_barcode_show_the_same_bars() -> None:
    text, scale = "AB-12", 3
    widths = bars(text)
    _white, *drawn = re.findall(r"M(\d+) 0h(\d+)v50", barcode_svg(text).decode())
    data = barcode_png(text, scale=scale)
    width, height, depth = struct.unpack(">IIB", data[16:25])
    assert (width, height, depth) == ((sum(widths) + 20) * scale, 50 * scale, 1)
    length = struct.unpack(">I", data[33:37])[0]
    lines = zlib.decompress(data[41 : 41 + length])
    stride = 1 + (width + 7) // 8
    assert lines == lines[:stride] * height
    pixels = "".join(f"{byte:08b}" for byte in lines[1:stride])[:width]
    edges = [at for at, (one, next_one) in enumerate(pairwise(pixels), 1) if one != next_one]
    black = [(start // scale, (end - start) // scale) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    assert black == [(int(at), int(wide)) for at, wide in drawn]


def test_a_qr_code_is_drawn_in_both_formats() -> None:
    pytest.importorskip("segno")
    assert qr_svg("SPRING-0001") == qr_svg("SPRING-0001")
    assert qr_svg("SPRING-0001") != qr_svg("SPRING-0002")
    assert b"<svg" in qr_svg("SPRING-0001")
    width, height = struct.unpack(">II", qr_png("SPRING-0001", scale=2)[16:24])
    assert width == height == 2 * (21 + 8)


def test_without_segno_the_message_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(rk.ExtraNotInstalled, match=r"pip install 'rewardkit\[codes\]'"):
        qr_svg("SPRING-0001")
