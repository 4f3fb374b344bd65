"""Everything in this process's memory: gone with it, and the reference that the other stores are compared with."""

from rewardkit.storage.memory.store import MemoryStore

__all__ = ["MemoryStore"]
