"""What campaigns' counters must say and must not exceed, added up from rows by the terms that commands gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from rewardkit.core.requests.answers import Defined
from rewardkit.core.requests.commands import DefineCampaign
from rewardkit.core.storing.rows import UserOfferRow
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.calendar import period_of
from rewardkit.testing.deed import Deed
from rewardkit.testing.offering_book import is_offering
from rewardkit.testing.versions import Versions

Places: TypeAlias = tuple[Counter[str], Counter[str]]
"""By the name of the counter: reserved, and confirmed."""


class CampaignBook:
    """Compares counters with rows after each step, and both with the limits; all campaigns are in UTC."""

    def __init__(self) -> None:
        self._terms: Versions[DefineCampaign] = Versions()

    def learn(self, deed: Deed) -> None:
        """Take note of the terms of campaigns."""
        command = deed.command
        if isinstance(command, DefineCampaign) and not is_offering(command) and isinstance(deed.answer, Defined):
            self._terms.put(command.name, deed.answer.version, command)

    def violations(self, deed: Deed) -> Iterator[str]:
        """What does not add up."""
        reserved, confirmed = self._taken(deed.after)
        rows = {row.name: (row.reserved, row.confirmed) for row in deed.after.counters if _is_ours(row.name)}
        for name in sorted(reserved.keys() | confirmed.keys() | rows.keys()):
            if rows.get(name, (0, 0)) != (reserved[name], confirmed[name]):
                yield f"C7: `{name}` keeps {rows.get(name)}, the rows say {reserved[name], confirmed[name]}"
        before = Counter({row.name: row.reserved + row.confirmed for row in deed.before.counters})
        limits = self._limits()
        for name in sorted(rows.keys() & _named(rows, limits)):
            whole, most = sum(rows[name]), limits[_limit_of(name)]
            if whole > before[name] and whole > most:
                yield f"C3: {whole} of {most} are taken of `{name}`, {before[name]} were"
        yield from self._users(deed)

    def _taken(self, snapshot: Snapshot) -> Places:
        """Active offers have reserved, earned ones confirmed; what was given back with a grant counts no more."""
        found: Places = Counter(), Counter()
        freed = {row.user_offer for row in snapshot.grants if row.freed}
        for row in snapshot.user_offers:
            if row.status not in ("active", "earned"):
                continue
            terms = self._terms.at(row.campaign, row.campaign_version)
            counts = found[row.status == "earned"]
            if row.id not in freed:
                counts[f"campaign/{row.campaign}"] += terms.cap is not None
                for unit in terms.caps_per:
                    counts[f"campaign/{row.campaign}/{unit}/{period_of(row.made_at, unit)}"] += 1
        return found

    def _limits(self) -> Mapping[str, int]:
        """By the beginnings of counters' names, as the newest versions have it."""
        found: dict[str, int] = {}
        for name in self._terms.names():
            terms = self._terms.newest(name)
            found |= {f"campaign/{name}/{unit}": cap for unit, cap in terms.caps_per.items()}
            if terms.cap is not None:
                found[f"campaign/{name}"] = terms.cap
        return found

    def _users(self, deed: Deed) -> Iterator[str]:
        """Nobody is made more offers than one user may have."""
        known = {row.id for row in deed.before.user_offers}
        freed = {row.user_offer for row in deed.after.grants if row.freed}
        taken = Counter(
            (row.user, row.campaign)
            for row in deed.after.user_offers
            if row.status in ("active", "earned", "held_out", "converted") and row.id not in freed
        )
        for row in deed.after.user_offers:
            terms = self._terms.newest(row.campaign)
            most = terms.user_cap or (1 if terms.reentry == "never" else None)
            if row.id not in known and row.status == "active" and most is not None and _of(row, taken) > most:
                yield f"C3: user `{row.user}` has {_of(row, taken)} of at most {most} offers of `{row.campaign}`"


def _of(row: UserOfferRow, taken: Counter[tuple[str, str]]) -> int:
    return taken[row.user, row.campaign]


def _is_ours(name: str) -> bool:
    return name.startswith("campaign/")


def _limit_of(name: str) -> str:
    """The beginning of a counter's name: without the date of its period."""
    return "/".join(name.split("/")[:3]) if name.count("/") == 3 else name


def _named(rows: Mapping[str, object], limits: Mapping[str, int]) -> set[str]:
    return {name for name in rows if _limit_of(name) in limits}
