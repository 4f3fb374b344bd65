"""Adding codes: imported row by row, or drawn."""

from __future__ import annotations

from typing import Any

import pytest

from rewardkit import (
    ChangePool,
    CodeOdds,
    Codes,
    GenerateCodes,
    ImportCodes,
    RedeemCode,
    Refused,
    ValidationError,
)
from rewardkit.core.pools.alphabet import CROCKFORD, Alphabet, code_key
from rewardkit.core.pools.check_character import is_checked
from rewardkit.core.pools.needs import FreshCodes
from rewardkit.core.pools.pattern import CodePattern
from rewardkit.shell.fresh_codes import fresh_codes
from rewardkit.testing.pool_shop import POOL, PoolShop


def test_every_row_is_added_or_refused_with_its_reason() -> None:
    shop = PoolShop(["there"], max_characters=8)
    rows = ["one", "ONE", "two", "a" * 9, "", "o n-e", "stra\u00dfe", "T-here", "three", " blank"]
    report = shop.kit.run(ImportCodes(POOL, rows, first_row=10))
    assert (report.added, report.duplicates, report.refused) == (3, 3, 7)
    assert [(row.row, row.reason) for row in report.rows] == [
        (11, "duplicate"),
        (13, "too_long"),
        (14, "empty"),
        (15, "duplicate"),
        (16, "malformed"),
        (17, "duplicate"),
        (19, "malformed"),
    ]
    assert [row.sentence for row in report.rows if row.reason == "duplicate"] == [
        "it reads the same as row 10",
        "it reads the same as row 10",
        "some pool has a code that reads the same",
    ]
    assert shop.pool.total == 4


def test_codes_keep_how_they_were_written() -> None:
    shop = PoolShop(["aabb-ccdd", "Coupon 01"])
    assert sorted(code.code for code in shop.kit.ask(Codes(POOL)).items) == ["Coupon 01", "aabb-ccdd"]


def test_a_report_names_the_first_thousand_rows_that_were_refused() -> None:
    shop = PoolShop(["same"])
    report = shop.kit.run(ImportCodes(POOL, ["same"] * 1_500))
    assert (report.added, report.refused, len(report.rows)) == (0, 1_500, 1_000)


def test_importing_again_adds_nothing_and_under_a_key_answers_the_same() -> None:
    shop = PoolShop(0)
    command = ImportCodes(POOL, ("one", "two"))
    first = shop.kit.run(command, key="file")
    assert shop.kit.run(command, key="file") == first
    assert shop.kit.run(command).duplicates == 2
    assert shop.counts == (0, 2, 0, 0)


def test_a_code_that_is_too_long_for_the_pool_of_now_is_refused() -> None:
    shop = PoolShop(["1234567890"])
    shop.kit.run(ChangePool(POOL, max_characters=5))
    assert shop.kit.run(ImportCodes(POOL, ["123456", "12345"])).added == 1
    shop.issue()
    assert shop.redeem("1234567890").code == "1234567890"


def test_codes_of_many_slices_are_counted_wherever_they_fall() -> None:
    shop = PoolShop(0, low_threshold=10)
    for size in (1, 15, 16, 17, 33):
        shop.add(f"{size}-{number}-x" for number in range(size))
    assert shop.counts == (0, 82, 0, 0)
    assert len({shop.issue().code for _ in range(82)}) == 82
    assert shop.warnings == [10]


@pytest.mark.parametrize("count", [1, 7, 1_000])
def test_as_many_are_drawn_as_are_asked_for_and_all_differ(count: int) -> None:
    shop = PoolShop(3)
    assert shop.kit.run(GenerateCodes(POOL, count)).added == count
    drawn = [code.code for code in shop.kit.ask(Codes(POOL, limit=1_000)).items if "-" not in code.code]
    assert len(set(drawn)) == min(count, 1_000 - 3) or len(set(drawn)) == count
    assert {len(code) for code in drawn} == {12}
    assert set("".join(drawn)) <= set(CROCKFORD.characters)
    assert shop.pool.remaining == count + 3


@pytest.mark.parametrize(
    "given, example",
    [
        ({"length": 10}, "0000000000"),
        ({"length": 10, "prefix": "SAVE-"}, "SAVE-0000000000"),
        ({"pattern": "X####-####Y"}, "X0000-0000Y"),
        ({"pattern": "####-####", "alphabet": "ABCDEFGH23456789", "allow_guessable": True}, "AAAA-AAAA"),
        ({"length": 10, "check": True}, "00000000000"),
    ],
)
def test_codes_look_as_their_pattern_says(given: dict[str, Any], example: str) -> None:
    shop = PoolShop(0)
    shop.kit.run(GenerateCodes(POOL, 20, **given))
    alphabet = Alphabet(given.get("alphabet", CROCKFORD.characters))
    for code in shop.kit.ask(Codes(POOL)).items:
        shape = "".join(alphabet.characters[0] if one in alphabet.characters else one for one in code.code)
        assert len(code.code) == len(example)
        assert [one for one in shape if one == "-"] == [one for one in example if one == "-"]
        assert not given.get("check") or is_checked(code.code, alphabet)
    odds = {name: value for name, value in given.items() if name != "allow_guessable"}
    assert shop.kit.ask(CodeOdds(POOL, 1, **odds)).example == example


def test_an_alphabet_that_spells_no_words_is_asked_for_by_its_name() -> None:
    shop = PoolShop(0)
    shop.kit.run(GenerateCodes(POOL, 200, alphabet="wordless"))
    assert not {one for code in shop.kit.ask(Codes(POOL, limit=200)).items for one in code.code} & set("AEIOUY0134S")
    odds = shop.kit.ask(CodeOdds(POOL, 1, alphabet="wordless"))
    assert (odds.bits, odds.example, odds.guessable) == (55.0, "222222222222", False)


def test_odds_are_told_before_anything_is_made() -> None:
    shop = PoolShop(100)
    space = shop.kit.ask(CodeOdds(POOL, 900, length=4, alphabet="0123456789"))
    assert (space.codes, space.space, space.bits, space.guesses) == (1_000, 10_000, 13.3, 10.0)
    assert space.guessable
    assert not shop.kit.ask(CodeOdds(POOL, 10_000)).guessable
    assert shop.kit.ask(CodeOdds(POOL, 1)).bits == 60.0
    assert shop.pool.total == 100


@pytest.mark.parametrize("given", [{"length": 7}, {"length": 8, "count": 2_000_000 // 1_000, "alphabet": "01"}])
def test_what_can_be_guessed_is_refused_unless_it_is_allowed(given: dict[str, Any]) -> None:
    shop = PoolShop(0)
    command = {"count": 10, **given}
    with pytest.raises(Refused, match="codes_guessable"):
        shop.kit.run(GenerateCodes(POOL, **command))
    assert shop.pool.total == 0


def test_forty_bits_are_enough_and_less_are_not() -> None:
    shop = PoolShop(0)
    assert shop.kit.run(GenerateCodes(POOL, 1, length=8)).added == 1
    assert shop.refusal(GenerateCodes(POOL, 1, length=7)) == "codes_guessable"


def test_a_space_that_is_nearly_full_is_drawn_from_until_it_has_none_left() -> None:
    shop = PoolShop(0)
    given: dict[str, Any] = {"length": 3, "alphabet": "01234567", "allow_guessable": True}
    assert shop.kit.run(GenerateCodes(POOL, 400, **given)).added == 400
    assert shop.kit.run(GenerateCodes(POOL, 20, **given)).added == 20
    assert shop.refusal(GenerateCodes(POOL, 93, **given)) == "space_exhausted"
    assert shop.refusal(GenerateCodes(POOL, 513, **given)) == "space_exhausted"
    assert shop.pool.total == 420
    assert len({shop.issue().code for _ in range(420)}) == 420


@pytest.mark.parametrize(
    "given",
    [
        {"count": 0},
        {"count": 10_001},
        {"length": 51},
        {"alphabet": "AB0O"},
        {"alphabet": "ab"},
        {"pattern": "ABC"},
        {"pattern": "####", "prefix": "X"},
        {"prefix": "#"},
        {"prefix": "\u00e9"},
    ],
)
def test_what_cannot_be_meant_says_so(given: dict[str, Any]) -> None:
    shop = PoolShop(0)
    with pytest.raises(ValidationError):
        shop.kit.run(GenerateCodes(POOL, **({"count": 1} | given)))
    assert shop.refusal(GenerateCodes("other", 1)) == "pool_unknown"
    assert shop.refusal(ImportCodes("other", ["x"])) == "pool_unknown"


def test_too_many_at_once_are_refused() -> None:
    with pytest.raises(ValidationError, match="10000"):
        PoolShop(0).kit.run(ImportCodes(POOL, ["x"] * 10_001))


@pytest.mark.parametrize("characters", ["01", "0123456789", "ABCDEFG", CROCKFORD.characters])
def test_characters_are_drawn_evenly(characters: str) -> None:
    length, count = 20, 4_000
    codes = fresh_codes(FreshCodes(CodePattern("#" * length, Alphabet(characters)), count))
    assert len(set(codes)) == count
    text = "".join(codes)
    expected = len(text) / len(characters)
    for one in characters:
        # Eight standard deviations.
        assert abs(text.count(one) - expected) < 8 * expected**0.5
    for place in range(length):
        assert len({code[place] for code in codes}) == len(characters)


def test_a_drawn_code_is_found_by_its_key() -> None:
    shop = PoolShop(0)
    shop.kit.run(GenerateCodes(POOL, 1, pattern="get-####-####"))
    code = shop.issue().code
    assert shop.refusal(RedeemCode(code_key(code).lower())) == ""
