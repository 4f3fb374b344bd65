"""Definitions as a TOML file: read, checked as a whole, and brought into force together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from os import PathLike
from typing import Any, Final, Protocol, TypeVar

import attrs

from rewardkit.core.entrance.definition_checks import CampaignChecked, DefinitionChecks
from rewardkit.core.entrance.loading import Definition, DefinitionError, LoadDefinitions
from rewardkit.core.pools.commands import DefinePool
from rewardkit.core.promotions.commands import DefinePromotion
from rewardkit.core.referrals.commands import DefineReferralProgram
from rewardkit.core.requests.commands import (
    DefineCampaign,
    DefineCondition,
    DefineOffer,
    DefineReward,
    LaunchCampaign,
)
from rewardkit.core.requests.variant import Variant
from rewardkit.errors import ConditionSyntaxError, Refused, RewardKitError, ValidationError
from rewardkit.language.condition import Condition
from rewardkit.language.syntax.inline import references
from rewardkit.shell.definition_table import CONDITIONS, NO_FALLBACK, PROGRAMS, SHAPES, findings
from rewardkit.shell.toml_source import TomlSource

T = TypeVar("T")

_MISSPELT: Final = 0.9
"""How alike the names of two pools are, of 1, of which one is taken to be the other, misspelt."""


class Runs(Protocol):
    """As much of a kit as loading needs."""

    def run(self, command: LoadDefinitions) -> tuple[Any, ...]:
        """Carry out a command."""
        ...


class Asks(Protocol):
    """As much of a kit as looking needs."""

    def ask(self, query: DefinitionChecks) -> tuple[CampaignChecked, ...]:
        """Answer a question."""
        ...


@attrs.frozen
class _Line:
    """A definition, the table that it was read from, and the key of its condition."""

    definition: Definition
    path: tuple[str, ...]
    condition_key: str = ""


def load(kit: Runs, path: str | PathLike[str]) -> tuple[Any, ...]:
    """Bring the definitions of a file into force, kind by kind, whatever their order in the file.

    Pools come first, then rewards, conditions, offers, referral programs, campaigns and promotions; launches come last.

    Decimals are exact. A condition may use the names of others of the file, in any order, and of the store.
    A campaign is launched unless its `status` is "draft"; what a file leaves out stays as it is in the store.

    Returns:
        the answer of every definition and launch, in that order.

    Raises:
        ValidationError: every finding on a line of its own, with the file's name, the line, the table and the key;
            nothing was changed.
    """
    return _placed(path, lambda definitions: kit.run(LoadDefinitions(definitions)))


def check(kit: Asks, path: str | PathLike[str], *, history: bool) -> tuple[CampaignChecked, ...]:
    """What the launch checks say of the campaigns of a file, as if it were loaded; nothing changes.

    Args:
        kit: in whose store it would be loaded.
        path: of the file.
        history: whether events that the store has never seen are told.

    Raises:
        ValidationError: as `load`.
    """
    return _placed(path, lambda definitions: kit.ask(DefinitionChecks(definitions, history=history)))


def _placed(path: str | PathLike[str], use: Callable[[tuple[Definition, ...]], T]) -> T:
    """Use the definitions of a file; what is wrong with one is told with its place."""
    source = _checked(path)
    lines = tuple(_lines(source))
    if not lines:
        raise ValidationError(f"{source.name}: defines nothing: write a table such as [rewards.free-disc]")
    try:
        return use(tuple(line.definition for line in lines))
    except DefinitionError as error:
        line = lines[error.index]
        raise ValidationError(_explained(source, line, error.cause)) from error


def pools_of(path: str | PathLike[str]) -> tuple[str, ...]:
    """The names of the pools that a file speaks of and leaves to the store: of its rewards and promotions.

    One whose name is nearly that of a pool of the file is none of them: it is misspelt.

    Raises:
        ValidationError: as `load`, where the file is wrong in itself.
    """
    tables = _checked(path).tables
    promotions, pools = tables.get("promotions", {}), tables.get("pools", {})
    named = [value.get("issues", {}).get("pool") for value in tables.get("rewards", {}).values()]
    named += [*promotions, *(value.get("coupons") for value in promotions.values())]
    names = {name for name in named if isinstance(name, str) and name}
    return tuple(sorted(name for name in names if not get_close_matches(name, pools, cutoff=_MISSPELT)))


def read_conditions(path: str | PathLike[str]) -> Mapping[str, str]:
    """The named conditions of a definition file, by name.

    Raises:
        ValidationError: as `load`, where the file is wrong in itself.
    """
    conditions: Mapping[str, str] = _checked(path).tables.get(CONDITIONS, {})
    return conditions


def _checked(path: str | PathLike[str]) -> TomlSource:
    source = TomlSource(path)
    wrong = list(findings(source)) or list(_unreadable(source))
    if wrong:
        raise ValidationError("\n".join(wrong))
    return source


def _unreadable(source: TomlSource) -> Iterator[str]:
    """The conditions of the file that are no conditions."""
    for name, text in source.tables.get(CONDITIONS, {}).items():
        yield from _syntax(source, text, (CONDITIONS,), name)
    keys = (
        ("offers", "condition"),
        (PROGRAMS, "condition"),
        ("campaigns", "entry"),
        ("campaigns", "audience"),
        ("campaigns", "sender"),
    )
    for kind, key in keys:
        for name, value in source.tables.get(kind, {}).items():
            if key in value:
                yield from _syntax(source, value[key], (kind, name), key)


def _syntax(source: TomlSource, text: str, path: tuple[str, ...], key: str) -> Iterator[str]:
    try:
        Condition.parse(text)
    except ConditionSyntaxError as error:
        yield source.finding(str(error), *path, key=key)


def _lines(source: TomlSource) -> Iterator[_Line]:
    tables = source.tables
    for name, value in tables.get("pools", {}).items():
        yield _Line(DefinePool(name, **value), ("pools", name))
    for name, value in tables.get("rewards", {}).items():
        yield _Line(DefineReward(name, **value), ("rewards", name))
    conditions: Mapping[str, str] = tables.get(CONDITIONS, {})
    for name in _in_order(source, conditions):
        yield _Line(DefineCondition(name, conditions[name]), (CONDITIONS,), name)
    for name, value in tables.get("offers", {}).items():
        yield _Line(DefineOffer(name, **value), ("offers", name), "condition")
    for name, value in tables.get(PROGRAMS, {}).items():
        yield _Line(DefineReferralProgram(name, **value), (PROGRAMS, name), "condition")
    campaigns = tables.get("campaigns", {})
    for name, value in campaigns.items():
        yield _Line(_campaign(name, value), ("campaigns", name), "sender" if _is_of_referrals(value) else "entry")
    for name, value in tables.get("promotions", {}).items():
        yield _Line(DefinePromotion(name, **value), ("promotions", name))
    for name, value in sorted(campaigns.items(), key=_is_no_fallback):
        if value.get("status") != "draft":
            acknowledged = tuple(value.get("acknowledge", ()))
            yield _Line(LaunchCampaign(name, acknowledge=acknowledged), ("campaigns", name))


def _is_no_fallback(campaign: tuple[str, Mapping[str, Any]]) -> bool:
    """Sorts fallbacks to the front: other referral campaigns are not launched without one."""
    terms = campaign[1]
    return not _is_of_referrals(terms) or any(terms.get(key) for key in NO_FALLBACK)


def _is_of_referrals(terms: Mapping[str, Any]) -> bool:
    return "program" in terms or any("program" in one for one in terms.get("variants", {}).values())


def _campaign(name: str, value: Mapping[str, Any]) -> DefineCampaign:
    terms = {key: inner for key, inner in value.items() if key not in ("status", "variants")}
    variants = tuple(Variant(key, **inner) for key, inner in value.get("variants", {}).items())
    return DefineCampaign(name, **terms, variants=variants)


def _in_order(source: TomlSource, conditions: Mapping[str, str]) -> tuple[str, ...]:
    """The named conditions, each after those that it names."""
    needs = {
        name: [part.name for part in references(Condition.parse(text).tree) if part.name in conditions]
        for name, text in conditions.items()
    }
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        names = list(reversed(error.args[1]))
        circle = " → ".join(f"`@{name}`" for name in names)
        message = f"conditions name each other in a circle: {circle}"
        raise ValidationError(source.finding(message, CONDITIONS, key=names[0])) from None


def _explained(source: TomlSource, line: _Line, cause: RewardKitError) -> str:
    """What is wrong with a definition, under the key that the message begins with, or that holds the condition."""
    message = str(cause)
    subject, _, rest = message.partition(" ")
    path, key = _pointed(line.path, subject)
    if isinstance(cause, ConditionSyntaxError) or line.path == (CONDITIONS,):
        key = _condition_key(line, message)
    elif isinstance(cause, Refused) and cause.code == "condition_doubtful":
        key = _condition_key(line, message)
        message = "\n  help: ".join([message, *(text for text in cause.facts["help"][:1] if text)])
    elif isinstance(cause, Refused) and cause.code == "distribution_pinned":
        key = "distribution"
    elif isinstance(line.definition, DefinePromotion) and f"`{line.definition.coupons}` does not" in message:
        key = "coupons"
    elif key and subject == ".".join((*path[len(line.path) :], key)):
        message = rest
    elif not key and isinstance(cause, Refused) and cause.code.endswith("_unknown"):
        path, key = _naming(source, line.path, cause.facts.get("name"))
    return source.finding(message, *path, key=key)


def _naming(source: TomlSource, path: tuple[str, ...], name: object) -> tuple[tuple[str, ...], str]:
    """The table and the key whose value is this name; no key where there is none."""
    found: Any = source.tables
    for part in path:
        found = found[part]
    inside = [(path, key, value) for key, value in found.items()]
    for _, key, value in tuple(inside):
        if isinstance(value, dict):
            deeper = (((*path, key, table), one) for table, one in value.items() if isinstance(one, dict))
            inside += [(place, inner, text) for place, one in deeper for inner, text in one.items()]
    return next(((place, key) for place, key, value in inside if value == name), (path, ""))


def _condition_key(line: _Line, message: str) -> str:
    """Which key holds the condition that a message is about."""
    given = line.definition
    if isinstance(given, DefineCampaign) and given.audience is not None and given.audience in message:
        return "audience"
    return line.condition_key


def _pointed(path: tuple[str, ...], subject: str) -> tuple[tuple[str, ...], str]:
    """The table and the key that a message begins with, such as `variants.five.weight`; no key where it has none."""
    shape = SHAPES.get(path[0])
    if shape is None:
        return path, ""
    first, *deeper = subject.split(".")
    if first in shape.tables and len(deeper) > 1 and deeper[1] in shape.tables[first].keys:
        return (*path, first, deeper[0]), deeper[1]
    return path, first if first in (*shape.keys, *shape.tables) else ""
