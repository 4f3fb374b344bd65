"""Rewards that issue codes: each grant gets one of its own in its own transaction, or waits for it in the open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock


class Counter:
    """A kit whose purchases earn a code of the pool `spring`."""

    def __init__(self, store: str, **terms: Any) -> None:
        self.clock = FakeClock()
        self.kit = rk.RewardKit(store, clock=self.clock)
        self.kit.migrate()
        self.terms = terms

    def open(self, codes: int = 0, *, pool: dict[str, Any] | None = None, reversal: str = "void", **terms: Any) -> None:
        self.kit.run(rk.CreatePool("spring", **(pool or {})))
        self.add(codes)
        self.kit.run(rk.DefineReward("voucher", issues={"pool": "spring", "reversal": reversal}))
        self.kit.run(rk.DefineOffer("thanks", "voucher", "purchase", **terms))
        self.kit.run(rk.DefineCampaign("spring", "thanks", entry="visit", reentry="after_earning", user_cap=999))
        self.kit.run(rk.LaunchCampaign("spring"))

    def add(self, codes: int, begin: int = 0) -> None:
        self.kit.run(rk.ImportCodes("spring", tuple(f"SPRING-{number:04}" for number in range(begin, begin + codes))))

    def earn(self, user: str = "amanda") -> rk.Grant:
        self.clock.advance("1s")
        self.kit.emit("visit", user=user)
        self.clock.advance("1s")
        (earned,) = self.kit.emit("purchase", user=user).earned
        return self.grant(earned.grant)

    def grant(self, grant: str) -> rk.Grant:
        (found,) = (one for one in self.kit.ask(rk.Grants(limit=999)).items if one.id == grant)
        return found

    def waiting(self) -> list[str]:
        return [one.user for one in self.kit.ask(rk.Grants(held_for="pool", limit=999)).items]

    def pool(self) -> tuple[int, int, int]:
        found = self.kit.ask(rk.PoolStatus("spring"))
        return found.issued, found.remaining, found.void

    def sound(self) -> None:
        assert violations(snapshot_of(self.kit._store, "default")) == ()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def counter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Counter]:
    stores = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    store = stores.get(request.param) or request.getfixturevalue("postgres_dsn")
    counter = Counter(store)
    yield counter
    counter.sound()
    counter.kit.close()


def test_a_grant_carries_a_code_that_was_issued_to_its_user_for_it(counter: Counter) -> None:
    counter.open(3)
    grant = counter.earn()
    pool = counter.kit.ask(rk.PoolStatus("spring"))
    assert (grant.status, grant.reward.issues) == ("ready", rk.Issues("spring", pool.id))
    (issuance,) = counter.kit.ask(rk.Issuances(code=grant.code)).items
    assert (issuance.id, issuance.external_issuee_id) == (grant.issuance, "amanda")
    assert (issuance.referring_application, issuance.referring_application_ref_id) == ("rewardkit", grant.id)
    assert counter.kit.run(rk.RedeemCode(grant.code, external_issuee_id="amanda")).code == grant.code
    assert counter.kit.ask(rk.Explain(grant.id)).grant.code == grant.code


def test_every_grant_has_a_code_of_its_own(counter: Counter) -> None:
    counter.open(6)
    grants = [counter.earn(user) for user in ("amanda", "bea", "amanda", "amanda")]
    assert len({grant.code for grant in grants}) == 4
    # Asking for one by hand gives what she got first.
    assert counter.kit.run(rk.IssueCode("spring", "amanda")).code == grants[0].code


def test_whoever_is_granted_a_code_after_hers_was_voided_has_that_one_from_then_on(counter: Counter) -> None:
    counter.open(5)
    first = counter.earn()
    counter.kit.run(rk.ReverseGrant(first.id, "sent back"))
    second = counter.earn()
    issued = counter.kit.run(rk.IssueCode("spring", external_issuee_id="amanda"))
    assert issued.code == second.code != first.code


def test_many_grants_of_one_call_take_different_codes(counter: Counter) -> None:
    counter.open(5)
    events = [rk.Event("visit", user=f"user {n}", id="1") for n in range(8)]
    events += [rk.Event("purchase", user=f"user {n}", id="2") for n in range(8)]
    recorded = counter.kit.emit_many(events)
    grants = [counter.grant(earned.grant) for earned in recorded.earned]
    assert len({grant.code for grant in grants if grant.code}) == 5
    assert sorted(grant.status for grant in grants) == ["held"] * 3 + ["ready"] * 5
    assert counter.pool() == (5, 0, 0)


def test_workers_at_once_give_every_code_to_one_grant(counter: Counter) -> None:
    counter.open(12)
    users = [f"user {n}" for n in range(20)]
    counter.kit.emit_many([rk.Event("visit", user=user, id="1") for user in users])
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda user: counter.kit.emit("purchase", user=user, id="2"), users))
    codes = [grant.code for grant in counter.kit.ask(rk.Grants(status="ready")).items]
    assert (len(codes), len(set(codes)), len(counter.waiting())) == (12, 12, 8)
    assert counter.pool() == (12, 0, 0)


def test_neither_notices_nor_logs_show_the_code(counter: Counter) -> None:
    counter.open(1)
    grant = counter.earn()
    (notice,) = (one for one in counter.kit.ask(rk.Notices()).items if one.kind == "grant.ready")
    assert json.loads(notice.body)["code"] == {"pool": "spring", "issuance": grant.issuance, "ends": "SP…00"}
    assert grant.code.encode() not in notice.body
    assert grant.code not in repr(grant)


def test_an_exhausted_pool_holds_the_grant_with_its_reason_and_tells_nobody(counter: Counter) -> None:
    counter.open(1)
    counter.earn()
    grant = counter.earn("bea")
    assert (grant.status, grant.held_for, grant.code) == ("held", "pool", "")
    assert grant.reason == "pool `spring` has no code left: add some"
    (step,) = counter.kit.ask(rk.GrantHistory(grant.id))
    assert (step.move, step.held_for, step.reason) == ("earn", "pool", grant.reason)
    assert [one.user for one in counter.kit.ask(rk.Notices()).items if one.kind == "grant.ready"] == ["amanda"]
    assert counter.kit.run_due().supplied == ()


@pytest.mark.parametrize("distribution", ["unique", "multi"])
def test_a_code_that_is_woken_goes_to_who_has_waited_longest(counter: Counter, distribution: str) -> None:
    counter.open(1, pool={"distribution": distribution, "low_threshold": 0})
    counter.kit.run(rk.DeactivateCode("SPRING-0000"))
    first, second = counter.earn(), counter.earn("bea")
    assert counter.waiting() == ["amanda", "bea"]
    woken = counter.kit.run(rk.ActivateCode("SPRING-0000"))
    assert (woken.status, woken.active) == ("issued", True)
    assert counter.grant(first.id).code == "SPRING-0000"
    # A multi pool's one code is for all who wait.
    assert counter.waiting() == (["bea"] if distribution == "unique" else [])
    assert counter.grant(second.id).code == ("" if distribution == "unique" else "SPRING-0000")
    assert counter.pool() == (1, 0, 0)
    # It fell when the code was put to sleep, and again when the woken one was handed out.
    assert [one.kind for one in counter.kit.ask(rk.Notices()).items].count("pool.low") == 2
    assert counter.kit.run_due().supplied == ()


def test_a_code_of_a_multi_pool_that_was_issued_before_it_slept_is_woken_for_those_who_wait(counter: Counter) -> None:
    counter.open(1, pool={"distribution": "multi"})
    counter.earn()
    counter.kit.run(rk.DeactivateCode("SPRING-0000"))
    again, other = counter.earn(), counter.earn("bea")
    assert counter.waiting() == ["amanda", "bea"]
    assert counter.kit.run(rk.ActivateCode("SPRING-0000")).issuances == rk.Tally(total=3, unique=2)
    assert {counter.grant(one.id).code for one in (again, other)} == {"SPRING-0000"}


def test_a_woken_code_takes_its_turn_among_those_that_are_there(counter: Counter) -> None:
    counter.open(40)
    counter.kit.run(rk.ChangePool("spring", issuance_allowed=False))
    counter.kit.run(rk.DeactivateCode("SPRING-0003"))
    users = [f"user {number}" for number in range(45)]
    counter.kit.emit_many([rk.Event("visit", user=user, id="1") for user in users])
    counter.kit.emit_many([rk.Event("purchase", user=user, id="2") for user in users])
    opened = counter.kit.run(rk.ChangePool("spring", issuance_allowed=True))
    assert (opened.issued, opened.remaining, opened.inactive) == (39, 0, 1)
    counter.kit.run(rk.ActivateCode("SPRING-0003"))
    assert len(counter.waiting()) == 5
    codes = [grant.code for grant in counter.kit.ask(rk.Grants(status="ready", limit=99)).items]
    assert (len(codes), len(set(codes))) == (40, 40)


def test_what_brings_a_redemption_back_brings_no_code_to_issue(counter: Counter) -> None:
    counter.open(1)
    code = counter.earn().code
    counter.earn("bea")
    counter.kit.run(rk.ReserveCode(code, reservation="order"))
    counter.kit.run(rk.ReleaseReservation("order"))
    redeemed = counter.kit.run(rk.RedeemCode(code))
    counter.kit.run(rk.RollBackRedemption(redeemed.id))
    assert counter.waiting() == ["bea"]


@pytest.mark.parametrize("how", ["import", "generate"])
def test_replenishing_gives_codes_to_those_who_have_waited_longest(counter: Counter, how: str) -> None:
    counter.open(0)
    first, second, third = (counter.earn(user) for user in ("amanda", "bea", "cleo"))
    counter.clock.advance("1h")
    if how == "import":
        counter.add(2)
    else:
        counter.kit.run(rk.GenerateCodes("spring", 2))
    assert counter.waiting() == ["cleo"]
    codes = {counter.grant(grant.id).code for grant in (first, second)}
    assert len(codes) == 2
    assert "" not in codes
    after = counter.grant(first.id)
    assert (after.status, after.reason) == ("ready", "")
    assert [step.move for step in counter.kit.ask(rk.GrantHistory(first.id))] == ["earn", "supply"]
    told = [one.user for one in counter.kit.ask(rk.Notices()).items if one.kind == "grant.ready"]
    assert sorted(told) == ["amanda", "bea"]
    assert counter.pool() == (2, 0, 0)
    assert counter.grant(third.id).status == "held"


def test_a_pool_that_is_switched_off_holds_and_switching_it_on_releases(counter: Counter) -> None:
    counter.open(2, pool={"low_threshold": 1})
    counter.kit.run(rk.ChangePool("spring", issuance_allowed=False))
    grant = counter.earn()
    assert grant.reason == "pool `spring` does not allow issuing"
    counter.kit.run(rk.ChangePool("spring", issuance_allowed=True))
    assert counter.grant(grant.id).status == "ready"
    # The fall to the threshold is told of as if the code had been asked for by hand.
    assert "pool.low" in [one.kind for one in counter.kit.ask(rk.Notices()).items]


def test_a_pool_whose_time_is_over_gives_nothing(counter: Counter) -> None:
    counter.open(2, pool={"valid_until": "2030-01-01"})
    counter.clock.advance("3650d")
    grant = counter.earn()
    assert grant.reason.startswith("the codes of pool `spring` were valid until")
    assert counter.pool() == (0, 2, 0)
    counter.kit.run(rk.ChangePool("spring", valid_until=None))
    assert counter.grant(grant.id).status == "ready"


def test_one_command_supplies_a_hundred_and_run_due_the_rest(counter: Counter) -> None:
    counter.open(0)
    users = [f"user {n:03}" for n in range(130)]
    counter.kit.emit_many([rk.Event("visit", user=user, id="1") for user in users])
    counter.kit.emit_many([rk.Event("purchase", user=user, id="2") for user in users])
    counter.add(125)
    assert len(counter.waiting()) == 30
    done = counter.kit.run_due()
    assert (len(done.supplied), done.more) == (25, False)
    assert len(counter.waiting()) == 5
    assert counter.pool() == (125, 0, 0)


def test_what_waits_for_one_pool_is_not_in_the_way_of_another(counter: Counter) -> None:
    counter.open(0)
    counter.kit.run(rk.CreatePool("autumn"))
    counter.kit.run(rk.DefineReward("other", issues={"pool": "autumn"}))
    counter.kit.run(rk.DefineOffer("other", "other", "purchase"))
    counter.kit.run(rk.DefineCampaign("autumn", "other", entry="visit"))
    counter.kit.run(rk.LaunchCampaign("autumn"))
    users = [f"user {number:03}" for number in range(102)]
    counter.kit.emit_many([rk.Event("visit", user=user, id="1") for user in users])
    counter.kit.emit_many([rk.Event("purchase", user=user, id="2") for user in users])
    # One command gives codes to a hundred; two are left for `run_due`, behind all who wait for the other pool.
    counter.kit.run(rk.ImportCodes("autumn", tuple(f"AUTUMN-{number:04}" for number in range(102))))
    assert len(counter.waiting()) == 102 + 2
    assert len(counter.kit.run_due(limit=1).supplied) == 1
    waiting = counter.kit.ask(rk.Grants(held_for="pool", limit=999)).items
    assert sorted(one.reward.name for one in waiting) == ["other"] + ["voucher"] * 102


def test_a_gate_before_the_pool_takes_no_code(counter: Counter) -> None:
    counter.open(1, review="always", hold="2d")
    grant = counter.earn()
    assert (grant.held_for, grant.code, counter.pool()) == ("review", "", (0, 1, 0))
    counter.kit.run(rk.ApproveGrant(grant.id, by="olga"))
    assert (counter.grant(grant.id).held_for, counter.pool()) == ("hold", (0, 1, 0))
    counter.clock.advance("3d")
    assert len(counter.kit.run_due().released) == 1
    assert counter.grant(grant.id).code


def test_a_denied_grant_never_had_a_code(counter: Counter) -> None:
    counter.open(1, review="always")
    grant = counter.earn()
    counter.kit.run(rk.DenyGrant(grant.id, "no receipt", by="olga"))
    assert (counter.grant(grant.id).code, counter.pool()) == ("", (0, 1, 0))


@pytest.mark.parametrize("reversal, pool", [("void", (0, 0, 1)), ("keep", (1, 0, 0))])
def test_reversing_makes_the_code_void_or_keeps_it(counter: Counter, reversal: str, pool: tuple[int, int, int]) -> None:
    counter.open(1, reversal=reversal)
    grant = counter.earn()
    counter.kit.run(rk.ReverseGrant(grant.id, "returned"))
    assert counter.pool() == pool
    answer = counter.kit.attempt(rk.RedeemCode(grant.code))
    assert isinstance(answer, rk.Refused) == (reversal == "void")
    # It is not handed out again: what somebody has seen is not fresh.
    assert counter.earn("bea").status == "held"


def test_reversing_what_waits_takes_it_out_of_the_queue(counter: Counter) -> None:
    counter.open(0)
    gone, stays = counter.earn(), counter.earn("bea")
    counter.kit.run(rk.ReverseGrant(gone.id, "returned"))
    counter.add(1)
    assert (counter.grant(gone.id).code, counter.grant(stays.id).status) == ("", "ready")


def test_a_multi_pool_shares_its_codes_and_a_reversal_leaves_them_to_others(counter: Counter) -> None:
    counter.open(1, pool={"distribution": "multi"})
    first, second, again = counter.earn(), counter.earn("bea"), counter.earn()
    assert {first.code, second.code, again.code} == {"SPRING-0000"}
    assert len({first.issuance, second.issuance, again.issuance}) == 3
    code = counter.kit.ask(rk.CodeStatus(first.code))
    assert (code.issuances.total, code.issuances.unique) == (3, 2)
    counter.kit.run(rk.ReverseGrant(first.id, "returned"))
    assert counter.kit.run(rk.RedeemCode(second.code, external_issuee_id="bea")).code == second.code


def test_many_grants_of_one_call_share_the_only_code_of_a_multi_pool(counter: Counter) -> None:
    counter.open(1, pool={"distribution": "multi"})
    users = [f"user {n}" for n in range(5)]
    counter.kit.emit_many([rk.Event("visit", user=user, id="1") for user in users])
    counter.kit.emit_many([rk.Event("purchase", user=user, id="2") for user in users])
    code = counter.kit.ask(rk.CodeStatus("SPRING-0000"))
    assert (code.issuances.total, code.issuances.unique) == (5, 5)


def test_a_pool_that_is_renamed_is_the_same_pool(counter: Counter) -> None:
    counter.open(1)
    counter.kit.run(rk.ChangePool("spring", name="may"))
    assert counter.earn().code == "SPRING-0000"
    counter.kit.run(rk.ChangePool("may", name="spring"))


def test_a_reward_that_issues_something_is_checked_when_it_is_defined(counter: Counter) -> None:
    kit = counter.kit
    kit.run(rk.CreatePool("spring"))
    with pytest.raises(rk.Refused, match="pool `sprig` does not exist"):
        kit.run(rk.DefineReward("voucher", issues={"pool": "sprig"}))
    for issues, message in (
        ({}, "issues names a pool"),
        ({"pol": "spring"}, "issues has the key `pol`"),
        ({"pool": 3}, "issues.pool must be text"),
        ({"pool": "spring", "reversal": "burn"}, "issues.reversal is one of `void`, `keep`"),
        (["spring"], "issues must be a mapping"),
    ):
        with pytest.raises(rk.ValidationError, match=message):
            kit.run(rk.DefineReward("voucher", issues=issues))  # type: ignore[arg-type]
    assert kit.run(rk.DefineReward("voucher", issues={"pool": "spring"})).new
    assert not kit.run(rk.DefineReward("voucher", issues={"pool": "spring", "reversal": "void"})).new
    assert kit.run(rk.DefineReward("voucher", issues={"pool": "spring", "reversal": "keep"})).version == 2


def test_a_definition_file_names_the_pool_of_a_reward(counter: Counter, tmp_path: Path) -> None:
    counter.kit.run(rk.CreatePool("spring"))
    file = tmp_path / "rewards.toml"
    file.write_text('[rewards.voucher]\nissues = { pool = "spring" }\n')
    assert [answer.new for answer in counter.kit.load(file) if isinstance(answer, rk.Defined)] == [True]
    assert [answer.new for answer in counter.kit.load(file) if isinstance(answer, rk.Defined)] == [False]
    file.write_text('[rewards.voucher]\nissues = { pool = "sprig" }\n')
    with pytest.raises(rk.ValidationError, match=r"rewards.toml:.*\n*.*pool `sprig` does not exist"):
        counter.kit.load(file)
