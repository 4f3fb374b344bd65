"""Kits as applications hold them: the first minute, several tenants, asynchronous hosts, on every store."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.requests.commands import Command
from rewardkit.core.requests.queries import Query
from rewardkit.language.event import Event
from rewardkit.testing.clock import FakeClock

README = Path(__file__).parents[2] / "README.md"
STORE = '"sqlite:///rewards.db"'


@pytest.fixture(params=["memory", "SQLite", "PostgreSQL"])
def store_text(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Names an empty store; nothing but this text differs between the stores."""
    if request.param == "memory":
        return ":memory:"
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path / 'rewards.db'}"
    fresh: Callable[[], str] = request.getfixturevalue("fresh_postgres")
    return fresh()


def first_minute() -> str:
    """The first block of Python in the README."""
    found = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1)


def opened(store_text: str, clock: FakeClock | None = None, **options: Any) -> rk.RewardKit:
    kit = rk.RewardKit(store_text, clock=clock or FakeClock(), **options)
    kit.migrate()
    return kit


def test_the_first_minute_of_the_readme_runs_on_every_store(
    store_text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = first_minute()
    assert source.count(STORE) == 1
    opened(store_text).close()
    names: dict[str, Any] = {}
    exec(compile(source.replace(STORE, repr(store_text)), "README.md", "exec"), names)
    assert capsys.readouterr().out == "amanda {'amount': '5.00', 'currency': 'USD'}\n"
    kit: rk.RewardKit = names["kit"]
    assert [(grant.user, grant.status) for grant in kit.ask(rk.Grants()).items] == [("amanda", "fulfilled")]
    assert kit.claim() == ()
    kit.close()


DEFINITIONS: tuple[Command[Any], ...] = (
    rk.DefineReward("disc", {"sku": "CD-1"}),
    rk.DefineCondition("twice", "A*2"),
    rk.DefineOffer("o", "disc", "@twice", expires_after="30d"),
    rk.DefineCampaign("c", "o", entry="E", code="SPRING", cap=5, user_cap=2),
    rk.LaunchCampaign("c"),
)


def play(kit: rk.RewardKit) -> None:
    for command in DEFINITIONS:
        kit.run(command)
    kit.emit("E", user="amanda", id="1")
    kit.emit_many([Event("A", id=str(number), user="amanda") for number in (2, 3)])


def everything(kit: rk.RewardKit) -> list[object]:
    return [
        kit.ask(rk.Campaigns()),
        kit.ask(rk.UserOffers()),
        kit.ask(rk.Grants()),
        kit.ask(rk.Notices()),
    ]


def test_tenants_share_nothing(store_text: str) -> None:
    """Every command and query in one tenant, with the names and ids of the other."""
    mine = opened(store_text)
    theirs = mine.tenant("acme")
    empty = everything(theirs)
    play(mine)
    (offer,) = mine.ask(rk.UserOffers()).items
    (grant,) = mine.ready()
    (notice, *_) = mine.ask(rk.Notices()).items
    before = everything(mine)
    commands: tuple[Command[Any], ...] = (
        rk.LaunchCampaign("c"),
        rk.EndCampaign("c"),
        rk.DefineOffer("p", "disc", "A"),
        rk.DefineCampaign("d", "o"),
        rk.MakeOffer("c", "amanda"),
        rk.EnterOfferCode("SPRING", "amanda"),
        rk.CancelUserOffer(offer.id),
        rk.FulfilGrant(grant.id),
        rk.RetryNotice(notice.id),
    )
    for command in commands:
        assert isinstance(theirs.attempt(command), rk.Refused), command
    query: Query[Any] = rk.Explain(grant.id)
    with pytest.raises(rk.Refused):
        theirs.ask(query)
    with pytest.raises(rk.ConditionSyntaxError):
        theirs.run(rk.DefineCondition("other", "@twice"))
    assert theirs.claim() == ()
    assert theirs.run(rk.RunDue()).users == 0
    assert theirs.run(rk.Backfill(dry_run=False)).users == 0
    assert theirs.emit("E", user="amanda", id="1").duplicate == ()
    assert everything(theirs) == empty
    assert everything(mine) == before
    play(theirs)
    assert everything(mine) == before
    assert {one.id for one in theirs.ask(rk.Grants()).items}.isdisjoint({grant.id})
    mine.close()


def test_a_second_kit_on_the_same_store_sees_definitions_as_they_change(store_text: str) -> None:
    first = opened(store_text)
    second = first if store_text == ":memory:" else rk.RewardKit(store_text, clock=FakeClock())
    play(first)
    assert len(second.ready()) == 1
    second.run(rk.DefineReward("disc", {"sku": "CD-2"}))
    made = first.run(rk.MakeOffer("c", "bea"))
    assert made.offer_version == 2
    first.close()
    second.close()


def test_a_definition_that_was_rolled_back_is_never_believed(tmp_path: Path) -> None:
    text = f"sqlite:///{tmp_path / 'rewards.db'}"
    kit = opened(text)
    play(kit)
    shop = sqlite3.connect(tmp_path / "rewards.db", isolation_level=None)
    shop.execute("BEGIN IMMEDIATE")
    inside = kit.on(shop)
    inside.run(rk.DefineReward("disc", {"sku": "rolled back"}))
    inside.emit("E", user="bea", id="1")
    shop.execute("ROLLBACK")
    shop.close()
    with rk.RewardKit(text, clock=FakeClock()) as other:
        other.run(rk.DefineReward("disc", {"sku": "CD-2"}))
        other.emit("E", user="bea", id="1")
        other.emit_many([Event("A", id=str(number), user="bea") for number in (2, 3)])
    assert sorted(grant.reward.properties["sku"] for grant in kit.claim()) == ["CD-1", "CD-2"]
    kit.close()


def test_due_work_is_done_batch_by_batch_up_to_the_limit() -> None:
    clock = FakeClock()
    kit = opened(":memory:", clock)
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("o", "disc", "no C within 1d"))
    kit.run(rk.DefineCampaign("c", "o"))
    kit.run(rk.LaunchCampaign("c"))
    for number in range(250):
        kit.run(rk.MakeOffer("c", f"user {number}"))
    clock.advance("1d")
    assert [kit.run_due(limit=120).users, kit.run_due().users, kit.run_due().users] == [120, 130, 0]
    assert len(kit.ready(limit=1_000)) == 250


def test_due_work_can_be_done_as_of_another_instant(store_text: str) -> None:
    clock = FakeClock()
    kit = opened(store_text, clock)
    play(kit)
    kit.run(rk.MakeOffer("c", "bea"))
    assert kit.run_due("2026-01-30T23:59:59.999999Z").expired == ()
    assert [one.user for one in kit.run_due("2026-01-31T00:00:00Z").expired] == ["bea"]
    kit.close()


def test_an_explanation_names_the_events_that_decided(store_text: str) -> None:
    kit = opened(store_text)
    play(kit)
    kit.emit("A", user="amanda", id="4")
    (grant,) = kit.ready()
    explained = kit.explain(grant.id)
    assert (explained.grant, explained.condition, explained.event_ids) == (grant, "A*2", ("2", "3"))
    assert explained.sentences != ()
    kit.close()


# --- asynchronous hosts ------------------------------------------------------------------------------


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_an_asynchronous_kit_does_what_a_kit_does(store_text: str) -> None:
    told: list[rk.Notice] = []
    twin = opened(":memory:", notifiers=[lambda _notice: None])
    opened(store_text).close()

    async def story() -> None:
        async with rk.AsyncRewardKit(store_text, clock=FakeClock(), notifiers=[told.append]) as kit:
            for command in DEFINITIONS:
                assert await kit.run(command) == twin.run(command)
            assert await kit.emit("E", user="amanda", id="1") == twin.emit("E", user="amanda", id="1")
            pair = [Event("A", id=str(number), user="amanda") for number in (2, 3)]
            assert await kit.emit_many(pair) == twin.emit_many(pair)
            assert await kit.ready() == twin.ready()
            assert await kit.claim(limit=1, lease_seconds=9) == twin.claim(limit=1, lease_seconds=9)
            (grant,) = twin.ready()
            assert await kit.explain(grant.id) == twin.explain(grant.id)
            assert await kit.run_due() == twin.run_due()
            assert await kit.attempt(rk.FulfilGrant("none")) == twin.attempt(rk.FulfilGrant("none"))
            assert await kit.ask(rk.Campaigns()) == twin.ask(rk.Campaigns())
            assert await kit.deliver() == twin.deliver()
            with pytest.raises(rk.Refused):
                await kit.run(rk.MakeOffer("nowhere", "amanda"))
            with pytest.raises(rk.ValidationError):
                await kit.emit("", user="amanda")
            assert await kit.tenant("acme").ready() == ()
            assert len(told) == 2

    run(story())


def test_an_asynchronous_kit_serves_many_tasks_at_once(store_text: str) -> None:
    opened(store_text).close()

    async def story() -> None:
        async with rk.AsyncRewardKit(store_text, clock=FakeClock()) as kit:
            for command in DEFINITIONS:
                await kit.run(command)
            await asyncio.gather(*(kit.emit("E", user=f"user {number}", id="1") for number in range(20)))
            (use,) = await kit.ask(rk.Campaigns())
            statuses = sorted(offer.status for offer in (await kit.ask(rk.UserOffers())).items)
            assert (use.reserved, statuses) == (5, ["active"] * 5 + ["capped"] * 15)

    run(story())


def test_an_asynchronous_kit_that_was_closed_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        kit = rk.AsyncRewardKit(f"sqlite:///{tmp_path / 'rewards.db'}")
        await kit.emit("E", user="amanda")
        acme = kit.tenant("acme")
        await kit.close()
        await acme.close()
        for closed in (kit, acme):
            with pytest.raises(rk.StoreError, match="this kit has been closed") as caught:
                await closed.emit("E", user="amanda")
            assert caught.value.outcome == "not_applied"

    run(story())


def test_both_kits_have_the_same_names() -> None:
    names = {name for name in dir(rk.RewardKit) if not name.startswith("_")}
    asynchronous = {name for name in dir(rk.AsyncRewardKit) if not name.startswith("_")}
    assert asynchronous == names
