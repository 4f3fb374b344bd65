"""The language's own vectors, on every engine; and the runner itself, which has to notice what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewardkit.errors import ValidationError
from rewardkit.language.conformance.run import run_vectors
from rewardkit.language.conformance.vectors import read_vectors

FILES = sorted((Path(__file__).parents[2] / "grammar" / "conformance").glob("*.json"))
EVENT = {"id": "1", "name": "A", "at": "2024-01-02T00:00:00Z"}
HELD = {"status": "satisfied", "decided_at": "2024-01-02T00:00:00Z", "wake_at": None}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_engine_agrees_with_every_vector(file: Path) -> None:
    assert () == run_vectors(read_vectors(file.read_bytes()))


def test_there_are_vectors_of_every_evaluated_operator() -> None:
    cases = [case for file in FILES for case in read_vectors(file.read_bytes()) if case.kind == "evaluate"]
    words = ("*2", "|", "&", "!", "of (", "within", "over", "no ", "then", "ever", "like", " in (", "has ")
    assert 120 <= len(cases)
    assert [] == [word for word in words if not any(word in case.condition for case in cases)]


STYLES = {
    "specification",
    "program",
    "program, restored at each step",
    "program, reparsed",
    "program, normalised",
    "program, every event twice",
    "program, split and merged",
    "program, for late events",
    "all at once",
    "condition set",
}


def document(**case: Any) -> str:
    whole = {"id": "one", "condition": "A", "steps": [{"event": EVENT, "expect": HELD}]} | case
    return json.dumps({"spec_version": 1, "cases": [{key: value for key, value in whole.items() if value != "absent"}]})


def test_absent_keys_take_their_defaults() -> None:
    assert () == run_vectors(read_vectors(document()))


def test_a_list_means_one_of_its_values() -> None:
    step = {"event": EVENT, "expect": {"status": ["pending", "satisfied"]}}
    assert () == run_vectors(read_vectors(document(steps=[step])))


@pytest.mark.parametrize(
    "expect",
    [
        {"status": "pending"},
        {"status": ["pending", "impossible"]},
        {"decided_at": "2024-01-02T00:00:00.000001Z"},
        {"decided_at": None},
    ],
)
def test_a_wrong_expectation_is_seen_by_every_engine(expect: dict[str, Any]) -> None:
    found = run_vectors(read_vectors(document(steps=[{"event": EVENT, "expect": expect}])))
    assert STYLES == {difference.engine for difference in found}
    assert {"differs"} == {difference.kind for difference in found}


def test_a_wrong_wake_up_is_seen() -> None:
    step = {"event": EVENT, "expect": {"wake_at": "2024-01-09T00:00:00Z"}}
    found = run_vectors(read_vectors(document(condition="A then B within 7d", steps=[step])))
    early = {difference.engine for difference in found}
    step["expect"] = {"wake_at": "2024-01-10T00:00:00Z"}
    late = run_vectors(read_vectors(document(condition="A then no B within 7d", steps=[step])))
    assert set() == early
    assert {"specification", "program"} <= {difference.engine for difference in late}


@pytest.mark.parametrize(
    "case",
    [
        {"allowed_lateness": "1h", "condition": "A*2", "steps": [{"event": EVENT, "expect": {"progress": 0.5}}]},
    ],
)
def test_what_is_not_evaluated_is_reported_and_never_skipped(case: dict[str, Any]) -> None:
    found = run_vectors(read_vectors(document(**case)))
    assert {"not supported"} == {difference.kind for difference in found}


def test_a_case_says_its_zone_mode_and_lateness() -> None:
    step = {"event": EVENT, "expect": {"status": "satisfied", "late": False, "revision": None}}
    for case in ({"mode": "live"}, {"allowed_lateness": "1h"}, {"zone": "Europe/Paris"}, {"mode": "latch"}):
        assert () == run_vectors(read_vectors(document(steps=[step], **case)))
    live = {"event": EVENT, "expect": {"status": "satisfied", "holds_now": False}}
    found = run_vectors(read_vectors(document(steps=[live], mode="live")))
    assert STYLES - {"condition set"} == {difference.engine for difference in found}


def test_a_progress_is_compared_to_three_places() -> None:
    for progress, many in ((0.333, 0), (0.25, 1), ([0, 0.3333], 0), (None, 1)):
        step = {"event": EVENT, "expect": {"progress": progress}}
        assert many == len(run_vectors(read_vectors(document(condition="A*3", steps=[step]))))


def test_a_late_case_is_told_in_other_orders_too() -> None:
    step = {"event": EVENT, "expect": {"status": "impossible"}}
    found = run_vectors(read_vectors(document(steps=[step], allowed_lateness="1h")))
    assert {
        "specification",
        "all at once",
        "program, for late events",
        "program, restored at each step",
        "program, reparsed",
        "program, every event twice",
        "shuffled",
    } == {difference.engine for difference in found}


def test_texts_that_do_not_parse_format_or_fail_as_said_differ() -> None:
    cases = [
        {"id": "1", "condition": "A", "reject": {}},
        {"id": "2", "condition": "A then no B", "reject": {"code": "RK999"}},
        {"id": "3", "condition": "A then no B", "reject": {"span": [0, 1]}},
        {"id": "4", "condition": "A and B", "format": "A and B"},
        {"id": "5", "condition": "A &", "parse": "A"},
        {"id": "6", "condition": "A &", "format": "A"},
        {"id": "7", "condition": "A | B & C", "parse": "(A | B) & C"},
        {"id": "8", "condition": "A", "parse": "A &"},
        {"id": "9", "condition": "A[x == 1]", "parse": "A[x == true]"},
        {"id": "right in full", "condition": "A | B & C", "parse": "A | (B & C)"},
        {"id": "right by name", "condition": "@x then C", "parse": "(A | B) then C", "definitions": {"x": "A or B"}},
        {"id": "right", "condition": "A then no B", "reject": {"code": "RK104", "span": [7, 11]}},
        {"id": "right too", "condition": "A and B", "format": "A & B"},
    ]
    found = run_vectors(read_vectors(json.dumps({"spec_version": 1, "cases": cases})))
    assert ["1", "2", "3", "4", "5", "6", "7", "8", "9"] == [difference.case for difference in found]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "no JSON"),
        ("[]", "an object with"),
        ('{"cases": []}', "`spec_version` is 1 here"),
        ('{"spec_version": 2, "cases": []}', "not `2`"),
        ('{"spec_version": true, "cases": []}', "`spec_version` is 1 here"),
        ('{"spec_version": 1, "spec_version": 1, "cases": []}', "comes twice"),
        ('{"spec_version": 1, "cases": {}}', "is a list"),
        ('{"spec_version": 1, "cases": [], "more": 1}', "no key `more`"),
        ('{"spec_version": 1, "cases": [1]}', "case 0 is not an object"),
        ('{"spec_version": NaN, "cases": []}', "`NaN` is no number"),
        ('{"spec_version": 1e999999, "cases": []}', "exponent"),
        ('{"spec_version": ' + "9" * 5_000 + ', "cases": []}', "digits"),
        ("[" * 100_000, "no JSON"),
        (document(start="2024-01-01"), "case `one`"),
        (document(start=5), "not `5`"),
        (document(condition=None), "`condition` is a text"),
        (document(steps="absent"), "exactly one of"),
        (document(reject={}), "exactly one of"),
        (document(stepz=[]), "no key `stepz`"),
        (document(steps=[{}]), "step 1"),
        (document(steps=[{"event": EVENT, "advance": "2024-01-02T00:00:00Z"}]), "step 1"),
        (document(steps=[{"event": EVENT, "expect": {"stati": 1}}]), "step 1 expects"),
        (document(steps=[{"event": EVENT | {"order": True}}]), "whole `order`"),
        (document(steps=[{"event": EVENT | {"name": 1}}]), "`name` is a text"),
        (document(definitions=[]), "`definitions`"),
        (document(mode=1), "`mode` is a text"),
        (document(mode="later"), "`mode` is `latch`, `live` or `final`"),
        (document(mode="final"), "needs an `end`"),
        (document(zone="Mars"), "zone `Mars` is unknown"),
        (document(allowed_lateness="soon"), "`allowed_lateness` is elapsed time"),
        (document(steps="absent", parse=True), "case `one`: `parse` is a text"),
        (document(steps="absent", format={}), "case `one`: `format` is a text"),
        (document(steps="absent", reject="RK104"), "case `one`: `reject` is an object"),
        (document(steps="absent", analyse=[]), "case `one`: `analyse` is an object"),
        (document(steps="absent", analyse={"satisfiabel": "yes"}), "case `one`: `analyse` has no key `satisfiabel`"),
        (document(steps="absent", analyse={"known_events": "A"}), "`known_events` is a list"),
        (document(steps="absent", analyse={"campaign_days": "30"}), "`campaign_days` a whole number"),
        (document(steps="absent", analyse={"implies": "yes"}), "`implies` needs `against`"),
        (document(steps="absent", reject={"cod": "RK104"}), "case `one`: `reject` has no key `cod`"),
        (document(steps="absent", reject={"code": 104}), "case `one`: `reject` has a `code`"),
        (document(steps="absent", reject={"span": [1]}), "case `one`: `reject` has a `span`"),
    ],
)
def test_a_malformed_file_is_refused_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as failure:
        read_vectors(text)
    assert message in str(failure.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"satisfiable": "no"},
        {"satisfiable": ["no", "unknown"]},
        {"satisfying_events": 2},
        {"dead": ["A"]},
        {"unknown_events": {}, "known_events": ["B"]},
        {"long_windows": ["7d"]},
        {"equivalent": "yes", "against": "A*2"},
        {"implies": "unknown", "against": "B"},
    ],
)
def test_a_wrong_expectation_of_an_analysis_is_seen(wrong: dict[str, Any]) -> None:
    found = run_vectors(read_vectors(document(steps="absent", analyse=wrong)))
    assert [("differs", "analyse")] == [(difference.kind, difference.engine) for difference in found]


def test_an_analysis_that_cannot_be_made_fails_the_case() -> None:
    found = run_vectors(read_vectors(document(steps="absent", analyse={"against": "A then no B"})))
    assert ["failed"] == [difference.kind for difference in found]


def test_a_case_id_comes_once() -> None:
    case = {"id": "one", "condition": "A", "parse": "A"}
    with pytest.raises(ValidationError, match="comes twice"):
        read_vectors(json.dumps({"spec_version": 1, "cases": [case, case]}))


def test_an_id_with_two_bodies_fails_the_case() -> None:
    steps = [{"event": EVENT}, {"event": EVENT | {"name": "B"}}]
    found = run_vectors(read_vectors(document(steps=steps)))
    assert {"failed"} == {difference.kind for difference in found}
