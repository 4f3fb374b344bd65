"""Limits on what callers pass in, each with its reason. Everything beyond them is refused before a store is asked."""

from __future__ import annotations

from typing import Final

NAME_CHARACTERS: Final = 255
"""Of an id, a user, a key or a name: what an index entry of every store holds."""

PAYLOAD_BYTES: Final = 65_536
"""Of an event's or a reward's properties as JSON: room for a basket, not for a document."""

PAYLOAD_DEPTH: Final = 16
"""Of nested lists and objects: deeper is an attack or a mistake."""

INTEGER: Final = 2**53 - 1
"""Absolute value: what every JSON reader keeps exactly."""

DECIMAL_DIGITS: Final = 38
DECIMAL_EXPONENT: Final = 18
"""Of a decimal, absolute: `1e1000000` takes nine characters and twenty seconds."""

BATCH_EVENTS: Final = 10_000
"""In one `emit_many`: its locks are held until it commits."""

PAGE_ROWS: Final = 1_000
"""In one answer of a query, claim or batch."""

SKEW_MICROSECONDS: Final = 5 * 60 * 1_000_000
"""How far an event may lie in the future: clocks of well-kept machines differ by less."""

USER_CAP: Final = 1_000
"""Of entries a user into one campaign: they are kept in her row."""

ENDPOINTS: Final = 50
"""Registered by one tenant at a time: every notice is written once for each that wants it."""

CAP: Final = 2**53 - 1
"""Of user offers a campaign."""

VARIANTS: Final = 100
"""Of a campaign: each needs users enough to be told from the others."""

WEIGHT: Final = 1_000_000
"""Of a variant: finer shares than that are nobody's."""

COPY_CHARACTERS: Final = 4_000
"""Of one text that a user is shown."""
