"""A numbered step of the schema."""

from __future__ import annotations

import attrs

from rewardkit.storage.sql.dialect import Dialect


@attrs.frozen
class Migration:
    """One step, applied in one transaction. Its number is its place, from 1."""

    name: str
    statements: tuple[str, ...]

    def texts(self, dialect: Dialect, prefix: str) -> tuple[str, ...]:
        """What to execute, in order."""
        words = dialect.words(prefix)
        return tuple(statement.format_map(words) for statement in self.statements)
