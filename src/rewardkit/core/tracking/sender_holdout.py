"""The senders of a referral campaign beside those who were held out of it.

Senders are drawn, and referrals are counted. Those of one sender are alike: her friends know her, and each other. So a
conversion of referrals is as sure as one of fewer referrals would be that nobody has in common: their number is
divided by the design effect, as J. N. K. Rao and A. J. Scott do ("A simple method for the analysis of clustered binary
data", Biometrics 48, 1992, 577-585), before an interval is made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rewardkit.core.deciding.context import Deciding
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.definitions.referral_register import Register
from rewardkit.core.storing.needs import ask
from rewardkit.core.tracking.figures import SenderGroup, SenderHoldout
from rewardkit.core.tracking.interval import Spread, difference, difference_of_means, wilson
from rewardkit.core.tracking.needs import Referred, TallySpread, TallyTerms
from rewardkit.core.tracking.shares import SHARE_CHANGED, shares_while_live
from rewardkit.core.tracking.tallies import SpreadTally, TermsTally


def sender_holdout(
    campaign: ReferralCampaign, register: Register
) -> Deciding[tuple[SenderHoldout | None, tuple[str, ...]]]:
    """The comparison, and why it may mislead, in sentences; None where no sender was ever held out."""
    versions = [register.campaign_versions[campaign.name, number] for number in range(1, campaign.version + 1)]
    shares = shares_while_live(versions)
    if not any(shares):
        return None, ()
    # Who is held out of a campaign of higher rank is told for that one alone: she is in neither group here.
    offering = Referred(None, campaign.name, "")
    held_out = Referred(None, None, campaign.name)
    groups = (yield from ask(TallySpread(offering))), (yield from ask(TallySpread(held_out)))
    if not groups[1].opened:
        return compared(*groups), ()
    terms = (yield from ask(TallyTerms(offering))), (yield from ask(TallyTerms(held_out)))
    return compared(*groups), tuple(_cautions(groups, terms, versions, register))


def compared(offering: SpreadTally, held_out: SpreadTally) -> SenderHoldout:
    """Two groups of senders, and how sure their difference is."""
    worths = worth_of(offering), worth_of(held_out)
    return SenderHoldout(
        offering=group_of(offering),
        held_out=group_of(held_out),
        effect=difference(offering.completed, offering.opened, held_out.completed, held_out.opened, worths),
        effect_per_sender=difference_of_means(_spread(offering), _spread(held_out)),
    )


def worth_of(group: SpreadTally) -> float:
    """What a referral is worth of one that has its sender for itself: 1 or less; the inverse of the design effect.

    Where all or none were completed, nothing shows how much the referrals of one sender are alike, and with one sender
    neither: then they are taken to be all alike.
    """
    opened, completed = group.opened, group.completed
    if not opened:
        return 1.0
    if group.senders == 1 or completed in (0, opened):
        return opened / group.opened_squared
    # The sum of squares of what each sender completed beyond the share of all, times the square of all referrals.
    apart = (
        group.completed_squared * opened**2 - 2 * completed * opened * group.both + completed**2 * group.opened_squared
    )
    effect = group.senders * apart / ((group.senders - 1) * opened * completed * (opened - completed))
    return 1 / max(1.0, effect)


def group_of(group: SpreadTally) -> SenderGroup:
    """Senders, what they brought, and how sure its conversion is."""
    low, high = wilson(group.completed, group.opened, worth_of(group)) if group.opened else (None, None)
    return SenderGroup(group.senders, group.opened, group.completed, low, high)


def _spread(group: SpreadTally) -> Spread:
    return Spread(group.senders, group.opened, group.opened_squared)


def _cautions(
    groups: tuple[SpreadTally, SpreadTally],
    terms: tuple[Sequence[TermsTally], Sequence[TermsTally]],
    versions: Sequence[ReferralCampaign],
    register: Register,
) -> Iterator[str]:
    offering, held_out = groups
    if offering.undecided or held_out.undecided:
        yield (
            f"{offering.undecided} referrals of the campaign and {held_out.undecided} of senders held out"
            " are undecided: conversions are those up to now"
        )
    if offering.voided or held_out.voided:
        yield (
            f"{offering.voided} referrals of the campaign and {held_out.voided} of senders held out were voided,"
            " and count as opened and not completed"
        )
    if len({_asked(group, register) for group in terms if group}) > 1:
        yield (
            "recipients of senders held out had another condition to fulfil, or another time for it:"
            " a difference may be due to that alone"
        )
    launched = [version for version in versions if version.launched_at is not None]
    limits = ["caps"] if any(version.cap or version.caps_per for version in launched) else []
    limits += ["a budget"] if any(version.stops for version in launched) else []
    if limits:
        yield (
            f"the campaign has {' and '.join(limits)}:"
            " what senders held out referred while it had no place left is counted,"
            " so the two groups did not come in at the same times"
        )
    if len(shares_while_live(versions)) > 1:
        yield SHARE_CHANGED


def _asked(terms: Sequence[TermsTally], register: Register) -> frozenset[tuple[str, int | None, str]]:
    """What recipients have to do on these terms, how long they have for it, and whose days those are."""
    programs = (register.program_versions[one.program, one.program_version] for one in terms)
    return frozenset((program.condition, program.expires_after, program.zone) for program in programs)
