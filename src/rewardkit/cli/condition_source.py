"""Where a command reads the text of a condition from."""

from __future__ import annotations

import sys
from pathlib import Path

from rewardkit.errors import ValidationError

MOST_CHARACTERS = 1_048_576
"""Read from stdin or a file: a pipe that never ends is not a condition."""


def from_argument(text: str) -> str:
    """The text itself; of `-`, what stdin holds."""
    return _without_last_line_end(sys.stdin.read(MOST_CHARACTERS)) if text == "-" else text


def from_file(name: str) -> str:
    """The one condition that a file holds, over as many lines as it likes.

    Raises:
        ValidationError: it cannot be read.
    """
    try:
        with Path(name).open(encoding="utf-8", newline="") as file:
            return _without_last_line_end(file.read(MOST_CHARACTERS))
    except UnicodeDecodeError:
        raise ValidationError(f"`{name}` cannot be read: it is not UTF-8") from None
    except OSError as error:
        raise ValidationError(f"`{name}` cannot be read: {(error.strerror or str(error)).lower()}") from None


def _without_last_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
