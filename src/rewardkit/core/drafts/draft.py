"""New versions of definitions, on top of those in force, before they are published together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rewardkit.core.deciding.context import Context, Deciding
from rewardkit.core.definitions.catalogue import Catalogue
from rewardkit.core.drafts.costs import require_costs
from rewardkit.core.drafts.issues import pools_named
from rewardkit.core.pools.defining import DefinedPools, define_pools
from rewardkit.core.requests.answers import PoolDefined
from rewardkit.core.storing.effects import Effect, Insert, Publish
from rewardkit.core.storing.needs import Definitions, DefinitionSet, Published, ask
from rewardkit.core.storing.rows import DefinitionRow
from rewardkit.core.values import payload
from rewardkit.core.values.identity import chained


class Draft:
    """What will be in force: `catalogue` has everything that was added.

    Args:
        pools: the ids of pools that definitions name, by name.
        defined: the pools that are defined with it.
    """

    def __init__(self, catalogue: Catalogue, pools: Mapping[str, int], defined: DefinedPools) -> None:
        self.catalogue = catalogue
        self.pools = {**pools, **defined.ids}
        self._defined = defined
        self._epoch = catalogue.epoch + 1
        self._rows: list[DefinitionRow] = []

    def add(self, kind: str, name: str, version: int, body: Mapping[str, Any]) -> None:
        """One more version, whose body is written as JSON."""
        row = DefinitionRow(kind, name, version, self.catalogue.last_number + 1, payload.write(body, kind), self._epoch)
        fingerprint = chained(self.catalogue.fingerprint, kind, name, str(version), row.body)
        self._rows.append(row)
        self.catalogue = self.catalogue.extended(DefinitionSet(self._epoch, fingerprint, (row,)))

    def pool(self, name: str) -> PoolDefined:
        """A pool that is defined with it.

        Raises:
            Refused, ValidationError: it cannot be.
        """
        answer = self._defined.answers[name]
        if isinstance(answer, PoolDefined):
            return answer
        raise answer

    def require_costs(self) -> None:
        """Refuse what would let a campaign with a budget give what has no cost.

        Raises:
            Refused: it would.
        """
        require_costs(self.catalogue)

    def effects(self) -> tuple[Effect, ...]:
        """What publishes them under the next epoch; nothing where there is nothing new."""
        pools = tuple(self._defined.effects)
        if not self._rows:
            return pools
        return *pools, Insert(tuple(self._rows)), Publish(self._epoch, self.catalogue.fingerprint)


def locked(context: Context, definitions: Iterable[object] = ()) -> Deciding[Draft]:
    """A draft on what is in force, held so that nobody else defines before this decision is over.

    Args:
        context: of the decision.
        definitions: that will be added to it.
    """
    published = yield from ask(Published())
    catalogue = context.catalogue
    if (catalogue.epoch, catalogue.fingerprint) != published:
        catalogue = Catalogue.of((yield from ask(Definitions())))
    given = tuple(definitions)
    defined = yield from define_pools(given, context)
    return Draft(catalogue, (yield from pools_named(given)), defined)
