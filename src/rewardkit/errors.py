"""Every error that rewardkit raises on purpose, in one tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rewardkit.language.diagnostic import Diagnostic


class RewardKitError(Exception):
    """The root: catch this to catch all of them."""


class ValidationError(RewardKitError, ValueError):
    """An argument cannot be meant: wrong type, out of range, not a legal name, instant or number.

    Raised before anything is read or written.
    """


class ConditionSyntaxError(RewardKitError, ValueError):
    """The text is not a condition.

    `diagnostics` says what is wrong where, and what to write instead; `str()` shows them with the source line.
    """

    def __init__(self, text: str, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.text = text
        self.diagnostics = diagnostics
        super().__init__("\n".join(diagnostic.show(text) for diagnostic in diagnostics))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text, self.diagnostics)


class Refused(RewardKitError):
    """An ordinary refusal: the request was understood, and the answer is no.

    Nothing that was asked for has happened.

    Args:
        code: stable, for machines, such as `campaign_capped`.
        sentence: for people.
        facts: what the decision was made from, such as `{"used": 3, "cap": 3}`.
    """

    def __init__(self, code: str, sentence: str, facts: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.sentence = sentence
        self.facts: Mapping[str, Any] = dict(facts or {})
        super().__init__(f"{sentence} ({code})")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.sentence, self.facts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Refused):
            return NotImplemented
        return (self.code, self.sentence, self.facts) == (other.code, other.sentence, other.facts)

    __hash__ = RewardKitError.__hash__


class Conflict(RewardKitError):
    """The same idempotency key or event id came back with another body; nothing was applied."""


class StoreError(RewardKitError):
    """The store could not do it.

    `outcome` is `"not_applied"` (nothing happened) or `"unknown"` (a commit was cut off: it may have happened).
    Repeating the call with the same key, or the same event ids, is safe after both.
    """

    def __init__(
        self, message: str, outcome: Literal["not_applied", "unknown"] = "not_applied", *, transient: bool = False
    ) -> None:
        self.outcome: Literal["not_applied", "unknown"] = outcome
        self.transient = transient
        """Whether the same call may well succeed at once: a deadlock, a serialisation failure."""
        super().__init__(message)


class SchemaError(StoreError):
    """The store's tables are missing, older or newer than this version of rewardkit."""


class ForkError(StoreError):
    """A connection was opened before a fork and used after it."""


class InvariantError(RewardKitError):
    """A promise would be broken; the decision was dropped and nothing was written."""


class ExtraNotInstalled(RewardKitError, ImportError):
    """A part was asked for whose packages are not installed; the message names the pip line."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra: pip install 'rewardkit[{extra}]'")


class UrlRefused(ValidationError):
    """A webhook's URL is not one that may be connected to, or not now; the message never shows its path or query.

    `reason` is stable, for machines: the text is `malformed`, its `scheme` or `port` is closed, its host is
    `unresolved`, or has an `address` that is not open to webhooks.
    """

    def __init__(
        self,
        message: str,
        reason: Literal["malformed", "scheme", "port", "unresolved", "address"] = "malformed",
    ) -> None:
        self.reason = reason
        super().__init__(message)


class NotVerified(RewardKitError, ValueError):
    """What came in is no webhook that this receiver's secrets vouch for: forged, tampered with, too old, malformed.

    Answer it with 400 and no more; the message is for your log.
    """
