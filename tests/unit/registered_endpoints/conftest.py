"""A kit whose registered endpoints need no network."""

from __future__ import annotations

import pytest

import rewardkit as rk
from rewardkit.storage.memory import MemoryStore
from rewardkit.testing.clock import FakeClock
from rewardkit.testing.endpoints import KeptWebhooks, endpoint_kit


@pytest.fixture
def webhooks() -> KeptWebhooks:
    return KeptWebhooks()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def kit(store: MemoryStore, webhooks: KeptWebhooks, clock: FakeClock) -> rk.RewardKit:
    return endpoint_kit(store, webhooks, clock)
