"""Auditing what a store keeps: every row of a tenant, read at one place in time, against what is promised of it.

`snapshot_of` reads through a store, whatever it is; `snapshot_in` reads tables by plain SQL, beside running workers.
`violations` says which promises are broken, each with its letter from the list of invariants in the documentation.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping

import attrs

from rewardkit.core.definitions.budget import cost_of
from rewardkit.core.definitions.campaign import CAMPAIGN, Campaign
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.definitions.entry_places import ENTRIES
from rewardkit.core.definitions.referral_campaign import ReferralCampaign
from rewardkit.core.entrance import wire
from rewardkit.core.notices.notice import OFFER_ENDED, OFFER_MADE, POOL_LOW, REFERRAL_ENDED, REFERRAL_MADE, notice_id_of
from rewardkit.core.pools.stocking import low_subject
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.referral_rows import ReferralCodeRow, ReferralRow
from rewardkit.core.storing.rows import (
    REFUSED,
    AnswerRow,
    CounterRow,
    DefinitionRow,
    EndpointRow,
    EventRow,
    GrantRow,
    MemberRow,
    NoticeRow,
    RegisteredEndpointRow,
    UserOfferRow,
)
from rewardkit.core.values.identity import chained, derive
from rewardkit.errors import InvariantError
from rewardkit.testing.audit_addressed import addressed_violations
from rewardkit.testing.audit_catalogue import campaign_at, catalogue_of, register_of
from rewardkit.testing.audit_events import event_violations, folded_violations
from rewardkit.testing.audit_granted_codes import granted_code_violations
from rewardkit.testing.audit_grants import grant_violations, lives_of, told_of
from rewardkit.testing.audit_members import TAKING, member_violations
from rewardkit.testing.audit_outbox import outbox_violations
from rewardkit.testing.audit_pools import PoolSnapshot, pool_violations
from rewardkit.testing.audit_referrals import (
    PREFIX,
    code_violations,
    open_violations,
    referral_violations,
    sent_violations,
)

OPEN = ("active", "held_out")
"""Statuses of user offers that have not ended."""

WITHOUT = ("held_out", "converted", "lapsed")
"""Statuses of what is recorded of users who get no offer."""


@attrs.frozen
class Snapshot:
    """Everything that one tenant has in a store, table by table, each sorted by its key."""

    tenant: str
    epoch: int = 0
    fingerprint: int = 0
    events: tuple[EventRow, ...] = ()
    members: tuple[MemberRow, ...] = ()
    definitions: tuple[DefinitionRow, ...] = ()
    user_offers: tuple[UserOfferRow, ...] = ()
    grants: tuple[GrantRow, ...] = ()
    notices: tuple[NoticeRow, ...] = ()
    counters: tuple[CounterRow, ...] = ()
    answers: tuple[AnswerRow, ...] = ()
    """Empty where it was read through a store: no need lists them."""
    endpoints: tuple[EndpointRow, ...] = ()
    grant_steps: tuple[GrantStepRow, ...] = ()
    registered: tuple[RegisteredEndpointRow, ...] = ()
    referrals: tuple[ReferralRow, ...] = ()
    referral_codes: tuple[ReferralCodeRow, ...] = ()
    stock: PoolSnapshot = attrs.field(factory=PoolSnapshot)


def violations(snapshot: Snapshot) -> tuple[str, ...]:
    """What is broken, in sentences that begin with the invariant's letters; empty where all is well."""
    campaigns = campaigns_of(snapshot)
    register = register_of(snapshot.definitions, snapshot.epoch)
    return (
        *_definitions(snapshot),
        *_counters(snapshot),
        *_user_caps(snapshot, campaigns),
        *_entries(snapshot, campaigns),
        *_grants(snapshot),
        *grant_violations(snapshot.grants, snapshot.grant_steps, snapshot.definitions),
        *_notices(snapshot),
        *pool_violations(snapshot.stock),
        *granted_code_violations(snapshot.grants, snapshot.definitions, snapshot.stock),
        *outbox_violations(snapshot.notices, snapshot.endpoints),
        *addressed_violations(snapshot.tenant, snapshot.notices, snapshot.registered),
        *referral_violations(snapshot.tenant, snapshot.referrals, snapshot.grants, snapshot.counters, register),
        *code_violations(snapshot.referral_codes),
        *open_violations(snapshot.members, snapshot.referrals, register),
        *sent_violations(snapshot.members, snapshot.referrals, register),
        *_answers(snapshot),
        *_users(snapshot),
        *event_violations(snapshot.events),
        *_folded(snapshot),
        *member_violations(snapshot.members, _unfreed(snapshot), snapshot.definitions, snapshot.epoch),
    )


def _folded(snapshot: Snapshot) -> Iterator[str]:
    catalogue = catalogue_of(snapshot.definitions, snapshot.epoch)
    return folded_violations(snapshot.events, snapshot.members, snapshot.user_offers, snapshot.referrals, catalogue)


def _unfreed(snapshot: Snapshot) -> tuple[UserOfferRow, ...]:
    """The user offers, where those whose places were given back with their grants count as `freed`."""
    freed = {grant.user_offer for grant in snapshot.grants if grant.freed}
    return tuple(row._replace(status="freed") if row.id in freed else row for row in snapshot.user_offers)


def campaigns_of(snapshot: Snapshot) -> Mapping[tuple[str, int], Campaign]:
    """All versions of all campaigns, by name and version."""
    ids: dict[str, int] = {}
    found = {}
    for row in sorted(snapshot.definitions, key=lambda row: row.number):
        if row.kind == CAMPAIGN:
            found[row.name, row.version] = campaign_at(row, ids.setdefault(row.name, len(ids)))
    return found


def _paid(snapshot: Snapshot, catalogue: Catalogue) -> Iterator[tuple[str, int]]:
    """What budgets that queue have paid for, by the names of their counters."""
    offers = {row.id: row for row in snapshot.user_offers}
    waiting = {step.grant for step in snapshot.grant_steps if (step.move, step.held_for) == ("earn", "budget")}
    waiting -= {step.grant for step in snapshot.grant_steps if step.move == "fund"}
    for grant in snapshot.grants:
        if grant.id in waiting:
            continue
        campaign: Campaign | ReferralCampaign | None
        if grant.user_offer:
            offer = offers[grant.user_offer]
            campaign = catalogue.campaign_versions[offer.campaign, offer.campaign_version]
        else:
            campaign = catalogue.referrals.campaigns.get(grant.campaign)
        if campaign is not None and campaign.queues:
            yield campaign.budget_counter, cost_of(catalogue.reward_versions[grant.reward, grant.reward_version])


def taking_of(offer: UserOfferRow, catalogue: Catalogue) -> Mapping[str, int]:
    """What a user offer takes, or took, by the name of the counter."""
    campaign = catalogue.campaign_versions[offer.campaign, offer.campaign_version]
    cost = catalogue.cost(catalogue.offer_versions[offer.offer, offer.offer_version])
    return {} if offer.status in WITHOUT else campaign.amounts(campaign.taking(offer.made_at, cost))


def _definitions(snapshot: Snapshot) -> Iterator[str]:
    rows = sorted(snapshot.definitions, key=lambda row: row.number)
    if [row.number for row in rows] != list(range(1, len(rows) + 1)):
        yield "K6: the numbers of the definitions have gaps"
    if snapshot.epoch != max((row.epoch for row in rows), default=0):
        yield f"K6: epoch {snapshot.epoch} is not that of the newest definition"
    fingerprint = 0
    for row in rows:
        fingerprint = chained(fingerprint, row.kind, row.name, str(row.version), row.body)
    if rows and fingerprint != snapshot.fingerprint:
        yield "K6: the fingerprint is not that of the definitions"


def _counters(snapshot: Snapshot) -> Iterator[str]:
    """C3: no cap is exceeded. C7: counters equal rows."""
    taken: Counter[tuple[str, str]] = Counter()
    catalogue = catalogue_of(snapshot.definitions, snapshot.epoch)
    for offer in _unfreed(snapshot):
        for name, amount in taking_of(offer, catalogue).items():
            # Places are given back with a grant, money is not.
            spent = offer.status == "freed" and name.startswith("budget/")
            taken[name, "earned" if spent else offer.status] += amount
    for name, amount in _paid(snapshot, catalogue):
        taken[name, "earned"] += amount
    counters = {row.name: row for row in snapshot.counters if not row.name.startswith((PREFIX, ENTRIES))}
    for name in sorted({name for name, _ in taken} | counters.keys()):
        row = counters.get(name, CounterRow(name, 0, 0, 0, 0))
        active, earned = taken[name, "active"], taken[name, "earned"]
        if (row.reserved, row.confirmed) != (active, earned):
            yield (
                f"C7: counter `{name}` has {row.reserved} reserved and {row.confirmed} confirmed,"
                f" the rows say {active} and {earned}"
            )
        if max(row.reserved + row.confirmed, active + earned) > row.cap:
            yield f"C3: {active + earned} places are taken under the cap {row.cap} of `{name}`"


def _user_caps(snapshot: Snapshot, campaigns: Mapping[tuple[str, int], Campaign]) -> Iterator[str]:
    caps: dict[str, int] = {}
    for campaign in campaigns.values():
        caps[campaign.name] = max(campaign.user_cap, caps.get(campaign.name, 0))
    taken = Counter((row.user, row.campaign) for row in _unfreed(snapshot) if row.status in TAKING)
    for (user, name), count in taken.items():
        if count > caps[name]:
            yield f"C3: user `{user}` has {count} offers of campaign `{name}`, at most {caps[name]} are allowed"


def _entries(snapshot: Snapshot, campaigns: Mapping[tuple[str, int], Campaign]) -> Iterator[str]:
    """O1: a user's entries into a campaign are numbered from 1, under ids derived from the numbers."""
    entries: dict[tuple[str, str], list[int]] = {}
    for row in snapshot.user_offers:
        terms = campaigns[row.campaign, row.campaign_version]
        if row.status in WITHOUT and not terms.holdout and row.entry == 1:
            yield f"O1: user offer `{row.id}` is {row.status}, and its campaign holds nobody out"
        if row.variant not in {"", *(variant.name for variant in terms.variants)}:
            yield f"O1: user offer `{row.id}` is of variant `{row.variant}`, which its campaign has not"
        entries.setdefault((row.user, row.campaign), []).append(row.entry)
        if row.id != derive("uo", snapshot.tenant, row.campaign, row.user, row.entry):
            yield f"O1: the id of user offer `{row.id}` is not derived from what it is"
        if (row.status in OPEN) != (row.ended_at is None):
            yield f"K6: user offer `{row.id}` is {row.status}, and its end does not fit that"
    for (user, campaign), numbers in entries.items():
        if sorted(numbers) != list(range(1, len(numbers) + 1)):
            yield f"O1: the entries of user `{user}` into campaign `{campaign}` are {sorted(numbers)}"


def _grants(snapshot: Snapshot) -> Iterator[str]:
    """O1 and O2: every earned user offer has exactly its grant, and no other has one."""
    earned = {row.id: row for row in snapshot.user_offers if row.status == "earned"}
    granted = Counter(row.user_offer for row in snapshot.grants if not row.referral)
    for row_id in sorted(earned.keys() | granted.keys()):
        if (row_id in earned, granted[row_id]) != (True, 1):
            status = "earned" if row_id in earned else "not earned"
            yield f"O1: user offer `{row_id}` is {status} and has {granted[row_id]} grants"
    for grant in snapshot.grants:
        offer = earned.get(grant.user_offer)
        if offer is None:
            continue
        if grant.id != derive("gr", snapshot.tenant, offer.campaign, offer.user, offer.entry):
            yield f"O1: the id of grant `{grant.id}` is not derived from what it is for"
        if (grant.user, grant.campaign, grant.offer, grant.offer_version, grant.earned_at) != (
            offer.user,
            offer.campaign,
            offer.offer,
            offer.offer_version,
            offer.ended_at,
        ):
            yield f"K6: grant `{grant.id}` does not say what its user offer says"


def _notices(snapshot: Snapshot) -> Iterator[str]:
    """D1: what happened was announced in the transaction in which it happened."""
    wanted: dict[str, str] = {}

    def want(kind: str, subject: str, step: int = 0) -> None:
        wanted[notice_id_of(snapshot.tenant, kind, subject, step)] = f"{kind} of `{subject}`"

    for offer in snapshot.user_offers:
        if offer.status not in ("capped", *WITHOUT):
            want(OFFER_MADE, offer.id)
        if offer.status in ("expired", "cancelled"):
            want(OFFER_ENDED, offer.id)
    for referral in snapshot.referrals:
        want(REFERRAL_MADE, referral.id)
        if referral.status != "open":
            want(REFERRAL_ENDED, referral.id)
    lives = lives_of(snapshot.grant_steps)
    for part in snapshot.stock.slices:
        for crossing in range(1, part.crossings + 1):
            want(POOL_LOW, low_subject(part.pool), crossing)
    for grant in snapshot.grants:
        for kind, step in told_of(lives.get(grant.id, [])):
            want(kind, grant.id, step)
    written = {row.id: row for row in snapshot.notices if not row.endpoint}
    for notice_id in sorted(wanted.keys() - written.keys()):
        yield f"D1: notice {wanted[notice_id]} is missing"
    for notice_id in sorted(written.keys() - wanted.keys()):
        yield f"D1: notice `{notice_id}` of kind {written[notice_id].kind} announces what did not happen"
    for row in written.values():
        body = json.loads(row.body)
        own_id = notice_id_of(snapshot.tenant, body["kind"], body["subject"], body.get("step", 0))
        if row.id != own_id or body["user"] != row.user:
            yield f"D3: the body of notice `{row.id}` is not that of its id"


def _answers(snapshot: Snapshot) -> Iterator[str]:
    for row in snapshot.answers:
        if not row.digest and row.answer == REFUSED:
            continue
        if not row.digest:
            yield f"K2: key `{row.key}` of `{row.operation}` was kept without an answer"
            continue
        try:
            wire.load(row.answer)
        except InvariantError as error:
            yield f"K6: the answer under key `{row.key}` of `{row.operation}`: {error}"


def _users(snapshot: Snapshot) -> Iterator[str]:
    known = {row.user for row in snapshot.members}
    tables: tuple[tuple[EventRow | UserOfferRow | GrantRow, ...], ...]
    tables = snapshot.events, snapshot.user_offers, snapshot.grants
    parties = {user for row in snapshot.referrals for user in (row.sender, row.recipient)}
    for user in sorted(({row.user for table in tables for row in table} | parties) - known):
        yield f"K6: user `{user}` has rows and no member row"
