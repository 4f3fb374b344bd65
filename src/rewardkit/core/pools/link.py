"""Where the entities of pools are found, from a base on."""

from __future__ import annotations

import re

_UNSAFE = re.compile(rb"[^A-Za-z0-9_.~:-]")


def pool_url(tenant: str, pool: int) -> str:
    """The path of a pool."""
    return f"/companies/{_quoted(tenant)}/incentives/pools/{pool}"


def code_url(tenant: str, code: str) -> str:
    """The path of a code."""
    return f"/companies/{_quoted(tenant)}/incentives/codes/{_quoted(code)}"


def _quoted(text: str) -> str:
    """A text as one segment of a path."""
    return _UNSAFE.sub(lambda found: b"%%%02X" % found[0][0], text.encode()).decode()
