"""Whether a condition holds before anything has happened."""

from __future__ import annotations

from rewardkit.language.listening import holds_of_nothing
from rewardkit.language.tree import And, Before, Between, Comparison, Ever, InLast, Node, Not, Or, Since, Some, Within


def holds_on_nothing(node: Node) -> bool:
    """Whether a condition holds at its start, on the empty history."""
    match node:
        case And(terms=terms):
            return all(holds_on_nothing(term) for term in terms)
        case Or(terms=terms):
            return any(holds_on_nothing(term) for term in terms)
        case Some(terms=terms, least=least):
            return sum(holds_on_nothing(term) for term in terms) >= least
        case Not(body=body):
            return not holds_on_nothing(body)
        case Within(body=body) | Ever(body=body) | InLast(body=body) | Before(body=body) | Since(body=body):
            return holds_on_nothing(body)
        case Between(least=least):
            return least == 0
        case Comparison():
            return holds_of_nothing(node)
        case _:
            return False
