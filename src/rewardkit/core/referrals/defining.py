"""Defining referral programs: a changed meaning makes a new version, an unchanged one nothing."""

from __future__ import annotations

import attrs

from rewardkit.core.deciding.context import Context
from rewardkit.core.definitions.referral_program import PERIODS, REFERRAL_PROGRAM, ReferralProgram
from rewardkit.core.drafts.defining import elapsed, read_condition, read_terms, require_acknowledged, unknown
from rewardkit.core.drafts.draft import Draft
from rewardkit.core.referrals.commands import DefineReferralProgram
from rewardkit.core.requests.answers import Defined
from rewardkit.core.requests.records import Reward
from rewardkit.core.values import limits
from rewardkit.core.values.input import integer, show, text
from rewardkit.errors import Refused, ValidationError
from rewardkit.language.civil import zone_named


def define_referral_program(command: DefineReferralProgram, draft: Draft, context: Context) -> Defined:
    """A new version where rewards, condition, time to live, caps, zone or the terms of its grants differ."""
    name = text(command.name, "a referral program's name")
    if command.entry is not None:
        raise Refused(
            "referral_entry",
            f"entry cannot make referrals of `{show(name)}`: whoever is referred was referred by somebody, and no"
            " condition says by whom; use `MakeReferral`, or a sender's code",
            {"name": name},
        )
    sender, recipient = _reward(command.sender_reward, draft), _reward(command.recipient_reward, draft)
    condition = read_condition(command.condition, draft.catalogue)
    require_acknowledged(condition, "start", command.acknowledge)
    zone_named(text(command.zone, "a zone"))
    if command.period not in PERIODS:
        raise ValidationError(f"period must be one of `{'`, `'.join(PERIODS)}`, not `{show(str(command.period))}`")
    known = draft.catalogue.referrals.programs.get(name)
    program = ReferralProgram(
        id=-1,
        name=name,
        version=1 if known is None else known.version + 1,
        number=0,
        epoch=0,
        sender_reward=sender.name,
        sender_reward_version=sender.version,
        recipient_reward=recipient.name,
        recipient_reward_version=recipient.version,
        condition=str(condition),
        source=command.condition,
        expires_after=None if command.expires_after is None else elapsed(command.expires_after, "expires_after"),
        sender_cap=_cap(command.sender_cap, "sender_cap"),
        period_cap=_cap(command.period_cap, "period_cap"),
        period=command.period,
        zone=command.zone,
        **attrs.asdict(read_terms(command)),
    )
    if known is not None and program.meaning() == known.meaning():
        return Defined(REFERRAL_PROGRAM, name, known.version, new=False)
    draft.add(REFERRAL_PROGRAM, name, program.version, program.body())
    draft.require_costs()
    return Defined(REFERRAL_PROGRAM, name, program.version, new=True)


def _reward(name: str, draft: Draft) -> Reward:
    found = draft.catalogue.rewards.get(text(name, "a reward's name"))
    if found is None:
        raise unknown("reward", name, draft.catalogue.rewards)
    return found


def _cap(value: int | None, what: str) -> int | None:
    return None if value is None else integer(value, what, least=1, most=limits.CAP)
