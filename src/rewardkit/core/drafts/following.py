"""Programs follow the rewards that they name, for the referrals that they make next."""

from __future__ import annotations

import attrs

from rewardkit.core.definitions.referral_program import REFERRAL_PROGRAM
from rewardkit.core.drafts.draft import Draft


def follow_reward(reward: str, version: int, draft: Draft) -> None:
    """Give the programs that name a reward a version with its newest, for the referrals that they make next."""
    for program in tuple(draft.catalogue.referrals.programs.values()):
        after = program
        if program.sender_reward == reward:
            after = attrs.evolve(after, sender_reward_version=version)
        if program.recipient_reward == reward:
            after = attrs.evolve(after, recipient_reward_version=version)
        if after is not program:
            draft.add(REFERRAL_PROGRAM, program.name, program.version + 1, after.body())
