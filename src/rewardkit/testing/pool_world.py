"""Pools in which every command has something to do, and commands are in each other's way.

Pool `unique` has three codes and falls to its threshold with the last: `U-ANN` is ann's, `U-BOB` is bob's and reserved,
and `U-LAST` remains. Of pool `multi` code `M-CODE` can be redeemed twice: once it was, and once it is reserved by
somebody whose time is over. Pool `bearer` has a code that nobody was given. Codes that grants carry, and codes that
make offers, are in `rewardkit.testing.pool_rewards_world`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rewardkit.core.pools import commands
from rewardkit.core.pools.queries import Redemptions
from rewardkit.core.requests.commands import Command
from rewardkit.kit import RewardKit
from rewardkit.ports import Store
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.faults_world import BEGAN_AT, kit_at
from rewardkit.testing.pool_rewards_world import build_rewards, reward_moves, reward_shape_of

_EARLY = BEGAN_AT - 1


def build_pools(store: Store, tenant: str) -> None:
    """Make the world in an empty tenant."""
    kit = kit_at(store, tenant, BEGAN_AT)
    kit.run(commands.CreatePool("unique", low_threshold=0, notification_email_address="shop@example.com"))
    kit.run(commands.CreatePool("multi", distribution="multi", redemption_limit=2, issuee_redemption_limit=1))
    kit.run(commands.CreatePool("bearer", bearer=True))
    for pool, codes in (("unique", ("U-ANN", "U-BOB", "U-LAST")), ("multi", ("M-CODE",)), ("bearer", ("B-CODE",))):
        kit.run(commands.ImportCodes(pool, codes))
    kit.run(commands.IssueCode("unique", "ann", code="U-ANN"))
    kit.run(commands.IssueCode("unique", "bob", code="U-BOB"))
    kit.run(commands.IssueCode("multi", "ann"))
    kit.run(commands.ReserveCode("U-BOB", reservation="bobs", seconds=86_400))
    kit.run(commands.RedeemCode("M-CODE", external_issuee_id="ann"))
    kit_at(store, tenant, _EARLY).run(commands.ReserveCode("M-CODE", reservation="old", seconds=1))
    build_rewards(kit)


def pool_moves(kit: RewardKit, tenant: str) -> Mapping[str, Command[Any]]:
    """Every command that has something to do there, under a name, by a kit of its tenant."""
    (redeemed,) = kit.ask(Redemptions(code="M-CODE", external_issuee_id="ann")).items
    return {
        "issue last": commands.IssueCode("unique", "cid"),
        "issue to nobody": commands.IssueCode("unique"),
        "issue again": commands.IssueCode("unique", "ann"),
        "issue this": commands.IssueCode("unique", "dan", code="u last"),
        "issue shared": commands.IssueCode("multi", "eve"),
        "redeem": commands.RedeemCode("uann", external_issuee_id="ann"),
        "redeem too": commands.RedeemCode("U-ANN"),
        "redeem shared": commands.RedeemCode("M-CODE", external_issuee_id="eve"),
        "redeem borne": commands.RedeemCode("B-CODE", external_issuee_id="eve"),
        "reserve": commands.ReserveCode("U-ANN", reservation="anns"),
        "reserve shared": commands.ReserveCode("M-CODE", reservation="eves", external_issuee_id="eve"),
        "confirm": commands.ConfirmReservation("bobs"),
        "release": commands.ReleaseReservation("bobs"),
        "roll back": commands.RollBackRedemption(redeemed.id),
        "deactivate": commands.DeactivateCode("U-LAST"),
        "void": commands.VoidCode("U-LAST"),
        "void issued": commands.VoidCode("U-ANN"),
        "import": commands.ImportCodes("unique", ("U-MORE", "U-ANN")),
        "generate": commands.GenerateCodes("unique", 2),
        "stop issuing": commands.ChangePool("unique", issuance_allowed=False),
        "stop redeeming": commands.ChangePool("unique", redemption_allowed=False),
        "raise threshold": commands.ChangePool("unique", low_threshold=1),
        "create": commands.CreatePool("new"),
        **reward_moves(tenant),
    }


def shape_of(snapshot: Snapshot) -> Mapping[str, Any]:
    """What matters of a snapshot whoever got which code, and whatever numbers were drawn."""
    found = snapshot.stock
    names = {pool.id: pool.name for pool in found.pools}
    # From its status on, but for the issuee's id, which differs from tenant to tenant, and for the instants.
    codes = Counter((names[code.pool], *code[5:7], *code[8:16]) for code in found.codes)
    counts = {
        (names[pool], name): sum(getattr(row, name) for row in found.slices if row.pool == pool)
        for pool in names
        for name in ("total", "issued", "remaining", "inactive", "void", "quota", "crossings")
    }
    return {
        "pools": sorted((pool.name, *pool[2:13]) for pool in found.pools),
        "codes": codes,
        "counts": counts,
        "issuances": Counter((names[row.pool], row.external_issuee, row.number) for row in found.issuances),
        "redemptions": Counter(
            (row.key, row.external_issuee, row.number, row.rolled_back_at) for row in found.redemptions
        ),
        "open": sorted((row.id, row.key, row.expires_at) for row in found.reservations if row.status == "open"),
        "notices": Counter(row.kind for row in snapshot.notices),
        **reward_shape_of(snapshot),
    }
