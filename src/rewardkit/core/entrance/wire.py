"""Answers as JSON and back, for repeats under an idempotency key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from rewardkit.core.pools import code, import_report, issuance, pool, redemption, reservation
from rewardkit.core.promotions import entered
from rewardkit.core.requests import answers, records, referral_records
from rewardkit.errors import InvariantError
from rewardkit.language.event import instant, moment

_RECORDS: Mapping[str, type] = {
    kind.__name__: kind
    for module in (
        answers,
        records,
        referral_records,
        pool,
        code,
        issuance,
        redemption,
        reservation,
        import_report,
        entered,
    )
    for kind in vars(module).values()
    if isinstance(kind, type) and attrs.has(kind)
}


def dump(answer: object) -> str:
    """The JSON of an answer: records, datetimes, decimals and bytes are tagged, so that `load` gives an equal one."""
    return json.dumps(_plain(answer), ensure_ascii=True, separators=(",", ":"))


def load(text: str) -> Any:
    """The answer that `dump` was given.

    Raises:
        InvariantError: the text was not made by `dump`.
    """
    try:
        return _rich(json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise InvariantError(f"a remembered answer cannot be read: {error}") from None


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, datetime):
        return {"$at": instant(value)}
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, Mapping):
        return {"$map": {key: _plain(item) for key, item in value.items()}}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    kind = type(value)
    if _RECORDS.get(kind.__name__) is not kind:
        raise InvariantError(f"an answer holds a `{kind.__name__}`, which cannot be remembered")
    return {"$record": kind.__name__} | {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(kind)}


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_rich(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "$at" in value:
        return moment(value["$at"])
    if "$decimal" in value:
        return Decimal(value["$decimal"])
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"])
    if "$map" in value:
        return {key: _json(item) for key, item in value["$map"].items()}
    return _RECORDS[value["$record"]](**{name: _rich(item) for name, item in value.items() if name != "$record"})


def _json(value: Any) -> Any:
    """Inside a mapping stands JSON, whose lists are lists."""
    return [_json(item) for item in value] if isinstance(value, list) else _rich(value)
