"""What has no meaning where events carry a key, or where a window's start moves on with time."""

from __future__ import annotations

from collections.abc import Iterator

from rewardkit.language.descent import children
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.literal import write_span
from rewardkit.language.tree import (
    By,
    Calendar,
    Ever,
    InAny,
    InLast,
    InOne,
    No,
    Node,
    Not,
    Over,
    Satisfied,
    Then,
    Within,
)


def check_keys(node: Node, by: By | None = None) -> Iterator[Diagnostic]:
    """An error for every `ever` and `satisfied` under a `by`: neither all known history nor a verdict has its key."""
    if by is not None and isinstance(node, Ever | Satisfied):
        written = format_condition(node)
        yield Diagnostic(
            "RK152",
            f"`{written}` cannot stand under `by {by.field}`",
            node.place,
            help=f"join `{written}` to the whole by `&`, outside of what `by {by.field}` judges",
            note="it is not about the events of one key",
        )
    inner = node if isinstance(node, By) else None if isinstance(node, Ever | Satisfied) else by
    for part in children(node):
        yield from check_keys(part, inner)


def check_moving(node: Node, last: InLast | None = None, *, followed: bool = False) -> Iterator[Diagnostic]:
    """An error for every window that counts from the start of an `in last` and cannot move with it.

    Args:
        node: the condition.
        last: the `in last` whose start windows count from.
        followed: whether a step begins where the node ends.
    """
    match node:
        case Within() | Over() | No():
            if last is not None:
                yield from _moved(node, last, followed=followed)
            yield from check_moving(node.body, last, followed=followed and isinstance(node, Within))
        case Then(steps=steps):
            for place, step in enumerate(steps):
                inner = followed or place < len(steps) - 1
                yield from check_moving(step, None if place else last, followed=inner)
        case InLast(body=body):
            yield from check_moving(body, node, followed=followed)
        case InAny() | InOne() | Ever():
            yield from check_moving(node.body, followed=followed)
        case Not(body=body):
            yield from check_moving(body, last)
        case Satisfied():
            for part in children(node):
                yield from check_moving(part)
        case _:
            for part in children(node):
                yield from check_moving(part, last, followed=followed)


def _moved(node: Within | Over | No, last: InLast, *, followed: bool) -> Iterator[Diagnostic]:
    if isinstance(node.span, Calendar):
        help_text = f"write a length of elapsed time, such as `{'over' if isinstance(node, Over) else 'within'} 3d`"
    elif isinstance(last.span, Calendar):
        help_text = "write a length of elapsed time after `in last`, such as `in last 7d`"
    elif followed:
        help_text = f"leave out `{_written(node)}`, or let no step follow it"
    else:
        return
    yield Diagnostic(
        "RK153",
        f"`{_written(node)}` cannot count from the start of `in last {write_span(last.span)}`",
        node.place,
        help=help_text,
        note="this start moves on with time",
    )


def _written(node: Within | Over | No) -> str:
    return f"{'over' if isinstance(node, Over) else 'within'} {write_span(node.span)}"
