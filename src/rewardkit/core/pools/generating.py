"""Adding random codes to a pool. How hard they are to guess is known before the first is made."""

from __future__ import annotations

from typing import Final

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools.alphabet import alphabet_of, code_key, fault_of, keys_at_once
from rewardkit.core.pools.commands import GenerateCodes
from rewardkit.core.pools.creating import pool_name
from rewardkit.core.pools.import_report import ImportReport
from rewardkit.core.pools.importing import BATCH_CODES, insert, stocked
from rewardkit.core.pools.needs import FreshCodes, PoolOf, TakePositions
from rewardkit.core.pools.pattern import DRAWN, CodePattern
from rewardkit.core.pools.queries import CodeOdds, CodeSpace
from rewardkit.core.pools.refusals import pool_unknown
from rewardkit.core.storing.needs import ask
from rewardkit.core.values.input import integer
from rewardkit.errors import Refused, ValidationError

LEAST_BITS: Final = 40
LEAST_GUESSES: Final = 1_000_000
"""On average for one hit: ten weeks at ten a minute, and 17 hours at the thousand a minute that a tenant listens to."""

_ROUNDS: Final = 200
"""Of topping up what was there already: in a space that is large enough the first round leaves next to nothing."""


def code_odds(query: CodeOdds, context: Context) -> Deciding[Decision[CodeSpace]]:
    """How hard codes are to guess."""
    stocked_pool = yield from ask(PoolOf(pool_name(query.pool)))
    if stocked_pool is None:
        return Decision(pool_unknown(query.pool))
    there = sum(row.total for row in stocked_pool.slices)
    return Decision(_space(_pattern(query), there + integer(query.count, "a count", least=1)))


def generate_codes(command: GenerateCodes, context: Context) -> Deciding[Decision[ImportReport]]:
    """As many new ones as are asked for; what is drawn twice is drawn again."""
    count = integer(command.count, "a count", least=1)
    if count > BATCH_CODES:
        raise ValidationError(f"{count} codes at once, at most {BATCH_CODES}: `kit.generate_codes` makes any number")
    planned = count if command.planned is None else integer(command.planned, "planned", least=count)
    pattern = _pattern(command)
    known = yield from ask(PoolOf(pool_name(command.pool)))
    if known is None:
        return Decision(pool_unknown(command.pool))
    fault = fault_of(pattern.code(pattern.alphabet.characters[0] * pattern.drawn), known.pool.max_characters)
    if fault:
        raise ValidationError(f"codes of this pattern do not fit into the pool: {fault}")
    space = _space(pattern, sum(row.total for row in known.slices) + planned)
    if space.guessable and not command.allow_guessable:
        return Decision(_guessable(space))
    if planned > pattern.space:
        return Decision(_used_up(pattern, planned))
    slices: list[int] = []
    duplicates = 0
    for _ in range(_ROUNDS):
        missing = count - len(slices)
        pool = yield from ask(TakePositions(known.pool.id, missing))
        if pool is None:
            return Decision(pool_unknown(command.pool))
        drawn = yield from ask(FreshCodes(pattern, missing))
        keys = keys_at_once(drawn) or map(code_key, drawn)
        added = yield from insert(context, pool, dict(zip(keys, drawn, strict=True)), pool.positions - missing)
        slices += added.values()
        duplicates += missing - len(added)
        if len(slices) == count:
            effects = yield from stocked(context, pool, slices)
            return Decision(ImportReport(added=count, duplicates=duplicates), effects)
    return Decision(_used_up(pattern, count))


def _pattern(given: GenerateCodes | CodeOdds) -> CodePattern:
    alphabet = alphabet_of(given.alphabet)
    if given.pattern is not None:
        if given.prefix:
            raise ValidationError("a pattern holds everything: write the prefix into it")
        return CodePattern(given.pattern, alphabet, given.check)
    length = integer(given.length, "a length", least=1, most=255)
    if not isinstance(given.prefix, str) or DRAWN in given.prefix:
        raise ValidationError("a prefix is text without `#`")
    return CodePattern(given.prefix + DRAWN * length, alphabet, given.check)


def _space(pattern: CodePattern, codes: int) -> CodeSpace:
    guesses = pattern.space / codes
    return CodeSpace(
        codes=codes,
        space=pattern.space,
        bits=round(pattern.bits, 1),
        example=pattern.code(pattern.alphabet.characters[0] * pattern.drawn),
        guesses=guesses,
        guessable=pattern.bits < LEAST_BITS or guesses < LEAST_GUESSES,
    )


def _guessable(space: CodeSpace) -> Refused:
    sentence = (
        f"codes of {space.bits} bits can be guessed: one in {space.guesses:,.0f} tries would hit;"
        f" draw more characters, for {LEAST_BITS} bits and {LEAST_GUESSES:,} tries at least,"
        " or allow it by `allow_guessable`"
    )
    return Refused("codes_guessable", sentence, {"bits": space.bits, "guesses": int(space.guesses)})


def _used_up(pattern: CodePattern, count: int) -> Refused:
    sentence = "nearly all codes of this pattern are there, or would be: draw more characters"
    return Refused("space_exhausted", sentence, {"space": pattern.space, "wanted": count})
