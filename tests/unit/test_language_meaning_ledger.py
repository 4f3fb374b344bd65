"""The ledger of open windows behaves as a list, from every state that was ever reached."""

from __future__ import annotations

import random

import pytest

from rewardkit.language.event import Event
from rewardkit.language.folding.program import compile_program
from rewardkit.language.running.ledger import Ledger
from rewardkit.language.running.state import PENDING, SATISFIED
from rewardkit.language.syntax.parse import parse


@pytest.mark.parametrize("seed", range(20))
def test_a_ledger_is_a_list_that_knows_its_least(seed: int) -> None:
    chance = random.Random(seed)
    known: list[tuple[Ledger, list[tuple[int, int]]]] = [(Ledger(), [])]
    for at in range(400):
        ledger, entries = chance.choice(known[-3:])
        if entries and chance.random() < 0.45:
            known.append((ledger.left(), entries[1:]))
        else:
            entry = (at, chance.randrange(50))
            known.append((ledger.joined(entry), [*entries, entry]))
        for made, wanted in (known[-1], chance.choice(known)):
            assert wanted == made.entries
            assert len(wanted) == len(made)
            assert Ledger(wanted) == made
            if wanted:
                assert wanted[0] == made.first
                assert min(number for _, number in wanted) == made.least


def test_a_window_that_held_when_it_closed_holds_from_then_on() -> None:
    program = compile_program(parse("(sum(A:x) >= 5 in any 10ms) & Z"))
    for late in (9_000, 10_000):
        state = program.start(0)
        for number, (name, at, amount) in enumerate((("A", 1_000, 7), ("A", 1_000 + late, -7), ("Z", 30_000, 0))):
            state = program.step(
                program.unpack(program.pack(state)), Event(name, at, f"{number}", properties={"x": amount})
            )
        assert (SATISFIED if late == 10_000 else PENDING) == state.status
