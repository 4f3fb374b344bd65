"""A last character that tells a typing error from a code, by the Luhn algorithm over any alphabet (Luhn mod N).

It notices every single wrong character and nearly every swap of two neighbours; it keeps no attacker out.
The doubling of the algorithm loses information where N is odd; doubling modulo N does not, and is used there.
"""

from __future__ import annotations

from functools import lru_cache

from rewardkit.core.pools.alphabet import Alphabet, code_key
from rewardkit.errors import ValidationError


def check_character(body: str, alphabet: Alphabet) -> str:
    """The character to append to `body`.

    Args:
        body: of the alphabet's characters, at least one; written in any case, with dashes or without.
        alphabet: what the characters are numbered by.

    Raises:
        ValidationError: the body has another character, or none.
    """
    key = code_key(body)
    if not key or not set(key) <= set(alphabet.keys):
        raise ValidationError("a check character is made for at least one character of the alphabet, and no other")
    return alphabet.characters[-_weighed(key[::-2], key[-2::-2], alphabet) % len(alphabet.characters)]


def is_checked(code: str, alphabet: Alphabet) -> bool:
    """Whether the last character of a code is the check character of those before it."""
    key = code_key(code)
    if len(key) < 2 or not set(key) <= set(alphabet.keys):
        return False
    return _weighed(key[-2::-2], key[::-2], alphabet) % len(alphabet.characters) == 0


def _weighed(doubled: str, plain: str, alphabet: Alphabet) -> int:
    """The sum in which every second number counts double."""
    once, twice = _weights(alphabet)
    return sum(map(twice.__getitem__, doubled)) + sum(map(once.__getitem__, plain))


@lru_cache(16)
def _weights(alphabet: Alphabet) -> tuple[dict[str, int], dict[str, int]]:
    """What a character of a key counts, and what it counts where it is doubled."""
    size = len(alphabet.characters)
    once = {one: number for number, one in enumerate(alphabet.keys)}
    twice = {one: 2 * number % size if size % 2 else sum(divmod(2 * number, size)) for one, number in once.items()}
    return once, twice
