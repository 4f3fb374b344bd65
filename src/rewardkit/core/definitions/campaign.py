"""A campaign as it is kept: who gets which offer, when and how; one immutable version a row, its body as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs

from rewardkit.core.definitions.budget import QUEUE, STOP
from rewardkit.core.definitions.campaign_terms import NEVER, period_of, units_in, units_of
from rewardkit.core.definitions.draws import Drawn, chosen, is_held_out
from rewardkit.core.definitions.taking import Taking
from rewardkit.core.requests.variant import Variant, copy_with, variant_body
from rewardkit.core.storing.rows import DefinitionRow
from rewardkit.core.values import payload
from rewardkit.language.condition import Condition
from rewardkit.language.folding.program import Program, State
from rewardkit.language.zoning import UTC

CAMPAIGN = "campaign"


@attrs.frozen(slots=False)
class Campaign:
    """A version of a campaign."""

    id: int
    """The same for all versions: which campaign of the tenant it was, from 0."""
    name: str
    version: int
    epoch: int
    """That began with this version."""
    offer: str
    """That it gives; empty where it has variants."""
    entry: str | None
    """Canonical text with every `@name` inlined."""
    entry_source: str | None
    code: str | None
    """In upper case."""
    start: int | None
    end: int | None
    cap: int | None
    user_cap: int
    status: str
    """`draft`, `live`, `paused` or `ended`."""
    launched_at: int | None
    zone: str = UTC
    """Of the calendar of its entry condition and its offers; pinned by the launch, since packed states belong to it."""
    variants: tuple[Variant, ...] = ()
    numbers: Mapping[str, int] = attrs.field(factory=dict)
    """Of all variants that it ever had, by name: what users' rows refer to."""
    holdout: int = 0
    """The share of users who get no offer, in millionths."""
    copy: Mapping[str, str] = attrs.field(factory=dict)
    audience: str | None = None
    """Canonical text with every `@name` inlined."""
    audience_source: str | None = None
    pauses: tuple[tuple[int, int | None], ...] = ()
    """From when up to when it made no offers; the last one may be going on."""
    reentry: str = NEVER
    """Pinned by the launch, since users' rows belong to it."""
    caps_per: Mapping[str, int] = attrs.field(factory=dict)
    """By the unit of the calendar."""
    budget: int | None = None
    """In ten-thousandths; None is unlimited. Whether there is one is pinned by the launch."""
    at_exhaustion: str = STOP
    """Pinned likewise."""
    replenished: int = 0
    """What was added to the budget since."""
    entry_epoch: int = 0
    """At which something last changed that matters to who enters when; its first version's, if nothing did."""

    @cached_property
    def program(self) -> Program:
        """The compiled entry condition.

        Raises:
            ValueError: there is none.
        """
        if self.entry is None:
            raise ValueError(f"campaign `{self.name}` has no entry condition")
        return Condition.parse(self.entry).program(scope="open", zone=self.zone)

    @cached_property
    def opening(self) -> State:
        """The entry condition's state before any event."""
        return self.program.start(None)

    @property
    def opens_at(self) -> int:
        """The first instant at which it makes offers.

        Raises:
            ValueError: it is a draft.
        """
        if self.launched_at is None:
            raise ValueError(f"campaign `{self.name}` is a draft")
        return self.launched_at if self.start is None else self.start

    def creates_at(self, at: int) -> bool:
        """Whether it makes offers at this instant: from its start on, up to but not at its end, and not in a pause."""
        return self.launched_at is not None and self.opens_after(at) == at and (self.end is None or at < self.end)

    def opens_after(self, at: int) -> int | None:
        """The first instant, this one or a later one, at which it has started and is not paused; None while it is."""
        opens = max(at, self.opens_at)
        for begin, end in self.pauses:
            if begin <= opens:
                if end is None:
                    return None
                opens = max(opens, end)
        return opens

    @property
    def recurs(self) -> bool:
        """Whether its entry condition may begin anew for a user: after an entry, or after she was not admitted."""
        return self.entry is not None and (self.reentry != NEVER or self.audience is not None)

    @property
    def entry_terms(self) -> tuple[object, ...]:
        """Everything that decides who enters when; a change of it is a reason to look at users anew."""
        closed = tuple(pause for pause in self.pauses if pause[1] is not None)
        return self.entry, self.zone, self.start, self.end, self.launched_at, self.user_cap, self.audience, closed

    @property
    def counter(self) -> str:
        """The name of the counter behind its cap."""
        return f"campaign/{self.name}"

    def period_counter(self, unit: str, at: int) -> str:
        """The name of the counter behind its cap of the period that holds an instant."""
        return f"campaign/{self.name}/{unit}/{period_of(at, unit, self.zone)}"

    @property
    def money(self) -> int:
        """The whole budget, replenishments included."""
        return (self.budget or 0) + self.replenished

    @property
    def budget_counter(self) -> str:
        """The name of the counter behind its budget."""
        return f"budget/{self.name}"

    @property
    def queues(self) -> bool:
        """Whether its budget is asked when an offer is earned, and not when it is made."""
        return self.budget is not None and self.at_exhaustion == QUEUE

    def taking(self, at: int, cost: int) -> Taking:
        """What an offer that is made at an instant, whose reward costs so much, takes of the limits."""
        reserved = 0 if self.budget is None or self.queues else cost
        return Taking(self.cap is not None, units_of(self.caps_per), at if self.caps_per else 0, reserved)

    def amounts(self, taking: Taking) -> dict[str, int]:
        """How much of which counter a user offer takes."""
        found = {self.counter: 1} if taking.counted else {}
        for unit in units_in(taking.units):
            found[self.period_counter(unit, taking.made_at)] = 1
        if taking.cost:
            found[self.budget_counter] = taking.cost
        return found

    def limits(self, at: int) -> dict[str, int]:
        """The limits of an offer that is made at an instant, by the names of their counters."""
        found = {} if self.cap is None else {self.counter: self.cap}
        found |= {self.period_counter(unit, at): cap for unit, cap in self.caps_per.items()}
        return found if self.budget is None else found | {self.budget_counter: self.money}

    def full(self, counter: str) -> str:
        """What it means that a counter had no room."""
        if counter == self.budget_counter:
            return "no money was left in the campaign's budget"
        unit = counter.removeprefix(f"{self.counter}/").partition("/")[0]
        return f"no place was left under the campaign's cap{f' of the {unit}' if counter != self.counter else ''}"

    # --- who gets what -----------------------------------------------------------------------------

    @property
    def offers(self) -> frozenset[str]:
        """The names of all offers that it gives."""
        return frozenset(variant.offer for variant in self.variants) or frozenset({self.offer})

    def drawn(self, user: str, known: Drawn | None, made: int) -> Drawn:
        """What a user is drawn for: what she was drawn for at her first entry, as long as there is such a variant.

        Who was in before there was a holdout is not held out.
        """
        held_out = is_held_out(self.name, user, self.holdout) if known is None and not made else False
        if known is not None:
            held_out = known.held_out
            if not self.variants or any(self.numbers[variant.name] == known.number for variant in self.variants):
                return known
        if not self.variants:
            return Drawn(0, held_out)
        return Drawn(self.numbers[chosen(self.name, user, self.variants).name], held_out)

    def variant(self, drawn: Drawn) -> Variant:
        """The variant of a draw; of a campaign that has none, one without a name."""
        found = (variant for variant in self.variants if self.numbers[variant.name] == drawn.number)
        return next(found, Variant("", self.offer))

    @property
    def draws(self) -> bool:
        """Whether what a user was drawn for has to be kept with her."""
        return bool(self.variants or self.holdout)

    def copy_for(self, variant: str) -> dict[str, str]:
        """The texts of a variant, by name, over those of the campaign."""
        return copy_with(self.copy, self.variants, variant)

    # --- as it is kept -----------------------------------------------------------------------------

    def body(self) -> dict[str, Any]:
        """What a row's body says; name, version and epoch stand beside it."""
        left_out = {"name", "version", "epoch", "id", "entry_epoch"}
        body = {field.name: getattr(self, field.name) for field in attrs.fields(Campaign) if field.name not in left_out}
        return body | {
            "variants": [variant_body(variant) for variant in self.variants],
            "pauses": [list(pause) for pause in self.pauses],
        }


def campaign_of(row: DefinitionRow, campaign_id: int) -> Campaign:
    """The campaign of a row."""
    body = payload.read(row.body, "campaign")
    body["variants"] = tuple(Variant(**variant) for variant in body.get("variants", ()))
    body["pauses"] = tuple((begin, end) for begin, end in body.get("pauses", ()))
    return Campaign(id=campaign_id, name=row.name, version=row.version, epoch=row.epoch, **body)
