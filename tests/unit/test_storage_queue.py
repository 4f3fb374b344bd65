from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rewardkit.storage.memory.queue import Queue

MOVES = st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(-3, 3)), max_size=60)


@given(moves=MOVES, until=st.integers(-4, 4), limit=st.integers(0, 7))
def test_the_first_are_those_that_a_sorted_dict_would_give(
    moves: list[tuple[str, int | None]], until: int, limit: int
) -> None:
    queue, model = Queue(), dict[str, int | None]()
    for id, instant in moves:
        queue.put(id, instant)
        model[id] = instant
        expected = sorted((at, id) for id, at in model.items() if at is not None and at <= until)
        assert queue.first(limit, until) == [id for _, id in expected][:limit]
    assert sorted(queue.ids()) == sorted(id for id, at in model.items() if at is not None)


def test_moving_one_id_for_ever_keeps_the_queue_small() -> None:
    queue = Queue()
    for instant in range(10_000):
        queue.put("a", instant)
    assert queue.first(9) == ["a"]
    assert len(queue._heap) < 100


def test_what_is_not_wanted_is_passed_over_and_stays() -> None:
    queue = Queue()
    for id, instant in (("a", 1), ("b", 2), ("c", 3)):
        queue.put(id, instant)
    assert queue.first(1, where=lambda name: name != "a") == ["b"]
    assert queue.first(9) == ["a", "b", "c"]
