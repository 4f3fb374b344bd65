"""Every command and query, and what decides it: the door into the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from rewardkit.core.campaigns.checks import LaunchChecks
from rewardkit.core.campaigns.preview import Preview
from rewardkit.core.campaigns.replenishing import ReplenishBudget, replenish_budget
from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.drafts.draft import locked
from rewardkit.core.entrance import wire
from rewardkit.core.entrance.campaign_kinds import (
    campaigns,
    end_campaign,
    launch_checks,
    pause_campaign,
    preview,
    resume_campaign,
)
from rewardkit.core.entrance.definition_checks import DefinitionChecks, definition_checks
from rewardkit.core.entrance.loading import DEFINERS, Definer, LoadDefinitions, load_definitions
from rewardkit.core.grants import explaining, failing, reversing, reviewing
from rewardkit.core.grants.granting import claim_grant, claim_grants, fulfil_grant
from rewardkit.core.grants.listing import grants
from rewardkit.core.grants.replenishing import REPLENISHING, replenishing
from rewardkit.core.notices import dead_letters, endpoints, outbox, registered_endpoints
from rewardkit.core.notices.addressed import SendTestNotice, send_test_notice
from rewardkit.core.notices.listing import notices
from rewardkit.core.offers.listing import user_offers
from rewardkit.core.offers.offering import cancel_user_offer, enter_offer_code, make_offer
from rewardkit.core.pools.commands import DefinePool
from rewardkit.core.pools.deciders import POOL_COMMANDS, POOL_QUERIES
from rewardkit.core.promotions import commands as promotions
from rewardkit.core.promotions.entering import enter_promo_code
from rewardkit.core.referrals import asking as referral_asking
from rewardkit.core.referrals import commands as referral_commands
from rewardkit.core.referrals import queries as referral_queries
from rewardkit.core.referrals.codes import give_referral_code
from rewardkit.core.referrals.listing import referral_campaigns, referral_programs
from rewardkit.core.referrals.referring import enter_referral_code, make_referral, void_referral
from rewardkit.core.requests import commands, queries
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.queries import Query
from rewardkit.core.settling.due import backfill, run_due
from rewardkit.core.settling.emit import emit
from rewardkit.core.storing.effects import Replace
from rewardkit.core.storing.needs import Recall, ask
from rewardkit.core.storing.rows import REFUSED, AnswerRow
from rewardkit.core.tracking import queries as tracking
from rewardkit.core.tracking.campaign_report import campaign_report
from rewardkit.core.tracking.referral_report import referral_report
from rewardkit.core.values import limits
from rewardkit.core.values.identity import digest
from rewardkit.core.values.input import text
from rewardkit.errors import Conflict, Refused, ValidationError

A = TypeVar("A")
_DEEPEST = limits.PAYLOAD_DEPTH + 8
"""Of a command: properties, and the records around them."""

Decider: TypeAlias = Callable[[Any, Context], Deciding[Decision[Any]]]


def _defining(definer: Definer) -> Decider:
    """The decider of a command that defines: on a draft, which is published with its answer."""

    def decider(command: Any, context: Context) -> Deciding[Decision[Any]]:
        given = command.definitions if isinstance(command, LoadDefinitions) else (command,)
        draft = yield from locked(context, given)
        answer = definer(command, draft, context)
        return Decision(answer, draft.effects(), draft.catalogue)

    return decider


_COMMANDS: Mapping[type[Command[Any]], Decider] = {
    **{
        kind: replenishing(_defining(definer)) if kind is DefinePool else _defining(definer)
        for kind, definer in DEFINERS.items()
    },
    commands.PauseCampaign: _defining(pause_campaign),
    commands.ResumeCampaign: _defining(resume_campaign),
    ReplenishBudget: replenish_budget,
    commands.EndCampaign: _defining(end_campaign),
    LoadDefinitions: replenishing(_defining(load_definitions)),
    commands.Emit: emit,
    commands.MakeOffer: make_offer,
    commands.EnterOfferCode: enter_offer_code,
    commands.CancelUserOffer: cancel_user_offer,
    commands.ClaimGrants: claim_grants,
    commands.ClaimGrant: claim_grant,
    commands.FulfilGrant: fulfil_grant,
    failing.FailGrant: failing.fail_grant,
    failing.RetryGrant: failing.retry_grant,
    reviewing.ClaimChecks: reviewing.claim_checks,
    reviewing.RecordCheck: reviewing.record_check,
    reviewing.ApproveGrant: reviewing.approve_grant,
    reviewing.DenyGrant: reviewing.deny_grant,
    reversing.ReverseGrant: reversing.reverse_grant,
    commands.RunDue: run_due,
    commands.Backfill: backfill,
    referral_commands.MakeReferral: make_referral,
    referral_commands.EnterReferralCode: enter_referral_code,
    referral_commands.GiveReferralCode: give_referral_code,
    referral_commands.VoidReferral: void_referral,
    promotions.EnterPromoCode: enter_promo_code,
    outbox.LeaseOutbox: outbox.lease_outbox,
    outbox.MarkOutbox: outbox.mark_outbox,
    dead_letters.RetryNotice: dead_letters.retry_notice,
    dead_letters.ReplayDeadLetters: dead_letters.replay_dead_letters,
    endpoints.EnableEndpoint: endpoints.enable_endpoint,
    registered_endpoints.RegisterEndpoint: registered_endpoints.register_endpoint,
    registered_endpoints.RotateEndpointSecret: registered_endpoints.rotate_endpoint_secret,
    registered_endpoints.RemoveEndpoint: registered_endpoints.remove_endpoint,
    SendTestNotice: send_test_notice,
    **{kind: replenishing(one) if kind in REPLENISHING else one for kind, one in POOL_COMMANDS.items()},
}

_QUERIES: Mapping[type[Query[Any]], Decider] = {
    DefinitionChecks: definition_checks,
    LaunchChecks: launch_checks,
    Preview: preview,
    queries.Grants: grants,
    queries.GrantHistory: explaining.history,
    queries.UserOffers: user_offers,
    queries.Notices: notices,
    queries.Campaigns: campaigns,
    queries.Explain: explaining.explain,
    referral_queries.Referrals: referral_asking.referrals,
    referral_queries.SenderTerms: referral_asking.sender_terms,
    tracking.CampaignReport: campaign_report,
    tracking.ReferralReport: referral_report,
    referral_queries.ReferralPrograms: referral_programs,
    referral_queries.ReferralCampaigns: referral_campaigns,
    endpoints.Endpoints: endpoints.endpoints,
    registered_endpoints.RegisteredEndpoints: registered_endpoints.registered_endpoints,
    **POOL_QUERIES,
}


def decide(command: Command[A], context: Context) -> Deciding[Decision[A]]:
    """Decide a command; under an idempotency key at most once.

    A repeat of an accepted command answers what was answered then, and changes nothing; refusals are not remembered.

    Raises:
        ValidationError: the command cannot be meant.
        Conflict: the key was used for another body, or an event id was.
    """
    decider = _COMMANDS.get(type(command))
    if decider is None:
        raise _misplaced(command, "command", '`MakeOffer("spring", "ann")`, to `run` or `attempt`')
    if context.key is None:
        return (yield from _refusable(decider(command, context)))
    key = text(context.key, "an idempotency key")
    operation = type(command).__name__
    body = digest(operation, _canonical(command))
    known = yield from ask(Recall(operation, key))
    if known is not None:
        if known.digest != body:
            raise Conflict(f"key `{key}` was used for another `{operation}` before")
        return Decision(cast("A", wire.load(known.answer)))
    decision: Decision[A] = yield from _refusable(decider(command, context))
    if isinstance(decision.answer, Refused):
        if not decision.effects:
            return decision
        # What is counted is kept, and so is the key's empty row: it says that nothing was torn.
        refused = AnswerRow(operation, key, b"", REFUSED, context.at)
        return attrs.evolve(decision, effects=(*decision.effects, Replace((refused,))))
    remembered = AnswerRow(operation, key, body, wire.dump(decision.answer), context.at)
    return attrs.evolve(decision, effects=(*decision.effects, Replace((remembered,))))


def look(query: Query[A], context: Context) -> Deciding[Decision[A]]:
    """Answer a query.

    Raises:
        ValidationError: the query cannot be meant.
    """
    asker = _QUERIES.get(type(query))
    if asker is None:
        raise _misplaced(query, "query", "`Grants()`, to `ask`")
    return (yield from _refusable(asker(query, context)))


def _misplaced(given: object, wanted: str, example: str) -> ValidationError:
    """The refusal of what is no command, or no query, with the door that it belongs to."""
    name = given.__name__ if isinstance(given, type) else type(given).__name__
    if isinstance(given, type):
        return ValidationError(f"`{name}` is a class: pass a {wanted} made from one, such as {example}")
    if isinstance(given, Command):
        return ValidationError(f"`{name}` is a command, not a {wanted}: pass it to `run` or `attempt`")
    if isinstance(given, Query):
        return ValidationError(f"`{name}` is a query, not a {wanted}: pass it to `ask`")
    return ValidationError(f"`{name}` is not a {wanted}: pass one, such as {example}")


def _refusable(deciding: Deciding[Decision[A]]) -> Deciding[Decision[A]]:
    """A refusal that was raised on the way is an answer like one that was returned, and changes nothing."""
    try:
        return (yield from deciding)
    except Refused as refused:
        return Decision(refused)


def _canonical(command: Command[Any]) -> str:
    """What the caller gave, as text: equal for equal commands, whatever the order of a mapping."""
    return _text(command, 1)


def _text(value: Any, depth: int) -> str:
    if type(value) is str:
        return repr(value)
    if depth > _DEEPEST:
        raise ValidationError(f"a command is nested deeper than {_DEEPEST} levels")
    if isinstance(value, tuple | list):
        return "[" + ",".join(_text(item, depth + 1) for item in value) + "]"
    if isinstance(value, Mapping):
        keys = sorted(value, key=str)
        return "{" + ",".join(f"{key!r}:{_text(value[key], depth + 1)}" for key in keys) + "}"
    if attrs.has(type(value)):
        fields = attrs.fields(type(value))
        return "(" + ",".join(f"{field.name}={_text(getattr(value, field.name), depth + 1)}" for field in fields) + ")"
    # Decimal digits of a huge number would take long; its decider refuses it afterwards.
    return hex(value) if type(value) is int and abs(value) > limits.INTEGER else repr(value)
