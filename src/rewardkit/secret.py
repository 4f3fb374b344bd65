"""Text that must not be seen: signing secrets, passwords, URLs with tokens."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any, NoReturn, Self

from rewardkit.errors import ValidationError


class Secret:
    """Keeps a text out of logs, representations, tracebacks and pickles; only `reveal()` gives it.

    Two are equal where their texts are, compared in constant time; one is never equal to a plain text.

    Raises:
        ValidationError: the value is empty or no text; the message does not show it.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise ValidationError(f"a secret must be text, not `{type(text).__name__}`")
        if not text:
            raise ValidationError("a secret must not be empty")
        self.__text = text

    def reveal(self) -> str:
        """The text itself: pass it on at once, and keep it in no variable."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self.reveal().encode(errors="surrogatepass"), other.reveal().encode(errors="surrogatepass")
        )

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memory: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled: hand over the place where it is kept, and read it there")


def secrets_of(given: Secret | str | Iterable[Secret | str], what: str) -> tuple[Secret, ...]:
    """One secret or several, as plain text or wrapped; at least one.

    Raises:
        ValidationError: there is none, or one is empty or no text.
    """
    if isinstance(given, Secret | str):
        return (secret_of(given),)
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        raise ValidationError(f"{what} must be text, a `Secret` or several of them, not `{type(given).__name__}`")
    found = tuple(secret_of(one) for one in given)
    if not found:
        raise ValidationError(f"{what} must hold at least one secret")
    return found


def secret_of(given: Secret | str) -> Secret:
    """The same secret, wrapped.

    Raises:
        ValidationError: it is empty or no text.
    """
    return given if isinstance(given, Secret) else Secret(given)
