"""`Condition`: reading, writing, naming, comparing."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from rewardkit.errors import ConditionSyntaxError, ValidationError
from rewardkit.language.checks.check import Scope, check
from rewardkit.language.condition import Condition
from rewardkit.language.event import Event, Position
from rewardkit.language.syntax.inline import inline
from rewardkit.language.syntax.measure import measure
from rewardkit.language.syntax.parse import parse
from rewardkit.language.syntax.suggestion import distance, suggest
from rewardkit.language.tree import Compare

DAY = 86_400_000_000


def said(text: str, **definitions: str) -> list[tuple[str, tuple[int, int]]]:
    with pytest.raises(ConditionSyntaxError) as caught:
        Condition.parse(text, definitions=definitions)
    return [(found.code, found.span) for found in caught.value.diagnostics]


def test_conditions_are_equal_where_their_canonical_texts_are() -> None:
    assert Condition.parse("A and B") == Condition.parse("A & B")
    assert 1 == len({Condition.parse("A and B"), Condition.parse("A & B")})
    assert Condition.parse("A & B") != Condition.parse("B & A")


def test_a_truth_value_is_not_the_number_one() -> None:
    assert parse("A[x == true]") != parse("A[x == 1]")
    assert parse("A[x in (true)]") != parse("A[x in (1)]")
    assert Compare("x", "==", 1) == Compare("x", "==", 1)


def test_the_same_text_gives_the_same_condition_from_memory() -> None:
    assert Condition.parse("A then B within 5h") is Condition.parse("A then B within 5h")


def test_a_union_in_an_aggregate_may_be_written_in_words() -> None:
    assert parse("count(A or B | C) >= 2") == parse("count(A | B | C) >= 2")


def test_a_condition_survives_pickling() -> None:
    condition = Condition.parse("A & B within 7d")
    copy = pickle.loads(pickle.dumps(condition))
    assert condition == copy
    assert (condition.text, condition.tree, condition.lints) == (copy.text, copy.tree, copy.lints)


def test_the_event_names_are_all_that_it_listens_to() -> None:
    text = (
        '("User Signed Up" | B*2) then no C[x == 1] within 7d & count(D | E) >= 2 & A*1..2 & streak(F, 3 calendar days)'
    )
    assert {"User Signed Up", "B", "C", "D", "E", "A", "F"} == Condition.parse(text).event_names


def test_the_lints_are_those_of_a_scope_with_a_start() -> None:
    assert ["RK204"] == [lint.code for lint in Condition.parse("A & B within 7d").lints]
    assert () == Condition.parse("A then B within 7d").lints


def test_a_subclass_of_text_is_read_as_its_text() -> None:
    class Loud(str):
        __slots__ = ()

        def __str__(self) -> str:
            return self.upper()

    assert "a" == str(Condition.parse(Loud("a")))


def test_names_are_inlined_wholly() -> None:
    definitions = {"big": "A | B", "bigger": "@big & C"}
    assert "((A | B) & C) then D" == str(Condition.parse("@bigger then D", definitions=definitions))
    assert Condition.parse("@bigger", definitions={"bigger": Condition.parse("A")}) == Condition.parse("A")
    assert "@big" == str(Condition.parse("@big"))


def test_the_condition_of_a_satisfied_name_is_written_out() -> None:
    definitions = {"onboarding": "A then @late & satisfied(early)", "late": "B over 7d", "early": "C*2"}
    condition = Condition.parse("satisfied(onboarding) then D", definitions=definitions)
    assert "satisfied(((A then B over 7d) & satisfied((C*2)))) then D" == str(condition)
    assert condition.tree == Condition.parse(str(condition)).tree
    assert {"A", "B", "C", "D"} == condition.event_names
    assert "satisfied(onboarding) then D" == str(Condition.parse("satisfied( onboarding )then D"))


def test_what_is_satisfied_is_measured_with_its_parentheses() -> None:
    flat = measure(parse("satisfied((A & B))"))
    assert (4, 4) == (flat.nodes, flat.depth)
    nested = "satisfied((" * 15 + "A" + "))" * 15
    assert nested == str(Condition.parse(nested))
    assert [("RK003", (0, 12))] == said("satisfied(x)", x=nested)


@pytest.mark.parametrize(
    "text, scope, codes",
    [
        ("A then satisfied((no B within 7d))", "open", ["RK150"]),
        ("A then satisfied((no B within 7d))", "start", []),
        ("ever satisfied((no B within 7d))", "start", ["RK150"]),
        ("ever satisfied((A then no B within 7d))", "start", []),
        ("A then satisfied((ever B)) then C", "start", []),
        ("A then satisfied((A then ever B then C))", "start", ["RK151"]),
        ("satisfied((no B within 14d)) within 7d", "start", []),
        ("A & satisfied((B & !C)) within 7d", "start", ["RK204"]),
        ("satisfied((!B)) then C", "start", []),
    ],
)
def test_what_is_satisfied_is_judged_from_the_start_of_the_whole(text: str, scope: Scope, codes: list[str]) -> None:
    assert codes == [found.code for found in check(parse(text), text, scope=scope)]


def test_an_inlined_part_of_a_satisfied_name_has_no_binding_of_its_own() -> None:
    condition = Condition.parse("A & satisfied(late)", definitions={"late": "B & C within 7d"})
    assert not {"RK204"} & {found.code for found in condition.check()}


def test_an_inlined_part_is_found_at_its_name() -> None:
    assert [("RK105", (0, 2))] == said("@a then B", a="!C")
    assert [("RK119", (4, 19))] == said("A & no @a within 7d", a="B & C")
    condition = Condition.parse("A & @late", definitions={"late": "B*2..5"})
    assert ("RK206", (4, 9)) in [(found.code, found.span) for found in condition.check()]


@pytest.mark.parametrize(
    "definitions, code",
    [
        ({"x": "A"}, "RK140"),
        ({"a": "@a"}, "RK141"),
        ({"a": "@b", "b": "@c", "c": "@a"}, "RK141"),
        ({"a": "satisfied(a)"}, "RK141"),
        ({"a": "satisfied(b)", "b": "@a"}, "RK141"),
        ({"a": "satisfied(b)"}, "RK140"),
        ({f"a{i}" if i else "a": f"@a{i + 1} & @a{i + 1}" for i in range(40)} | {"a40": "X"}, "RK004"),
        ({f"a{i}" if i else "a": f"!@a{i + 1}" for i in range(40)} | {"a40": "X"}, "RK003"),
    ],
)
def test_names_that_are_unknown_circular_or_too_large_are_refused_at_their_place(
    definitions: dict[str, str], code: str
) -> None:
    assert [(code, (7, 9))] == said("Q then @a", **definitions)


def test_a_long_chain_of_names_needs_no_recursion() -> None:
    definitions = {f"a{i}": parse(f"@a{i + 1}") for i in range(20_000)} | {"a20000": parse("X")}
    assert parse("X") == inline(parse("@a0"), definitions)


def test_a_close_name_is_suggested_and_a_far_one_is_not() -> None:
    known = ["big-spender", "welcome", "User Signed Up"]
    assert "big-spender" == suggest("big_spender", known)
    assert "big-spender" == suggest("big-spneder", known)
    assert "User Signed Up" == suggest("userSignedUp", known)
    assert None is suggest("refund", known)
    assert "big-spender" == suggest("big-spenderr", ["big-spender", "big-spendr"])
    assert (0, 1, 1, 3) == (distance("ab", "ab"), distance("ab", "ba"), distance("ab", "abc"), distance("", "abc"))


@pytest.mark.parametrize("start", ["2024-01-01T00:00:00Z", datetime(2024, 1, 1, tzinfo=UTC), 19_723 * DAY])
def test_a_bare_start_is_before_the_events_of_its_instant(start: str | datetime | int) -> None:
    event = Event("A", "2024-01-01T00:00:00Z", "1")
    assert "satisfied" == Condition.parse("A").judge([event], start=start, now="2024-01-02T00:00:00Z").status


def test_a_position_or_an_event_is_outside_the_scope_that_it_starts() -> None:
    event = Event("A", "2024-01-01T00:00:00Z", "1")
    condition, now = Condition.parse("A"), "2024-01-02T00:00:00Z"
    assert "pending" == condition.judge([event], start=event, now=now).status
    assert "pending" == condition.judge([event], start=event.position, now=now).status
    assert "satisfied" == condition.judge([event], start=Position(event.at), now=now).status
    assert "satisfied" == condition.judge([event], start=None, now=now).status


def test_what_cannot_be_judged_is_refused_before_it_is() -> None:
    for text in ("@x", "satisfied(x)"):
        with pytest.raises(ConditionSyntaxError):
            Condition.parse(text).judge([], start=0, now=1)
        with pytest.raises(ConditionSyntaxError):
            Condition.parse(text).program()
    with pytest.raises(ConditionSyntaxError, match="no start to count from"):
        Condition.parse("A within 7d").judge([], start=None, now=1)
    assert "pending" == Condition.parse("A within 7d").judge([], start=0, now=1).status


def test_an_unknown_mode_and_a_naive_start_are_refused() -> None:
    condition = Condition.parse("A")
    with pytest.raises(ValidationError, match="no mode `later`"):
        condition.judge([], start=0, now=1, mode="later")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="no offset"):
        condition.judge([], start=datetime(2024, 1, 1), now=1)  # noqa: DTZ001


@pytest.mark.parametrize(
    "event, lacking",
    [
        (Event("A", id="1"), "event `A` has no instant: pass `at`"),
        (Event("A", 5), "event `A` has no id: pass `id`"),
        ({"name": "A"}, "made of `Event`s, not of `dict`"),
    ],
)
def test_an_event_with_no_instant_or_no_id_is_not_judged(event: Event, lacking: str) -> None:
    condition = Condition.parse("A")
    for ask in (condition.judge, condition.explain):
        with pytest.raises(ValidationError, match=lacking):
            ask([event], start=0, now=9)


def test_an_event_with_no_instant_neither_starts_a_scope_nor_steps_a_program() -> None:
    condition = Condition.parse("A")
    with pytest.raises(ValidationError, match="no instant"):
        condition.judge([], start=Event("A", id="1"), now=9)
    program = condition.program()
    with pytest.raises(ValidationError, match="no instant"):
        program.step(program.start(0), Event("A", id="1"))


def test_a_program_folds_by_hand_with_instants_as_people_write_them() -> None:
    condition = Condition.parse("(A*2 | B) & !C")
    assert "(A*2 | B) & !C" == str(condition)
    assert {"A", "B", "C"} == condition.event_names
    program = condition.program()
    state = program.start("2024-01-01T00:00:00Z", end=datetime(2024, 2, 1, tzinfo=UTC))
    state = program.step(state, Event("A", "2024-01-02T00:00:00Z", "1"))
    assert "pending" == program.verdict(state).status
    verdict = program.verdict(program.advance(state, "2024-02-01T00:00:00Z"))
    assert ("impossible", datetime(2024, 2, 1, tzinfo=UTC), "expired") == (
        verdict.status,
        verdict.decided_at,
        verdict.reason,
    )
    assert "satisfied" == program.verdict(program.step(state, Event("B", "2024-01-03T00:00:00Z", "2"))).status
