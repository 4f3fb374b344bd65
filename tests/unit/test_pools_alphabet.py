"""What a code is found by, whoever typed it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardkit import ValidationError
from rewardkit.core.pools.alphabet import CROCKFORD, WORDLESS, Alphabet, code_key, fault_of, keys_at_once


@pytest.mark.parametrize(
    "written, key",
    [
        ("coupon01", "C0UP0N01"),
        ("aabb-ccdd", "AABBCCDD"),
        ("AABBCCDD", "AABBCCDD"),
        (" aabb  ccdd\t\n", "AABBCCDD"),
        ("aabb\u2013ccdd", "AABBCCDD"),
        ("aa\u00a0bb\u200bcc\ufeffdd\u00ad", "AABBCCDD"),
        ("oO0", "000"),
        ("iIlL1", "11111"),
        ("\uff21\uff10", "A0"),
        ("SAVE20%", "SAVE20%"),
        ("a" * 255, "A" * 255),
        ("-" * 200 + "a", "A"),
        ("", ""),
        (" - ", ""),
        ("a" * 256, ""),
        ("-" * 600 + "a", ""),
        ("\u0130", ""),
        ("stra\u00dfe", ""),
        ("a\x00b", ""),
        ("\ud800", ""),
        ("\u202eabc", ""),
    ],
)
def test_what_is_written_for_a_code_comes_to_one_key(written: str, key: str) -> None:
    assert code_key(written) == key
    assert code_key(key) == key


@pytest.mark.parametrize("code", ["coupon01", "aabb-ccdd", "TEN OFF", "SAVE20%", "x" * 255])
def test_printable_ascii_can_be_a_code(code: str) -> None:
    assert fault_of(code) == ""


@pytest.mark.parametrize(
    "code, most, fault",
    [
        ("", 50, "the code is empty"),
        ("--", 50, "the code is empty"),
        ("x" * 51, 50, "the code has 51 characters, at most 50 are taken"),
        (" x", 50, "the code ` x` has other characters than printable ASCII, or blanks around it"),
        ("stra\u00dfe", 50, r"the code `stra\xdfe` has other characters than printable ASCII, or blanks around it"),
        ("a\nb", 50, r"the code `a\nb` has other characters than printable ASCII, or blanks around it"),
        (7, 50, "a code must be text, not `int`"),
    ],
)
def test_anything_else_says_why_it_cannot(code: object, most: int, fault: str) -> None:
    assert fault_of(code, most) == fault


@pytest.mark.parametrize(
    "characters, message",
    [
        ("", "at least two"),
        ("A", "at least two"),
        ("ab", "at least two"),
        ("A-", "at least two"),
        (12, "at least two"),
        ("ABA", "`A` twice"),
        ("A0O", "`0` and `O`"),
        ("IL", "`I` and `L`"),
        ("1I", "`1` and `I`"),
    ],
)
def test_an_alphabet_has_no_two_characters_that_look_alike(characters: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Alphabet(characters)


def test_an_alphabet_may_have_any_one_of_a_class() -> None:
    assert Alphabet("AOL").keys == "A01"
    assert CROCKFORD.keys == CROCKFORD.characters
    assert len(CROCKFORD.characters) == 32


CODES = st.text("AbO0-iL1 \n\u00df%", max_size=6) | st.text("AbO0-iL1", min_size=1, max_size=6)


@given(st.lists(CODES, max_size=4), st.integers(1, 6))
def test_keys_are_read_at_once_as_they_are_one_by_one_or_not_at_all(codes: list[str], most: int) -> None:
    assert keys_at_once(codes, most) in (None, [code_key(code) for code in codes])
    if any(fault_of(code, most) for code in codes):
        assert keys_at_once(codes, most) is None


def test_keys_of_plain_codes_are_read_at_once() -> None:
    assert keys_at_once(["save-O1", "xY-z"]) == ["SAVE01", "XYZ"]
    assert keys_at_once(["fine", 5]) is None
    assert keys_at_once([]) is None


def test_no_character_of_the_wordless_alphabet_reads_as_a_vowel() -> None:
    read = str.maketrans("0134578", "OIEASTB")
    assert not set(WORDLESS.characters) & set("AEIOUY0134")
    assert set(WORDLESS.characters) <= set(CROCKFORD.characters)
    assert not set(WORDLESS.characters.translate(read)) & set("AEIOUY")
