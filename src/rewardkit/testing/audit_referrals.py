"""What is promised of referrals: who may refer whom, both sides decided together, and senders within their caps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rewardkit.core.definitions.entry_places import ENTRIES, EVER, all_held, place_counter
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.core.definitions.referral_register import Register
from rewardkit.core.folding.open_referral import OpenReferral, unpack
from rewardkit.core.pools.check_character import is_checked
from rewardkit.core.referrals.codes import ALPHABET
from rewardkit.core.settling.referral_writing import side_grant_id
from rewardkit.core.storing.progress import Progress
from rewardkit.core.storing.referral_rows import ReferralCodeRow, ReferralRow
from rewardkit.core.storing.rows import CounterRow, GrantRow, MemberRow
from rewardkit.errors import InvariantError

PREFIX = "referral/"
"""Of the names of senders' counters."""


def referral_counters(referrals: Iterable[ReferralRow], register: Register) -> tuple[str, ...]:
    """The names of all counters that referrals may have."""
    names = {place_counter(name, EVER) for name in register.campaigns}
    names |= {one.budget_counter for one in register.campaigns.values()}
    capped = [one for one in register.campaigns.values() if one.caps_per]
    for row in referrals:
        # Taken by whoever has no row of it, too.
        names.update(place_counter(one.name, place) for one in capped for place in one.caps_at(row.made_at))
        program = register.programs[row.program]
        names |= {program.counter(row.sender), program.counter(row.sender, row.period)}
        names.update(held.counter for held in all_held(row.campaign, row.places))
    return tuple(sorted(names))


def referral_violations(
    tenant: str,
    referrals: Iterable[ReferralRow],
    grants: Iterable[GrantRow],
    counters: Iterable[CounterRow],
    register: Register,
) -> Iterator[str]:
    """R1: one referral a recipient and program. R2: both sides or none. R3: senders' caps, and campaigns'."""
    known = tuple(referrals)
    for (recipient, name), count in Counter((row.recipient, row.program) for row in known).items():
        if count > 1:
            yield f"R1: user `{recipient}` was referred {count} times into program `{name}`"
    for recipient, count in Counter(row.recipient for row in known if row.campaign).items():
        if count > 1:
            yield f"R1: user `{recipient}` was referred {count} times by campaigns"
    granted = tuple(grants)
    sides = {row.id: row for row in granted if row.referral}
    for row in known:
        program = register.program_versions[row.program, row.program_version]
        yield from _row(tenant, row, program)
        yield from _sides(tenant, row, sides, program)
    for grant in sides.values():
        yield f"R2: grant `{grant.id}` is of no side of referral `{grant.referral}`"
    freed = {grant.referral for grant in granted if grant.side == "sender" and grant.freed}
    kept = [row for row in known if row.id not in freed]
    yield from _counted(kept, {row.name: row for row in counters if row.name.startswith(PREFIX)}, register)
    yield from _entered(known, {row.name: row for row in counters if row.name.startswith(ENTRIES)})


def _row(tenant: str, row: ReferralRow, program: ReferralProgram) -> Iterator[str]:
    if row.sender == row.recipient:
        yield f"R1: user `{row.sender}` has referred herself"
    if row.id != OpenReferral(row.sender, row.recipient, program, row.campaign).id(tenant):
        yield f"R1: the id of referral `{row.id}` is not derived from what it is"
    if (row.status == "open") != (row.ended_at is None):
        yield f"K6: referral `{row.id}` is {row.status}, and its end does not fit that"
    if (row.status == "completed") != (row.sender_reward in ("granted", "capped")):
        yield f"R2: referral `{row.id}` is {row.status}, and its sender's reward is `{row.sender_reward}`"


def _sides(tenant: str, row: ReferralRow, sides: dict[str, GrantRow], program: ReferralProgram) -> Iterator[str]:
    """Takes what it has looked at out of the grants."""
    wanted = {
        "recipient": (row.recipient, program.recipient_reward, program.recipient_reward_version),
        "sender": (row.sender, program.sender_reward, program.sender_reward_version),
    }
    for side, (user, reward, version) in wanted.items():
        grant = sides.pop(side_grant_id(tenant, row.id, side), None)
        earned = row.status == "completed" and (side == "recipient" or row.sender_reward == "granted")
        if earned != (grant is not None):
            state = "has none" if grant is None else "has one"
            yield f"R2: referral `{row.id}` is {row.status} {row.sender_reward}, its {side} {state} of her grants"
        if grant is None:
            continue
        said = (grant.user, grant.reward, grant.reward_version, grant.referral, grant.side, grant.earned_at)
        if said != (user, reward, version, row.id, side, row.ended_at):
            yield f"K6: grant `{grant.id}` does not say what referral `{row.id}` says"


def _counted(referrals: Iterable[ReferralRow], counters: Mapping[str, CounterRow], register: Register) -> Iterator[str]:
    taken: Counter[str] = Counter()
    for row in referrals:
        if row.sender_reward == "granted":
            program = register.programs[row.program]
            taken[program.counter(row.sender)] += 1
            if row.period:
                taken[program.counter(row.sender, row.period)] += 1
    for name in sorted(taken.keys() | counters.keys()):
        counter = counters.get(name, CounterRow(name, 0, 0, 0, 0))
        if (counter.reserved, counter.confirmed) != (taken[name], 0):
            held = counter.reserved + counter.confirmed
            yield f"C7: counter `{name}` has {held} taken, the rows say {taken[name]}"
        if taken[name] > counter.cap:
            yield f"R3: {taken[name]} places are taken under the cap {counter.cap} of `{name}`"


def _entered(referrals: Iterable[ReferralRow], counters: Mapping[str, CounterRow]) -> Iterator[str]:
    """Each referral that is open or completed has its places under its campaign's limits, and no other has any."""
    reserved: Counter[str] = Counter()
    confirmed: Counter[str] = Counter()
    for row in referrals:
        for held in all_held(row.campaign, row.places):
            if row.status == "open":
                reserved[held.counter] += held.always + held.of_sender
            elif row.status == "completed":
                confirmed[held.counter] += held.always + held.of_sender * (row.sender_reward == "granted")
    for name in sorted(reserved.keys() | confirmed.keys() | counters.keys()):
        counter = counters.get(name, CounterRow(name, 0, 0, 0, 0))
        said = reserved[name], confirmed[name]
        if (counter.reserved, counter.confirmed) != said:
            yield (
                f"C7: counter `{name}` has {counter.reserved} reserved and {counter.confirmed} confirmed,"
                f" the rows say {said[0]} and {said[1]}"
            )
        if sum(said) > counter.cap:
            yield f"R3: {sum(said)} places are taken under the cap {counter.cap} of `{name}`"


def code_violations(codes: Iterable[ReferralCodeRow]) -> Iterator[str]:
    """R4: one code a sender, one sender a code."""
    known = tuple(codes)
    for what, counts in (
        ("user", Counter(row.user for row in known)),
        ("code", Counter(row.code for row in known)),
    ):
        yield from (f"R4: {what} `{one}` is there {count} times" for one, count in counts.items() if count > 1)
    for row in known:
        if not is_checked(row.code, ALPHABET):
            yield f"R4: the code of user `{row.user}` has a wrong check character"


def sent_violations(
    members: Iterable[MemberRow], referrals: Iterable[ReferralRow], register: Register
) -> Iterator[str]:
    """K6: a sender's row keeps, of every campaign whose variants she has referred on, one of those."""
    referred: dict[tuple[str, str], set[str]] = {}
    for row in referrals:
        if row.variant:
            referred.setdefault((row.sender, row.campaign), set()).add(row.variant)
    for member in members:
        progress = Progress(member.state)
        for campaign in register.campaigns.values():
            names = {number: name for name, number in campaign.numbers.items()} | {0: ""}
            kept, rows = names.get(progress.sent(campaign.id)), referred.get((member.user, campaign.name), {""})
            if kept not in rows:
                yield (
                    f"K6: user `{member.user}` keeps the variant `{kept}` of `{campaign.name}`,"
                    f" her referrals are of {sorted(rows)}"
                )


def open_violations(
    members: Iterable[MemberRow], referrals: Iterable[ReferralRow], register: Register
) -> Iterator[str]:
    """K6: what a recipient's row keeps of open referrals is what their rows say."""
    rows = {
        (row.recipient, row.sender, row.program, row.program_version, row.campaign, row.places, row.variant)
        for row in referrals
        if row.status == "open"
    }
    kept = set()
    for member in members:
        progress = Progress(member.state)
        for program in register.programs.values():
            payload = progress.get(program.slot)
            if payload is None:
                continue
            try:
                one, state = unpack(payload, member.user, register.programs_by_number)
                one.program.folding.unpack(state)
            except InvariantError as error:
                yield f"K6: the referral of user `{member.user}` cannot be read: {error}"
            else:
                terms = one.program.name, one.program.version, one.campaign, one.places, one.variant
                kept.add((member.user, one.sender, *terms))
    if kept != rows:
        yield f"K6: members keep the open referrals {sorted(kept - rows)} too many, and lack {sorted(rows - kept)}"
