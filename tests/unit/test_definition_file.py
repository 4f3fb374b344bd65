"""Definitions as a TOML file: what a file comes to, and what is said about a wrong one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

import rewardkit as rk
from rewardkit.core.requests.answers import CampaignState, Defined

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[2] / "examples" / "music_shop.toml"

OFFER = '[rewards.disc]\n[offers.gift]\nreward = "disc"\ncondition = "A"\n'
CAMPAIGN = OFFER + '[campaigns.spring]\noffer = "gift"\n'


@pytest.fixture
def kit() -> rk.RewardKit:
    return rk.RewardKit(clock=lambda: NOW)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("shop.toml")


def defined(answers: tuple[object, ...]) -> list[str]:
    return [answer.name for answer in answers if isinstance(answer, Defined)]


# --- what a file comes to ---


def test_the_example_defines_rewards_conditions_offers_and_campaigns_and_launches_them(kit: rk.RewardKit) -> None:
    answers = kit.load(EXAMPLE)
    kinds = [answer.kind if isinstance(answer, Defined) else answer.status for answer in answers]
    assert ["reward"] * 4 + ["condition"] * 3 + ["offer"] * 5 + ["campaign"] * 5 + ["live"] * 5 == kinds


def test_loading_twice_changes_nothing(kit: rk.RewardKit) -> None:
    first, second = kit.load(EXAMPLE), kit.load(EXAMPLE)
    assert all(answer.new for answer in first if isinstance(answer, Defined))
    assert not any(answer.new for answer in second if isinstance(answer, Defined))
    assert [one for one in first if isinstance(one, CampaignState)] == [
        one for one in second if isinstance(one, CampaignState)
    ]


def test_the_awaiting_kit_loads_the_same(kit: rk.RewardKit) -> None:
    async def load() -> tuple[object, ...]:
        async with rk.AsyncRewardKit(clock=lambda: NOW) as awaiting:
            return await awaiting.load(EXAMPLE)

    assert kit.load(EXAMPLE) == asyncio.run(load())


def test_a_changed_definition_makes_a_new_version_of_it_alone(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(CAMPAIGN)
    kit.load(shop)
    shop.write_text(CAMPAIGN.replace('"A"', '"A*2"'))
    changed = [one.name for one in kit.load(shop) if isinstance(one, Defined) and one.new]
    assert ["gift"] == changed


def test_the_tables_may_stand_in_any_order_and_conditions_name_each_other(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(
        '[campaigns.spring]\noffer = "gift"\n[offers.gift]\nreward = "disc"\ncondition = "@third"\n'
        '[conditions]\nthird = "@second & C"\nsecond = "@first & B"\nfirst = "A"\n[rewards.disc]\n'
    )
    assert ["disc", "first", "second", "third", "gift", "spring"] == defined(kit.load(shop))


def test_what_is_in_the_store_may_be_named(kit: rk.RewardKit, shop: Path) -> None:
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineCondition("twice", "A*2"))
    shop.write_text('[offers.gift]\nreward = "disc"\ncondition = "@twice"\n')
    assert ["gift"] == defined(kit.load(shop))


def test_decimals_are_exact(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(
        "[rewards.credit]\nproperties = { amount = 0.10, count = 3, deep = { big = 1234567890.123456789 } }\n"
        '[offers.o]\nreward = "credit"\ncondition = "A[price == 0.1]"\n[campaigns.c]\noffer = "o"\nentry = "E"\n'
    )
    kit.load(shop)
    kit.emit_many(
        [
            rk.Event("E", NOW, "1", "ann"),
            rk.Event("A", NOW, "2", "ann", properties={"price": Decimal("0.10")}),
        ]
    )
    properties = kit.ready()[0].reward.properties
    assert {"amount": Decimal("0.10"), "count": 3, "deep": {"big": Decimal("1234567890.123456789")}} == properties
    assert "0.10" == str(properties["amount"])


@pytest.mark.parametrize(
    "status, launched",
    [("", True), ('status = "live"\n', True), ('status = "draft"\n', False)],
)
def test_a_campaign_is_launched_unless_it_is_a_draft(
    kit: rk.RewardKit, shop: Path, status: str, *, launched: bool
) -> None:
    shop.write_text(CAMPAIGN + status)
    kit.load(shop)
    assert ["live" if launched else "draft"] == [campaign.status for campaign in kit.ask(rk.Campaigns())]


@pytest.mark.parametrize(
    "written, start, end",
    [
        ("start = 2026-03-29\nend = 2026-03-29\n", "2026-03-29T00:00:00+00:00", "2026-03-30T00:00:00+00:00"),
        (
            'start = 2026-03-29\nend = 2026-03-29\nzone = "Europe/Berlin"\n',
            "2026-03-28T23:00:00+00:00",
            "2026-03-29T22:00:00+00:00",
        ),
        (
            "start = 2026-03-29T12:00:00+02:00\nend = 2026-03-30T00:00:00Z\n",
            "2026-03-29T10:00:00+00:00",
            "2026-03-30T00:00:00+00:00",
        ),
        ('start = "2026-03-29"\nend = "2026-03-30T00:00:00Z"\n', "2026-03-29T00:00:00+00:00", "2026-03-30T00:00:00Z"),
    ],
)
def test_a_date_is_a_day_in_the_zone_and_an_offset_makes_an_instant(
    kit: rk.RewardKit, shop: Path, written: str, start: str, end: str
) -> None:
    shop.write_text(CAMPAIGN + written)
    state = kit.load(shop)[-1]
    assert (datetime.fromisoformat(start), datetime.fromisoformat(end)) == (state.start, state.end)


def test_every_key_reaches_the_campaign(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(
        OFFER.replace('"A"', '"!A over 7d"') + 'expires_after = "30d"\nacknowledge = ["RK205"]\n'
        '[campaigns.spring]\noffer = "gift"\nentry = "!B"\nacknowledge = ["RK201"]\ncode = "spring"\ncap = 5\n'
        "user_cap = 2\n"
    )
    kit.load(shop)
    assert 5 == kit.ask(rk.Campaigns())[0].cap
    made = kit.run(rk.EnterOfferCode("SPRING", "ann"))
    assert made.ends_at is not None
    assert 30 == (made.ends_at - made.made_at).days


def test_the_terms_of_grants_reach_the_offer(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(
        OFFER.replace("[rewards.disc]", "[rewards.disc]\nproperties = { amount = 9 }")
        + 'hold = "14d"\nreview = "always"\nreversal = "whole"\nreversal_frees = true\n'
        '[campaigns.spring]\noffer = "gift"\ncap = 1\n'
    )
    kit.load(shop)
    kit.run(rk.MakeOffer("spring", "ann"))
    grant = kit.emit("A", user="ann").earned[0].grant
    held = kit.run(rk.ApproveGrant(grant, by="bo"))
    assert held.hold_until is not None
    assert (held.held_for, (held.hold_until - held.earned_at).days) == ("hold", 14)
    part = kit.attempt(rk.ReverseGrant(grant, "a part", amount=1))
    assert isinstance(part, rk.Refused)
    assert part.code == "grant_indivisible"
    kit.run(rk.ReverseGrant(grant, "all of it"))
    assert 0 == kit.ask(rk.Campaigns())[0].confirmed


def test_an_ended_campaign_is_not_brought_back(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(CAMPAIGN + 'entry = "E"\n')
    kit.load(shop)
    kit.run(rk.EndCampaign("spring"))
    shop.write_text(CAMPAIGN + 'entry = "E2"\n')
    with pytest.raises(rk.ValidationError, match=r"shop.toml:5: \[campaigns.spring\]: campaign `spring` has ended"):
        kit.load(shop)
    assert ["ended"] == [campaign.status for campaign in kit.ask(rk.Campaigns())]
    assert () == kit.emit("E", user="ann").entered


def test_a_byte_order_mark_is_passed_over(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_bytes(b"\xef\xbb\xbf" + CAMPAIGN.encode())
    assert ["disc", "gift", "spring"] == defined(kit.load(shop))


# --- what is wrong with a file ---

WRONG = [
    ("[reward.x]", "shop.toml:1: [reward]: this table is unknown: did you mean `rewards`?"),
    ("[zebra]", "shop.toml:1: [zebra]: this table is unknown: known are pools, rewards, conditions, offers, ref"),
    ("\n[pools.x]\nsize = 1", "shop.toml:3: [pools.x] size: this key is unknown: known are distribution, issuance_"),
    (
        "[referral_programs.x]",
        "shop.toml:1: [referral_programs]: this table is unknown: did you mean `referral-programs`?",
    ),
    ("[rewards.x]\nproperty = {}", "shop.toml:2: [rewards.x] property: this key is unknown: known are properties"),
    (CAMPAIGN + 'enty = "A"', "shop.toml:7: [campaigns.spring] enty: this key is unknown: did you mean `entry`?"),
    (
        OFFER + "[campaigns.c.variants.a]\nweight = 1",
        "shop.toml:5: [campaigns.c.variants.a]: `offer` is missing",
    ),
    (
        OFFER + "[campaigns.c]\nvariants = 5",
        "shop.toml:6: [campaigns.c] variants: must be a table of tables, not `5`",
    ),
    (
        OFFER + '[campaigns.c.variants.a]\noffer = "gift"\nweigth = 1',
        "shop.toml:7: [campaigns.c.variants.a] weigth: this key is unknown: did you mean `weight`?",
    ),
    (
        OFFER + '[campaigns.c.variants.a]\noffer = "gift"\nweight = -1',
        "shop.toml:7: [campaigns.c.variants.a] weight: must lie between 0 and",
    ),
    (
        CAMPAIGN + 'reentry = "daily"',
        "shop.toml:7: [campaigns.spring] reentry: must be one of `never`, `after_",
    ),
    (CAMPAIGN + "caps_per = { hour = 1 }", "shop.toml:7: [campaigns.spring] caps_per: has caps by `day`, `week`"),
    (CAMPAIGN + "caps_per.day = 0", "shop.toml:7: [campaigns.spring] caps_per: caps_per.day must lie between 1 and"),
    (CAMPAIGN + "budget = -5.0", "shop.toml:7: [campaigns.spring] budget: must be a whole number or a decimal above 0"),
    (CAMPAIGN + 'at_exhaustion = "go"', "shop.toml:7: [campaigns.spring] at_exhaustion: must be `stop` or `queue`"),
    (CAMPAIGN + 'audience = "A then"', "shop.toml:7: [campaigns.spring] audience: error[RK"),
    (
        CAMPAIGN + 'entry = "!A"\naudience = "A"\nacknowledge = ["RK201"]',
        "shop.toml:7: [campaigns.spring] entry: `!A` may",
    ),
    (CAMPAIGN + "holdout = 1.5", "shop.toml:7: [campaigns.spring] holdout: must be a share below the whole"),
    (CAMPAIGN + "copy.name = 1", "shop.toml:7: [campaigns.spring] copy: must be a table of texts, not a table"),
    ('[campaigns."a b"]\noffer = 1', 'shop.toml:2: [campaigns."a b"] offer: must be text in quotes, not `1`'),
    ('[offers.o]\nreward = "x"', "shop.toml:1: [offers.o]: `condition` is missing"),
    ('[campaigns.c]\nentry = "A"', "shop.toml:1: [campaigns.c]: `offer` is missing"),
    ("rewards = 5", "shop.toml:1: [rewards]: must be a table, not `5`"),
    ("conditions = []", "shop.toml:1: [conditions]: must be a table, not a list"),
    ('[[rewards]]\nname = "x"', "shop.toml:1: [rewards]: must be a table, not a list"),
    ("[rewards]\nx = true", "shop.toml:2: [rewards.x]: must be a table, not `true`"),
    ('[rewards.x]\nproperties = "x"', 'shop.toml:2: [rewards.x] properties: must be a table, not `"x"`'),
    ("[conditions]\na = { b = 1 }", "shop.toml:2: [conditions] a: must be text in quotes, not a table"),
    (
        '[conditions]\na = "A then no B"',
        "shop.toml:2: [conditions] a: error[RK104]: `no B` needs a deadline",
    ),
    (
        '[conditions]\na = "@b"\nb = "@c"\nc = "@a"',
        "shop.toml:2: [conditions] a: conditions name each other in a circle: `@a` → `@b` → `@c` → `@a`",
    ),
    ('[conditions]\na = "@nobody"', "shop.toml:2: [conditions] a: error[RK140]: there is no condition `@nobody`"),
    (
        OFFER.replace('"A"', "'no A'"),
        "shop.toml:4: [offers.gift] condition: error[RK104]: `no A` needs a deadline",
    ),
    (
        CAMPAIGN + 'entry = "A within 30d"',
        "shop.toml:7: [campaigns.spring] entry: error[RK150]: `within 30d` has no start to count from",
    ),
    (
        OFFER.replace('"A"', '"!A"'),
        "shop.toml:4: [offers.gift] condition: condition `!A` is probably not what is meant:",
    ),
    (
        OFFER.replace('"disc"', '"disk"'),
        "shop.toml:3: [offers.gift] reward: `disk` is not defined: did you mean `disc`? (rewa",
    ),
    ('[campaigns.c]\noffer = "gift"', "shop.toml:2: [campaigns.c] offer: `gift` is not defined (offer_unknown)"),
    (OFFER + 'hold = "soon"', "shop.toml:5: [offers.gift] hold: must be elapsed time such as `30d` or `1d12h`"),
    (OFFER + 'review = "never"', "shop.toml:5: [offers.gift] review: is one of `check`, `always`, not `never`"),
    (OFFER + 'reversal = "half"', "shop.toml:5: [offers.gift] reversal: is one of `parts`, `whole`, not `half`"),
    (OFFER + 'reversal_frees = "yes"', 'shop.toml:5: [offers.gift] reversal_frees: must be true or false, not `"yes"`'),
    (
        OFFER + 'expires_after = "a month"',
        "shop.toml:5: [offers.gift] expires_after: must be elapsed time such as `30d` or `1d12h`, not `a month`",
    ),
    (
        CAMPAIGN + "start = 2026-01-01T00:00:00",
        "shop.toml:7: [campaigns.spring] start: `2026-01-01T00:00:00` has no offset:",
    ),
    (
        CAMPAIGN + "start = 07:00:00",
        "shop.toml:7: [campaigns.spring] start: must be a date, or an instant such as 1997-01-01T00:00:00Z,",
    ),
    (CAMPAIGN + "end = 5", "shop.toml:7: [campaigns.spring] end: must be a date, or an instant"),
    (CAMPAIGN + "end = 1.5", "shop.toml:7: [campaigns.spring] end: must be a date, or an instant"),
    (CAMPAIGN + 'end = "soon"', "shop.toml:7: [campaigns.spring] end: `soon` is not an RFC 3339 instant,"),
    (CAMPAIGN + 'end = "2026-02-30"', "shop.toml:7: [campaigns.spring] end: `2026-02-30` is not a date"),
    (
        CAMPAIGN + "start = 2026-03-02\nend = 2026-03-01",
        "shop.toml:5: [campaigns.spring]: campaign `spring` would end at `2026-03-02T00:00:00Z`, not after its start",
    ),
    (
        CAMPAIGN + "end = 2025-12-30",
        "shop.toml:5: [campaigns.spring]: campaign `spring` would start now, after its end `2025-12-31T00:00:00Z`",
    ),
    (CAMPAIGN + 'zone = "Mars/Olympus"', "shop.toml:7: [campaigns.spring] zone: `Mars/Olympus` is unknown:"),
    (CAMPAIGN + "cap = true", "shop.toml:7: [campaigns.spring] cap: must be a whole number, not `true`"),
    (CAMPAIGN + "cap = 1.0", "shop.toml:7: [campaigns.spring] cap: must be a whole number, not `1.0`"),
    (CAMPAIGN + "cap = 0", "shop.toml:7: [campaigns.spring] cap: must lie between 1 and"),
    (CAMPAIGN + "user_cap = -1", "shop.toml:7: [campaigns.spring] user_cap: must lie between 1 and 1000, not `-1`"),
    (CAMPAIGN + 'status = "ended"', 'shop.toml:7: [campaigns.spring] status: must be "draft" or "live",'),
    (
        CAMPAIGN + 'status = "\\u001b[31m"',
        'shop.toml:7: [campaigns.spring] status: must be "draft" or "live", not `"\\x1b[31m"`',
    ),
    (CAMPAIGN + 'acknowledge = "RK201"', "shop.toml:7: [campaigns.spring] acknowledge: must be a list of texts"),
    (
        CAMPAIGN + 'code = "SPRING"\n[campaigns.summer]\noffer = "gift"\ncode = "spring"',
        "shop.toml:10: [campaigns.summer] code: `SPRING` belongs to campaign `spring` (code_taken)",
    ),
    ('[rewards.""]', 'shop.toml:1: [rewards.""]: a reward\'s name must not be empty'),
    ("[rewards.x]\nproperties.a = nan", "shop.toml:2: [rewards.x] properties: properties.a is `NaN`,"),
    (
        "[rewards.x]\nproperties.a = 1e999",
        "shop.toml:2: [rewards.x] properties: properties.a has more than 38 digits",
    ),
    ("[rewards.x]\nproperties.a = 1997-01-01", "shop.toml:2: [rewards.x] properties: properties.a is a `date`,"),
    ("[rewards.x]\nproperties.a = 99999999999999999", "shop.toml:2: [rewards.x] properties: properties.a is a whole"),
    ("[rewards.x]\nproperties.a = 1e99999999999999999999", "shop.toml: this is not TOML: `1e9999"),
    (
        f"[rewards.x]\nproperties.a = {'9' * 5_000}",
        "shop.toml: this is not TOML: a whole number has thousands of digits",
    ),
    ("[rewards.x", "shop.toml:1: this is not TOML: expected ']'"),
    ("[rewards.x]\n[rewards.x]", "shop.toml:2: this is not TOML: cannot declare"),
    ("rewards = " + "[" * 5_000, "shop.toml: nested too deeply"),
    ("# nothing", "shop.toml: defines nothing: write a table such as [rewards.free-disc]"),
]


@pytest.mark.parametrize("text, message", WRONG, ids=[message for _, message in WRONG])
def test_a_wrong_file_is_pointed_into_and_changes_nothing(
    kit: rk.RewardKit, shop: Path, text: str, message: str
) -> None:
    shop.write_text(f"{text}\n")
    with pytest.raises(rk.ValidationError) as caught:
        kit.load(shop)
    assert message == str(caught.value)[: len(message)]
    shop.write_text("[rewards.disc]\n[rewards.x]\n[conditions]\na = 'A'\n")
    assert all(answer.new for answer in kit.load(shop))


def test_all_wrong_keys_are_told_at_once(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text('[offers.o]\nrewrd = 1\n\n[campaigns.c]\noffer = "o"\ncap = "five"\n')
    with pytest.raises(rk.ValidationError) as caught:
        kit.load(shop)
    assert [
        "shop.toml:2: [offers.o] rewrd: this key is unknown: did you mean `reward`?",
        "shop.toml:1: [offers.o]: `reward` is missing",
        "shop.toml:1: [offers.o]: `condition` is missing",
        'shop.toml:6: [campaigns.c] cap: must be a whole number, not `"five"`',
    ] == str(caught.value).splitlines()


def test_what_looks_like_a_key_inside_a_long_text_is_none(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text('[conditions]\nlong = """\n[conditions]\nshort = 1\n"""\nshort = "A B"\n')
    with pytest.raises(rk.ValidationError) as caught:
        kit.load(shop)
    places = [line.partition(": error")[0] for line in str(caught.value).splitlines() if line.startswith("shop.toml")]
    assert ["shop.toml:2: [conditions] long", "shop.toml:6: [conditions] short"] == places


def test_a_file_that_cannot_be_read_is_named(kit: rk.RewardKit, shop: Path) -> None:
    with pytest.raises(rk.ValidationError, match=r"^`nowhere.toml` cannot be read: no such file or directory$"):
        kit.load("nowhere.toml")
    shop.write_bytes(b"[rewards.x]\n# \xff\n")
    with pytest.raises(rk.ValidationError, match=r"^shop.toml:2: this is not text in UTF-8"):
        kit.load(shop)
    shop.write_bytes(b"#" * 1_048_577)
    with pytest.raises(rk.ValidationError, match=r"has more than 1048576 bytes: split it$"):
        kit.load(shop)


def test_a_definition_that_fails_last_leaves_the_ones_before_it_out(kit: rk.RewardKit, shop: Path) -> None:
    shop.write_text(CAMPAIGN + "end = 2020-01-01\n")
    with pytest.raises(rk.ValidationError):
        kit.load(shop)
    assert () == kit.ask(rk.Campaigns())
    with pytest.raises(rk.Refused, match="reward `disc` is not defined"):
        kit.run(rk.DefineOffer("other", reward="disc", condition="A"))
