"""`rewardkit explain`: why a condition is satisfied, impossible or pending on a log of events, and how far it is."""

from __future__ import annotations

import argparse
from fractions import Fraction
from typing import Any

from rewardkit.cli.event_log import read_log
from rewardkit.cli.measures import bar, length
from rewardkit.cli.options import Commands, add_command, read_instant
from rewardkit.cli.printing import FINDINGS, FINE, heading, print_json
from rewardkit.errors import ConditionSyntaxError, ValidationError
from rewardkit.language.condition import Condition
from rewardkit.language.diagnostic import printable
from rewardkit.language.event import Event, Instant, rfc3339
from rewardkit.language.explaining.explanation import Explanation
from rewardkit.language.explaining.leaf import Leaf
from rewardkit.language.explaining.need import Need
from rewardkit.language.explaining.refutation import written
from rewardkit.language.explaining.telling import Telling
from rewardkit.language.reasons.evidence import Absence, Value
from rewardkit.shell.definition_file import read_conditions


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "explain",
        run,
        "judge a condition on a log of events: the verdict, its proof or what is missing, and how far each part is",
        "Exits with 1 where the condition has an error.",
    )
    parser.add_argument("condition", metavar="EXPR", help="the condition, in one argument")
    parser.add_argument("events", metavar="EVENTS", help="a .csv with the columns id,user,name,at, or a .jsonl")
    parser.add_argument("--user", help="whose events; needed where the log has several users'")
    parser.add_argument("--start", metavar="INSTANT", help="where the scope begins; default: all known history")
    parser.add_argument("--end", metavar="INSTANT", help="the first instant that is no part of the scope")
    parser.add_argument("--now", metavar="INSTANT", help="the instant that it is judged at; default: last event")
    parser.add_argument("--zone", default="UTC", help="IANA name of the zone of its calendar, and of what is printed")
    parser.add_argument("--mode", choices=("latch", "live", "final"), default="latch", help="default: latch")
    parser.add_argument("--definitions", metavar="FILE", help="a definition file whose [conditions] it may name")


def run(arguments: argparse.Namespace) -> int:
    """Explain and print."""
    definitions = None if arguments.definitions is None else read_conditions(arguments.definitions)
    events = _events(arguments.events, arguments.user)
    start, end, now = (
        None if text is None else read_instant(text, option)
        for text, option in ((arguments.start, "--start"), (arguments.end, "--end"), (arguments.now, "--now"))
    )
    at = max([event.at for event in events]) if now is None else now
    try:
        condition = Condition.parse(arguments.condition, definitions=definitions)
        found = condition.explain(events, start=start, now=at, end=end, zone=arguments.zone, mode=arguments.mode)
    except ConditionSyntaxError as error:
        _print_diagnostics(arguments, error)
        return FINDINGS
    if arguments.json:
        print_json(_record(condition, found, at))
    else:
        _print_text(condition, found, at, Telling(arguments.zone))
    return FINE


def _events(name: str, user: str | None) -> list[Event]:
    """One user's events.

    Raises:
        ValidationError: the log has none of hers, or several users' where none is named.
    """
    log = read_log(name)
    users = sorted({logged.event.user for logged in log})
    if user is None and len(users) > 1:
        raise ValidationError(f"{name} has events of {len(users)} users: name one with --user, such as `{users[0]}`")
    found = [logged.event for logged in log if user is None or logged.event.user == user]
    if not found:
        raise ValidationError(f"{name}: there is no event" + ("" if user is None else f" of user `{user[:64]}`"))
    return found


def _print_diagnostics(arguments: argparse.Namespace, error: ConditionSyntaxError) -> None:
    if arguments.json:
        print_json({"condition": None, "diagnostics": error.diagnostics})
        return
    for diagnostic in error.diagnostics:
        print(diagnostic.show(arguments.condition))


def _print_text(condition: Condition, found: Explanation, at: Instant, telling: Telling) -> None:
    since = "" if found.decided_at is None else f" since {telling.instant(found.decided_at)}"
    print(printable(str(condition)))
    print(heading(f"{found.status}{since}") + f"  {bar(_exact(found.progress))} {_percent(found.progress)}")
    for sentence in found.sentences:
        print(f"  {printable(sentence)}")
    if found.wake_at is not None:
        print(f"  next deadline {telling.instant(found.wake_at)}, in {length(found.wake_at - at)}")
    rows = [_row(leaf, at, telling) for leaf in found.leaves]
    if rows:
        print(heading("parts"))
        width = max(len(row[0]) for row in rows)
        for name, rest in rows:
            print(f"  {name.ljust(width)}  {rest}".rstrip())


def _row(leaf: Leaf, at: Instant, telling: Telling) -> tuple[str, str]:
    name = printable(f"!{leaf.text}" if leaf.guard else leaf.text)
    share = (
        Fraction(leaf.done)
        if leaf.guard or leaf.need <= 0
        else min(Fraction(1), max(Fraction(0), leaf.have / leaf.need))
    )
    state = "done" if leaf.done else "" if leaf.begun else "later"
    count = f"{written(leaf.have)} of {written(leaf.need)}"
    until = ""
    if leaf.until is not None and not leaf.done:
        left = f"{length(leaf.until - at)} left" if leaf.until > at else "over"
        until = f"by {telling.instant(leaf.until)}, {left}"
    return name, "  ".join(part for part in (bar(share), count, state, until) if part)


def _percent(progress: float) -> str:
    return f"{int(_exact(progress) * 100)}%"


def _record(condition: Condition, found: Explanation, at: Instant) -> dict[str, Any]:
    return {
        "condition": str(condition),
        "status": found.status,
        "decided_at": _moment(found.decided_at),
        "now": rfc3339(at),
        "progress": found.progress,
        "event_ids": found.event_ids,
        "killed_by": _moment(found.killed_by) if isinstance(found.killed_by, int) else found.killed_by,
        "missing": found.missing,
        "wake_at": _moment(found.wake_at),
        "lapsed_at": None if found.lapsed is None else rfc3339(found.lapsed.at),
        "sentences": found.sentences,
        "needs": [_need(need) for need in found.needs],
        "absences": [_stretch(absence) | {"fewer_than": absence.fewer_than} for absence in found.absences],
        "values": [_stretch(value) | {"value": value.value} for value in found.values],
        "parts": [_part(leaf) for leaf in found.leaves],
    }


def _need(need: Need) -> dict[str, Any]:
    return {
        "what": need.what, "events": need.events, "cost": float(need.cost), "by": _moment(need.by),
        "until": _moment(need.until), "later": need.later,
    }  # fmt: skip


def _stretch(fact: Absence | Value) -> dict[str, Any]:
    return {"what": fact.what, "since": _moment(fact.since), "until": _moment(fact.until)}


def _part(leaf: Leaf) -> dict[str, Any]:
    return {
        "text": leaf.text, "have": float(leaf.have), "need": float(leaf.need), "done": leaf.done,
        "until": _moment(leaf.until), "guard": leaf.guard, "begun": leaf.begun,
    }  # fmt: skip


def _moment(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)


def _exact(progress: float) -> Fraction:
    """Progress has four places, which a float does not hold exactly."""
    return Fraction(progress).limit_denominator(10_000)
