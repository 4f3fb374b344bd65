"""Laws of reading and writing conditions, for every tree and for any text."""

from __future__ import annotations

import os
from decimal import Decimal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.checks.check import check
from rewardkit.language.condition import Condition
from rewardkit.language.limits import DAY_MICROSECONDS, LONGEST_TEXT
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.measure import check_size
from rewardkit.language.syntax.parse import parse
from rewardkit.language.syntax.structure import check_structure
from rewardkit.language.tree import (
    Aggregate,
    And,
    AtLeast,
    Before,
    Between,
    By,
    Calendar,
    Compare,
    Comparison,
    Either,
    Elapsed,
    Ever,
    Every,
    Except,
    Has,
    InAny,
    InLast,
    InOne,
    Match,
    Named,
    No,
    Node,
    Not,
    OneOf,
    Or,
    Over,
    Predicate,
    Satisfied,
    Since,
    Some,
    Streak,
    Term,
    Then,
    Within,
)

SCALE = float(os.environ.get("REWARDKIT_SCALE", "1"))

texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
names = st.one_of(
    st.sampled_from(
        ["A", "B", "User Signed Up", "order.completed", "then", "no.show", "count", "x-y", "true", "has", "é"]
    ),
    texts.filter(lambda text: text.strip() != ""),
)
units = st.sampled_from(["day", "week", "month", "quarter", "year"])
elapsed = st.builds(
    Elapsed, st.integers(1, 400 * DAY_MICROSECONDS // 1_000).map(lambda milliseconds: milliseconds * 1_000)
)
calendars = st.builds(Calendar, st.integers(1, 100), units)
spans = st.one_of(elapsed, calendars)
instants = st.sampled_from(["2026-01-31", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+05:30"])


def tidy(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number.normalize()


numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.decimals(-1_000_000, 1_000_000, places=4, allow_nan=False, allow_infinity=False).map(tidy),
)
values = st.one_of(texts, numbers, st.booleans())
comparisons = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
predicates: st.SearchStrategy[Predicate] = st.recursive(
    st.one_of(
        st.builds(Compare, names, comparisons, values),
        st.builds(Compare, names, st.just("like"), texts),
        st.builds(OneOf, names, st.lists(values, min_size=1, max_size=3).map(tuple)),
        st.builds(Has, names),
    ),
    lambda inner: st.one_of(
        st.builds(Every, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Either, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Except, inner),
    ),
    max_leaves=4,
)
matches = st.builds(Match, names, st.one_of(st.none(), predicates))
one_match = matches.map(lambda match: (match,))
unions = st.lists(matches, min_size=2, max_size=3).map(tuple)
counts = st.one_of(st.builds(AtLeast, one_match, st.integers(1, 99)), st.builds(AtLeast, unions, st.integers(2, 99)))
ranges = st.builds(
    lambda matched, least, more: Between(matched, least, least + more),
    one_match | unions,
    st.integers(0, 9),
    st.integers(0, 9),
)
aggregates = st.one_of(
    st.builds(Aggregate, st.sampled_from(["count", "days"]), one_match | unions),
    st.builds(
        Aggregate,
        st.sampled_from(["sum", "avg", "min", "max", "distinct", "latest", "first"]),
        one_match | unions,
        names,
    ),
)
terms = st.lists(st.builds(Term, numbers, st.one_of(st.none(), aggregates)), min_size=1, max_size=3).map(tuple)
latest = st.builds(Term, st.just(1), st.builds(Aggregate, st.sampled_from(["latest", "first"]), one_match, names))
compared = st.one_of(
    st.builds(Comparison, terms, comparisons, terms),
    st.builds(Comparison, latest.map(lambda term: (term,)), comparisons, texts),
)
leaves: st.SearchStrategy[Node] = st.one_of(
    counts,
    counts,
    ranges,
    compared,
    st.builds(Named, names),
    st.builds(Satisfied, names),
    st.builds(No, counts, spans),
    st.builds(lambda body, span: Streak(body, span, span.count - 1), counts, calendars),
)


def compound(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(Then, several),
        st.builds(lambda parts, least: Some(min(least, len(parts)), parts), several, st.integers(1, 3)),
        st.builds(Satisfied, st.just(""), inner),
        st.builds(Not, inner),
        st.builds(Ever, inner),
        st.builds(Within, inner, spans),
        st.builds(Over, inner, spans),
        st.builds(InAny, inner, spans),
        st.builds(InLast, inner, spans),
        st.builds(InOne, inner, units),
        st.builds(Before, inner, instants),
        st.builds(Since, inner, instants),
        st.builds(By, inner, names),
    )


trees: st.SearchStrategy[Node] = st.recursive(leaves, compound, max_leaves=8)
examples = int(min(10_000, 300 * SCALE))


@settings(
    max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(trees)
def test_a_tree_is_read_back_from_its_text(tree: Node) -> None:
    assume(not check_size(tree, (0, 0)) and not check_structure(tree, ""))
    text = format_condition(tree)
    assume(len(text) <= LONGEST_TEXT)
    assert tree == parse(text)
    assert text == format_condition(parse(text))


@settings(
    max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(trees)
def test_the_canonical_text_has_no_surprising_binding(tree: Node) -> None:
    assume(not check_size(tree, (0, 0)) and not check_structure(tree, ""))
    text = format_condition(tree)
    assume(len(text) <= LONGEST_TEXT)
    codes = {found.code for found in check(parse(text), text, scope="start")}
    assert not codes & {"RK204", "RK205"}


@settings(max_examples=examples, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_a_syntax_error(text: str) -> None:
    error = failure(text)
    if error is None:
        condition = Condition.parse(text)
        assert condition == Condition.parse(str(condition))
    else:
        assert error.diagnostics
        assert str(error)


def failure(text: str) -> ConditionSyntaxError | None:
    """What reading a text says, where it does not succeed; any other exception is a failed test."""
    try:
        Condition.parse(text)
    except ConditionSyntaxError as error:
        return error
    return None
