"""What decides each command and query about pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rewardkit.core.deciding.context import Context, Deciding, Decision
from rewardkit.core.pools import (
    asking,
    commands,
    creating,
    generating,
    importing,
    issuing,
    queries,
    redeeming,
    reserving,
    withdrawing,
)
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.queries import Query

POOL_COMMANDS: Final[Mapping[type[Command[Any]], Callable[[Any, Context], Deciding[Decision[Any]]]]] = {
    commands.CreatePool: creating.create_pool,
    commands.ChangePool: creating.change_pool,
    commands.ImportCodes: importing.import_codes,
    commands.GenerateCodes: generating.generate_codes,
    commands.IssueCode: issuing.issue_code,
    commands.RedeemCode: redeeming.redeem_code,
    commands.CheckCode: asking.check_code,
    commands.ReserveCode: reserving.reserve_code,
    commands.ConfirmReservation: reserving.confirm_reservation,
    commands.ReleaseReservation: reserving.release_reservation,
    commands.RollBackRedemption: redeeming.roll_back_redemption,
    commands.DeactivateCode: withdrawing.deactivate_code,
    commands.ActivateCode: withdrawing.activate_code,
    commands.VoidCode: withdrawing.void_code,
}

POOL_QUERIES: Final[Mapping[type[Query[Any]], Callable[[Any, Context], Deciding[Decision[Any]]]]] = {
    queries.PoolStatus: asking.pool_status,
    queries.Pools: asking.pools,
    queries.CodeStatus: asking.code_status,
    queries.Codes: asking.codes,
    queries.Issuances: asking.issuances,
    queries.Redemptions: asking.redemptions,
    queries.CodeOdds: generating.code_odds,
}
