"""The language-neutral vectors of reading and writing conditions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.parse import parse

FOLDER = Path(__file__).parents[2] / "grammar" / "conformance"


def cases(name: str) -> list[Any]:
    content = json.loads((FOLDER / f"syntax-{name}.json").read_text(encoding="utf-8"))
    assert 1 == content["spec_version"]
    return [pytest.param(case, id=case["id"]) for case in content["cases"]]


@pytest.mark.parametrize("case", cases("parse"))
def test_a_text_reads_as_its_explicit_form(case: dict[str, Any]) -> None:
    assert parse(case["parse"]) == parse(case["condition"])


@pytest.mark.parametrize("case", cases("format"))
def test_a_text_has_its_canonical_form(case: dict[str, Any]) -> None:
    assert case["format"] == format_condition(parse(case["condition"]))
    assert case["format"] == format_condition(parse(case["format"]))
    assert parse(case["format"]) == parse(case["condition"])


@pytest.mark.parametrize("case", cases("reject"))
def test_a_text_is_refused_with_its_code_and_place(case: dict[str, Any]) -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        parse(case["condition"])
    first = caught.value.diagnostics[0]
    assert case["reject"] == {"code": first.code, "span": list(first.span)}


def test_every_vector_has_an_id_of_its_own() -> None:
    ids = [case.values[0]["id"] for name in ("parse", "format", "reject") for case in cases(name)]
    assert sorted(set(ids)) == sorted(ids)
    assert len(ids) >= 150
