"""A user's packed row against a plain dictionary: whatever is put in comes back, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardkit.core.definitions.taking import Taking
from rewardkit.core.folding import active
from rewardkit.core.folding.active import Active
from rewardkit.core.storing.progress import Progress
from rewardkit.errors import InvariantError

slots = st.integers(0, 2**20)
payloads = st.binary(max_size=40)
wakes = st.none() | st.integers(0, 2**60)
puts = st.tuples(st.just("put"), slots, payloads, wakes)
drops = st.tuples(st.just("drop"), slots)
packings = st.tuples(st.just("pack"))


@given(st.lists(puts | drops | packings, max_size=40), st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300)))
def test_a_progress_holds_what_a_dictionary_holds(
    steps: list[tuple[object, ...]], entered: set[int], counted: set[int]
) -> None:
    progress = Progress()
    model: dict[int, tuple[bytes, int | None]] = {}
    for campaign in entered:
        progress.enter(campaign, decided=True)
    for campaign in counted:
        progress.count(campaign, 1, 1)
    for step in steps:
        match step:
            case ("put", int(slot), bytes(payload), (None | int()) as wake):
                # Kinds 2 are counts, which belong to `count`.
                slot |= 1
                progress.put(slot, payload, wake)
                model[slot] = (payload, wake)
            case ("drop", int(slot)):
                slot |= 1
                progress.drop(slot)
                model.pop(slot, None)
            case _:
                progress = Progress(progress.pack())

    again = Progress(progress.pack())
    for found in (progress, again):
        assert [payload for payload, _ in model.values()] == [found.get(slot) for slot in model]
        assert min((wake for _, wake in model.values() if wake is not None), default=None) == found.wake_at
        assert all(found.entered >> campaign & 1 for campaign in entered)
        assert all(found.counts(campaign) == (1, 1) for campaign in counted)
    assert progress.pack() == again.pack()


@given(st.binary(min_size=1, max_size=80))
def test_bytes_that_are_no_progress_are_refused_or_come_back_as_they_were(data: bytes) -> None:
    try:
        progress = Progress(data)
    except InvariantError:
        return
    assert Progress(progress.pack()).pack() == progress.pack()


@given(
    st.lists(
        st.builds(
            Active,
            st.integers(0, 2**32 - 1),
            st.integers(0, 65_535),
            st.binary(max_size=20),
            st.one_of(
                st.builds(Taking, st.booleans(), st.just(0), st.just(0), st.just(0)),
                st.builds(Taking, st.booleans(), st.integers(1, 31), st.integers(0, 2**60), st.integers(0, 2**60)),
                st.builds(Taking, st.booleans(), st.just(0), st.integers(0, 2**60), st.integers(1, 2**60)),
            ),
            st.booleans(),
        ),
        max_size=5,
    )
)
def test_active_offers_come_back(offers: list[Active]) -> None:
    assert offers == active.unpack(active.pack(offers))


def test_a_large_state_fits() -> None:
    progress = Progress()
    progress.put(
        1, active.pack([Active(1, 1, taking=Taking(counted=True), state=bytes(200_000)), Active(2, 2, state=b"x")])
    )

    kept = Progress(progress.pack()).get(1)
    assert kept is not None
    assert [200_000, 1] == [len(one.state) for one in active.unpack(kept)]


def test_active_offers_that_are_cut_off_are_refused() -> None:
    packed = active.pack([Active(1, 1, taking=Taking(counted=True), state=b"abc"), Active(2, 2, state=b"x")])

    with pytest.raises(InvariantError, match="active user offers cannot be read"):
        active.unpack(packed[:3])
