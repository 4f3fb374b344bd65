"""What is not as a vector says."""

from __future__ import annotations

from typing import Any, Literal

import attrs


@attrs.frozen
class Difference:
    """One thing that is not as a case says."""

    kind: Literal["differs", "not supported", "failed"]
    case: str
    engine: str
    step: int | None
    """Counted from 1; None for the case as a whole."""
    expected: Any
    actual: Any
