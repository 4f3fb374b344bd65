"""Windows with nothing to count from: `ever`, and a scope that has no start."""

from __future__ import annotations

from collections.abc import Iterator

from rewardkit.language.descent import children
from rewardkit.language.diagnostic import Diagnostic
from rewardkit.language.format import format_condition
from rewardkit.language.literal import write_span
from rewardkit.language.tree import Ever, InAny, InLast, InOne, No, Node, Over, Then, Within


def check_anchors(node: Node, *, anchored: bool) -> Iterator[Diagnostic]:
    """An error for every window that is anchored at a start, where the scope has none.

    Args:
        node: the condition.
        anchored: whether its scope has a start; the condition by which users enter a campaign has none.
    """
    match node:
        case Within() | Over() | No():
            if not anchored or isinstance(node.body, Ever):
                yield _unanchored(node)
            yield from check_anchors(node.body, anchored=True)
        case Then(steps=steps):
            yield from check_anchors(steps[0], anchored=anchored)
            for step in steps[1:]:
                yield from check_anchors(step, anchored=True)
        case InAny() | InLast() | InOne():
            yield from check_anchors(node.body, anchored=True)
        case Ever(body=body):
            yield from check_anchors(body, anchored=False)
        case _:
            for part in children(node):
                yield from check_anchors(part, anchored=anchored)


def _unanchored(node: Within | Over | No) -> Diagnostic:
    span = write_span(node.span)
    word = "over" if isinstance(node, Over) else "within"
    body = format_condition(node)
    any_window = f"`{format_condition(InAny(node.body, node.span))}`, or " if isinstance(node, Within) else ""
    return Diagnostic(
        "RK150",
        f"`{word} {span}` has no start to count from",
        node.place,
        help=f"write {any_window}`A then {body}` to count from an event",
        note="all known history has no beginning",
    )
