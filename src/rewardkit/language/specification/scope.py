"""The scope of a condition: which events it listens to, and where its windows begin and end."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple, TypeAlias

from rewardkit.errors import ValidationError
from rewardkit.language import civil, tree
from rewardkit.language.event import Event, Instant

Place: TypeAlias = tuple[Instant, int, int, str]
"""A place in the total order: a timer at T, `(T, 0, 0, "")`, stands before all events at T."""

_EVENT = 1
_AFTER_EVENTS = 2
BEFORE_ALL: Place = (-1, 0, 0, "")


def timer(at: Instant) -> Place:
    """The place of a timer."""
    return (at, 0, 0, "")


def place(event: Event) -> Place:
    """The place of an event."""
    return (event.at, _EVENT, event.order, event.id)


def opening(at: Instant, order: int, event_id: str) -> Place:
    """The place after which a scope opens."""
    return (at, _EVENT, order, event_id)


def first_of(end: Instant | None, close: Instant) -> Instant:
    """The earlier of an end, where there is one, and a close."""
    return close if end is None else min(end, close)


class Outermost(NamedTuple):
    """Where an outermost scope opens: the start's, or that of `ever`."""

    after: Place
    anchor: Instant | None


class Scope(NamedTuple):
    """The events that a condition listens to, and the anchor of its windows.

    The scope is what lies after `after` and no later than `until`.
    """

    events: tuple[Event, ...]
    """All known history in total order; under `by`, what carries the key."""
    after: Place
    until: Place
    anchor: Instant | None
    end: Instant | None
    """The first instant that no event of this scope can have."""
    outermost: Outermost
    """The outermost scope around, in which `satisfied(…)` is judged."""
    outermost_end: Instant | None
    reading: Place
    """Where the condition as a whole is read; no window cuts it."""
    zone: str = "UTC"
    floor: Place = BEFORE_ALL
    """What `since` leaves out, whatever widens the scope later."""
    ceiling: Instant | None = None
    """What `before` ends, whatever begins later."""

    def inside(self) -> list[Event]:
        first = bisect_right(self.events, self.after, key=place)
        return list(self.events[first : bisect_right(self.events, self.until, lo=first, key=place)])

    def cut(self, until: Place) -> Scope:
        return self._replace(until=min(self.until, until))

    def window(self, close: Instant) -> Scope:
        """The scope up to a window's close, which is not part of it."""
        return self.cut(timer(close))._replace(end=first_of(self.end, close))

    def following(self, after: Place, anchor: Instant) -> Scope:
        return self._replace(after=max(self.after, after), anchor=anchor)

    def widened(self) -> Scope:
        """All known history up to the scope's end."""
        return self._replace(after=self.floor, anchor=None, outermost=Outermost(BEFORE_ALL, None))

    def whole(self) -> Scope:
        """The scope in which `satisfied(…)` is judged."""
        after, anchor = self.outermost
        end = self.outermost_end
        return self._replace(after=after, until=self.reading, anchor=anchor, end=end, floor=BEFORE_ALL, ceiling=None)

    def before(self, instant: Instant) -> Scope:
        return self.window(instant)._replace(ceiling=first_of(self.ceiling, instant))

    def lasting(self) -> Scope:
        """The same scope without the windows around it, which do not end what may still happen."""
        outermost = self.outermost_end
        return self._replace(end=outermost if self.ceiling is None else first_of(outermost, self.ceiling))

    def since(self, instant: Instant) -> Scope:
        floor = max(self.floor, timer(instant))
        return self._replace(after=max(self.after, floor), floor=floor)

    def opened(self, event: Event, span: tree.Span) -> Scope:
        """The window of `in any` that begins with an event of the scope."""
        earlier = bisect_left(self.events, place(event), key=place)
        after = max(timer(event.at), place(self.events[earlier - 1])) if earlier else timer(event.at)
        return self.following(after, event.at).window(self.ending(span, event.at))

    def recent(self, span: tree.Span, now: Instant) -> Scope:
        """The window of `in last` that ends now; calendar days include today."""
        if isinstance(span, tree.Elapsed):
            start = now - span.microseconds
            return self.following((start, _AFTER_EVENTS, 0, ""), start)
        start = civil.span_start(now, span.count, span.unit, self.zone)
        return self.following(timer(start), start)

    def bucket(self, start: Instant, end: Instant) -> Scope:
        """The part of the scope that lies in a calendar bucket."""
        return self.following(timer(start), start).window(end)

    def keeping(self, events: tuple[Event, ...]) -> Scope:
        return self._replace(events=events)

    def close(self, span: tree.Span) -> Instant:
        """The close of a window that starts at the anchor."""
        if self.anchor is None:
            raise ValidationError("a window here has no start: put it to the right of a `then`")
        return self.ending(span, self.anchor)

    def ending(self, span: tree.Span, start: Instant) -> Instant:
        """The end of a span that begins at an instant."""
        if isinstance(span, tree.Elapsed):
            return start + span.microseconds
        return civil.span_end(start, span.count, span.unit, self.zone)

    def instant(self, text: str) -> Instant:
        """The instant of a `before` or a `since`."""
        return civil.instant_of(text, self.zone)
