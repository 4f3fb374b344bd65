"""What is found in a condition that parses: parts that cannot be judged, windows with no start, and lints."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewardkit.errors import ValidationError
from rewardkit.language.checks.check import Scope, check
from rewardkit.language.diagnostic import CODES
from rewardkit.language.folding.program import compile_program
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.parse import parse


def found(text: str, scope: Scope = "start") -> list[tuple[str, str]]:
    """Codes and the pieces of text that they point at."""
    return [(one.code, text[one.span[0] : one.span[1]]) for one in check(parse(text), text, scope=scope)]


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "A*3",
        "(A | B)*2",
        "(A*2 | B) & !C",
        "A then B within 7d",
        "A then no B within 14d",
        'A[amount >= 50 and country in ("FR")]',
        "2 of (A, B, C*3)",
        "(A then B) within 7d",
        "(A & B) over 7d",
        "A & (B within 7d)",
        "A & no B within 7d",
        "ever A & B",
        "A within 7d & B within 14d",
        "(no B within 7d) within 7d",
        "no (A | B*2) within 7d",
        "A then (B & !C)",
        "A then (ever B) within 7d",
        "A then ever B",
        "ever A then B",
        "A then ((ever B) over 7d) then C",
        "((A | B) & ever A) within 1d",
        "A then ((B | !(ever C)) & D) then C",
    ],
)
def test_what_is_evaluated_and_meant_has_no_finding(text: str) -> None:
    assert [] == found(text)


@pytest.mark.parametrize(
    "text, code, piece",
    [
        ("@x then B", "RK140", "@x"),
    ],
)
def test_what_is_not_evaluated_is_refused_with_its_place(text: str, code: str, piece: str) -> None:
    assert (code, piece) in found(text)
    assert "error" == check(parse(text), text, scope="start")[0].severity


@pytest.mark.parametrize(
    "text, code, piece",
    [
        ("A*2..3", "RK206", "A*2..3"),
        ("B then A*2..3", "RK206", "A*2..3"),
        ("B & count(A) == 2", "RK206", "count(A) == 2"),
        ("min(A:price) >= 5 & B", "RK206", "min(A:price) >= 5"),
        ("sum(A:x) - sum(B:x) >= 100 in any 30d", "RK207", "sum(A:x) - sum(B:x) >= 100"),
        ("B & count(A) >= 2*count(C)", "RK207", "count(A) >= 2*count(C)"),
        ("A in last 7d", "RK208", "A in last 7d"),
        ("(A & !B) in any 3d", "RK209", "(A & !B) in any 3d"),
        ("(!A over 3d) by shop & B", "RK209", "(!A over 3d) by shop"),
    ],
)
def test_what_is_judged_too_early_has_a_lint(text: str, code: str, piece: str) -> None:
    assert (code, piece) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "A*2..3 over 7d",
        "B & !(A*2..3)",
        "sum(A:x) >= 100",
        "sum(A:x) - sum(B:x) >= 100 over 30d",
        "max(A:x) >= 100",
        'latest(profile:tier) == "gold"',
        "avg(rating:stars) >= 4",
        "(A then no B within 14d) by order_id",
        "(A & !B) in one day",
    ],
)
def test_what_waits_or_only_grows_has_none(text: str) -> None:
    assert set() == {code for code, _ in found(text)} & {"RK206", "RK207", "RK208", "RK209"}


@pytest.mark.parametrize(
    "text, code, piece",
    [
        ("A & !A", "RK220", "A & !A"),
        ("A then (B*2 & !B)", "RK220", "A then (B*2 & !B)"),
        ("(A within 7d) & (no A within 7d)", "RK220", "(A within 7d) & (no A within 7d)"),
        ("(A | !A) over 7d", "RK221", "(A | !A) over 7d"),
        ("A | no A within 7d", "RK221", "A | no A within 7d"),
        ("A | A*2", "RK222", "A*2"),
        ("(A*2 & A) then B", "RK222", "A"),
        ("2 of (A, A, B)", "RK222", "B"),
        ("A*2 & !A*3", "RK222", "!A*3"),
    ],
)
def test_what_is_foregone_has_a_lint(text: str, code: str, piece: str) -> None:
    assert (code, piece) in found(text)


@pytest.mark.parametrize(
    "text", ["A then A", "(A*2 | B) & !C", "A & !A[x > 5]", "A*2 | (A & B)", "no A within 7d then A", "A*3 over 7d"]
)
def test_what_is_open_has_none(text: str) -> None:
    assert set() == {code for code, _ in found(text)} & {"RK220", "RK221", "RK222"}


def test_a_satisfied_name_has_to_be_known() -> None:
    assert ("RK140", "satisfied(x)") in found("satisfied(x) then A")
    assert "RK140" not in dict(found("satisfied((x)) then A"))


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("A within 7d", ["A within 7d"]),
        ("no A within 7d", ["no A within 7d"]),
        ("A over 7d then B within 1d", ["A over 7d"]),
        ("A & (B within 7d)", ["B within 7d"]),
        ("A then B within 7d", []),
        ("A then (B & no C within 7d)", []),
        ("(A then B) within 7d", ["(A then B) within 7d"]),
    ],
)
def test_a_window_needs_a_start_in_an_open_scope(text: str, pieces: list[str]) -> None:
    assert [("RK150", piece) for piece in pieces] == found(text, "open")
    assert [] == found(text, "start")


@pytest.mark.parametrize(
    "text, piece",
    [
        ("A & ever (B within 7d)", "B within 7d"),
        ("A then ever no B within 7d", "no B within 7d"),
        ("(ever A) within 7d", "(ever A) within 7d"),
    ],
)
@pytest.mark.parametrize("scope", ["start", "open"])
def test_a_window_at_ever_has_no_start_in_any_scope(text: str, piece: str, scope: Scope) -> None:
    assert ("RK150", piece) in found(text, scope)


@pytest.mark.parametrize(
    "text, piece",
    [
        ("A then ever B then C", "ever B"),
        ("A then (ever B within 7d) then C", "ever B"),
        ("A then (ever B & C) then D", "ever B"),
        ("(A then (B | ever C)) then D", "ever C"),
        ("ever (A then ever B) then C", "ever B"),
    ],
)
@pytest.mark.parametrize("scope", ["start", "open"])
def test_an_ever_that_a_step_follows_stands_first(text: str, piece: str, scope: Scope) -> None:
    assert ("RK151", piece) in found(text, scope)
    with pytest.raises(ValidationError, match="cannot be followed"):
        compile_program(parse(text))


@pytest.mark.parametrize(
    "text, code, piece",
    [
        ("(A & ever B) by x", "RK152", "ever B"),
        ("(A & satisfied((B & C))) by x", "RK152", "satisfied((B & C))"),
        ("(A in any 7d & (B then ever C)) by x", "RK152", "ever C"),
        ("(A within 3 calendar days) in last 7d", "RK153", "A within 3 calendar days"),
        ("(A*2 over 3d) in last 7 calendar days", "RK153", "A*2 over 3d"),
        ("(A within 3d then B) in last 7d", "RK153", "A within 3d"),
        ("((no A within 3d) in last 7d) then B", "RK153", "no A within 3d"),
    ],
)
def test_what_has_no_key_or_cannot_move_is_refused_with_its_place(text: str, code: str, piece: str) -> None:
    assert [(code, piece)] == [one for one in found(text) if one[0] in ("RK152", "RK153")]


@pytest.mark.parametrize(
    "text",
    [
        "(A by x) & ever B",
        "ever (A by x)",
        "satisfied((A by x))",
        "(A within 3d) in last 7d",
        "(A then B within 3 calendar days) in last 7d",
        "(A then B within 3 calendar days) in last 7 calendar days",
        "(!(A within 3d)) in last 7d",
        "(A in any 3 calendar days then B) in last 7d",
        "(A then (B within 3d then C)) in last 7d",
    ],
)
def test_what_has_its_key_or_moves_is_not_refused(text: str) -> None:
    assert [] == [one for one in found(text) if one[0] in ("RK152", "RK153")]


@pytest.mark.parametrize("text", ["(ever A) within 7d", "(ever A) over 7d", "((ever A) within 7d) within 9d"])
def test_a_window_directly_on_ever_that_counts_from_the_start_does_not_compile(text: str) -> None:
    assert "RK150" in {code for code, _ in found(text)}
    with pytest.raises(ValidationError, match="has no start"):
        compile_program(parse(text))


@pytest.mark.parametrize(
    "text, code, piece",
    [
        ("!A", "RK201", "!A"),
        ("A | !B", "RK201", "A | !B"),
        ("!A & !B", "RK201", "!A & !B"),
        ("1 of (A, !B)", "RK201", "1 of (A, !B)"),
        ("(!A) within 7d", "RK201", "(!A) within 7d"),
        ("ever !A", "RK201", "ever !A"),
        ("A then !B", "RK202", "!B"),
        ("A then (B | !C)", "RK202", "B | !C"),
        ("(no B within 30d) within 7d", "RK203", "no B within 30d"),
        ("(A then B over 8d) within 7d", "RK203", "B over 8d"),
        ("(A over 8d) over 7d", "RK203", "A over 8d"),
        ("A & B within 7d", "RK204", "B within 7d"),
        ("A | B over 7d", "RK204", "B over 7d"),
        ("A & B | C within 7d", "RK204", "C within 7d"),
        ("!A over 7d", "RK205", "!A over 7d"),
        ("B then not A over 7d", "RK205", "not A over 7d"),
    ],
)
def test_what_is_surely_not_meant_gets_a_lint(text: str, code: str, piece: str) -> None:
    assert [(code, piece)] == found(text)
    assert "lint" == check(parse(text), text, scope="start")[0].severity


@pytest.mark.parametrize("text", ["A & B within 7d", "!A over 7d", "A | B over 7d", "A & ever B within 7d & C"])
def test_the_formatter_adds_the_parentheses_that_a_lint_asks_for(text: str) -> None:
    canonical = format_condition(parse(text))
    assert parse(text) == parse(canonical)
    assert {"RK204", "RK205"} & {code for code, _ in found(text)}
    assert not {"RK204", "RK205"} & {code for code, _ in found(canonical)}


@pytest.mark.parametrize("text", ["A & B within 7d", "!A over 7d", "A then B by order_id"])
def test_the_fix_of_a_binding_keeps_the_meaning_and_ends_the_lint(text: str) -> None:
    lint = next(one for one in check(parse(text), text, scope="start") if one.severity == "lint")
    assert lint.fix is not None
    assert parse(text) == parse(lint.fix)
    assert lint.code not in {code for code, _ in found(lint.fix)}


def test_every_lint_and_every_operator_that_is_not_evaluated_is_shown_above() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    assert [] == [code for code in CODES if code > "RK2" and f'"{code}"' not in tested]


def test_findings_come_in_the_order_of_the_text() -> None:
    spans = [
        one.span for one in check(parse("A & B within 7d | C in any 7d"), "A & B within 7d | C in any 7d", scope="open")
    ]
    assert sorted(spans) == spans
    assert len(spans) >= 3
