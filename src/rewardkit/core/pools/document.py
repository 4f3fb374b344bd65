"""Reading an entity's JSON: each key is there, and of its type."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from rewardkit.core.pools.stamp import read_stamp
from rewardkit.core.values import payload
from rewardkit.core.values.input import show
from rewardkit.errors import ValidationError


class Document:
    """A JSON object that an entity is read from, and the name of the key that it stands under."""

    def __init__(self, values: Mapping[str, Any], what: str) -> None:
        self._values = values
        self._what = what

    @classmethod
    def of(cls, source: Mapping[str, Any] | str | bytes, what: str) -> Self:
        """Of a mapping, or of JSON as text.

        Raises:
            ValidationError: it is no JSON object.
        """
        values = payload.read(source, what) if isinstance(source, str | bytes) else source
        if not isinstance(values, Mapping):
            raise ValidationError(f"{what} is a JSON object, not a `{type(values).__name__}`")
        return cls(values, what)

    def text(self, key: str) -> str:
        """A text."""
        value: str = self._value(key, str, "text")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text, or None where it is null or not there."""
        return None if self._values.get(key) is None else self.text(key)

    def integer(self, key: str) -> int:
        """A whole number."""
        value: int = self._value(key, int, "a whole number")
        return value

    def optional_integer(self, key: str) -> int | None:
        """A whole number, or None where it is null or not there."""
        return None if self._values.get(key) is None else self.integer(key)

    def boolean(self, key: str) -> bool:
        """True or false."""
        value: bool = self._value(key, bool, "true or false")
        return value

    def instant(self, key: str) -> datetime:
        """An instant to the minute or the second."""
        return read_stamp(self._values.get(key), f"`{key}` of {self._what}")

    def inside(self, key: str) -> Document:
        """The object under a key."""
        return Document.of(self._values.get(key, {}), f"`{key}` of {self._what}")

    def _value(self, key: str, kind: type[Any], name: str) -> Any:
        value = self._values.get(key)
        if type(value) is not kind:
            shown = "it is missing" if key not in self._values else f"not `{show(repr(value))}`"
            raise ValidationError(f"`{key}` of {self._what} must be {name}: {shown}")
        return value
