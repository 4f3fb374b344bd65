"""Windows with nothing to count from, and steps whose ends may lie in the past: what `ever` and open scopes bring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from rewardkit.language.descent import children
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.literal import write_span
from rewardkit.language.tree import Ever, InAny, InLast, InOne, No, Node, Not, Over, Satisfied, Then, Within

Anchor: TypeAlias = Literal["start", "event", "none"]
"""What windows count from: the start of the scope, something that happened in it, or nothing."""


def check_anchors(node: Node, anchor: Anchor, outermost: Anchor | None = None) -> Iterator[Diagnostic]:
    """An error for every window that has nothing to count from.

    Args:
        node: the condition.
        anchor: of its scope: `none` for the condition by which users enter a campaign.
        outermost: the anchor that `satisfied` goes back to; None for `anchor`.
    """
    outermost = outermost or anchor
    match node:
        case Within() | Over() | No():
            if anchor == "none" or (anchor == "start" and isinstance(node.body, Ever)):
                yield _unanchored(node)
            yield from check_anchors(node.body, "event" if anchor == "none" else anchor, outermost)
        case Then(steps=steps):
            yield from check_anchors(steps[0], anchor, outermost)
            for step in steps[1:]:
                yield from check_anchors(step, "event", outermost)
        case InAny() | InLast() | InOne():
            yield from check_anchors(node.body, "event", outermost)
        case Ever(body=body):
            yield from check_anchors(body, "none")
        case Satisfied(body=body) if body is not None:
            yield from check_anchors(body, outermost)
        case _:
            for part in children(node):
                yield from check_anchors(part, anchor, outermost)


def check_past_ends(node: Node, *, later: bool = False, followed: bool = False) -> Iterator[Diagnostic]:
    """An error for every `ever` to the right of `then` that another step follows: it may end before its own step began.

    Args:
        node: the condition.
        later: whether it stands to the right of a `then`.
        followed: whether a step begins where it ends.
    """
    match node:
        case Then(steps=steps):
            for place, step in enumerate(steps):
                inner = followed or place < len(steps) - 1
                yield from check_past_ends(step, later=later or place > 0, followed=inner)
        case Ever(body=body):
            if later and followed:
                yield _in_the_past(node)
            yield from check_past_ends(body, followed=followed)
        case Not() | Over() | No():
            yield from check_past_ends(node.body, later=later)
        case Satisfied(body=body) if body is not None:
            yield from check_past_ends(body)
        case _:
            for part in children(node):
                yield from check_past_ends(part, later=later, followed=followed)


def _unanchored(node: Within | Over | No) -> Diagnostic:
    span = write_span(node.span)
    word = "over" if isinstance(node, Over) else "within"
    return Diagnostic(
        "RK150",
        f"`{word} {span}` has no start to count from",
        node.place,
        help=f"write `A then {format_condition(Then((node,)))}` to count from an event, such as `A`",
        note="all known history has no beginning",
    )


def _in_the_past(node: Ever) -> Diagnostic:
    written = format_condition(node)
    return Diagnostic(
        "RK151",
        f"`{written}` cannot be followed by a step, since it may have ended before its own step began",
        node.place,
        help=f"leave out `ever` for what comes after the step before, or join `{written}` to the whole by `&`",
        note="it looks at all known history",
    )
