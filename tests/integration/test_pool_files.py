"""Pools and promotions in definition files: made, changed, left alone, and pointed into where they are wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.cli import main
from rewardkit.testing.audit import violations
from rewardkit.testing.audit_rows import snapshot_of

SHOP = """
[promotions.Summer]
campaign = "sale"

[promotions."Gift Cards"]
coupons = "Vouchers"

[campaigns.sale]
offer = "disc"

[offers.disc]
reward = "voucher"
condition = "purchase"

[rewards.voucher]
issues = { pool = "Vouchers" }

[pools.Summer]
distribution = "multi"
bearer = true
redemption_limit = 100
issuee_redemption_limit = 1
valid_from = 2020-01-01
valid_until = 2040-12-31

[pools.Vouchers]
low_threshold = 5
max_characters = 20
notification_email_address = "amanda@example.com"
issuance_allowed = true
redemption_allowed = true

[pools."Gift Cards"]
"""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[rk.RewardKit]:
    stores = {"memory": ":memory:", "sqlite": f"sqlite:///{tmp_path}/rewards.db"}
    kit = rk.RewardKit(stores.get(request.param) or request.getfixturevalue("postgres_dsn"))
    kit.migrate()
    yield kit
    assert violations(snapshot_of(kit._store, "default")) == ()
    kit.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "shop.toml"
    file.write_text(SHOP)
    return file


def new(kit: rk.RewardKit, file: Path) -> list[tuple[str, bool]]:
    answers = kit.load(file)
    return [(one.name, one.new) for one in answers if isinstance(one, rk.PoolDefined)]


def test_pools_are_made_before_what_names_them_and_loading_again_changes_nothing(kit: rk.RewardKit, file: Path) -> None:
    assert new(kit, file) == [("Summer", True), ("Vouchers", True), ("Gift Cards", True)]
    summer, vouchers, cards = (kit.ask(rk.PoolStatus(name)) for name in ("Summer", "Vouchers", "Gift Cards"))
    assert len({summer.id, vouchers.id, cards.id}) == 3
    assert (summer.distribution, summer.bearer, summer.redemption_limit, summer.issuee_redemption_limit) == (
        "multi",
        True,
        100,
        1,
    )
    assert [str(when) for when in (summer.valid_from, summer.valid_until)] == [
        "2020-01-01 00:00:00+00:00",
        "2041-01-01 00:00:00+00:00",
    ]
    assert (vouchers.low_threshold, vouchers.max_characters) == (5, 20)
    assert vouchers.notification_email_address == "amanda@example.com"
    assert (cards.distribution, cards.bearer, cards.low_threshold) == ("unique", False, None)
    before = kit.ask(rk.Pools()).items
    assert new(kit, file) == [("Summer", False), ("Vouchers", False), ("Gift Cards", False)]
    assert all(not one.new for one in kit.load(file) if isinstance(one, rk.Defined))
    assert kit.ask(rk.Pools()).items == before
    kit.run(rk.ImportCodes("Summer", ("SUMMER-1",)))
    offer = kit.run(rk.EnterPromoCode("SUMMER-1", "ann")).offer
    assert offer is not None
    assert offer.campaign == "sale"


def test_what_a_file_leaves_out_stays_and_what_differs_changes(kit: rk.RewardKit, file: Path) -> None:
    new(kit, file)
    kit.run(rk.ChangePool("Vouchers", bearer=True))
    file.write_text("[pools.Vouchers]\nlow_threshold = 7\n[pools.New]\n")
    assert new(kit, file) == [("Vouchers", True), ("New", True)]
    changed = kit.ask(rk.PoolStatus("Vouchers"))
    assert (changed.low_threshold, changed.max_characters, changed.bearer) == (7, 20, True)
    assert len(kit.ask(rk.Pools()).items) == 4


def test_a_pool_that_a_file_opens_gives_codes_to_those_who_wait(kit: rk.RewardKit, file: Path) -> None:
    new(kit, file)
    kit.run(rk.ImportCodes("Vouchers", ("VOUCHER-1", "VOUCHER-2")))
    file.write_text("[pools.Vouchers]\nissuance_allowed = false\n")
    new(kit, file)
    for user in ("ann", "bea"):
        kit.run(rk.MakeOffer("sale", user))
        kit.emit("purchase", user=user)
    assert len(kit.ask(rk.Grants(held_for="pool")).items) == 2
    file.write_text(SHOP)
    new(kit, file)
    assert sorted(grant.code for grant in kit.ready()) == ["VOUCHER-1", "VOUCHER-2"]
    # Both by one command too.
    assert kit.run(rk.DefinePool("Vouchers", low_threshold=9)).new
    assert not kit.run(rk.DefinePool("Vouchers", low_threshold=9)).new


WRONG = [
    ('[pools.x]\ndistribution = "some"', '2: [pools.x] distribution: must be "unique" or "multi", not `"some"`'),
    ("[pools.x]\nbearer = 1", "2: [pools.x] bearer: must be true or false, not `1`"),
    ('[pools.x]\nlow_threshold = "5"', '2: [pools.x] low_threshold: must be a whole number, not `"5"`'),
    ("[pools.x]\nlow_threshold = -1", "2: [pools.x] low_threshold: must lie between 0 and"),
    ("[pools.x]\nmax_characters = 256", "2: [pools.x] max_characters: must lie between 1 and 255"),
    (
        '[pools.x]\nnotification_email_address = "ann"',
        "2: [pools.x] notification_email_address: a notification address",
    ),
    ("[pools.x]\nredemption_limit = 2", "2: [pools.x] redemption_limit: is for a `multi` pool"),
    (
        "[pools.x]\nvalid_until = 2020-01-01\nvalid_from = 2021-01-01",
        "3: [pools.x] valid_from: must come before `valid_until`",
    ),
    ("[pools.x]\nvalid_from = 2021-01-01T00:00:00", "which is read in UTC"),
    ("[pools.x]\nsize = 4", "2: [pools.x] size: this key is unknown"),
    ('[pools.known]\ndistribution = "multi"', "2: [pools.known] distribution: pool `known` has issued codes"),
    ("[promotions.known]", "1: [promotions.known]: `campaign` is missing"),
    ('[promotions.none]\ncoupons = "known"', "1: [promotions.none]: pool `none` does not exist"),
    ('[promotions.known]\ncoupons = "none"', "2: [promotions.known] coupons: pool `none` does not exist"),
    ('[promotions.known]\ncoupons = "known"', "2: [promotions.known] coupons: are codes of another pool"),
    ('[promotions.known]\ncampaign = "none"', "2: [promotions.known] campaign: `none` is not defined"),
    ('[promotions.known]\ncampaign = "a"\ncoupons = "known"', "name one"),
]


@pytest.mark.parametrize("text, finding", WRONG)
def test_a_wrong_file_is_pointed_into_and_changes_nothing(tmp_path: Path, text: str, finding: str) -> None:
    kit = rk.RewardKit(":memory:")
    kit.run(rk.CreatePool("known"))
    kit.run(rk.ImportCodes("known", ("one",)))
    kit.run(rk.IssueCode("known", "ann"))
    before = kit.ask(rk.Pools()).items
    file = tmp_path / "shop.toml"
    file.write_text(f"{text}\n[pools.new]\n[rewards.new]\n")
    with pytest.raises(rk.ValidationError) as error:
        kit.load(file)
    assert finding in str(error.value)
    assert "shop.toml:" in str(error.value)
    assert kit.ask(rk.Pools()).items == before
    file.write_text("[rewards.new]\n")
    (reward,) = kit.load(file)
    assert reward.new


def test_the_command_line_says_what_came_of_each_pool(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = f"sqlite:///{tmp_path}/cli.db"
    assert main(["load", str(file), "--store", store]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        "pool Summer: id 1, new or changed",
        "pool Vouchers: id 2, new or changed",
    ]
    assert main(["load", str(file), "--store", store, "--json"]) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert lines[0] == {"kind": "pool", "name": "Summer", "id": 1, "new": False}
    # By the names that the file has, whatever they are kept under.
    assert [one["name"] for one in lines if one["kind"] == "promotion"] == ["Summer", "Gift Cards"]
    assert "nothing has changed" in printed.err


def test_a_file_with_pools_is_checked_without_making_any(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file)]) in (0, 1)
    assert "pool" not in capsys.readouterr().err
    for key in ("coupons", "pool"):
        file.write_text(SHOP.replace(f'{key} = "Vouchers"', f'{key} = "Voucher"'))
        assert main(["check", str(file)]) != 0
        printed = capsys.readouterr()
        assert "pool `Voucher` does not exist" in printed.out + printed.err


def test_one_name_is_one_pool(tmp_path: Path) -> None:
    kit = rk.RewardKit(":memory:")
    assert kit.run(rk.DefinePool("x", bearer=True), key="once") == rk.PoolDefined("x", 1, new=True)
    assert kit.run(rk.DefinePool("x", bearer=True), key="once") == rk.PoolDefined("x", 1, new=True)
    assert not kit.run(rk.DefinePool("x", bearer=True)).new
