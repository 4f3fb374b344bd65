"""What an application without rewardkit would keep: counters a campaign, in JSON a user, folded by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from workload import SIGN_UP, Campaign


class Tally:
    """Folds an event's name over a user's counters; campaigns are found by the names that they listen to."""

    def __init__(self, campaigns: Iterable[Campaign]) -> None:
        self._entries: dict[str, list[Campaign]] = {}
        self._listeners: dict[str, list[Campaign]] = {}
        for campaign in campaigns:
            self._entries.setdefault(campaign.entry, []).append(campaign)
            for name in (campaign.main, campaign.other, campaign.never):
                if name is not None:
                    self._listeners.setdefault(name, []).append(campaign)

    def fold(self, state: dict[str, Any], name: str) -> list[str]:
        """Change the state; answer the campaigns that were earned."""
        earned = []
        for campaign in self._listeners.get(name, ()):
            counts = state.get(campaign.name)
            if counts is None or counts.get("over"):
                continue
            if name == campaign.never:
                counts["over"] = True
                continue
            counts[name] = counts.get(name, 0) + 1
            enough = counts.get(campaign.main, 0) >= campaign.count
            if campaign.other is not None:
                enough = enough or counts.get(campaign.other, 0) >= 2 * campaign.count
            if enough:
                counts["over"] = True
                earned.append(campaign.name)
        for campaign in self._entries.get(name, ()):
            state.setdefault(campaign.name, {})
        return earned

    def signed_up(self) -> str:
        """The state of a user who has signed up and done nothing else."""
        state: dict[str, Any] = {}
        self.fold(state, SIGN_UP)
        return json.dumps(state)
