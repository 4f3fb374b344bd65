"""Options that draw a code for people."""

from __future__ import annotations

import argparse
from pathlib import Path

from rewardkit.errors import ValidationError
from rewardkit.imaging.barcode import barcode_png, barcode_svg
from rewardkit.imaging.qr_code import qr_png, qr_svg

_DRAWN = {"qr": {".svg": qr_svg, ".png": qr_png}, "barcode": {".svg": barcode_svg, ".png": barcode_png}}


def add_images(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--qr", type=_image, metavar="FILE", help="draw it as a QR code, FILE.svg or FILE.png")
    parser.add_argument("--barcode", type=_image, metavar="FILE", help="draw it as a Code 128 barcode, likewise")


def require_images(arguments: argparse.Namespace) -> None:
    """Look whether what is asked for can be drawn, before anything is done that would have to be drawn then.

    Raises:
        ExtraNotInstalled: a QR code was, and segno is missing.
    """
    if arguments.qr is not None:
        qr_svg("0")


def write_images(arguments: argparse.Namespace, code: str) -> None:
    """Write what was asked for.

    Raises:
        ExtraNotInstalled: a QR code was, and segno is missing.
        ValidationError: a file cannot be written.
    """
    for kind, drawers in _DRAWN.items():
        file: Path | None = getattr(arguments, kind)
        if file is None:
            continue
        try:
            file.write_bytes(drawers[file.suffix.lower()](code))
        except OSError as error:
            raise ValidationError(f"`{file}` cannot be written: {str(error.strerror or error).lower()}") from None


def _image(text: str) -> Path:
    file = Path(text)
    if file.suffix.lower() not in (".svg", ".png"):
        raise argparse.ArgumentTypeError(f"must end in .svg or .png, not `{file.name}`")
    return file
