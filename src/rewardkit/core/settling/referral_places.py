"""The places of senders' rewards under their caps, and of referrals under their campaigns': settled with all others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rewardkit.core.definitions.referral_register import Register
from rewardkit.core.folding.fold import Fold
from rewardkit.core.folding.referral_fold import Closing
from rewardkit.core.storing.needs import Claim


class ReferralPlaces:
    """What the referrals that folds ended take of their senders' counters, and leave to their campaigns'.

    A sender's counter keeps what was taken as reserved: a reward that was earned is never confirmed in a second step.
    """

    def __init__(self, register: Register, folds: Iterable[Fold]) -> None:
        self._ended = [closing for fold in folds for closing in closings_of(fold)]
        found = [closing for closing in self._ended if closing.outcome.status == "earned"]
        # The order in which they were earned, whatever order they are noticed in.
        self._earned = sorted(found, key=lambda one: (one.outcome.at, one.referral.recipient, one.referral.program.id))
        self._caps: dict[str, int] = {}
        self._counters: list[tuple[str, ...]] = []
        for closing in self._earned:
            sender, program = closing.referral.sender, register.programs[closing.referral.program.name]
            closing.period = program.period_of(closing.outcome.at)
            names = [program.counter(sender)]
            self._caps[names[0]] = program.lifetime_cap
            if program.period_cap is not None:
                names.append(program.counter(sender, closing.period))
                self._caps[names[1]] = program.period_cap
            self._counters.append(tuple(names))

    def ended(self) -> Iterator[tuple[str, str]]:
        """The counters of the campaigns' places that were taken at the entry, each with how its referral ended."""
        for closing in self._ended:
            for name in closing.referral.counters:
                yield name, closing.outcome.status

    def claims(self) -> list[Claim]:
        """A place of each of its counters for every reward."""
        if not self._earned:
            return []
        wanted = Counter(name for names in self._counters for name in names)
        return [Claim(name, self._caps[name], count, 0, 0) for name, count in wanted.items()]

    def share(self, granted: Mapping[str, int]) -> list[Claim]:
        """Give the places to those who earned first; what one counter gave and another did not goes back."""
        left = {name: granted[name] for name in self._caps}
        for closing, names in zip(self._earned, self._counters, strict=True):
            closing.capped = not all(left[name] for name in names)
            if closing.capped:
                closing.period = ""
            else:
                for name in names:
                    left[name] -= 1
        return [Claim(name, 0, 0, 0, count) for name, count in sorted(left.items()) if count]


def closings_of(fold: Fold) -> list[Closing]:
    """How referrals ended in a fold, those that it opened too."""
    opened = [opening.closing for opening in fold.referrals.openings if opening.closing is not None]
    return [*fold.referrals.closings, *opened]
