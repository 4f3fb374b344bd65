"""The character that tells a typing error from a code."""

from __future__ import annotations

import itertools

import pytest

from rewardkit import ValidationError
from rewardkit.core.pools.alphabet import CROCKFORD, Alphabet
from rewardkit.core.pools.check_character import check_character, is_checked

DIGITS = Alphabet("0123456789")
ODD = Alphabet("ABCDEFGHJ")


@pytest.mark.parametrize("body, check", [("7992739871", "3"), ("0", "0"), ("1", "8"), ("453914880343646", "7")])
def test_of_ten_digits_it_is_luhns(body: str, check: str) -> None:
    assert check_character(body, DIGITS) == check
    assert is_checked(body + check, DIGITS)


@pytest.mark.parametrize("alphabet", [DIGITS, CROCKFORD, ODD, Alphabet("AB"), Alphabet("ABC")])
def test_it_notices_every_single_wrong_character(alphabet: Alphabet) -> None:
    bodies = [alphabet.characters[-1] * 5, (alphabet.characters * 5)[1:6], alphabet.characters[0] * 4]
    for body in bodies:
        code = body + check_character(body, alphabet)
        assert is_checked(code, alphabet)
        wrong = [
            code[:place] + other + code[place + 1 :]
            for place, other in itertools.product(range(len(code)), alphabet.characters)
            if other != code[place]
        ]
        assert [] == [one for one in wrong if is_checked(one, alphabet)]


@pytest.mark.parametrize("alphabet, missed", [(DIGITS, 1), (CROCKFORD, 1), (ODD, 0)])
def test_it_notices_all_swaps_of_neighbours_but_those_of_the_first_and_the_last_character(
    alphabet: Alphabet, missed: int
) -> None:
    swaps = list(itertools.combinations(alphabet.characters, 2))
    unnoticed = [
        (one, other)
        for one, other in swaps
        if check_character(f"{one}{other}", alphabet) == check_character(f"{other}{one}", alphabet)
    ]
    assert len(unnoticed) == missed
    assert unnoticed in ([], [(alphabet.characters[0], alphabet.characters[-1])])


def test_it_is_read_as_people_write() -> None:
    assert check_character("A1O-42", Alphabet("AO124")) == check_character("al0 42", Alphabet("AO124"))
    body = "ABCD1234"
    code = body + check_character(body, CROCKFORD)
    assert is_checked(f"{code[:4].lower()}-{code[4:]}".replace("1", "l"), CROCKFORD)


@pytest.mark.parametrize("body", ["", "A!", "U"])
def test_it_is_made_for_characters_of_the_alphabet_alone(body: str) -> None:
    with pytest.raises(ValidationError, match="of the alphabet"):
        check_character(body, CROCKFORD)
    assert not is_checked(body + "0", CROCKFORD)
