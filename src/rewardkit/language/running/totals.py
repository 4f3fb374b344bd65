"""`sum(A:x) - sum(B:x) >= 100 in any D`: what each open window has come to, from one running total."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rewardkit.language import tree
from rewardkit.language.drift import difference_drift
from rewardkit.language.event import Event, Instant
from rewardkit.language.running.chain import FOREVER, TRUE, VALUE, Evers
from rewardkit.language.running.family import Slot
from rewardkit.language.running.ledger import Ledger
from rewardkit.language.values.exact import Number, plain, plus, reader, times
from rewardkit.language.values.selector import Selector, selector_of

_EMPTY = Ledger()


def is_total(node: tree.Node) -> bool:
    """Whether it compares counts and sums alone, by a bound, in windows of elapsed time."""
    if not isinstance(node, tree.InAny) or not isinstance(node.span, tree.Elapsed):
        return False
    body = node.body
    if not isinstance(body, tree.Comparison) or isinstance(body.right, str) or body.operator in ("==", "!="):
        return False
    return all(term.aggregate is None or term.aggregate.function in ("count", "sum") for term in body.left + body.right)


@attrs.frozen(eq=False)
class Totals:
    """One such part at run time.

    Its slot is `(bits, total of all events since some window was open, ledger)`: of each open window its beginning, and
    the total before it. A window has come to the difference. TRUE is for good: some window held when it closed.
    """

    weights: tuple[tuple[Selector, Callable[[Event], Number]], ...]
    """Of each aggregate the events, and what one adds to the side that has to be more."""
    constant: Number
    strict: bool
    stays: bool
    """Whether more events never make it less."""
    opens: frozenset[str]
    microseconds: int
    followed: bool

    @classmethod
    def of(cls, body: tree.Comparison, span: tree.Elapsed, opens: frozenset[str], *, followed: bool) -> Totals:
        assert not isinstance(body.right, str)
        more = body.operator in (">", ">=")
        signed = [(term, 1 if more else -1) for term in body.left]
        signed += [(term, -1 if more else 1) for term in body.right]
        weights = []
        constant: Number = 0
        for term, sign in signed:
            factor = times(plain(term.factor), sign)
            if term.aggregate is None:
                constant = plus(constant, factor)
            else:
                weights.append((selector_of(term.aggregate.matches), _weight(term.aggregate, factor)))
        drift = difference_drift(body)
        assert drift is not None
        strict = body.operator in (">", "<")
        stays = not drift[1 if more else 0]
        return cls(tuple(weights), constant, strict, stays, opens, span.microseconds, followed)

    @property
    def initial(self) -> Slot:
        return (0, 0, _EMPTY)

    def fold(
        self,
        slot: Slot,
        event: Event | None,
        at: Instant,
        end: Instant,  # noqa: ARG002 - every family is asked alike
        evers: Evers,  # noqa: ARG002 - every family is asked alike
        anchor: Instant,  # noqa: ARG002 - every family is asked alike
    ) -> tuple[Slot, bool]:
        bits, total, ledger = slot
        bits &= TRUE
        while len(ledger) and ledger.first[0] + self.microseconds <= at:
            if self._holds(total, ledger.first[1]):
                bits |= TRUE
            ledger = ledger.left()
        matched = False
        if not len(ledger):
            total, ledger = 0, _EMPTY
        if event is not None and event.name in self.opens:
            ledger = ledger.joined((at, total))
            for matches, weight in self.weights:
                if matches(event):
                    matched = True
                    total = plus(total, weight(event))
        value = bool(len(ledger)) and self._holds(total, ledger.least)
        if value and self.stays:
            bits |= TRUE
        if bits and not self.followed:
            return (TRUE | VALUE, 0, _EMPTY), False
        bits |= VALUE if bits or value else 0
        after = (bits, total, ledger)
        return (slot if event is None and after == slot else after), matched and value

    def _holds(self, total: Number, before: Number) -> bool:
        gap = plus(plus(total, self.constant), times(before, -1))
        return gap > 0 or (gap == 0 and not self.strict)

    def due(self, slot: Slot, end: Instant, evers: Evers) -> Instant:  # noqa: ARG002 - every family is asked alike
        bits, _, ledger = slot
        # Only what holds becomes what holds for good when its window closes.
        settling = bits & (TRUE | VALUE) == VALUE and len(ledger)
        return ledger.first[0] + self.microseconds if settling else FOREVER


def _weight(aggregate: tree.Aggregate, factor: Number) -> Callable[[Event], Number]:
    if aggregate.function == "count":
        return lambda _: factor
    read = reader(aggregate.field or "")

    def weight(event: Event) -> Number:
        value = read(event.properties)
        return 0 if value is None or isinstance(value, str | bool) else times(value, factor)

    return weight
