"""A random history of offers, referrals and campaigns: how it begins, what is asked, and what is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, ClassVar

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from rewardkit.core.requests.commands import Command, DefineReward, LaunchCampaign
from rewardkit.core.requests.variant import Variant
from rewardkit.core.storing.rows import GrantRow
from rewardkit.language.event import Event
from rewardkit.ports import Store
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing import incentive_draws as draws
from rewardkit.testing.incentive_draws import CAMPAIGNS, OFFERINGS, PROGRAMS, Flavour
from rewardkit.testing.incentive_kits import IncentiveKits
from rewardkit.testing.random_commands import LAUNCHES, SECOND

OFTEN = 4
"""How many times as often what can succeed is drawn as what need not."""
_DAYS = 4 * 86_400 * SECOND
_PLAIN: dict[str, Any] = {"audience": None, "start": None, "end": None, "cap": None, "caps_per": {}, "holdout": 0}


class IncentiveHistory(RuleBasedStateMachine):
    """What the rules of a machine have to hand; they themselves are added by a subclass."""

    empty: ClassVar[Callable[[], Store]] = MemoryStore
    """Makes a store that holds nothing; ids derive from what is in it, so that a history is the same every time."""

    done: ClassVar[Counter[str]] = Counter()
    """What was asked and what came of it, over all histories."""
    facts: ClassVar[Counter[str]] = Counter()
    played: ClassVar[Counter[bytes]] = Counter()
    """How often each history was played, by a digest of all that was asked in it."""

    @initialize(
        data=st.data(),
        flavours=st.tuples(*(draws.flavours for _ in CAMPAIGNS)),
        offering_flavours=st.tuples(*(draws.offering_flavours for _ in OFFERINGS[1:])),
    )
    def begin(self, data: st.DataObject, flavours: tuple[Flavour, ...], offering_flavours: tuple[Flavour, ...]) -> None:
        self.kits = IncentiveKits(type(self).empty(), "acme")
        plain, *others = CAMPAIGNS
        self.flavours = dict(zip((*CAMPAIGNS, *OFFERINGS[1:]), (*flavours, *offering_flavours), strict=True))
        self.flavours[plain] = Flavour("never", budget=True, at_exhaustion=flavours[0].at_exhaustion)
        self.events: list[Event] = []
        self.asked = blake2b(digest_size=16)
        self.fault_at = self.keys = 0
        self.codes: dict[str, str] = {}
        self.kits.open(DefineReward("cash", {"amount": 5}))
        self.kits.open(DefineReward("thanks", {"amount": "1.50"}))
        # Whoever does what most events say is made an offer, a dear or a cheap one, and earns it, from the first step.
        self.kits.open(attrs.evolve(data.draw(draws.offers(plain)), reward="cash", condition="A"))
        self.kits.open(attrs.evolve(data.draw(draws.offers(others[0])), reward="thanks", condition="A"))
        terms = data.draw(draws.campaigns(plain, self.flavours[plain], self.now))
        both = Variant("p", f"{plain}-offer"), Variant("q", f"{others[0]}-offer")
        self.kits.open(attrs.evolve(terms, entry="E", offer=None, variants=both, **_PLAIN))
        self.kits.open(data.draw(draws.campaigns(others[0], self.flavours[others[0]], self.now)))
        for name in (plain, others[0]):
            self.kits.open(LaunchCampaign(name, acknowledge=LAUNCHES))
        for name in PROGRAMS:
            self.kits.open(attrs.evolve(data.draw(draws.programs), name=name))
        self.kits.open(data.draw(draws.fallbacks))
        terms = data.draw(draws.offerings(self.flavours, self.now, OFFERINGS[1:2]))
        span: dict[str, Any] = {"start": self.now, "end": self.now + _DAYS}
        self.kits.open(attrs.evolve(terms, **span))
        for name in OFFERINGS[:2]:
            self.kits.open(LaunchCampaign(name, acknowledge=LAUNCHES))
        self.kits.begin()

    def teardown(self) -> None:
        self.played[self.asked.digest()] += 1

    @property
    def now(self) -> int:
        return self.kits.clock()

    def do(self, command: Command[Any], *, key: str | None = None) -> Any:
        """Ask, look at everything, and count what came of it."""
        self.asked.update(f"{self.now} {command}".encode())
        fault_at, self.fault_at = self.fault_at, 0
        if fault_at:
            self.keys += 1
            key = f"key {self.keys}"
        deed, found = self.kits.do(command, key=key, fault_at=fault_at)
        came_to = deed.refusal or (type(deed.answer).__name__ if deed.failed else "done")
        self.done[f"{type(command).__name__}: {came_to}"] += 1
        self.facts.update(self.kits.facts)
        self.kits.facts.clear()
        assert found == [], f"{command} -> {deed.answer}\n" + "\n".join(found)
        if key is not None and not deed.failed:
            assert self.kits.kit.run(command, key=key) == deed.answer
            self.done["the same key again"] += 1
        return deed.answer

    def event(self, drawn: tuple[str, str, int, int, int]) -> Event:
        name, user, lag, order, size = drawn
        event_id = f"e{len(self.events):03}"
        event = Event(name, self.now + lag * SECOND, event_id, user, order, {"p": size} if size else {})
        self.events.append(event)
        return event

    def pass_time(self, passed: int) -> None:
        self.kits.clock.set(self.now + passed)

    def known(self, names: Sequence[str]) -> list[str]:
        """Those that are defined."""
        defined = {row.name for row in self.kits.snapshot.definitions}
        return [name for name in names if name in defined]

    def grant(self, data: st.DataObject, moves: Mapping[str, str]) -> tuple[GrantRow, str]:
        """One of those that a move is for, mostly, and such a move; or any of each."""
        rows = self.kits.snapshot.grants
        fit = [row for row in rows if _place(row) in moves.values()]
        grant = data.draw(st.sampled_from((*fit * OFTEN, *rows)))
        fitting = [move for move, place in moves.items() if place == _place(grant)]
        return grant, data.draw(st.sampled_from((*fitting * OFTEN, *moves)))

    def can(self, moves: Mapping[str, str]) -> bool:
        """Whether there is a grant that a move is for; where there is any, it is tried in vain now and then."""
        places = {_place(row) for row in self.kits.snapshot.grants}
        return not places.isdisjoint(moves.values()) or (bool(places) and len(self.events) % OFTEN == 0)

    def lease(self, data: st.DataObject, grant: GrantRow) -> int | None:
        """None, that of the grant, or another one."""
        return data.draw(st.sampled_from((None, grant.lease, grant.lease, grant.lease + 1)))


def _place(grant: GrantRow) -> str:
    """Where it is, and whether a review has looked at it."""
    place = grant.held_for or grant.status
    return "flagged" if place == "review" and grant.flags else place
