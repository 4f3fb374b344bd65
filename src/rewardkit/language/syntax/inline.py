"""Named conditions, put in place of `@name` and into `satisfied(name)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from rewardkit.errors import ConditionSyntaxError
from rewardkit.language.descent import children, descend
from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.syntax.format import format_condition
from rewardkit.language.syntax.measure import check_size
from rewardkit.language.syntax.structure import check_structure
from rewardkit.language.syntax.suggestion import suggest
from rewardkit.language.tree import And, Named, Node, Or, Place, Satisfied, Some, Then


def inline(node: Node, definitions: Mapping[str, Node], *, text: str = "") -> Node:
    """The tree with every `@name` replaced by the condition of that name, and every `satisfied(name)` given it.

    A name means one whole condition, evaluated in the scope that it stands in; nothing inside it can be captured
    from outside, since conditions have no variables. What is put in takes the place of its `@name`.

    Args:
        node: the condition.
        definitions: the named conditions, which may refer to each other.
        text: the condition's source, for the findings.

    Raises:
        ConditionSyntaxError: a name is unknown, names form a circle, or the whole breaks a limit or a rule.
    """
    resolved: dict[str, Node] = {}
    for reference in references(node):
        _resolve(reference, definitions, resolved, text)
    whole = _substituted(node, resolved)
    found = check_size(whole, (0, len(text))) or check_structure(whole, text)
    if found:
        raise ConditionSyntaxError(text, found)
    return whole


def references(node: Node) -> list[Named | Satisfied]:
    """The parts of a tree that name a condition, in the order of the text."""
    return [
        part for part in descend(node) if isinstance(part, Named) or (isinstance(part, Satisfied) and part.body is None)
    ]


def _resolve(
    reference: Named | Satisfied, definitions: Mapping[str, Node], resolved: dict[str, Node], text: str
) -> None:
    """Resolves a name after all names that it needs, on a stack of its own: chains of names can be long."""
    path: dict[str, None] = {}
    waiting = [(reference, False)]
    while waiting:
        needed, ready = waiting.pop()
        name = needed.name
        if ready:
            del path[name]
            resolved[name] = _resolved(name, definitions[name], resolved, reference.place, text)
        elif name in path:
            raise _circle([*list(path)[list(path).index(name) :], name], reference.place, text)
        elif name not in resolved:
            if name not in definitions:
                raise _unknown(needed, definitions, reference.place, text)
            path[name] = None
            waiting.append((needed, True))
            waiting.extend((inner, False) for inner in references(definitions[name]))


def _resolved(name: str, node: Node, resolved: Mapping[str, Node], place: Place, text: str) -> Node:
    """One definition with its own names put in, within the limits: names that double each other grow fast."""
    found = check_size(node, place)
    whole = node if found else _substituted(node, resolved)
    found = found or check_size(whole, place)
    if found:
        raise ConditionSyntaxError(
            text, tuple(attrs.evolve(each, message=f"`@{name}`, written out: {each.message}") for each in found)
        )
    return whole


def _substituted(node: Node, resolved: Mapping[str, Node]) -> Node:
    if isinstance(node, Named):
        return _moved(resolved[node.name], node.place)
    if isinstance(node, Satisfied) and node.body is None:
        return Satisfied("", _moved(resolved[node.name], node.place), place=node.place)
    return _with_parts(node, tuple(_substituted(part, resolved) for part in children(node)))


def _moved(node: Node, place: Place) -> Node:
    parts = tuple(_moved(part, place) for part in children(node))
    return attrs.evolve(_with_parts(node, parts), place=place)


def _with_parts(node: Node, parts: tuple[Node, ...]) -> Node:
    match node:
        case And() | Or() | Some():
            return attrs.evolve(node, terms=parts)
        case Then():
            return attrs.evolve(node, steps=parts)
        case _ if parts:
            one: Any = node  # every other node that has parts has one, its body
            whole: Node = attrs.evolve(one, body=parts[0])
            return whole
        case _:
            return node


def _circle(names: list[str], place: Place, text: str) -> ConditionSyntaxError:
    shown = " → ".join(quoted(f"@{name}") for name in (names if len(names) <= 6 else [*names[:5], names[-1]]))
    message = f"named conditions refer to each other in a circle: {shown}"
    help_text = "write one of them out, without the names of the others"
    return ConditionSyntaxError(text, (Diagnostic("RK141", message, place, help=help_text),))


def _unknown(reference: Named | Satisfied, known: Mapping[str, Node], place: Place, text: str) -> ConditionSyntaxError:
    close = suggest(reference.name, known)
    meant = None if close is None else format_condition(attrs.evolve(reference, name=close))
    help_text = "define it first" if meant is None else f"did you mean {quoted(meant)}?"
    message = f"there is no condition {quoted(format_condition(reference))}"
    return ConditionSyntaxError(text, (Diagnostic("RK140", message, place, help=help_text),))
