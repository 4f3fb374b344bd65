"""`streak(σ*n, N calendar days, skip k)`: which of the last N buckets were good, as the bits of one number."""

from __future__ import annotations

from datetime import date

import attrs

from rewardkit.errors import ValidationError
from rewardkit.language import civil, tree
from rewardkit.language.event import Event
from rewardkit.language.values.selector import Selector, selector_of

Run = tuple[int, int, tuple[int, ...]]
"""The first day of the newest bucket with a matching event, the good buckets up to it, and its count of each selector.

Of the good buckets, the newest is the lowest bit; those from which no streak can come any more are left out. Its counts
are left out where it is good.
"""


@attrs.frozen(eq=False)
class Streaks:
    """One `streak` at run time. Its slot is a `Run`, 0 before the first matching event, or 1 once it holds."""

    selectors: tuple[tuple[int, Selector], ...]
    """Of each alternative, how many events of a bucket it takes, and which."""
    unit: str
    many: int
    skip: int
    zone: str

    @classmethod
    def of(cls, node: tree.Streak, zone: str) -> Streaks:
        """The streak of a condition.

        Raises:
            ValidationError: it counts something other than events, or runs over elapsed time.
        """
        if not isinstance(node.span, tree.Calendar):
            raise ValidationError("a streak runs over calendar days, weeks, months, quarters or years")
        selectors = tuple((one.least, selector_of(one.matches)) for one in alternatives(node.body))
        return cls(selectors, node.span.unit, node.span.count, node.skip, zone)

    def fold(self, slot: int | Run, event: Event) -> tuple[int | Run, bool]:
        """The slot after an event, and whether the event matches."""
        matched = tuple(matches(event) for _, matches in self.selectors)
        if True not in matched:
            return slot, False
        if slot == 1:
            return slot, True
        first = civil.bucket_date(civil.local_date(event.at, self.zone), self.unit)
        day, good, counts = (first.toordinal(), 0, ()) if isinstance(slot, int) else slot
        if first.toordinal() > day:
            good = self._moved(good, date.fromordinal(day), first)
            day, counts = first.toordinal(), ()
        elif good & 1:
            return slot, True
        counts = counts or (0,) * len(self.selectors)
        counts = tuple(
            min(count + found, least) for count, found, (least, _) in zip(counts, matched, self.selectors, strict=True)
        )
        if any(count == least for count, (least, _) in zip(counts, self.selectors, strict=True)):
            good, counts = good | 1, ()
            if good >> self.many - 1 and good.bit_count() >= self.many - self.skip:
                return 1, True
        return (day, good, counts), True

    def _moved(self, good: int, day: date, first: date) -> int:
        """The good buckets, seen from a later one of which nothing is known yet."""
        steps = 0
        while day < first:
            day = civil.next_bucket(day, self.unit, self.zone)
            steps += 1
            if steps >= self.many:
                return 0
        good = good << steps & (1 << self.many) - 1
        # The oldest good bucket begins a streak, unless too many have been missed since.
        while good and good.bit_length() - 1 - good.bit_count() > self.skip:
            good &= (1 << good.bit_length() - 1) - 1
        return good


def alternatives(body: tree.Node) -> list[tree.AtLeast]:
    """What a streak counts in each bucket: an event, a union or a count, or any of several."""
    match body:
        case tree.AtLeast():
            return [body]
        case tree.Or(terms=terms):
            return [one for term in terms for one in alternatives(term)]
    raise ValidationError("a streak counts events")


def covers(left: int | Run, right: int | Run) -> bool:
    """Whether one slot of a streak holds, from now on, wherever another one does."""
    if left in (right, 1) or right == 0:
        return True
    if isinstance(left, int) or isinstance(right, int) or left[0] != right[0] or left[1] & right[1] != right[1]:
        return False
    if left[1] & 1:
        return True
    return not right[1] & 1 and all(one >= other for one, other in zip(left[2], right[2], strict=True))
