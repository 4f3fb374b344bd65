"""A notice as an e-mail: what a stranger wrote stays inside the field that it was put into."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, NamedTuple, TypeAlias

from rewardkit.core.requests.records import Notice
from rewardkit.errors import ValidationError

Recipients: TypeAlias = str | Iterable[str]

ADDRESS_CHARACTERS: Final = 254
"""RFC 5321's limit for a path, without its brackets."""

SUBJECT_CHARACTERS: Final = 255
RECIPIENTS: Final = 100
"""Of one e-mail: what every server takes."""

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}))*"
)
# All that some reader takes for the end of a line; Python's own check knows two of them (CVE-2024-6923).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


_ENCODED_WORD = "=?"
"""Begins what Python decodes while it writes a header, line breaks included: `=??Q?=0A`."""


class Letter(NamedTuple):
    """What a person gets to read."""

    subject: str
    text: str


Writer: TypeAlias = Callable[[Notice], Letter]


def plain_letter(notice: Notice) -> Letter:
    """Its kind and id as the subject, and its body as it stands."""
    return Letter(f"{notice.kind}: {notice.id}", f"{notice.body.decode(errors='replace')}\n")


def address(given: object, what: str) -> str:
    """One bare e-mail address of ASCII characters.

    Raises:
        ValidationError: it is none; a display name, a comment or a second address is refused too.
    """
    if (
        not isinstance(given, str)
        or len(given) > ADDRESS_CHARACTERS
        or _ADDRESS.fullmatch(given) is None
        or _ENCODED_WORD in given
    ):
        raise ValidationError(f"{what} must be one bare address such as `amanda@example.com`")
    return given


def addresses(given: Recipients) -> tuple[str, ...]:
    """Bare addresses, each once.

    Raises:
        ValidationError: one is none, or there are too many.
    """
    found = tuple(dict.fromkeys(address(one, "a recipient") for one in ([given] if isinstance(given, str) else given)))
    if len(found) > RECIPIENTS:
        raise ValidationError(f"an e-mail goes to {len(found)} recipients, at most {RECIPIENTS} are taken")
    return found


def message(notice: Notice, letter: Letter, *, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The e-mail: the letter for people, and the notice's body, byte for byte, as an attachment for programs.

    Its `Message-ID` is made from the notice's id, so that repeats of one notice are known as one e-mail.

    Raises:
        ValidationError: the subject has a line break or another control character, or is too long.
    """
    made = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    made["From"] = sender
    made["To"] = ", ".join(to)
    made["Subject"] = _subject(letter.subject)
    made["Date"] = _date(notice.created_at)
    made["Message-ID"] = f"<{notice.id}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(_encodable(letter.text), cte="base64")
    made.add_attachment(notice.body, maintype="application", subtype="json", filename=f"{notice.id}.json")
    return made


def _subject(given: str) -> str:
    if (
        not isinstance(given, str)
        or len(given) > SUBJECT_CHARACTERS
        or _CONTROL.search(given)
        or _ENCODED_WORD in given
    ):
        raise ValidationError(
            f"a subject is one line of at most {SUBJECT_CHARACTERS} characters, without control characters and without"
            f" `{_ENCODED_WORD}`, which mail programs decode"
        )
    return given


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def _date(at: datetime) -> datetime:
    """E-mail knows whole seconds."""
    return at.replace(microsecond=0)
