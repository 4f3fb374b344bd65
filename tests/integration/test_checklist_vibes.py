"""What the Incentives Manager says of issuing and redeeming, and what each field means, on every store.

How the four entities are written, word for word, is in `test_pool_documents.py`; the e-mail is in `test_email.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import rewardkit as rk
from rewardkit.testing.clock import FakeClock

POOL = "Store Coupons"


def stocked(kit: rk.RewardKit, *codes: str, name: str = POOL, **terms: Any) -> rk.Pool:
    """A pool that has these codes."""
    kit.run(rk.CreatePool(name, **terms))
    assert kit.run(rk.ImportCodes(name, codes)).added == len(codes)
    return kit.ask(rk.PoolStatus(name))


def refusal(kit: rk.RewardKit, command: rk.Command[Any]) -> str:
    """The code of the refusal that a command comes to, or nothing."""
    answer = kit.attempt(command)
    return answer.code if isinstance(answer, rk.Refused) else ""


def shown(kit: rk.RewardKit, pool: int | str = POOL) -> dict[str, Any]:
    return kit.ask(rk.PoolStatus(pool)).to_json()


def codes_of(kit: rk.RewardKit) -> dict[str, int]:
    found = shown(kit)["incentive_codes"]
    return {name: found[name] for name in ("total", "issued", "remaining")}


# --- issuing and redeeming --------------------------------------------------------------------------------------------


def test_codes_are_issued_and_redeemed(kit: rk.RewardKit) -> None:
    stocked(kit, "aabb-ccdd", "eeff-gghh")
    issued = kit.run(rk.IssueCode(POOL, "amanda@example.com"))
    assert refusal(kit, rk.RedeemCode({"aabb-ccdd", "eeff-gghh"}.difference({issued.code}).pop())) == "code_not_issued"
    redeemed = kit.run(rk.RedeemCode(issued.code, external_issuee_id="amanda@example.com"))
    assert (redeemed.code, redeemed.issuee_id) == (issued.code, issued.issuee_id)
    assert refusal(kit, rk.RedeemCode(issued.code)) == "code_spent"


def test_issuing_names_the_pool_that_the_code_comes_from(kit: rk.RewardKit) -> None:
    first, second = stocked(kit, "first-1", name="first"), stocked(kit, "second-1", name="second")
    assert kit.run(rk.IssueCode(second.id, "amanda")).code == "second-1"
    assert kit.run(rk.IssueCode("first", "amanda")).code == "first-1"
    for pool in (first.id, "second"):
        assert refusal(kit, rk.IssueCode(pool, "bea")) == "pool_exhausted"  # the other pool does not help out
    assert refusal(kit, rk.IssueCode("third", "amanda")) == "pool_unknown"
    with pytest.raises(TypeError):
        rk.IssueCode(external_issuee_id="amanda")  # type: ignore[call-arg]


@pytest.mark.parametrize("written", ["second-1", "SECOND 1", " sec0nd1 "])
def test_the_status_of_a_code_is_found_by_the_tenant_and_the_code_alone(kit: rk.RewardKit, written: str) -> None:
    stocked(kit, "first-1", name="first")
    second = stocked(kit, "second-1", name="second")
    kit.run(rk.IssueCode("second", "amanda"))
    found = kit.ask(rk.CodeStatus(written))
    assert (found.code, found.pool_id, found.status, found.issuances.total) == ("second-1", second.id, "issued", 1)
    with pytest.raises(rk.Refused, match="code_unknown"):
        kit.tenant("other").ask(rk.CodeStatus(written))


@pytest.mark.parametrize("written", ["second-1", "SECOND 1", " sec0nd1 "])
def test_a_code_is_redeemed_by_the_tenant_and_the_code_alone(kit: rk.RewardKit, written: str) -> None:
    stocked(kit, "first-1", name="first")
    second = stocked(kit, "second-1", name="second")
    kit.run(rk.IssueCode("second", "amanda"))
    assert refusal(kit.tenant("other"), rk.RedeemCode(written)) == "code_unknown"
    redeemed = kit.run(rk.RedeemCode(written))
    assert (redeemed.code, redeemed.pool_id, redeemed.external_issuee_id) == ("second-1", second.id, "amanda")


def test_no_two_codes_of_a_tenant_read_the_same_and_another_tenant_may_have_the_same_ones(kit: rk.RewardKit) -> None:
    stocked(kit, "first-1", name="first")
    kit.run(rk.CreatePool("second"))
    for rows, refused in ((["FIRST 1", "second-1"], [1]), (["third-1", "f1rst-l", "SECOND1", "THIRD 1"], [2, 3, 4])):
        report = kit.run(rk.ImportCodes("second", rows))
        assert (report.added, report.duplicates, report.refused) == (1, len(refused), len(refused))
        assert [(row.row, row.reason) for row in report.rows] == [(row, "duplicate") for row in refused]
    assert {one.code for one in kit.ask(rk.Codes("second")).items} == {"second-1", "third-1"}
    stocked(kit.tenant("other"), "first-1", "second-1")


def test_four_entities_are_written_as_json_and_read_again(kit: rk.RewardKit, clock: FakeClock) -> None:
    """At an instant with seconds, and, a while later, at one without."""
    for at in ("2026-04-01T12:00:07Z", "2026-04-02T13:30:00Z"):
        clock.set(at)
        name, code = f"pool {at}", f"code-{at[:10]}"
        pool = stocked(kit, code, name=name, low_threshold=3, notification_email_address="a@example.com")
        issuance = kit.run(rk.IssueCode(name, "amanda", referring_application="shop"))
        redemption = kit.run(rk.RedeemCode(code))
        for entity in (pool, issuance, redemption, kit.ask(rk.CodeStatus(code))):
            written = entity.to_json()
            assert written["created_at"] == at.replace(":00Z", "Z")
            read = type(entity).from_json(json.dumps(written))
            assert (read.to_json(), read.created_at) == (written, clock.now)


# --- the pool ---------------------------------------------------------------------------------------------------------


def test_a_pool_has_an_integer_id_and_a_name_and_is_found_by_both(kit: rk.RewardKit) -> None:
    pools = [stocked(kit, f"code-{number}", name=f"pool {number}") for number in range(3)]
    assert all(type(pool.to_json()["id"]) is int for pool in pools)
    assert pools[0].id < pools[1].id < pools[2].id
    for pool in pools:
        assert shown(kit, pool.id) == shown(kit, pool.name)
        assert shown(kit, pool.id)["name"] == pool.name
    assert [pool.name for pool in kit.ask(rk.Pools()).items] == ["pool 0", "pool 1", "pool 2"]
    assert refusal(kit, rk.CreatePool("pool 1")) == "pool_name_taken"


def test_issuing_is_allowed_or_not_and_redeeming_goes_on(kit: rk.RewardKit) -> None:
    stocked(kit, "code-1", "code-2")
    code = kit.run(rk.IssueCode(POOL, "amanda")).code
    kit.run(rk.ChangePool(POOL, issuance_allowed=False))
    assert (shown(kit)["issuance_allowed"], shown(kit)["redemption_allowed"]) == (False, True)
    assert refusal(kit, rk.IssueCode(POOL, "bea")) == "issuance_not_allowed"
    assert kit.run(rk.RedeemCode(code)).code == code
    kit.run(rk.ChangePool(POOL, issuance_allowed=True))
    assert refusal(kit, rk.IssueCode(POOL, "bea")) == ""


def test_redeeming_is_allowed_or_not_and_issuing_goes_on(kit: rk.RewardKit) -> None:
    stocked(kit, "code-1", "code-2")
    code = kit.run(rk.IssueCode(POOL, "amanda")).code
    kit.run(rk.ChangePool(POOL, redemption_allowed=False))
    assert (shown(kit)["issuance_allowed"], shown(kit)["redemption_allowed"]) == (True, False)
    assert refusal(kit, rk.RedeemCode(code)) == "redemption_not_allowed"
    assert refusal(kit, rk.IssueCode(POOL, "bea")) == ""
    kit.run(rk.ChangePool(POOL, redemption_allowed=True))
    assert refusal(kit, rk.RedeemCode(code)) == ""


def test_a_pool_counts_all_of_its_codes_those_that_were_issued_and_those_that_remain(kit: rk.RewardKit) -> None:
    stocked(kit, "code-1", "code-2", "code-3")
    counted = [codes_of(kit)]
    steps: list[rk.Command[Any]] = [
        rk.IssueCode(POOL, "amanda"),
        rk.IssueCode(POOL, "amanda"),  # the same code again
        rk.IssueCode(POOL, "bea"),
        rk.RedeemCode(kit.run(rk.IssueCode(POOL, "amanda")).code),
        rk.ImportCodes(POOL, ["code-3", "code-4"]),
    ]
    for step in steps:
        kit.run(step)
        counted.append(codes_of(kit))
    assert [tuple(one.values()) for one in counted] == [
        (3, 0, 3),
        (3, 1, 2),
        (3, 1, 2),
        (3, 2, 1),
        (3, 2, 1),
        (4, 2, 2),
    ]


def test_the_low_threshold_is_how_many_remain_when_a_notice_is_written(kit: rk.RewardKit) -> None:
    stocked(kit, *(f"code-{number}" for number in range(5)), low_threshold=2)
    assert shown(kit)["incentive_codes"]["low_threshold"] == 2
    notices = []
    for number in range(5):
        kit.run(rk.IssueCode(POOL, f"user {number}"))
        notices.append((codes_of(kit)["remaining"], len(kit.ask(rk.Notices()).items)))
    assert notices == [(4, 0), (3, 0), (2, 1), (1, 1), (0, 1)]


def test_a_code_has_at_most_as_many_characters_as_its_pool_allows(kit: rk.RewardKit) -> None:
    kit.run(rk.CreatePool(POOL, max_characters=8))
    assert shown(kit)["incentive_codes"]["max_characters"] == 8
    report = kit.run(rk.ImportCodes(POOL, ["12345678", "123456789", "abcd-efg", "abcd-efgh"]))
    assert (report.added, report.refused) == (2, 2)
    assert [(row.row, row.reason) for row in report.rows] == [(2, "too_long"), (4, "too_long")]
    assert codes_of(kit)["total"] == 2


def test_a_code_of_a_unique_pool_is_for_one_and_of_a_multi_pool_for_many(kit: rk.RewardKit) -> None:
    found = {}
    for method in ("unique", "multi"):
        stocked(kit, f"{method}-code", name=method, distribution=method)
        assert shown(kit, method)["distribution"] == {"method": method}
        commands: list[rk.Command[Any]] = [
            command
            for user in ("amanda", "bea")
            for command in (
                rk.IssueCode(method, user),
                rk.RedeemCode(f"{method}-code", external_issuee_id=user),
            )
        ]
        found[method] = [refusal(kit, command) for command in commands]
    assert found == {"unique": ["", "", "pool_exhausted", "wrong_issuee"], "multi": ["", "", "", ""]}


def test_a_pool_shows_the_address_that_its_notices_are_for_and_notices_name_it(kit: rk.RewardKit) -> None:
    stocked(kit, "code-1", "code-2", low_threshold=1, notification_email_address="your.name@example.com")
    assert shown(kit)["notification_email_address"] == "your.name@example.com"
    kit.run(rk.IssueCode(POOL))
    (notice,) = kit.ask(rk.Notices()).items
    assert (notice.kind, rk.pool_address(notice)) == ("pool.low", ("your.name@example.com",))
    kit.run(rk.ChangePool(POOL, notification_email_address=None))
    assert shown(kit)["notification_email_address"] is None


def test_a_pool_shows_when_it_was_created_and_when_it_was_last_updated(kit: rk.RewardKit, clock: FakeClock) -> None:
    clock.set("2026-01-01T12:00:00Z")
    kit.run(rk.CreatePool(POOL))
    clock.set("2026-04-07T12:00:30Z")
    assert [shown(kit)[name] for name in ("created_at", "updated_at")] == ["2026-01-01T12:00Z", "2026-01-01T12:00Z"]
    kit.run(rk.ChangePool(POOL, low_threshold=5))
    assert [shown(kit)[name] for name in ("created_at", "updated_at")] == ["2026-01-01T12:00Z", "2026-04-07T12:00:30Z"]


def test_every_entity_shows_where_it_is(kit: rk.RewardKit) -> None:
    acme = kit.tenant("acme")
    pool = stocked(acme, "aabb-ccdd")
    issuance = acme.run(rk.IssueCode(POOL, "amanda")).to_json("https://example.com")
    redemption = acme.run(rk.RedeemCode("aabb-ccdd")).to_json("https://example.com")
    code = acme.ask(rk.CodeStatus("aabb-ccdd")).to_json("https://example.com")
    at_pool = f"https://example.com/companies/acme/incentives/pools/{pool.id}"
    at_code = "https://example.com/companies/acme/incentives/codes/aabb-ccdd"
    assert (pool.to_json("https://example.com")["url"], code["url"]) == (at_pool, at_code)
    for one in (issuance, redemption):
        assert one["incentive_code"] == {"code": "aabb-ccdd", "url": at_code}
    for one in (issuance, redemption, code):
        assert one["incentive_pool"] == {"id": pool.id, "url": at_pool}


# --- the code ---------------------------------------------------------------------------------------------------------


def test_an_inactive_code_is_not_issued_and_who_has_it_redeems_it(kit: rk.RewardKit) -> None:
    stocked(kit, "code-1", "code-2")
    kit.run(rk.IssueCode(POOL, "amanda", code="code-1"))
    for code in ("code-1", "code-2"):
        assert kit.ask(rk.CodeStatus(code)).to_json()["active"] is True
        kit.run(rk.DeactivateCode(code))
        assert kit.ask(rk.CodeStatus(code)).to_json()["active"] is False
    assert refusal(kit, rk.IssueCode(POOL, "bea", code="code-2")) == "code_inactive"
    assert refusal(kit, rk.IssueCode(POOL, "bea")) == "pool_exhausted"
    assert refusal(kit, rk.RedeemCode("code-1")) == ""
    kit.run(rk.ActivateCode("code-2"))
    assert kit.run(rk.IssueCode(POOL, "bea")).code == "code-2"


def test_issuances_and_redemptions_are_counted_in_all_and_by_issuee(kit: rk.RewardKit) -> None:
    stocked(kit, "everybody", distribution="multi")
    for user in ("amanda", "amanda", "bea"):
        kit.run(rk.IssueCode(POOL, user))
    for user in ("amanda", "bea", "bea", "bea"):
        kit.run(rk.RedeemCode("everybody", external_issuee_id=user))
    code = kit.ask(rk.CodeStatus("everybody")).to_json()
    assert code["issuances"] == {"total": 3, "unique": 2}
    assert code["redemptions"] == {"total": 4, "unique": 2}
    assert len(kit.ask(rk.Issuances(code="everybody")).items) == 3
    assert len(kit.ask(rk.Redemptions(code="everybody")).items) == 4


def test_a_code_shows_when_it_was_created_and_when_it_was_last_updated(kit: rk.RewardKit, clock: FakeClock) -> None:
    kit.run(rk.CreatePool(POOL))
    clock.set("2026-04-02T17:24:00Z")
    kit.run(rk.ImportCodes(POOL, ["coupon01"]))
    instants = []
    for command in (rk.IssueCode(POOL, "amanda"), rk.RedeemCode("coupon01"), rk.DeactivateCode("coupon01")):
        clock.advance("1h")
        kit.run(command)
        code = kit.ask(rk.CodeStatus("coupon01")).to_json()
        instants.append((code["created_at"], code["updated_at"]))
    assert instants == [("2026-04-02T17:24Z", f"2026-04-02T{hour}:24Z") for hour in (18, 19, 20)]


def test_a_file_of_one_column_is_added_to_what_is_there_and_says_of_each_row_why_it_was_not(
    kit: rk.RewardKit, tmp_path: Path
) -> None:
    stocked(kit, "code-1", max_characters=10)
    file = tmp_path / "codes.csv"
    file.write_text("code-2\nCODE 1\ncode-3\nfar-too-long\ncode-2\n", encoding="utf-8")
    report = kit.import_codes(POOL, file)
    assert (report.added, report.duplicates, report.refused) == (2, 2, 3)
    assert [(row.row, row.reason) for row in report.rows] == [(2, "duplicate"), (4, "too_long"), (5, "duplicate")]
    assert codes_of(kit) == {"total": 3, "issued": 0, "remaining": 3}


def test_a_code_that_was_never_issued_is_not_redeemed_unless_its_pool_is_for_bearers(kit: rk.RewardKit) -> None:
    stocked(kit, "code-1")
    assert refusal(kit, rk.RedeemCode("code-1", external_issuee_id="amanda")) == "code_not_issued"
    kit.run(rk.ChangePool(POOL, bearer=True))
    assert kit.run(rk.RedeemCode("code-1", external_issuee_id="amanda")).external_issuee_id == "amanda"
    assert codes_of(kit) == {"total": 1, "issued": 1, "remaining": 0}


def test_an_exhausted_pool_holds_the_reward_and_replenishing_it_gives_it(kit: rk.RewardKit, clock: FakeClock) -> None:
    stocked(kit, "code-1")
    kit.run(rk.DefineReward("voucher", issues={"pool": POOL}))
    kit.run(rk.DefineOffer("thanks", "voucher", "Purchase"))
    kit.run(rk.DefineCampaign("thanks", "thanks", entry='"User Signed Up"'))
    kit.run(rk.LaunchCampaign("thanks"))
    for user in ("amanda", "bea"):
        for name in ("User Signed Up", "Purchase"):
            clock.advance("1s")
            kit.emit(name, user=user)
    seen = [[(one.user, one.status, one.held_for, one.code) for one in kit.ask(rk.Grants()).items]]
    kit.run(rk.ImportCodes(POOL, ["code-2"]))
    seen.append([(one.user, one.status, one.held_for, one.code) for one in kit.ask(rk.Grants()).items])
    assert seen == [
        [("amanda", "ready", "", "code-1"), ("bea", "held", "pool", "")],
        [("amanda", "ready", "", "code-1"), ("bea", "ready", "", "code-2")],
    ]


# --- issuances and redemptions ----------------------------------------------------------------------------------------


def test_issuances_and_redemptions_are_numbered_each_for_themselves(kit: rk.RewardKit) -> None:
    stocked(kit, "code-1", "code-2", "code-3")
    issued = [kit.run(rk.IssueCode(POOL, user)) for user in ("amanda", "bea", "amanda")]
    redeemed = [kit.run(rk.RedeemCode(one.code)) for one in issued[:2]]
    for numbers in ([one.to_json()["id"] for one in issued], [one.to_json()["id"] for one in redeemed]):
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert kit.ask(rk.Issuances()).items == tuple(issued)
    assert kit.ask(rk.Redemptions()).items == tuple(redeemed)


def test_an_issuee_is_shown_under_your_id_and_under_ours_which_is_stable_in_a_tenant(kit: rk.RewardKit) -> None:
    for name in ("first", "second"):
        stocked(kit, f"{name}-1", f"{name}-2", name=name)
    stocked(kit.tenant("other"), "other-1")
    issued = [kit.run(rk.IssueCode(name, "user@mycompany.com")).to_json() for name in ("first", "second")]
    redeemed = kit.run(rk.RedeemCode("first-1", external_issuee_id="user@mycompany.com")).to_json()
    for one in (*issued, redeemed):
        assert (one["external_issuee_id"], one["issuee_id"]) == ("user@mycompany.com", issued[0]["issuee_id"])
        assert str(UUID(one["issuee_id"])) == one["issuee_id"]
    elsewhere = kit.tenant("other").run(rk.IssueCode(POOL, "user@mycompany.com"))
    assert elsewhere.issuee_id != issued[0]["issuee_id"]
    anonymous = kit.run(rk.IssueCode("first")).to_json()
    assert (anonymous["external_issuee_id"], anonymous["issuee_id"] != issued[0]["issuee_id"]) == (None, True)


def test_what_refers_is_shown_of_an_issuance_and_of_its_redemption_each_its_own(kit: rk.RewardKit) -> None:
    stocked(kit, "code-1")
    by: dict[str, Any] = {"referring_application": "mailing", "referring_application_ref_id": "campaign-1234"}
    issued = kit.run(rk.IssueCode(POOL, "amanda", **by)).to_json()
    till: dict[str, Any] = {"referring_application": "till", "referring_application_ref_id": "order-5"}
    redeemed = kit.run(rk.RedeemCode("code-1", **till)).to_json()
    assert {name: issued[name] for name in by} == by
    assert {name: redeemed[name] for name in till} == till


def test_issuances_and_redemptions_show_when_they_were_made_and_last_updated(
    kit: rk.RewardKit, clock: FakeClock
) -> None:
    stocked(kit, "code-1")
    clock.set("2026-04-02T18:34:00Z")
    issued = kit.run(rk.IssueCode(POOL, "amanda"))
    clock.advance("1h")
    redeemed = kit.run(rk.RedeemCode("code-1"))
    clock.advance("1h")
    kit.run(rk.RollBackRedemption(redeemed.id))
    (issuance,), (redemption,) = kit.ask(rk.Issuances()).items, kit.ask(rk.Redemptions()).items
    assert issued.updated_at == issued.created_at
    shown = [[one.to_json()[name] for name in ("created_at", "updated_at")] for one in (issuance, redemption)]
    assert shown == [
        ["2026-04-02T18:34Z", "2026-04-02T20:34Z"],  # of an issuance: when anything became of its code
        ["2026-04-02T19:34Z", "2026-04-02T20:34Z"],
    ]
