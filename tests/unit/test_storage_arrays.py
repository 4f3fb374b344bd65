from __future__ import annotations

from rewardkit.storage.sql.arrays import bytes_array, integer_array, text_array


def test_text_is_quoted_and_escaped() -> None:
    assert text_array(["a", "", 'b"c', "d\\e", "NULL", "{f,g}"]) == r'{"a","","b\"c","d\\e","NULL","{f,g}"}'


def test_nothing_is_an_empty_array_and_not_one_empty_text() -> None:
    assert (text_array([]), integer_array([]), bytes_array([])) == ("{}", "{}", "{}")


def test_an_absent_integer_is_null() -> None:
    assert integer_array([-(2**63), None, 0]) == "{-9223372036854775808,NULL,0}"


def test_bytes_are_hexadecimal() -> None:
    assert bytes_array([b"", b"\x00\xff"]) == r'{"\\x","\\x00ff"}'
