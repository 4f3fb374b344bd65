"""rewardkit: incentives as an embeddable library."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rewardkit.async_kit import AsyncRewardKit
    from rewardkit.core.attempts.limits import AttemptLimits
    from rewardkit.core.campaigns.checks import Finding, LaunchChecks
    from rewardkit.core.campaigns.preview import Gate, Preview, Previewed
    from rewardkit.core.campaigns.replenishing import ReplenishBudget
    from rewardkit.core.grants.failing import FailGrant, RetryGrant
    from rewardkit.core.grants.reversing import ReverseGrant
    from rewardkit.core.grants.reviewing import ApproveGrant, ClaimChecks, DenyGrant, RecordCheck
    from rewardkit.core.notices.addressed import SendTestNotice
    from rewardkit.core.notices.dead_letters import ReplayDeadLetters, RetryNotice
    from rewardkit.core.notices.endpoints import EnableEndpoint, Endpoints
    from rewardkit.core.notices.outcomes import Delivered, EndpointGone, FailedForGood, Outcome, RetryLater
    from rewardkit.core.notices.registered_endpoints import (
        RegisteredEndpoints,
        RegisterEndpoint,
        RemoveEndpoint,
        RotateEndpointSecret,
    )
    from rewardkit.core.pools.code import Code, Tally
    from rewardkit.core.pools.commands import (
        ActivateCode,
        ChangePool,
        CheckCode,
        ConfirmReservation,
        CreatePool,
        DeactivateCode,
        DefinePool,
        GenerateCodes,
        ImportCodes,
        IssueCode,
        RedeemCode,
        ReleaseReservation,
        ReserveCode,
        RollBackRedemption,
        VoidCode,
    )
    from rewardkit.core.pools.import_report import ImportReport, RefusedRow
    from rewardkit.core.pools.issuance import Issuance
    from rewardkit.core.pools.pool import Pool
    from rewardkit.core.pools.queries import (
        CodeOdds,
        Codes,
        CodeSpace,
        CodeStatus,
        Issuances,
        Pools,
        PoolStatus,
        Redemptions,
    )
    from rewardkit.core.pools.redemption import Redemption
    from rewardkit.core.pools.reservation import Reservation
    from rewardkit.core.promotions.commands import DefinePromotion, EnterPromoCode
    from rewardkit.core.promotions.entered import PromoEntered
    from rewardkit.core.referrals.commands import (
        DefineReferralProgram,
        EnterReferralCode,
        GiveReferralCode,
        MakeReferral,
        VoidReferral,
    )
    from rewardkit.core.referrals.queries import (
        BudgetUse,
        CapUse,
        ReferralCampaigns,
        ReferralCampaignTerms,
        ReferralPrograms,
        ReferralProgramTerms,
        Referrals,
        SenderTerms,
        TermsOffered,
        TermsPassedOver,
    )
    from rewardkit.core.requests.answers import (
        Backfilled,
        CampaignState,
        Capped,
        Claimed,
        Defined,
        Earned,
        Entered,
        Expired,
        Late,
        PoolDefined,
        Progressed,
        Recorded,
        Released,
        Replenished,
        Supplied,
    )
    from rewardkit.core.requests.commands import (
        Backfill,
        CancelUserOffer,
        ClaimGrant,
        ClaimGrants,
        Command,
        DefineCampaign,
        DefineCondition,
        DefineOffer,
        DefineReward,
        Emit,
        EndCampaign,
        EnterOfferCode,
        FulfilGrant,
        LaunchCampaign,
        MakeOffer,
        PauseCampaign,
        ResumeCampaign,
        RunDue,
    )
    from rewardkit.core.requests.queries import (
        Campaigns,
        CampaignUse,
        Evidence,
        Explain,
        Explained,
        GrantHistory,
        Grants,
        Notices,
        Page,
        Query,
        UserOffers,
    )
    from rewardkit.core.requests.records import (
        EndpointState,
        Grant,
        GrantStep,
        Issues,
        Notice,
        RegisteredEndpoint,
        Reward,
        UserOffer,
    )
    from rewardkit.core.requests.referral_records import Referral, ReferralCode, ReferralEnded
    from rewardkit.core.requests.variant import Variant
    from rewardkit.core.tracking.figures import (
        CampaignFigures,
        Cost,
        DepthFigures,
        GrantFigures,
        Holdout,
        Lengths,
        ReferralFigures,
        ReferralVariantFigures,
        SenderFigures,
        SenderGroup,
        SenderHoldout,
        VariantFigures,
    )
    from rewardkit.core.tracking.interval import Difference
    from rewardkit.core.tracking.queries import CampaignReport, ReferralReport
    from rewardkit.errors import (
        ConditionSyntaxError,
        Conflict,
        ExtraNotInstalled,
        ForkError,
        InvariantError,
        NotVerified,
        Refused,
        RewardKitError,
        SchemaError,
        StoreError,
        UrlRefused,
        ValidationError,
    )
    from rewardkit.kit import RewardKit
    from rewardkit.language.condition import Condition
    from rewardkit.language.diagnostic import Diagnostic
    from rewardkit.language.event import Event, Position
    from rewardkit.language.folding.timely import Revision, Timely
    from rewardkit.language.sets.condition_set import ConditionSet
    from rewardkit.language.sets.standing import Decided, Standing
    from rewardkit.language.verdict import Verdict
    from rewardkit.notify.apprise_notifier import AppriseNotifier
    from rewardkit.notify.email_notifier import EmailNotifier
    from rewardkit.notify.letter import Letter
    from rewardkit.notify.logging_notifier import LoggingNotifier
    from rewardkit.notify.pool_letter import pool_address, pool_letter
    from rewardkit.notify.registered_webhooks import RegisteredWebhooks
    from rewardkit.notify.url_guard import UrlGuard
    from rewardkit.notify.webhook_notifier import WebhookNotifier
    from rewardkit.observe.opentelemetry_observer import OpenTelemetryObserver
    from rewardkit.ports import EndpointNotifier, Notifier, Observer, Store
    from rewardkit.secret import Secret
    from rewardkit.shell.check import Checked
    from rewardkit.shell.deliver import Delivery

_HOMES = {
    "rewardkit.async_kit": "AsyncRewardKit",
    "rewardkit.core.attempts.limits": "AttemptLimits",
    "rewardkit.core.campaigns.checks": "Finding LaunchChecks",
    "rewardkit.core.campaigns.preview": "Gate Preview Previewed",
    "rewardkit.core.campaigns.replenishing": "ReplenishBudget",
    "rewardkit.core.grants.failing": "FailGrant RetryGrant",
    "rewardkit.core.grants.reversing": "ReverseGrant",
    "rewardkit.core.grants.reviewing": "ApproveGrant ClaimChecks DenyGrant RecordCheck",
    "rewardkit.core.notices.addressed": "SendTestNotice",
    "rewardkit.core.notices.dead_letters": "ReplayDeadLetters RetryNotice",
    "rewardkit.core.notices.endpoints": "EnableEndpoint Endpoints",
    "rewardkit.core.notices.outcomes": "Delivered EndpointGone FailedForGood Outcome RetryLater",
    "rewardkit.core.notices.registered_endpoints": (
        "RegisterEndpoint RegisteredEndpoints RemoveEndpoint RotateEndpointSecret"
    ),
    "rewardkit.core.pools.code": "Code Tally",
    "rewardkit.core.pools.commands": (
        "ActivateCode ChangePool CheckCode ConfirmReservation CreatePool DeactivateCode DefinePool GenerateCodes"
        " ImportCodes IssueCode RedeemCode ReleaseReservation ReserveCode RollBackRedemption VoidCode"
    ),
    "rewardkit.core.pools.import_report": "ImportReport RefusedRow",
    "rewardkit.core.pools.issuance": "Issuance",
    "rewardkit.core.pools.pool": "Pool",
    "rewardkit.core.pools.queries": "CodeOdds CodeSpace CodeStatus Codes Issuances PoolStatus Pools Redemptions",
    "rewardkit.core.pools.redemption": "Redemption",
    "rewardkit.core.pools.reservation": "Reservation",
    "rewardkit.core.promotions.commands": "DefinePromotion EnterPromoCode",
    "rewardkit.core.promotions.entered": "PromoEntered",
    "rewardkit.core.referrals.commands": (
        "DefineReferralProgram EnterReferralCode GiveReferralCode MakeReferral VoidReferral"
    ),
    "rewardkit.core.referrals.queries": (
        "BudgetUse CapUse ReferralCampaigns ReferralCampaignTerms ReferralPrograms ReferralProgramTerms Referrals"
        " SenderTerms TermsOffered TermsPassedOver"
    ),
    "rewardkit.core.requests.answers": (
        "Backfilled CampaignState Capped Claimed Defined Earned Entered Expired Late PoolDefined Progressed"
        " Recorded Released Replenished Supplied"
    ),
    "rewardkit.core.requests.commands": (
        "Backfill CancelUserOffer ClaimGrant ClaimGrants Command DefineCampaign DefineCondition DefineOffer"
        " DefineReward Emit EndCampaign EnterOfferCode FulfilGrant LaunchCampaign MakeOffer PauseCampaign"
        " ResumeCampaign RunDue"
    ),
    "rewardkit.core.requests.queries": (
        "CampaignUse Campaigns Evidence Explain Explained GrantHistory Grants Notices Page Query UserOffers"
    ),
    "rewardkit.core.requests.records": (
        "EndpointState Grant GrantStep Issues Notice RegisteredEndpoint Reward UserOffer"
    ),
    "rewardkit.core.requests.referral_records": "Referral ReferralCode ReferralEnded",
    "rewardkit.core.requests.variant": "Variant",
    "rewardkit.core.tracking.figures": (
        "CampaignFigures Cost DepthFigures GrantFigures Holdout Lengths ReferralFigures"
        " ReferralVariantFigures SenderFigures SenderGroup SenderHoldout VariantFigures"
    ),
    "rewardkit.core.tracking.interval": "Difference",
    "rewardkit.core.tracking.queries": "CampaignReport ReferralReport",
    "rewardkit.errors": (
        "ConditionSyntaxError Conflict ExtraNotInstalled ForkError InvariantError NotVerified Refused"
        " RewardKitError SchemaError StoreError UrlRefused ValidationError"
    ),
    "rewardkit.kit": "RewardKit",
    "rewardkit.language.condition": "Condition",
    "rewardkit.language.diagnostic": "Diagnostic",
    "rewardkit.language.event": "Event Position",
    "rewardkit.language.folding.timely": "Revision Timely",
    "rewardkit.language.sets.condition_set": "ConditionSet",
    "rewardkit.language.sets.standing": "Decided Standing",
    "rewardkit.language.verdict": "Verdict",
    "rewardkit.notify.apprise_notifier": "AppriseNotifier",
    "rewardkit.notify.email_notifier": "EmailNotifier",
    "rewardkit.notify.letter": "Letter",
    "rewardkit.notify.logging_notifier": "LoggingNotifier",
    "rewardkit.notify.pool_letter": "pool_address pool_letter",
    "rewardkit.notify.registered_webhooks": "RegisteredWebhooks",
    "rewardkit.notify.url_guard": "UrlGuard",
    "rewardkit.notify.webhook_notifier": "WebhookNotifier",
    "rewardkit.observe.opentelemetry_observer": "OpenTelemetryObserver",
    "rewardkit.ports": "EndpointNotifier Notifier Observer Store",
    "rewardkit.secret": "Secret",
    "rewardkit.shell.check": "Checked",
    "rewardkit.shell.deliver": "Delivery",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

# Many a line: one a line would make a table of contents that nobody reads through.
__all__ = [
    "ActivateCode", "AppriseNotifier", "ApproveGrant", "AsyncRewardKit", "AttemptLimits", "Backfill", "Backfilled",
    "BudgetUse",
    "CampaignFigures", "CampaignReport", "CampaignState", "CampaignUse", "Campaigns", "CancelUserOffer", "CapUse",
    "Capped", "ChangePool", "CheckCode", "Checked", "ClaimChecks", "ClaimGrant", "ClaimGrants", "Claimed", "Code",
    "CodeOdds", "CodeSpace", "CodeStatus", "Codes", "Command", "Condition", "ConditionSet", "ConditionSyntaxError",
    "ConfirmReservation", "Conflict", "Cost", "CreatePool", "DeactivateCode", "Decided", "DefineCampaign",
    "DefineCondition", "DefineOffer", "DefinePool", "DefinePromotion", "DefineReferralProgram", "DefineReward",
    "Defined", "Delivered", "Delivery", "DenyGrant", "DepthFigures", "Diagnostic", "Difference", "Earned",
    "EmailNotifier", "Emit", "EnableEndpoint", "EndCampaign", "EndpointGone", "EndpointNotifier", "EndpointState",
    "Endpoints", "EnterOfferCode", "EnterPromoCode", "EnterReferralCode", "Entered", "Event", "Evidence", "Expired",
    "Explain", "Explained", "ExtraNotInstalled", "FailGrant", "FailedForGood", "Finding", "ForkError", "FulfilGrant",
    "Gate", "GenerateCodes", "GiveReferralCode", "Grant", "GrantFigures", "GrantHistory", "GrantStep", "Grants",
    "Holdout", "ImportCodes", "ImportReport", "InvariantError", "Issuance", "Issuances", "IssueCode", "Issues", "Late",
    "LaunchCampaign", "LaunchChecks", "Lengths", "Letter", "LoggingNotifier", "MakeOffer", "MakeReferral",
    "NotVerified", "Notice", "Notices", "Notifier", "Observer", "OpenTelemetryObserver", "Outcome", "Page",
    "PauseCampaign", "Pool", "PoolDefined", "PoolStatus", "Pools", "Position", "Preview", "Previewed", "Progressed",
    "PromoEntered", "Query", "RecordCheck", "Recorded", "RedeemCode", "Redemption", "Redemptions", "Referral",
    "ReferralCampaignTerms", "ReferralCampaigns", "ReferralCode", "ReferralEnded", "ReferralFigures",
    "ReferralProgramTerms", "ReferralPrograms", "ReferralReport", "ReferralVariantFigures", "Referrals", "Refused",
    "RefusedRow", "RegisterEndpoint", "RegisteredEndpoint", "RegisteredEndpoints", "RegisteredWebhooks",
    "ReleaseReservation", "Released", "RemoveEndpoint", "ReplayDeadLetters", "ReplenishBudget", "Replenished",
    "Reservation", "ReserveCode", "ResumeCampaign", "RetryGrant", "RetryLater", "RetryNotice", "ReverseGrant",
    "Revision", "Reward", "RewardKit", "RewardKitError", "RollBackRedemption", "RotateEndpointSecret", "RunDue",
    "SchemaError", "Secret", "SendTestNotice", "SenderFigures", "SenderGroup", "SenderHoldout", "SenderTerms",
    "Standing", "Store", "StoreError", "Supplied", "Tally", "TermsOffered", "TermsPassedOver", "Timely", "UrlGuard",
    "UrlRefused", "UserOffer", "UserOffers", "ValidationError", "Variant", "VariantFigures", "Verdict", "VoidCode",
    "VoidReferral", "WebhookNotifier", "pool_address", "pool_letter",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Names load on first use, so that importing the package stays quick."""
    home = _HOME_OF.get(name)
    if home is None:
        # Its name and place let Python add the name that was probably meant.
        raise AttributeError(f"module `rewardkit` has no attribute `{name}`", name=name, obj=sys.modules[__name__])
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
