"""What is promised of grants: each life follows the table, is paid once, and gives back no more than it was worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import pairwise

from rewardkit.core.definitions.amount import amount_of, plus, total
from rewardkit.core.definitions.offer import REWARD, reward_of
from rewardkit.core.grants.life import GATES, HELD, MOVES, READY, STATUSES, Place, place_of
from rewardkit.core.notices.notice import GRANT_DENIED, GRANT_READY, GRANT_REVERSED, GRANT_UNDELIVERABLE
from rewardkit.core.storing.grant_steps import GrantStepRow
from rewardkit.core.storing.rows import DefinitionRow, GrantRow

_MOVES = {move.name: move for move in MOVES}


def grant_violations(
    grants: Iterable[GrantRow], steps: Iterable[GrantStepRow], definitions: Iterable[DefinitionRow]
) -> Iterator[str]:
    """G1: lives follow the table. G2: one payment. G3: what is taken back is at most the whole."""
    lives = lives_of(steps)
    rewards = {(row.name, row.version): reward_of(row) for row in definitions if row.kind == REWARD}
    for grant in grants:
        life = lives.pop(grant.id, [])
        yield from _life(grant, life)
        yield from _columns(grant, life)
        amount = amount_of(rewards[grant.reward, grant.reward_version])
        yield from _taken_back(grant, life, amount)
    for grant_id in lives:
        yield f"G1: there are steps of grant `{grant_id}`, which there is not"


def lives_of(steps: Iterable[GrantStepRow]) -> dict[str, list[GrantStepRow]]:
    """The steps of each grant, in the order of their numbers."""
    lives: dict[str, list[GrantStepRow]] = {}
    for step in sorted(steps):
        lives.setdefault(step.grant, []).append(step)
    return lives


def places_of(life: list[GrantStepRow]) -> list[Place]:
    """Where a grant was from its birth on: a life without a first step `earn` began as ready."""
    after = [Place(step.status, step.held_for) for step in life]
    return after if life and life[0].move == "earn" else [Place(READY), *after]


def told_of(life: list[GrantStepRow]) -> Iterator[tuple[str, int]]:
    """The notices that a life has led to, by their kinds and steps."""
    if Place(READY) in places_of(life):
        yield GRANT_READY, 0
    for step in life:
        match step.move:
            case "retry":
                yield GRANT_READY, step.number
            case "deny":
                yield GRANT_DENIED, step.number
            case "reduce" | "reverse":
                yield GRANT_REVERSED, step.number
            case "fail" if step.status != READY:
                yield GRANT_UNDELIVERABLE, step.number
            case _:
                pass


def _life(grant: GrantRow, life: list[GrantStepRow]) -> Iterator[str]:
    if grant.status not in STATUSES or (grant.status == HELD) != bool(grant.held_for):
        yield f"G1: grant `{grant.id}` is {place_of(grant)}, which there is not"
    if grant.held_for and grant.held_for not in GATES:
        yield f"G1: grant `{grant.id}` is held for `{grant.held_for}`, which there is not"
    if [step.number for step in life] != list(range(1, grant.steps + 1)):
        yield f"G1: grant `{grant.id}` counts {grant.steps} steps and has {[step.number for step in life]}"
        return
    places = places_of(life)
    if places[-1] != place_of(grant):
        yield f"G1: grant `{grant.id}` is {place_of(grant)}, its last step says {places[-1]}"
    rest = life[1:] if life and life[0].move == "earn" else life
    for (before, after), step in zip(pairwise(places), rest, strict=True):
        move = _MOVES[step.move]
        if before not in move.before or after not in move.after:
            yield f"G1: grant `{grant.id}` went from {before} to {after} by `{step.move}`"
    if sum(step.move == "fulfil" for step in life) > 1:
        yield f"G2: grant `{grant.id}` was fulfilled more than once"


def _columns(grant: GrantRow, life: list[GrantStepRow]) -> Iterator[str]:
    fulfilled = [step.at for step in life if step.move == "fulfil"]
    if fulfilled != ([] if grant.fulfilled_at is None else [grant.fulfilled_at]):
        yield f"G1: grant `{grant.id}` was fulfilled at {grant.fulfilled_at}, its steps say {fulfilled}"
    failures = 0
    for step in life:
        failures = {"fail": failures + 1, "retry": 0}.get(step.move, failures)
    if grant.failures != failures:
        yield f"G1: grant `{grant.id}` counts {grant.failures} failures, its steps {failures}"


def _taken_back(grant: GrantRow, life: list[GrantStepRow], amount: Decimal | None) -> Iterator[str]:
    taken = Decimal(0)
    for step in life:
        taken = plus(taken, total(step.amount))
    if taken != total(grant.reversed):
        yield f"G3: grant `{grant.id}` has had {total(grant.reversed)} taken back, its steps say {taken}"
    if taken < 0 or taken > (amount or 0):
        yield f"G3: {taken} of the {amount} of grant `{grant.id}` were taken back"
    if amount is not None and (taken == amount) != (grant.status == "reversed"):
        yield f"G3: grant `{grant.id}` is {grant.status}, and {taken} of its {amount} were taken back"
    if grant.freed not in (0, 1) or (grant.freed and grant.status not in ("denied", "reversed")):
        yield f"G4: grant `{grant.id}` is {grant.status}, and has given its places back"
