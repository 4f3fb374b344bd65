"""What parses and is surely not meant."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from rewardkit.language.checks.hasty import check_hasty
from rewardkit.language.descent import children, descend
from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.emptiness import holds_on_nothing
from rewardkit.language.limits import DAY_MICROSECONDS
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.literal import write_span
from rewardkit.language.syntax.scan import Lexeme
from rewardkit.language.syntax.structure import absent
from rewardkit.language.tree import (
    And,
    Before,
    By,
    Elapsed,
    Ever,
    InAny,
    InLast,
    InOne,
    No,
    Node,
    Not,
    Or,
    Over,
    Satisfied,
    Since,
    Then,
    Within,
)

Scoped = Within | Over | InAny | InLast | InOne | Before | Since | By


def check_lints(node: Node, text: str, lexemes: list[Lexeme]) -> Iterator[Diagnostic]:
    """The lints of a condition whose text has these lexemes."""
    if holds_on_nothing(node):
        yield Diagnostic(
            "RK201",
            f"{quoted(_source(node, text))} holds before anything has happened",
            node.place,
            help="join it by `&` to something that has to happen, or write `no … within D` to wait for an absence",
            severity="lint",
        )
    yield from _guards(node, text)
    yield from check_hasty(node, text)
    yield from _late_closes(node, None)
    yield from _bindings(node, text, _Brackets(lexemes))


def _guards(node: Node, text: str) -> Iterator[Diagnostic]:
    """Last steps that hold at once, such as `A then !B`."""
    for part in descend(node):
        if isinstance(part, Then) and holds_on_nothing(part.steps[-1]):
            step = part.steps[-1]
            waiting = _waited(step.body) if isinstance(step, Not) else "no … within 14d"
            yield Diagnostic(
                "RK202",
                f"{quoted(_source(step, text))} already holds when the step before it completes",
                step.place,
                help=f"write `{waiting}` to wait for an absence, or leave it out",
                severity="lint",
            )


def _waited(body: Node) -> str:
    """The absence that a guard was probably meant to be."""
    span = Elapsed(14 * DAY_MICROSECONDS)
    return format_condition(No(body, span) if absent(body) else Over(Not(body), span))


def _late_closes(node: Node, limit: int | None) -> Iterator[Diagnostic]:
    """Windows that are judged at their close, inside a window that ends before it."""
    match node:
        case Over(body=body, span=Elapsed(microseconds=length)) | No(body=body, span=Elapsed(microseconds=length)):
            if limit is not None and length > limit:
                yield Diagnostic(
                    "RK203",
                    f"`{write_span(Elapsed(length))}` never closes inside `{write_span(Elapsed(limit))}`",
                    node.place,
                    help="make the outer window longer, or this one shorter",
                    severity="lint",
                    note="it is never judged, so it never holds",
                )
            yield from _late_closes(body, length if limit is None else min(limit, length))
        case Within(body=body, span=Elapsed(microseconds=length)):
            yield from _late_closes(body, length if limit is None else min(limit, length))
        case InAny(body=body, span=Elapsed(microseconds=length)):
            yield from _late_closes(body, length)
        case Ever(body=body) | InLast(body=body) | InOne(body=body):
            yield from _late_closes(body, None)
        case Satisfied(body=body) if body is not None:
            yield from _late_closes(body, None)
        case _:
            for part in children(node):
                yield from _late_closes(part, limit)


class _Brackets:
    """Which ranges of the text stand in parentheses."""

    def __init__(self, lexemes: list[Lexeme]) -> None:
        self._before = {after.start: before.text for before, after in pairwise(lexemes)}
        self._after = {before.end: after.text for before, after in pairwise(lexemes)}
        self._names = set(_references(lexemes))

    def around(self, place: tuple[int, int]) -> bool:
        """Whether parentheses stand around a range, or it is the place of an inlined name."""
        enclosed = self._before.get(place[0]) == "(" and self._after.get(place[1]) == ")"
        return enclosed or place in self._names


def _references(lexemes: list[Lexeme]) -> Iterator[tuple[int, int]]:
    """The places of `@name`, `@"a name"`, `satisfied(name)` and `satisfied("a name")`."""
    for index, lexeme in enumerate(lexemes):
        after = [one.text for one in lexemes[index + 1 : index + 4]]
        if lexeme.text.startswith("@"):
            yield lexeme.start, (lexeme if len(lexeme.text) > 1 else lexemes[index + 1]).end
        elif lexeme.text == "satisfied" and after[:1] == ["("] and after[2:] == [")"]:
            yield lexeme.start, lexemes[index + 3].end


def _bindings(node: Node, text: str, brackets: _Brackets) -> Iterator[Diagnostic]:
    """Texts that people read otherwise than the grammar does; the formatter adds the parentheses."""
    for part in descend(node):
        if isinstance(part, And | Or):
            for before, term in pairwise(part.terms):
                if isinstance(term, Scoped) and not isinstance(before, Scoped | No) and not brackets.around(term.place):
                    yield _binds_last(term, text, "&" if isinstance(part, And) else "|")
        if isinstance(part, Then):
            for step in part.steps[1:]:
                if isinstance(step, By) and not brackets.around(step.place):
                    yield _binds_last(step, text, "then")
        if isinstance(part, Scoped) and isinstance(part.body, Not | Ever) and not brackets.around(part.body.place):
            yield _binds_prefix(part, text)


def _binds_last(node: Scoped, text: str, operator: str) -> Diagnostic:
    start, end = node.place
    scope = text[node.body.place[1] : end].lstrip(" )\t\r\n")
    return Diagnostic(
        "RK204",
        f"{quoted(scope)} binds to {quoted(_source(node.body, text))} alone",
        node.place,
        help=f"write parentheses: `… {operator} ({text[start:end]})` if that is meant, "
        f"`(… {operator} {_source(node.body, text)}) {scope}` if not",
        fix=f"{text[:start]}({text[start:end]}){text[end:]}",
        severity="lint",
    )


def _binds_prefix(node: Scoped, text: str) -> Diagnostic:
    start, end = node.body.place
    prefix = "ever" if isinstance(node.body, Ever) else text[start : start + 3] if text[start] == "n" else "!"
    within = _source(children(node.body)[0], text)
    meant = f"write `({text[start:end]}){text[end : node.place[1]]}` if that is meant"
    return Diagnostic(
        "RK205",
        f"`{prefix}` binds tighter than the window behind it",
        node.place,
        help=f"{meant}; under `ever` it would have nothing to count from"
        if isinstance(node.body, Ever)
        else f"{meant}, `{prefix}{' ' if prefix != '!' else ''}({within}{text[end : node.place[1]]})` if not",
        fix=f"{text[:start]}({text[start:end]}){text[end:]}",
        severity="lint",
    )


def _source(node: Node, text: str) -> str:
    start, end = node.place
    return text[start:end] or format_condition(node)
