"""Property filters: compiled ones against the plain meaning, and a table of the corners."""

from __future__ import annotations

import random
import time
from decimal import Decimal
from typing import Any

import pytest

from rewardkit.errors import ValidationError
from rewardkit.language import tree
from rewardkit.language.values.filter import matches
from rewardkit.language.values.glob import compile_glob
from rewardkit.language.values.predicate import compile_predicate
from rewardkit.testing.samples import random_predicate, random_properties

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 2**60, 1.0, 2.5, float("nan"), float("inf"), Decimal("1.0"), Decimal("2.50"),
    Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), "", "1", "x", "xy", "2.5", "\ud800", [], [1], {}, {"r": 1},
)  # fmt: skip
LITERALS: tuple[tree.Literal, ...] = (0, 1, 2, Decimal("2.5"), Decimal("1.00"), "", "1", "x", "x*", "?", True, False)
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "like")


@pytest.mark.parametrize("literal", LITERALS, ids=repr)
@pytest.mark.parametrize("operator", COMPARISONS)
def test_every_comparison_means_the_same_compiled(operator: str, literal: tree.Literal) -> None:
    if operator == "like" and not isinstance(literal, str):
        return
    for predicate in (
        tree.Compare("p", operator, literal),
        tree.Compare("q.r", operator, literal),
        tree.OneOf("p", (literal, "zz")),
        tree.Has("q.r"),
    ):
        compiled = compile_predicate(predicate)
        for properties in ({}, *({"p": value, "q": value} for value in ODD), *({"q": {"r": value}} for value in ODD)):
            found = compiled(properties)
            assert type(found) is bool
            assert matches(predicate, properties) is found, (predicate, properties)


def test_random_filters_mean_the_same_compiled() -> None:
    chance = random.Random(7)
    seen = set()
    for _ in range(3_000):
        predicate, properties = random_predicate(chance), random_properties(chance)
        found = compile_predicate(predicate)(properties)
        assert matches(predicate, properties) is found, (predicate, properties)
        seen.add(found)
    assert {True, False} == seen


def test_differing_is_exactly_not_being_equal() -> None:
    for literal in LITERALS:
        equal = compile_predicate(tree.Compare("p", "==", literal))
        differs = compile_predicate(tree.Compare("p", "!=", literal))
        for value in ODD:
            assert equal({"p": value}) is not differs({"p": value})
        assert differs({})


@pytest.mark.parametrize(
    "text, pattern, expected",
    [
        ("", "", True),
        ("", "*", True),
        ("a", "", False),
        ("abc", "a*c", True),
        ("ac", "a*c", True),
        ("a", "a*a", False),
        ("aa", "a*a", True),
        ("abab", "*ab", True),
        ("xaby", "*ab*", True),
        ("abc", "a?c", True),
        ("ac", "a?c", False),
        ("a\nb", "a*b", True),
        ("aXbXc", "a?b*c", True),
        ("[a]", "[a]", True),
        ("a", "[a]", False),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
    ],
)
def test_globs(text: str, pattern: str, expected: bool) -> None:  # noqa: FBT001
    assert expected is compile_glob(pattern)(text)
    assert expected is matches(tree.Compare("p", "like", pattern), {"p": text})


def test_random_globs_mean_the_same_compiled() -> None:
    chance = random.Random(3)
    for _ in range(5_000):
        pattern = "".join(chance.choices("ab*?", k=chance.randint(0, 6)))
        text = "".join(chance.choices("ab", k=chance.randint(0, 7)))
        assert matches(tree.Compare("p", "like", pattern), {"p": text}) is compile_glob(pattern)(text), (pattern, text)


@pytest.mark.parametrize("pattern", ["a*" * 500 + "b", "?*" * 500 + "b", "*a?" * 300 + "b"])
def test_no_glob_is_a_catastrophe(pattern: str) -> None:
    match = compile_glob(pattern)
    begun = time.process_time()
    assert match("a" * 20_000) is False
    assert time.process_time() - begun < 5  # a matcher that tries again needs longer than the universe has


def test_text_of_a_user_is_never_source() -> None:
    evil = '") or properties or ("'
    compiled = compile_predicate(tree.Compare(evil, "==", evil))
    assert compiled({evil: evil})
    assert not compiled({"p": evil})


def test_an_operator_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="does not compare"):
        compile_predicate(tree.Compare("p", "~", 1))
    with pytest.raises(ValidationError, match="does not compare"):
        compile_predicate(tree.Compare("p", "like", 1))
