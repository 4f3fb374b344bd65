"""Senders' codes: made once by chance, found again however they are typed."""

from __future__ import annotations

import re
from typing import Final

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.alphabet import Alphabet, code_key
from rewardkit.core.pools.check_character import check_character, is_checked
from rewardkit.core.referrals.commands import GiveReferralCode
from rewardkit.core.requests.referral_records import ReferralCode
from rewardkit.core.storing.needs import Accept, ask
from rewardkit.core.storing.referral_needs import SenderOfCode, TakeReferralCode
from rewardkit.core.storing.referral_rows import ReferralCodeRow
from rewardkit.core.values.identity import digest
from rewardkit.core.values.input import show, text
from rewardkit.errors import InvariantError, ValidationError
from rewardkit.language.event import moment

ALPHABET: Final = Alphabet("0123456789BCDFGHJKMNPQRSTVWXYZ")
"""No two that look alike, and no vowels, so that no code reads as a word."""
CHARACTERS: Final = 9
"""Before the check character: 44 bits, short enough to be typed from a screen."""
ATTEMPTS: Final = 8
"""To find a code that nobody has; with a billion senders the first fails once in twenty thousand times."""
_TYPED: Final = 255
_URL_CHARACTERS: Final = 2_000
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]+")


def give_referral_code(command: GiveReferralCode, context: Context) -> Deciding[Decision[ReferralCode]]:
    """The sender's code; made where she has none."""
    sender = text(command.sender, "a sender")
    base_url = command.base_url
    if base_url and not _URL.fullmatch(text(base_url, "base_url", most=_URL_CHARACTERS)):
        raise ValidationError(f"base_url must be an address such as `https://shop.example/i/`, not `{show(base_url)}`")
    yield from ask(Accept((), (sender,)))
    for attempt in range(ATTEMPTS):
        row = yield from ask(TakeReferralCode(sender, _drawn(context.chance, attempt), context.at))
        if row is not None:
            return Decision(_shown(row, base_url))
    raise InvariantError(f"{ATTEMPTS} codes in a row belong to somebody: chance is broken")


def sender_of(written: str) -> Deciding[str | None]:
    """Whose code somebody typed; None where it is nobody's."""
    key = code_key(text(written, "a referral code", most=_TYPED))
    if not is_checked(key, ALPHABET):
        return None
    row = yield from ask(SenderOfCode(key))
    return None if row is None else row.user


def _drawn(chance: bytes, attempt: int) -> str:
    """A code, from what the call was given of chance."""
    number = int.from_bytes(digest(chance.hex(), str(attempt)), "big")
    drawn = []
    for _ in range(CHARACTERS):
        number, place = divmod(number, len(ALPHABET.keys))
        drawn.append(ALPHABET.keys[place])
    body = "".join(drawn)
    return body + check_character(body, ALPHABET)


def _shown(row: ReferralCodeRow, base_url: str) -> ReferralCode:
    return ReferralCode(row.user, row.code, base_url + row.code if base_url else "", moment(row.made_at))
