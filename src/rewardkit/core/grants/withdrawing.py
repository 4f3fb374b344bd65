"""What becomes of the code of a grant that is reversed."""

from __future__ import annotations

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.pools.alphabet import code_key
from rewardkit.core.pools.commands import VoidCode
from rewardkit.core.pools.needs import CodeOf
from rewardkit.core.pools.withdrawing import void_code
from rewardkit.core.requests.records import VOID
from rewardkit.core.storing.effects import Effect
from rewardkit.core.storing.needs import ask
from rewardkit.core.storing.rows import GrantRow


def withdrawn(row: GrantRow, catalogue: Catalogue, context: Context) -> Deciding[tuple[Effect, ...]]:
    """Make the code void, if its reward says so; one of a multi pool may be somebody else's too, and stays."""
    issues = catalogue.reward_versions[row.reward, row.reward_version].issues
    if issues is None or issues.reversal != VOID or row.issuance is None:
        return ()
    found = yield from ask(CodeOf(code_key(row.code)))
    if found is None or found[1].distribution == "multi" or found[0].status == "void":
        return ()
    decision = yield from void_code(VoidCode(row.code), context)
    return decision.effects
