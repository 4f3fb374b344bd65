"""Where things are kept: memory (the reference), SQLite and PostgreSQL."""

from rewardkit.storage.naming import open_store

__all__ = ["open_store"]
