"""Conditions whose outcome is foregone: what can never hold, what holds whatever happens, and parts that do nothing.

Asked only where one event stands in several parts, and with little work: what is not found quickly is not reported,
and `analyse` looks longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from rewardkit.errors import ValidationError
from rewardkit.language.analysing.moments import BEGINNING, Setting
from rewardkit.language.descent import children, matches
from rewardkit.language.diagnostic import Diagnostic, quoted
from rewardkit.language.tree import Match, No, Node, Not

MOST_LEAVES: Final = 12
_STEPS: Final = 600


def may_be_foregone(node: Node) -> bool:
    """Whether a look is worth it: the same events stand twice, or on both sides of a negation."""
    wanted: set[str] = set()
    unwanted: set[str] = set()
    seen: Counter[Match] = Counter()
    waiting = [(node, False)]
    while waiting:
        part, negated = waiting.pop()
        for match in matches(part):
            seen[match] += 1
            (unwanted if negated else wanted).add(match.name)
        waiting += [(inner, negated != isinstance(part, Not | No)) for inner in children(part)]
    twice = max(seen.values(), default=0) > 1 or bool(wanted & unwanted)
    return twice and seen.total() <= MOST_LEAVES


def check_foregone(node: Node, text: str, *, anchored: bool) -> Iterator[Diagnostic]:
    """The lints of a condition that can be evaluated."""
    from rewardkit.language.analysing.branches import dead_branches
    from rewardkit.language.analysing.search import Search, Work
    from rewardkit.language.running.state import SATISFIED

    setting = Setting(BEGINNING if anchored else None, None, "UTC")
    try:
        search = Search([node], setting)
    except ValidationError:
        return
    if search.phases is None or not search.alphabet.complete:
        return
    start, end = node.place
    whole = quoted(text[start:end])
    satisfied = search.find(lambda states: states[0].status == SATISFIED, Work(_STEPS))
    if satisfied.course is None:
        if satisfied.complete:
            help_text = "nothing satisfies it: look for something that has to happen and must not"
            yield Diagnostic("RK220", f"{whole} can never hold", node.place, help=help_text, severity="lint")
        return
    missed = search.find(lambda states: states[0].status != SATISFIED, Work(_STEPS), at_last=True)
    if missed.course is None and missed.complete and satisfied.course.at > setting.begin:
        help_text = "nothing keeps it from holding in the end: leave out the part that its opposite stands beside"
        yield Diagnostic("RK221", f"{whole} holds whatever happens", node.place, help=help_text, severity="lint")
        return
    for branch in dead_branches(node, setting, Work(_STEPS)).branches:
        why = "is never needed" if branch.kind == "never needed" else "holds whenever the rest does"
        message = f"{quoted(branch.text)} {why}"
        help_text = "leave it out, or ask for something that the rest does not"
        yield Diagnostic("RK222", message, branch.span, help=help_text, severity="lint")
