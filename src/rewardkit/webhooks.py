"""Webhooks that can be verified: both sides of Standard Webhooks' symmetric signatures, by the standard library alone.

A receiver needs `verify`; the sender is `rewardkit.WebhookNotifier`.
What is signed is `id.timestamp.body`, by HMAC with SHA-256; https://www.standardwebhooks.com says the same.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets as randomness
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

from rewardkit.errors import NotVerified, ValidationError
from rewardkit.secret import Secret, secrets_of

__all__ = ["NotVerified", "Secret", "Verified", "generate_secret", "sign", "verify"]

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

TOLERANCE_SECONDS: Final = 300
"""Between the sender's clock and ours, either way: what is older may be a replay."""

SIGNATURES: Final = 8
"""That are looked at; two are there while a sender rotates its secret, and each costs a comparison."""

KEY_BYTES_LEAST: Final = 24
KEY_BYTES_MOST: Final = 64
"""Of a secret, both as Standard Webhooks says: what cannot be guessed, and what HMAC takes unhashed."""

_PREFIX = "whsec_"
_ID = re.compile(r"[!-\-/-~]{1,255}")
"""Printable, and without the full stop that separates it from the timestamp."""
_TIMESTAMP = re.compile(r"[0-9]{1,11}")


class Headers(Protocol):
    """Of a request, as any framework has them: a dict, `http.server`'s, Django's, Starlette's, Werkzeug's."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Names, in any case, and values."""
        ...


class Verified(NamedTuple):
    """A webhook that one of the receiver's secrets vouches for."""

    id: str
    """The same on every attempt: what has been handled under it is not handled again."""
    sent_at: datetime
    """Of this attempt, in UTC."""
    body: bytes


def generate_secret() -> Secret:
    """A new signing secret of 32 random bytes, in the form `whsec_…` that sender and receiver share."""
    return Secret(_PREFIX + base64.b64encode(randomness.token_bytes(32)).decode())


def check_signing(secrets: tuple[Secret, ...]) -> None:
    """Check that each can sign: `whsec_` and 24 to 64 bytes in base64.

    Raises:
        ValidationError: one is malformed, too short or too long; the message does not show it.
    """
    for secret in secrets:
        length = len(_key(secret))
        if not KEY_BYTES_LEAST <= length <= KEY_BYTES_MOST:
            raise ValidationError(
                f"a signing secret is `{_PREFIX}` and {KEY_BYTES_LEAST} to {KEY_BYTES_MOST} bytes in base64, and this"
                f" one holds {length or 'none'}: make one with `rewardkit.webhooks.generate_secret()`"
            )


def sign(body: bytes, *, id: str, timestamp: int, secrets: Secret | str | Iterable[Secret | str]) -> dict[str, str]:
    """The three headers that vouch for a body.

    Args:
        body: as it is sent, byte for byte.
        id: of the message, the same on every attempt; printable ASCII without a full stop.
        timestamp: of this attempt, in whole seconds since 1970 UTC.
        secrets: each adds a signature; two while one takes the other's place.

    Raises:
        ValidationError: an argument cannot be signed, or a secret is malformed.
    """
    secrets = secrets_of(secrets, "signing secrets")
    check_signing(secrets)
    if _ID.fullmatch(id) is None:
        raise ValidationError("a webhook's id is 1 to 255 printable ASCII characters without space and full stop")
    if type(timestamp) is not int or _TIMESTAMP.fullmatch(str(timestamp)) is None:
        raise ValidationError("a webhook's timestamp is a whole number of seconds since 1970, of at most 11 digits")
    signatures = " ".join(_signature(secret, id, str(timestamp), body) for secret in secrets)
    return {ID: id, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def verify(
    body: bytes,
    headers: Headers,
    secrets: Secret | str | Iterable[Secret | str],
    *,
    now: float | None = None,
) -> Verified:
    """Tell a sender's webhook from anything else.

    Args:
        body: exactly the bytes that came in, before any parsing.
        headers: of the request, their names in any case.
        secrets: those of the sender; several while one takes the other's place.
        now: seconds since 1970 UTC; default is this machine's clock.

    Raises:
        NotVerified: whatever is wrong with what came in.
        ValidationError: a secret is malformed, the body is no bytes, or the headers no mapping: the receiver is to be
            mended.
    """
    secrets = secrets_of(secrets, "signing secrets")
    check_signing(secrets)
    if not isinstance(body, bytes | bytearray | memoryview):
        raise ValidationError(f"a body is verified as the bytes that came in, not as `{type(body).__name__}`")
    if not hasattr(headers, "items"):
        raise ValidationError(f"headers come as the request's mapping of names, not as `{type(headers).__name__}`")
    given = bytes(body)
    id, timestamp, signatures = (_header(headers, name) for name in (ID, TIMESTAMP, SIGNATURE))
    if _ID.fullmatch(id) is None:
        raise NotVerified(f"the header `{ID}` is malformed")
    if _TIMESTAMP.fullmatch(timestamp) is None:
        raise NotVerified(f"the header `{TIMESTAMP}` is malformed")
    if not abs((time.time() if now is None else now) - int(timestamp)) <= TOLERANCE_SECONDS:
        raise NotVerified(f"the header `{TIMESTAMP}` is more than {TOLERANCE_SECONDS} seconds from now")
    if not _vouched(signatures, [_signature(secret, id, timestamp, given) for secret in secrets]):
        raise NotVerified("no signature is by a secret of this receiver")
    return Verified(id, datetime.fromtimestamp(int(timestamp), UTC), given)


def _header(headers: Headers, name: str) -> str:
    """Its one value; a header that comes twice might be read differently by whoever looks next."""
    found = [value for key, value in headers.items() if isinstance(key, str) and key.lower() == name]
    if len(found) != 1 or not isinstance(found[0], str):
        raise NotVerified(f"the header `{name}` is {'malformed' if found else 'missing'}")
    return found[0]


def _vouched(signatures: str, expected: list[str]) -> bool:
    """Whether one of those given is one of those expected; all are compared, so that time tells nothing of them."""
    given = signatures.split(" ", SIGNATURES)
    if len(given) > SIGNATURES:
        raise NotVerified(f"the header `{SIGNATURE}` holds more than {SIGNATURES} signatures")
    if not signatures.isascii():
        raise NotVerified(f"the header `{SIGNATURE}` is malformed")
    same = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in expected]
    return any(same)


def _signature(secret: Secret, id: str, timestamp: str, body: bytes) -> str:
    content = b".".join((id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(_key(secret), content, "sha256")).decode()


def _key(secret: Secret) -> bytes:
    """The bytes that a secret stands for; none where it is malformed, so that no traceback holds a part of it."""
    try:
        return base64.b64decode(_padded(secret.reveal()), validate=True)
    except ValueError:
        return b""


def _padded(text: str) -> str:
    """The part in base64, whose padding some leave out; nothing where the prefix is missing."""
    encoded = text.removeprefix(_PREFIX).rstrip("=") if text.startswith(_PREFIX) else ""
    return encoded + "=" * (-len(encoded) % 4)
