"""What the tables of a definition file may hold: which keys, of which kind, and which are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

import attrs

from rewardkit.core.definitions.budget import read_exhaustion, read_money
from rewardkit.core.definitions.campaign_terms import read_caps_per, read_reentry
from rewardkit.core.definitions.draws import read_share
from rewardkit.core.pools.creating import read_address
from rewardkit.core.values.civil import beginning
from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError
from rewardkit.language.syntax.suggestion import suggest
from rewardkit.shell.toml_source import TomlSource

STATUSES: Final = ("draft", "live")


def text(value: Any) -> str:
    """What is wrong with a text, or nothing."""
    return "" if isinstance(value, str) else f"must be text in quotes, not {_shown(value)}"


def texts(value: Any) -> str:
    """What is wrong with a list of texts, or nothing."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ""
    return f'must be a list of texts such as ["RK201"], not {_shown(value)}'


def table(value: Any) -> str:
    """What is wrong with a table, or nothing."""
    return "" if isinstance(value, dict) else f"must be a table, not {_shown(value)}"


def whole(value: Any) -> str:
    """What is wrong with a whole number, or nothing."""
    return "" if type(value) is int else f"must be a whole number, not {_shown(value)}"


def switch(value: Any) -> str:
    """What is wrong with a yes or no, or nothing."""
    return "" if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"


def status(value: Any) -> str:
    """What is wrong with a status, or nothing."""
    return "" if value in STATUSES else f'must be "draft" or "live", not {_shown(value)}'


def distribution(value: Any) -> str:
    """What is wrong with how codes are given out, or nothing."""
    return "" if value in ("unique", "multi") else f'must be "unique" or "multi", not {_shown(value)}'


def address(value: Any) -> str:
    """What is wrong with an address of e-mail, or nothing."""
    return text(value) or _said(read_address, value, "")


def utc_moment(value: Any) -> str:
    """What is wrong with an instant of a pool, or nothing."""
    return moment(value, "UTC")


def moment(value: Any, zone: str = "the campaign's zone") -> str:
    """What is wrong with an instant, or nothing."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return (
            f"`{value.isoformat()}` has no offset: write an instant such as `{value.isoformat()}Z`,"
            f" or the date `{value.date()}` alone, which is read in {zone}"
        )
    if isinstance(value, date | str):
        try:
            beginning(value, "UTC")
        except ValidationError as error:
            return str(error)
        return ""
    return f"must be a date, or an instant such as 1997-01-01T00:00:00Z, not {_shown(value)}"


def copy(value: Any) -> str:
    """What is wrong with texts for people, or nothing."""
    if not isinstance(value, dict):
        return f"must be a table of texts, not {_shown(value)}"
    wrong = ((key, item) for key, item in value.items() if not isinstance(item, str))
    return next(
        (f"must be a table of texts, not a table where `{show(key)}` is {_shown(item)}" for key, item in wrong), ""
    )


def share(value: Any) -> str:
    """What is wrong with a share, or nothing."""
    return _said(read_share, value, "holdout ")


def reentry(value: Any) -> str:
    """What is wrong with a reentry, or nothing."""
    return _said(read_reentry, value, "reentry ")


def caps_per(value: Any) -> str:
    """What is wrong with caps by periods, or nothing."""
    return _said(read_caps_per, value, "caps_per ")


def budget(value: Any) -> str:
    """What is wrong with a budget, or nothing."""
    return _said(lambda given: read_money(given, "budget"), value, "budget ")


def at_exhaustion(value: Any) -> str:
    """What is wrong with what happens when a budget has run out, or nothing."""
    return _said(read_exhaustion, value, "at_exhaustion ")


def _said(read: Callable[[Any], Any], value: Any, subject: str) -> str:
    """What a reader says of a value, without its subject."""
    try:
        read(value)
    except ValidationError as error:
        return str(error).removeprefix(subject)
    return ""


Kind = Callable[[Any], str]


@attrs.frozen
class Shape:
    """The keys of one kind of table."""

    keys: Mapping[str, Kind]
    needed: tuple[str, ...] = ()
    tables: Mapping[str, Shape] = attrs.field(factory=dict)
    """Keys that hold tables by name."""
    instead: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    """Needed key → the keys that may stand in its place."""


VARIANT: Final = Shape(
    {"offer": text, "program": text, "weight": whole, "copy": copy}, ("offer",), instead={"offer": ("program",)}
)


PROGRAMS: Final = "referral-programs"
GRANTS: Final[dict[str, Kind]] = {"hold": text, "review": text, "reversal": text, "reversal_frees": switch}
"""What a definition says of the grants that are earned under it."""


POOL: Final = Shape(
    {
        "distribution": distribution,
        "issuance_allowed": switch,
        "redemption_allowed": switch,
        "low_threshold": whole,
        "max_characters": whole,
        "notification_email_address": address,
        "bearer": switch,
        "redemption_limit": whole,
        "issuee_redemption_limit": whole,
        "valid_from": utc_moment,
        "valid_until": utc_moment,
    }
)
PROMOTION: Final = Shape({"campaign": text, "coupons": text}, ("campaign",), instead={"campaign": ("coupons",)})


SHAPES: Final[Mapping[str, Shape]] = {
    "pools": POOL,
    "promotions": PROMOTION,
    "rewards": Shape({"properties": table, "issues": table}),
    "offers": Shape(
        {"reward": text, "condition": text, "expires_after": text, "acknowledge": texts} | GRANTS,
        ("reward", "condition"),
    ),
    PROGRAMS: Shape(
        {
            "sender_reward": text,
            "recipient_reward": text,
            "condition": text,
            "expires_after": text,
            "sender_cap": whole,
            "period_cap": whole,
            "period": text,
            "zone": text,
            # Known, so that it is refused with the reason.
            "entry": text,
            "acknowledge": texts,
        }
        | GRANTS,
        ("sender_reward", "recipient_reward", "condition"),
    ),
    "campaigns": Shape(
        {
            "offer": text,
            "entry": text,
            "code": text,
            "start": moment,
            "end": moment,
            "zone": text,
            "cap": whole,
            "user_cap": whole,
            "acknowledge": texts,
            "status": status,
            "audience": text,
            "reentry": reentry,
            "caps_per": caps_per,
            "budget": budget,
            "at_exhaustion": at_exhaustion,
            "holdout": share,
            "copy": copy,
            "program": text,
            "sender": text,
            "priority": whole,
        },
        ("offer",),
        tables={"variants": VARIANT},
        instead={"offer": ("variants", "program")},
    ),
}
NO_FALLBACK: Final = ("sender", "end", "holdout", "cap", "caps_per", "budget")
"""What a referral campaign that is everybody's fallback does not have."""
CONDITIONS: Final = "conditions"
TABLES: Final = ("pools", "rewards", CONDITIONS, "offers", PROGRAMS, "campaigns", "promotions")
"""In the order that they are brought into force."""


def findings(source: TomlSource) -> Iterator[str]:
    """Everything that is wrong with the tables and keys of a file, each with its place."""
    for name, value in source.tables.items():
        if name not in TABLES:
            yield source.finding(_unknown(name, "table", TABLES), name)
        elif not isinstance(value, dict):
            yield source.finding(f"must be a table, not {_shown(value)}", name)
        elif name == CONDITIONS:
            for key, condition in value.items():
                if text(condition):
                    yield source.finding(text(condition), name, key=key)
        else:
            for key, inner in value.items():
                yield from _entry(source, SHAPES[name], inner, name, key)


def _entry(source: TomlSource, shape: Shape, value: Any, *path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield source.finding(f"must be a table, not {_shown(value)}", *path)
        return
    for key, inner in value.items():
        if key in shape.tables:
            if not isinstance(inner, dict):
                yield source.finding(f"must be a table of tables, not {_shown(inner)}", *path, key=key)
                continue
            for name, one in inner.items():
                yield from _entry(source, shape.tables[key], one, *path, key, name)
        elif key not in shape.keys:
            wrong = _elsewhere(key) or _unknown(key, "key", (*shape.keys, *shape.tables))
            yield source.finding(wrong, *path, key=key)
        elif wrong := shape.keys[key](inner):
            yield source.finding(wrong, *path, key=key)
    for key in shape.needed:
        if not {key, *shape.instead.get(key, ())} & value.keys():
            others = " or ".join(f"`{other}`" for other in shape.instead.get(key, ()))
            yield source.finding(f"`{key}` is missing" + (f", or {others} in its place" if others else ""), *path)


def _elsewhere(key: str) -> str:
    """Which tables have a key that this one has not, or nothing."""
    homes = [f"[{kind}.…]" for kind, shape in SHAPES.items() if key in shape.keys]
    return f"this key is of {' and '.join(homes)}: write it there" if homes else ""


def _unknown(name: str, what: str, known: Any) -> str:
    close = suggest(name, known)
    return f"this {what} is unknown: " + (f"did you mean `{close}`?" if close else f"known are {', '.join(known)}")


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return f'`"{show(value[:40])}"`' if isinstance(value, str) else f"`{show(str(value)[:40])}`"
