"""Facts, needs and instants in words, for people."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from rewardkit.language.civil import zone_named
from rewardkit.language.event import Event, Instant, moment, rfc3339
from rewardkit.language.explaining.need import Need
from rewardkit.language.reasons.evidence import Absence, Fact, Value
from rewardkit.language.syntax.literal import write_span


@attrs.frozen
class Telling:
    """Words for one condition in its zone."""

    zone: str = "UTC"

    def instant(self, at: Instant) -> str:
        """In UTC with `Z`, in any other zone with its offset and its name."""
        if self.zone == "UTC":
            return rfc3339(at)
        return f"{moment(at).astimezone(zone_named(self.zone)).isoformat()} ({self.zone})"

    def happened(self, event: Event) -> str:
        """An event that is named as the reason."""
        return f"`{event.name}` at {self.instant(event.at)} (event {event.id})"

    def facts(self, facts: Iterable[Fact], at: Instant) -> tuple[str, ...]:
        """What makes a verdict of an instant so."""
        told = [self.happened(fact) if isinstance(fact, Event) else self._stretch(fact, at) for fact in facts]
        return tuple(dict.fromkeys(told)) or (f"holds from {self.instant(at)} on",)

    def need(self, need: Need) -> str:
        """What is needed, and by when."""
        first = "then " if need.later else ""
        if need.until is not None:
            preposition = "at" if need.what.endswith("judged") else "until"
            return f"{first}{need.what} {preposition} {self.instant(need.until)}"
        if need.span is not None:
            preposition = "after" if need.what.endswith("judged") else "for"
            return f"{first}{need.what} {preposition} {write_span(need.span)}"
        # What comes later is counted from nothing.
        what = need.what.replace(" more ", " ", 1) if need.later and need.events else need.what
        return f"{first}{what}{self._by(need)}"

    def _by(self, need: Need) -> str:
        return "" if need.by is None else f" by {self.instant(need.by)}"

    def _stretch(self, fact: Absence | Value, at: Instant) -> str:
        until = self.instant(at if fact.until is None else min(fact.until, at))
        stretch = (
            f"up to {until}" if fact.since in (None, at) else f"between {self.instant(fact.since or 0)} and {until}"
        )
        if isinstance(fact, Value):
            return f"`{fact.what}` was {fact.value} {stretch}"
        return f"{'no' if fact.fewer_than == 1 else f'fewer than {fact.fewer_than}'} {fact.what} {stretch}"
