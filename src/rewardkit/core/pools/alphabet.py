"""The characters that codes are made of, and the one form that everything written for a code comes to.

A code is kept as it was made or imported, and found by its key: letters in upper case, no blanks and no dashes, and one
character for each class of look-alikes. Keys are unique in a tenant, so that a code is found without its pool, whoever
typed it; two codes that people would take for each other cannot both be there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import attrs

from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError

CODE_CHARACTERS: Final = 255
"""Of a code, the longest that any pool may hold: what an index entry of every store holds."""

LOOK_ALIKES: Final = ("0O", "1IL")
"""Classes of characters that people take for each other, as in Douglas Crockford's Base 32; a key has the first."""

# Beside blanks and dashes of every script: what programs put into text unseen.
_UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_LEFT_OUT = re.compile(f"[\\s{_UNSEEN}\\-\u058a\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d]")
_KEY = re.compile("[!-~]*")
_SHOWN = re.compile("[ -~]*")
_FOLDED = str.maketrans(
    {letter: letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}
    | {form: alike[0] for alike in LOOK_ALIKES for one in alike for form in (one, one.lower())}
)
_CHARACTERS = re.compile("[0-9A-Z]+")
_PLAIN_LINES = re.compile("[0-9A-Za-z-]+(?:\n[0-9A-Za-z-]+)*")


def code_key(written: str) -> str:
    """The key of what was written for a code; the empty text where it cannot be one.

    Full-width letters and digits count as the plain ones. What is not ASCII then is no code.
    """
    if len(written) > 2 * CODE_CHARACTERS:
        return ""
    if not written.isascii():
        written = unicodedata.normalize("NFKC", written)
    key = _LEFT_OUT.sub("", written).translate(_FOLDED)
    return key if len(key) <= CODE_CHARACTERS and _KEY.fullmatch(key) else ""


def read_code(written: object) -> str:
    """The key of what somebody typed for a code, whatever it is; the empty text where it cannot be one.

    Raises:
        ValidationError: it is not even text.
    """
    if not isinstance(written, str):
        raise ValidationError(f"a code must be text, not `{type(written).__name__}`")
    return code_key(written)


def fault_of(code: object, most: int = CODE_CHARACTERS) -> str:
    """Why this cannot be kept as a code of at most `most` characters; empty where it can."""
    if not isinstance(code, str):
        return f"a code must be text, not `{type(code).__name__}`"
    if len(code) > most:
        return f"the code has {len(code)} characters, at most {most} are taken"
    if not _SHOWN.fullmatch(code) or code != code.strip():
        return f"the code `{show(code)}` has other characters than printable ASCII, or blanks around it"
    return "" if code_key(code) else "the code is empty"


def keys_at_once(codes: Sequence[object], most: int = CODE_CHARACTERS) -> list[str] | None:
    """The keys of codes in order, where there is nothing but letters, digits and dashes in any of them, and no fault.

    None where each has to be looked at by itself. Text of all of them costs a tenth of what they cost one by one.
    """
    try:
        text = "\n".join(codes)  # type: ignore[arg-type]  # what is not text is what is caught
    except TypeError:
        return None
    if not _PLAIN_LINES.fullmatch(text) or max(map(len, codes)) > most:  # type: ignore[arg-type]
        return None
    keys = text.replace("-", "").translate(_FOLDED).split("\n")
    return keys if len(keys) == len(codes) and all(keys) else None


@attrs.frozen
class Alphabet:
    """Characters to make codes from: of `0`-`9` and `A`-`Z`, at least two, no two of which look alike.

    Raises:
        ValidationError: they are none.
    """

    characters: str = attrs.field()

    @characters.validator
    def _check(self, _attribute: object, characters: object) -> None:
        if not isinstance(characters, str) or not _CHARACTERS.fullmatch(characters) or len(characters) < 2:
            raise ValidationError(
                "an alphabet is `crockford`, `wordless`, or text of at least two of the characters"
                " `0` to `9` and `A` to `Z`"
            )
        if len(set(characters)) != len(characters):
            twice = next(one for one in characters if characters.count(one) > 1)
            raise ValidationError(f"the alphabet has `{twice}` twice")
        for alike in LOOK_ALIKES:
            both = [one for one in characters if one in alike]
            if len(both) > 1:
                raise ValidationError(
                    f"the alphabet has `{both[0]}` and `{both[1]}`, which people take for each other: leave one out"
                )

    @property
    def keys(self) -> str:
        """Its characters as they stand in keys, in the same order."""
        return self.characters.translate(_FOLDED)


CROCKFORD: Final = Alphabet("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
"""Crockford's Base 32: digits and letters without `I`, `L`, `O` and `U`; five bits a character."""

WORDLESS: Final = Alphabet("256789BCDFGHJKMNPQRTVWXZ")
"""Without vowels, `Y`, `S`, and digits that are read as letters, so that no word can be read; 4.6 bits a character.

What has no vowels to begin with, such as an abbreviation, can still come up.
"""

NAMED: Final = {"crockford": CROCKFORD, "wordless": WORDLESS}


def alphabet_of(given: str) -> Alphabet:
    """The alphabet of this name, which no characters of one look like, or of these characters.

    Raises:
        ValidationError: it is neither.
    """
    return NAMED[given] if isinstance(given, str) and given in NAMED else Alphabet(given)
