"""Linear comparisons, from their terms to the slots that measure them and a function that weighs what these hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language import tree
from rewardkit.language.planning.gauge import EQUAL, LESS, MORE, NOTHING
from rewardkit.language.values.exact import Number, plain, plus, times

Weigh: TypeAlias = Callable[..., int]
"""From what the slots hold to how left minus right stands to nothing: NOTHING, LESS, EQUAL or MORE."""


@attrs.frozen
class Weighed:
    """Left minus right of a comparison: a constant, and aggregates with their factors."""

    constant: Number
    terms: tuple[tuple[Number, tree.Aggregate], ...]

    @property
    def alone(self) -> tree.Aggregate | None:
        """The only aggregate, where a constant is all that it is compared with."""
        if len(self.terms) != 1:
            return None
        factor, aggregate = self.terms[0]
        return aggregate if factor in (1, -1) and aggregate.function != "avg" else None

    @property
    def flipped(self) -> bool:
        """Whether the only aggregate is taken away, so that more of it is less."""
        return self.terms[0][0] == -1

    @property
    def threshold(self) -> Number:
        """What the only aggregate is compared with."""
        return self.constant if self.flipped else times(-1, self.constant)


def weighed(node: tree.Comparison) -> Weighed:
    """Left minus right.

    Raises:
        ValidationError: it compares with a text, or nothing that was measured.
    """
    if isinstance(node.right, str):
        raise ValidationError("only `latest` and `first` can be compared with a text")
    constant: Number = 0
    terms: list[tuple[Number, tree.Aggregate]] = []
    for term, sign in [*((term, 1) for term in node.left), *((term, -1) for term in node.right)]:
        factor = times(sign, plain(term.factor))
        if term.aggregate is None:
            constant = plus(constant, factor)
        else:
            terms.append((factor, term.aggregate))
    if not terms:
        raise ValidationError("this compares numbers with numbers")
    return Weighed(constant, tuple(terms))


def weigh(constant: Number, factors: Sequence[tuple[Number, str]]) -> Weigh:
    """The function that weighs what slots hold.

    Args:
        constant: of left minus right.
        factors: for each aggregate its factor and function; `avg` takes two slots, its sum and how many numbers.
    """

    def of(*held: Any) -> int:
        slots = iter(held)
        total, many = constant, 1
        for factor, function in factors:
            value = next(slots)
            if function == "avg":
                numbers = next(slots)
                if not numbers:
                    return NOTHING
                # Left and right are multiplied by the number of values instead of dividing the sum by it.
                total = plus(times(total, numbers), times(times(factor, value), many))
                many *= numbers
                continue
            if function == "distinct":
                value = len(value)
            elif function == "days":
                value = value[0]
            if value is None or value is False:
                return NOTHING
            total = plus(total, times(times(factor, value), many))
        return LESS if total < 0 else MORE if total > 0 else EQUAL

    return of
