"""What is promised of the codes that grants carry: each was issued for its grant, to its user, and to nobody twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rewardkit.core.definitions.offer import REWARD, reward_of
from rewardkit.core.grants.life import POOL
from rewardkit.core.grants.supplying import APPLICATION
from rewardkit.core.storing.rows import DefinitionRow, GrantRow
from rewardkit.testing.audit_pools import PoolSnapshot

_WITHOUT = ("held", "denied", "reversed")
"""Statuses in which a grant may have no code yet, or never get one."""


def granted_code_violations(
    grants: Iterable[GrantRow], definitions: Iterable[DefinitionRow], stock: PoolSnapshot
) -> Iterator[str]:
    """G5: grants and issuances that were made for grants belong together one by one."""
    rewards = {(row.name, row.version): reward_of(row) for row in definitions if row.kind == REWARD}
    issued = {row.id: row for row in stock.issuances if row.application == APPLICATION and row.reference[:3] == "gr_"}
    for grant in grants:
        issues = rewards[grant.reward, grant.reward_version].issues
        if issues is None:
            if grant.code or grant.issuance is not None or grant.held_for == POOL:
                yield f"G5: grant `{grant.id}` has a code, or waits for one, and its reward issues none"
            continue
        if grant.issuance is None:
            if grant.status not in _WITHOUT or grant.code:
                yield f"G5: grant `{grant.id}` is {grant.status} and has no code"
            continue
        row = issued.pop(grant.issuance, None)
        expected = (grant.code, grant.pool, grant.id, grant.user)
        if row is None or (row.code, row.pool, row.reference, row.external_issuee) != expected:
            yield f"G5: the issuance of grant `{grant.id}` is not for it"
        if grant.status == "held":
            yield f"G5: grant `{grant.id}` is held and has a code"
    for number in issued:
        yield f"G5: issuance {number} was made for a grant that has another, or none"
