"""Random histories of commands, quickly and from a seed, clustered where the core may go wrong.

Spans are seconds and time passes by seconds, so that deadlines, ties, late events and expiries meet all the time.
Every id is given, so that two kits under one history answer alike.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeAlias

from rewardkit.core.campaigns.replenishing import ReplenishBudget
from rewardkit.core.grants.failing import FailGrant, RetryGrant
from rewardkit.core.grants.reversing import ReverseGrant
from rewardkit.core.grants.reviewing import ApproveGrant, ClaimChecks, DenyGrant, RecordCheck
from rewardkit.core.requests import commands
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.variant import Variant
from rewardkit.language.event import Event

USERS = ("amanda", "bea", "carl")
SECOND = 1_000_000
LINTS = ("RK201", "RK202", "RK203", "RK204", "RK205")
"""All acknowledged: what is probably not meant has a meaning, too."""

LAUNCHES = ("unlimited_per_user", "budget_covers_nothing")
"""Acknowledged as well."""

COMPLETIONS = (
    "A", "B*2", "(A*2 | B) & !C", "A then B within 5s", "no C within 4s", "A within 6s", "A*2 over 5s",
    "A then no C within 3s", "ever A & B", "A[p > 1]", "ever (A then B)", "B | no A within 3s",
)  # fmt: skip
ENTRIES = ("E", "E", "A", "E*2", "A then B within 5s", "E then no C within 4s", "E & !C", "E[p == 1] | B*2", "!C")

AUDIENCES = ("latest(B:p) == 2", "!C", "A in last 5s", "A & count(B) <= 2", "E then no A within 3s")

Step: TypeAlias = tuple[str, Any]
"""What is done, and with what: `("run", command)`, `("wait", microseconds)`, `("restart", None)` and such."""


class RandomCommands:
    """Draws one step after the other; `user_offers` and `grants` may be filled with ids that it can use.

    Args:
        seed: of all chances.
        now: where time begins, in microseconds.
        late: whether events may be older than ones that were recorded before.
        redefine: whether definitions change after their first use.
    """

    def __init__(self, seed: int, now: int, *, late: bool = True, redefine: bool = True) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - a seed is wanted
        self.now = now
        self.late = late
        self.redefine = redefine
        self.user_offers: list[str] = []
        self.grants: list[str] = []
        self._events: list[Event] = []
        self._campaigns: list[str] = []
        self._reentries: dict[str, str] = {}
        self._budgets: dict[str, tuple[bool, str]] = {}

    def opening(self) -> list[Step]:
        """Definitions to begin with."""
        steps: list[Step] = [
            ("run", commands.DefineReward("disc", {"sku": "CD-1", "tags": ["a", 1], "amount": "6.00"}))
        ]
        for number in range(self.chance.randint(2, 4)):
            steps += [("run", command) for command in self._new_campaign(f"c{number}")]
        return steps

    def step(self) -> Step:
        """One more step; `now` moves with it."""
        kinds: list[tuple[int, Callable[[], Step]]] = [
            (30, self._emit),
            (8, self._emit_many),
            (18, self._wait),
            (8, self._make),
            (3, self._code),
            (4, self._cancel),
            (8, self._run_due),
            (5, self._backfill),
            (4, lambda: ("run", commands.ClaimGrants(self.chance.randint(1, 3), self.chance.randint(1, 4)))),
            (3, self._claim_one),
            (4, self._fulfil),
            (5, self._fail),
            (2, self._retry),
            (6, self._review),
            (4, self._reverse),
            (3, lambda: ("restart", None)),
            (3, self._again),
            (7 if self.redefine else 0, self._define),
        ]
        (draw,) = self.chance.choices([draw for _, draw in kinds], [weight for weight, _ in kinds])
        return draw()

    # --- definitions -------------------------------------------------------------------------------

    def _offer(self, name: str) -> Command[Any]:
        chance = self.chance
        expires = chance.choice((None, None, "3s", "6s", "10s"))
        return commands.DefineOffer(
            f"{name}-offer",
            "disc",
            chance.choice(COMPLETIONS),
            expires_after=expires,
            hold=chance.choice((None, None, "2s", "5s")),
            review=chance.choice((None, None, "check", "always")),
            reversal=chance.choice(("parts", "parts", "whole")),
            reversal_frees=chance.random() < 0.5,
            acknowledge=LINTS,
        )

    def _campaign(self, name: str) -> Command[Any]:
        chance = self.chance
        audience = chance.choice(AUDIENCES) if chance.random() < 0.3 else None
        reentry = self._reentries.setdefault(name, chance.choice(("never", "never", "after_earning", "day", "month")))
        budgets = self._budgets.setdefault(name, (chance.random() < 0.3, chance.choice(("stop", "queue"))))
        budget = chance.choice((7, "12.50")) if budgets[0] else None
        at_exhaustion = budgets[1]
        entry = chance.choice(ENTRIES) if chance.random() < 0.8 else None
        if entry == "!C" and (audience is not None or reentry != "never"):
            entry = "E | C"
        variants = self._variants() if chance.random() < 0.3 else ()
        start = self.now + chance.randint(-4, 8) * SECOND if chance.random() < 0.4 else None
        return commands.DefineCampaign(
            name,
            None if variants else f"{name}-offer",
            variants=variants,
            holdout=chance.choice((0, 0, "40%")),
            entry=entry,
            code=f"CODE-{name}" if chance.random() < 0.3 else None,
            start=start,  # type: ignore[arg-type]  # an instant as a number is an instant, too
            end=(start or self.now) + chance.randint(5, 30) * SECOND if chance.random() < 0.3 else None,  # type: ignore[arg-type]
            cap=chance.choice((None, None, 1, 2)),
            user_cap=chance.choice((1, 1, 2)) if entry is None or (audience, reentry) == (None, "never") else None,
            audience=audience,
            reentry=reentry,
            budget=budget,
            at_exhaustion="stop" if budget is None else at_exhaustion,
            caps_per=chance.choice(({}, {}, {}, {"day": 2}, {"week": 3, "day": 1})),
            acknowledge=LINTS,
        )

    def _variants(self) -> tuple[Variant, ...]:
        """Two or three with offers that there are, some of which take no new users."""
        chance = self.chance
        offers = [f"{other}-offer" for other in self._campaigns]
        made = [Variant(letter, chance.choice(offers), weight=chance.randint(0, 3)) for letter in "pqr"]
        return (made[0], *chance.sample(made[1:], chance.randint(0, 2)), Variant("s", chance.choice(offers)))

    def _new_campaign(self, name: str) -> list[Command[Any]]:
        self._campaigns.append(name)
        made = [self._offer(name), self._campaign(name)]
        return [*made, commands.LaunchCampaign(name, acknowledge=LAUNCHES)] if self.chance.random() < 0.8 else made

    def _define(self) -> Step:
        chance = self.chance
        name = chance.choice(self._campaigns)
        kind = chance.randrange(9)
        if kind == 0 and len(self._campaigns) < 6:
            return "all", self._new_campaign(f"c{len(self._campaigns)}")
        if kind == 1:
            return "run", self._offer(name)
        if kind == 2:
            return "run", self._campaign(name)
        if kind == 3:
            return "run", commands.EndCampaign(name)
        if kind == 4:
            return "run", commands.DefineReward(
                "disc", {"sku": f"CD-{chance.randint(1, 3)}", "amount": chance.choice((None, 5))}
            )
        if kind == 5 and chance.random() < 0.5:
            return "run", ReplenishBudget(name, chance.choice((0, 5, "7.5")), limit=chance.choice((1, 1_000)))
        if kind == 5:
            return "run", commands.PauseCampaign(name)
        if kind in (6, 7):
            return "run", commands.ResumeCampaign(name)
        return "run", commands.LaunchCampaign(name, acknowledge=LAUNCHES)

    # --- events and time ---------------------------------------------------------------------------

    def _event(self) -> Event:
        chance = self.chance
        at = self.now
        draw = chance.random()
        if self.late and draw < 0.25:
            at = max(0, self.now - chance.randint(1, 8) * SECOND)
        elif self.late and draw < 0.3:
            at = self.now + chance.randint(1, 3) * SECOND
        properties = {"p": chance.randint(1, 2)} if chance.random() < 0.7 else {}
        event = Event(
            chance.choice("AABBCEE"),
            at,
            f"e{len(self._events):03d}",
            chance.choice(USERS),
            chance.choice((0, 0, 0, 1, -1)),
            properties,
        )
        if not self.late:
            # In order within an instant as well: the place of an event grows with its making.
            event = Event(event.name, at, event.id, event.user, len(self._events), properties)
        self._events.append(event)
        return event

    def _emit(self) -> Step:
        return "run", commands.Emit((self._event(),))

    def _emit_many(self) -> Step:
        events = [self._event() for _ in range(self.chance.randint(2, 5))]
        if self.late:
            self.chance.shuffle(events)
        return "run", commands.Emit(tuple(events))

    def _wait(self) -> Step:
        passed = self.chance.choice((1, SECOND, SECOND, 2 * SECOND, 3 * SECOND, 5 * SECOND - 1))
        self.now += passed
        return "wait", passed

    def _again(self) -> Step:
        """An event once more: with the same body, or with another, which is a conflict."""
        if not self._events:
            return self._wait()
        event = self.chance.choice(self._events)
        if self.chance.random() < 0.3:
            event = Event("A", event.at, event.id, event.user, event.order, {"p": 99})
        return "run", commands.Emit((event,))

    # --- offers, grants and work without events ----------------------------------------------------

    def _make(self) -> Step:
        return "run", commands.MakeOffer(self.chance.choice(self._campaigns), self.chance.choice(USERS))

    def _code(self) -> Step:
        code = f"code-{self.chance.choice([*self._campaigns, 'none'])}"
        return "run", commands.EnterOfferCode(code, self.chance.choice(USERS))

    def _cancel(self) -> Step:
        if not self.user_offers:
            return self._make()
        return "run", commands.CancelUserOffer(self.chance.choice(self.user_offers))

    def _run_due(self) -> Step:
        return "run", commands.RunDue(100)

    def _backfill(self) -> Step:
        return "backfill", None

    def _fulfil(self) -> Step:
        if not self.grants:
            return self._run_due()
        return "run", commands.FulfilGrant(self.chance.choice(self.grants), lease=self._lease())

    def _claim_one(self) -> Step:
        if not self.grants:
            return self._run_due()
        return "run", commands.ClaimGrant(self.chance.choice(self.grants), self.chance.randint(1, 4))

    def _fail(self) -> Step:
        if not self.grants:
            return self._run_due()
        chance = self.chance
        after, final = chance.choice(((None, False), (None, False), ("1s", False), ("5s", False), (None, True)))
        grant = chance.choice(self.grants)
        return "run", FailGrant(grant, "no answer", lease=self._lease(), retry_after=after, final=final)

    def _retry(self) -> Step:
        if not self.grants:
            return self._run_due()
        return "run", RetryGrant(self.chance.choice(self.grants), by="clerk")

    def _review(self) -> Step:
        """What a check found, or what a person decided."""
        if not self.grants:
            return self._run_due()
        chance, grant = self.chance, self.chance.choice(self.grants)
        if chance.random() < 0.3:
            return "run", ClaimChecks(chance.randint(1, 3), chance.randint(1, 4))
        if chance.random() < 0.5:
            return "run", RecordCheck(grant, chance.choice(((), (), ("new account",), ("a", "b"))), lease=self._lease())
        if chance.random() < 0.5:
            return "run", ApproveGrant(grant, by="clerk")
        return "run", DenyGrant(grant, "made up", by="clerk", frees=chance.choice((None, True, False)))

    def _reverse(self) -> Step:
        if not self.grants:
            return self._run_due()
        chance, grant = self.chance, self.chance.choice(self.grants)
        amount = chance.choice((None, None, "1", "2.50", 3, "99"))
        frees = chance.choice((None, True, False)) if amount is None else None
        return "run", ReverseGrant(grant, "refunded", amount=amount, by="clerk", frees=frees)

    def _lease(self) -> int | None:
        """Of a worker's, or of one who has overslept; or nobody's."""
        return self.chance.choice((None, None, 0, 1, 1, 2, 3))
