"""Random codes in bulk: one draw of bytes for thousands of them, and no call for each character."""

from __future__ import annotations

import secrets
from itertools import islice

from rewardkit.core.pools.needs import FreshCodes
from rewardkit.core.pools.pattern import CodePattern


def fresh_codes(need: FreshCodes) -> tuple[str, ...]:
    """As many different codes as are wanted, drawn evenly from all that the pattern can make."""
    pattern, found = need.pattern, set[str]()
    while len(found) < need.count:
        found.update(_drawn(pattern, need.count - len(found)))
    drawn = islice(found, need.count)
    return tuple(drawn) if pattern.plain else tuple(map(pattern.code, drawn))


def _drawn(pattern: CodePattern, count: int) -> list[str]:
    """About so many draws, some of them perhaps equal."""
    characters, length = pattern.alphabet.characters, pattern.drawn
    size = len(characters)
    # A byte beyond the last whole round would favour the alphabet's first characters.
    rounds = 256 // size
    table = (characters * rounds).encode().ljust(256, b"?")
    needless = bytes(range(size * rounds, 256))
    wanted = count * length * 256 // (size * rounds) + length
    text = secrets.token_bytes(wanted).translate(table, needless).decode()
    return [text[place : place + length] for place in range(0, len(text) - length + 1, length)]
