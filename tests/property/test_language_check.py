"""`check` and the compiler accept the same conditions, in a scope that has a start and in one that has none."""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rewardkit.errors import ConditionSyntaxError, ValidationError
from rewardkit.language import tree
from rewardkit.language.checks.check import check
from rewardkit.language.folding.program import compile_program
from rewardkit.language.limits import DAY_MICROSECONDS
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.parse import parse
from rewardkit.testing.strategies import conditions

EXAMPLES = int(min(20_000, 800 * float(os.environ.get("REWARDKIT_SCALE", "1"))))
DAYS = tuple(days * DAY_MICROSECONDS for days in (1, 2, 5))
lengths = st.one_of(
    st.sampled_from(DAYS).map(tree.Elapsed),
    st.sampled_from(DAYS).map(tree.Elapsed),
    st.just(tree.Calendar(2, "day")),
)


def compound(inner: st.SearchStrategy[tree.Node]) -> st.SearchStrategy[tree.Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(tree.Ever, inner),
        st.builds(tree.Ever, inner),
        st.builds(tree.Then, several),
        st.builds(lambda past, steps: tree.Then((*steps, tree.Ever(past), *steps)), inner, several),
        st.builds(tree.Within, inner, st.sampled_from(DAYS).map(tree.Elapsed)),
        st.builds(tree.Over, inner, st.sampled_from(DAYS).map(tree.Elapsed)),
        st.builds(tree.Within, inner, lengths),
        st.builds(tree.And, several),
        st.builds(tree.Or, several),
        st.builds(tree.Not, inner),
        st.builds(lambda terms: tree.Some(1, terms), several),
    )


leaves = st.one_of(
    *[conditions(spans=DAYS, depth=1)] * 8,
    st.just(tree.Between((tree.Match("A"),), 1, 2)),
    st.just(tree.Named("big")),
)
trees: st.SearchStrategy[tree.Node] = st.recursive(leaves, compound, max_leaves=6)
seen: Counter[str] = Counter()


def compiles(node: tree.Node, at: int | None) -> bool:
    try:
        compile_program(node).start(at)
    except ValidationError:
        return False
    return True


def parsed(node: tree.Node) -> tuple[tree.Node, str] | None:
    text = format_condition(node)
    try:
        return parse(text), text
    except ConditionSyntaxError:
        return None


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(trees)
def agree(drawn: tree.Node) -> None:
    read = parsed(drawn)
    if read is None:
        seen["not a condition"] += 1
        return
    node, text = read
    errors = {one.code for one in check(node, text, scope="start") if one.severity == "error"}
    opened = {one.code for one in check(node, text, scope="open") if one.severity == "error"}
    seen.update(errors | {f"open {code}" for code in opened} or {"accepted"})
    assert compiles(node, 0) == (not errors), f"`{text}` has {errors}"
    assert compiles(node, None) == (not opened), f"`{text}` has {opened} in an open scope"


def test_what_has_no_error_compiles_and_nothing_else_does() -> None:
    seen.clear()
    agree()
    rare = {code: seen[code] for code in ("accepted", "RK150", "RK151", "open RK150") if seen[code] < EXAMPLES // 75}
    assert {} == rare, seen
