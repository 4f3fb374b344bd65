"""QR codes, drawn by segno."""

from __future__ import annotations

import io

from rewardkit.errors import ExtraNotInstalled

QUIET_MODULES = 4
"""Of white around it, as ISO/IEC 18004 wants."""


def qr_svg(text: str) -> bytes:
    """A QR code of a text as a file of SVG.

    Raises:
        ExtraNotInstalled: segno is missing.
    """
    return _drawn(text, "svg")


def qr_png(text: str, *, scale: int = 8) -> bytes:
    """A QR code of a text as a file of PNG; `scale` is in pixels a module.

    Raises:
        ExtraNotInstalled: segno is missing.
    """
    return _drawn(text, "png", scale)


def _drawn(text: str, kind: str, scale: int = 8) -> bytes:
    try:
        import segno
    except ImportError as error:
        raise ExtraNotInstalled("a QR code", "codes") from error
    drawn = io.BytesIO()
    # The most of it may be dirty; never a Micro QR code, which phones do not read.
    segno.make(text, error="m", micro=False).save(drawn, kind=kind, scale=scale, border=QUIET_MODULES)
    return drawn.getvalue()
