"""Where things are kept: memory (the reference), SQLite and PostgreSQL."""

from rewardkit.storage.naming import not_a_store, open_store

__all__ = ["not_a_store", "open_store"]
