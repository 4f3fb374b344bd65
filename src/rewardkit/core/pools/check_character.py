"""A last character that tells a typing error from a code, by the Luhn algorithm over any alphabet (Luhn mod N).

It notices every single wrong character and nearly every swap of two neighbours; it keeps no attacker out.
The doubling of the algorithm loses information where N is odd; doubling modulo N does not, and is used there.
"""

from __future__ import annotations

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
    numbers = _numbers(body, alphabet)
    if not numbers:
        raise ValidationError("a check character is made for at least one character of the alphabet, and no other")
    return alphabet.characters[-_weighed(numbers, alphabet, doubled=0) % len(alphabet.characters)]


def is_checked(code: str, alphabet: Alphabet) -> bool:
    """Whether the last character of a code is the check character of those before it."""
    numbers = _numbers(code, alphabet)
    return len(numbers) > 1 and _weighed(numbers, alphabet, doubled=1) % len(alphabet.characters) == 0


def _numbers(written: str, alphabet: Alphabet) -> list[int]:
    """The place of each character in the alphabet; nothing where one has none."""
    numbers = [alphabet.keys.find(one) for one in code_key(written)]
    return [] if -1 in numbers else numbers


def _weighed(numbers: list[int], alphabet: Alphabet, *, doubled: int) -> int:
    """The sum in which every second number counts double, from the end; the last one does where `doubled` is 0."""
    size = len(alphabet.characters)
    total = 0
    for place, number in enumerate(reversed(numbers)):
        if place % 2 != doubled:
            total += number
        elif size % 2:
            total += 2 * number % size
        else:
            total += sum(divmod(2 * number, size))
    return total
