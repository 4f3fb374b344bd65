"""How generated codes look: characters that are drawn, and text around them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import attrs

from rewardkit.core.pools.alphabet import CODE_CHARACTERS, Alphabet, fault_of
from rewardkit.core.pools.check_character import check_character
from rewardkit.errors import ValidationError

DRAWN: Final = "#"
"""Stands in a pattern for a character of the alphabet that is drawn."""


@attrs.frozen
class CodePattern:
    """A text in which each `#` is drawn from the alphabet.

    Args:
        text: such as `SAVE-####-####`; everything else than `#` stands as it is.
        alphabet: what is drawn from.
        check: whether a check character over the drawn ones follows at the end.

    Raises:
        ValidationError: nothing is drawn, or what is made could be no code.
    """

    text: str
    alphabet: Alphabet
    check: bool = False

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.text, str) or DRAWN not in self.text:
            raise ValidationError(
                "a pattern is text with at least one `#`, each of which is drawn, such as `####-####`"
            )
        fault = fault_of(self.text + DRAWN * self.check, CODE_CHARACTERS)
        if fault:
            raise ValidationError(f"of this pattern no codes are made: {fault}")

    @property
    def drawn(self) -> int:
        """How many characters are drawn."""
        return self.text.count(DRAWN)

    @property
    def plain(self) -> bool:
        """Whether a code is what was drawn, and nothing else."""
        return not self.check and self.drawn == len(self.text)

    @property
    def space(self) -> int:
        """How many codes there can be."""
        codes: int = len(self.alphabet.characters) ** self.drawn
        return codes

    @property
    def bits(self) -> float:
        """What a guesser does not know."""
        return self.drawn * math.log2(len(self.alphabet.characters))

    def code(self, drawn: str) -> str:
        """The code in which these characters were drawn."""
        made = _template(self.text) % tuple(drawn)
        return made + check_character(drawn, self.alphabet) if self.check else made


@lru_cache(16)
def _template(text: str) -> str:
    return text.replace("%", "%%").replace(DRAWN, "%s")
