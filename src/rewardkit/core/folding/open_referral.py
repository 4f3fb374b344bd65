"""A recipient's open referral, as the slot of its program keeps it.

One behind the other: number of the program's version, lengths of campaign and sender in bytes, both in UTF-8, and the
packed state of the condition. Behind the campaign stand, each after a zero, the places that it takes of its limits and
its variant, as far as there are any.
Whoever completes it needs no other row to decide both sides.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import attrs

from rewardkit.core.definitions.entry_places import Held, all_held
from rewardkit.core.definitions.referral_program import ReferralProgram
from rewardkit.core.values.identity import derive
from rewardkit.errors import InvariantError

_HEAD = struct.Struct("<IHH")
_BEHIND = "\0"
"""No campaign's or variant's name has one."""


@attrs.frozen
class OpenReferral:
    """Who refers whom, on which terms."""

    sender: str
    recipient: str
    program: ReferralProgram
    """The version that the recipient entered under."""
    campaign: str
    """The referral campaign that chose it, or empty."""
    places: str = ""
    """That it takes under the campaign's limits, put together."""
    variant: str = ""
    """That its sender was drawn for, where the campaign has variants."""

    @property
    def held(self) -> tuple[Held, ...]:
        """What its places take of the campaign's counters."""
        return all_held(self.campaign, self.places)

    def id(self, tenant: str) -> str:
        """Derived from what makes it unique: campaigns are terms of one invitation, which a recipient follows once."""
        return derive("rf", tenant, "" if self.campaign else self.program.name, self.recipient)

    def pack(self, state: bytes) -> bytes:
        """The slot's payload."""
        named = _BEHIND.join((self.campaign, self.places, self.variant)).rstrip(_BEHIND)
        campaign, sender = named.encode(), self.sender.encode()
        return b"".join((_HEAD.pack(self.program.number, len(campaign), len(sender)), campaign, sender, state))


def unpack(payload: bytes, recipient: str, programs: Mapping[int, ReferralProgram]) -> tuple[OpenReferral, bytes]:
    """The referral of a slot, and the packed state of its condition.

    Raises:
        InvariantError: the bytes were not written by `pack`, or the program is unknown.
    """
    try:
        number, campaign, sender = _HEAD.unpack_from(payload)
        begin = _HEAD.size + campaign
        end = begin + sender
        sent, named = payload[begin:end].decode(), payload[_HEAD.size : begin].decode().split(_BEHIND)
        return OpenReferral(sent, recipient, programs[number], *named), payload[end:]
    except (struct.error, UnicodeDecodeError, KeyError, TypeError) as error:
        raise InvariantError(f"an open referral cannot be read: {error}") from None
