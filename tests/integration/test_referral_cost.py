"""What referrals cost is counted: statements sent, and rows that the database looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

import rewardkit as rk

NOW = 1_800_000_000_000_000
Count = Callable[[Callable[[], object]], list[str]]


@pytest.fixture(params=["sqlite", "postgresql"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[rk.RewardKit]:
    sqlite = request.param == "sqlite"
    store = f"sqlite:///{tmp_path}/rewards.db" if sqlite else request.getfixturevalue("postgres_dsn")
    with rk.RewardKit(store, clock=lambda: NOW) as kit:
        kit.migrate()
        yield kit


def define(kit: rk.RewardKit, properties: Mapping[str, Any] | None = None, **caps: Any) -> None:
    kit.run(rk.DefineReward("five", properties or {}))
    kit.run(rk.DefineReferralProgram("friends", "five", "five", "purchase*2", **caps))
    kit.emit("nothing", user="warm")


def bring(kit: rk.RewardKit, number: int, sender: str = "sue") -> None:
    """Recipients of one sender, each with one purchase to go."""
    for place in range(number):
        kit.run(rk.MakeReferral("friends", sender, f"{sender} {place:05d}"))
    kit.emit_many([{"name": "purchase", "user": f"{sender} {place:05d}", "id": "1"} for place in range(number)])


def purchase(kit: rk.RewardKit, recipient: str, event_id: str = "2") -> Callable[[], object]:
    return lambda: kit.emit("purchase", user=recipient, id=event_id)


def test_an_event_takes_at_most_five_statements_with_a_referral_and_its_caps(kit: rk.RewardKit, count: Count) -> None:
    define(kit, sender_cap=2, period_cap=1)
    postgres = "Postgres" in type(kit._store).__name__
    bring(kit, 3)

    counts = count(purchase(kit, "sue 00000"))
    capped = count(purchase(kit, "sue 00001"))
    kit.run(rk.MakeReferral("friends", "sue", "rob"))
    unheard = count(lambda: kit.emit("login", user="rob", id="login"))
    steps = count(purchase(kit, "rob", "1"))

    assert kit.ask(rk.Referrals("sue", status="completed")).items[0].sender_reward == "granted"
    assert sorted(one.sender_reward for one in kit.ask(rk.Referrals("sue")).items) == ["", "", "capped", "granted"]
    # SQLite cannot write several tables in one statement; PostgreSQL does, and a round trip is what costs there.
    if postgres:
        assert [4, 5, 2, 3] == [len(counts), len(capped), len(unheard), len(steps)]
    assert max(len(unheard), len(steps)) <= 5


def test_an_event_takes_at_most_five_statements_with_a_referral_of_a_campaign_with_caps(
    kit: rk.RewardKit, count: Count
) -> None:
    define(kit, sender_cap=2, period_cap=1)
    kit.run(rk.DefineCampaign("always", program="friends"))
    kit.run(rk.DefineCampaign("double", program="friends", cap=3, caps_per={"day": 3}))
    for name in ("always", "double"):
        kit.run(rk.LaunchCampaign(name))
    code = kit.run(rk.GiveReferralCode("sue")).code
    entering = [count(lambda name=name: kit.run(rk.EnterReferralCode(code, name))) for name in ("ann", "bob", "cid")]  # type: ignore[misc]
    full = count(lambda: kit.run(rk.EnterReferralCode(code, "dan")))
    kit.emit_many([{"name": "purchase", "user": name, "id": "1"} for name in ("ann", "bob")])

    granted, capped = count(purchase(kit, "ann")), count(purchase(kit, "bob"))

    rows = {one.recipient: (one.campaign, one.sender_reward) for one in kit.ask(rk.Referrals("sue")).items}
    assert {
        "ann": ("double", "granted"),
        "bob": ("double", "capped"),
        "cid": ("double", ""),
        "dan": ("always", ""),
    } == rows
    if "Postgres" in type(kit._store).__name__:
        assert [4, 5] == [len(granted), len(capped)]
        # One more than without caps, however many there are: all of them are asked in one.
        assert {len(full)} == {len(one) for one in entering}
        assert len([text for text in full if "rewardkit_counter" in text]) == 1


def test_variants_cost_no_statement_and_no_event_of_the_sender_is_read_for_them(
    kit: rk.RewardKit, count: Count
) -> None:
    define(kit)
    kit.emit_many([{"name": "login", "user": "sue", "id": str(number)} for number in range(600)])
    code = kit.run(rk.GiveReferralCode("sue")).code
    both = rk.Variant("one", program="friends"), rk.Variant("two", program="friends")
    shapes: tuple[dict[str, Any], ...] = {"program": "friends"}, {"variants": both}
    found = []
    for number, terms in enumerate(shapes):
        kit.run(rk.DefineCampaign("always", **terms))
        kit.run(rk.LaunchCampaign("always"))
        kit.run(rk.EnterReferralCode(code, f"warm {number}"))
        texts = count(partial(kit.run, rk.EnterReferralCode(code, f"recipient {number}")))
        assert not [text for text in texts if "rewardkit_event" in text and text.startswith("SELECT")]
        found.append(len(texts))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", ["stop", "queue"])
def test_an_event_takes_at_most_five_statements_with_a_referral_of_a_campaign_with_a_budget(
    kit: rk.RewardKit, count: Count, kind: str
) -> None:
    define(kit, {"amount": 5}, sender_cap=2, period_cap=1)
    kit.run(rk.DefineCampaign("always", program="friends"))
    terms: dict[str, Any] = {"cap": 3, "caps_per": {"day": 3}}
    kit.run(rk.DefineCampaign("double", program="friends", budget=25, at_exhaustion=kind, **terms))
    for name in ("always", "double"):
        kit.run(rk.LaunchCampaign(name))
    code = kit.run(rk.GiveReferralCode("sue")).code
    entering = [count(lambda name=name: kit.run(rk.EnterReferralCode(code, name))) for name in ("ann", "bob")]  # type: ignore[misc]
    full = count(lambda: kit.run(rk.EnterReferralCode(code, "cid")))
    kit.emit_many([{"name": "purchase", "user": name, "id": "1"} for name in ("ann", "bob")])

    granted, capped = count(purchase(kit, "ann")), count(purchase(kit, "bob"))

    rows = [(one.recipient, one.campaign, one.sender_reward) for one in kit.ask(rk.Referrals("sue")).items]
    third = "always" if kind == "stop" else "double"
    assert [("ann", "double", "granted"), ("bob", "double", "capped"), ("cid", third, "")] == sorted(rows)
    if "Postgres" in type(kit._store).__name__:
        assert [5, 5] == [len(granted), len(capped)]
        # Places and money are asked in one, and what is not needed goes back in another.
        assert {1} == {len([text for text in one if "rewardkit_counter" in text]) for one in entering}
        assert 2 - (kind == "queue") == len([text for text in full if "rewardkit_counter" in text])


def test_statements_do_not_grow_with_the_senders_referrals(kit: rk.RewardKit, count: Count) -> None:
    define(kit, sender_cap=10_000)
    bring(kit, 2, "few")
    bring(kit, 600, "many")
    code = {sender: kit.run(rk.GiveReferralCode(sender)).code for sender in ("few", "many")}

    def entering(sender: str) -> Callable[[], object]:
        return lambda: kit.run(rk.EnterReferralCode(code[sender], f"new of {sender}"))

    assert len(count(purchase(kit, "few 00000"))) == len(count(purchase(kit, "many 00000")))
    assert len(count(entering("few"))) == len(count(entering("many")))


OF_REFERRALS = ("referral", "referral_code", "counter", "grant")
OF_USERS = (*OF_REFERRALS, "member", "event")


def looked_at(dsn: str, tables: Sequence[str] = OF_REFERRALS) -> int:
    """Rows of these tables that the server has fetched or scanned so far."""
    text = (
        "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_user_tables"
        " WHERE relname = ANY(%s)"
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        (rows,) = connection.execute(text, ([f"rewardkit_{name}" for name in tables],)).fetchone() or (0,)
    return int(rows)


def test_rows_looked_at_on_postgresql_do_not_grow_with_the_senders_referrals(postgres_dsn: str) -> None:
    touched = {}
    for sender, number in (("few", 2), ("many", 600)):
        with rk.RewardKit(postgres_dsn, clock=lambda: NOW) as kit:
            kit.migrate()
            if sender == "few":
                define(kit, sender_cap=10_000, period_cap=10_000)
            bring(kit, number, sender)
            code = kit.run(rk.GiveReferralCode(sender)).code
        # A server tells what a connection has done when that has ended.
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            connection.execute("ANALYZE")
        before = looked_at(postgres_dsn)
        with rk.RewardKit(postgres_dsn, clock=lambda: NOW) as kit:
            kit.emit("purchase", user=f"{sender} 00001", id="2")
            kit.run(rk.EnterReferralCode(code, f"new of {sender}"))
        touched[sender] = _after(before, postgres_dsn)
    assert 0 < touched["few"] <= 20
    assert touched["many"] <= touched["few"] + 5


def campaigns(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReferralProgram("double", "five", "five", "purchase"))
    kit.run(rk.DefineCampaign("always", program="friends"))
    kit.run(rk.DefineCampaign("twice", program="double", sender="purchase*2 in last 30d"))
    for name in ("always", "twice"):
        kit.run(rk.LaunchCampaign(name))


def buy(kit: rk.RewardKit, sender: str, number: int) -> str:
    """A sender who has bought so often, and her code."""
    kit.emit_many([{"name": "purchase", "user": sender, "id": f"{place}"} for place in range(number)])
    return kit.run(rk.GiveReferralCode(sender)).code


def test_statements_of_an_entry_and_of_a_look_do_not_grow_with_the_senders_history(
    kit: rk.RewardKit, count: Count
) -> None:
    define(kit)
    campaigns(kit)
    sent = {}
    for sender, number in (("few", 2), ("many", 600)):
        code = buy(kit, sender, number)
        looks = count(lambda sender=sender: kit.ask(rk.SenderTerms(sender)))  # type: ignore[misc]
        enters = count(lambda code=code: kit.run(rk.EnterReferralCode(code, f"new by {code}")))  # type: ignore[misc]
        sent[sender] = len(looks), len(enters)
        assert not any(map(_reads_history, (*looks, *enters)))
    assert sent["few"] == sent["many"]
    assert {"twice"} == {one.campaign for one in kit.ask(rk.Referrals()).items}


def test_a_sender_who_was_silent_since_a_launch_has_her_history_read_once(kit: rk.RewardKit, count: Count) -> None:
    define(kit)
    code = buy(kit, "sue", 50)
    campaigns(kit)
    reads = []
    for name in ("ann", "bob", "cid"):
        sent = count(lambda name=name: kit.run(rk.EnterReferralCode(code, name)))  # type: ignore[misc]
        reads.append(len([text for text in sent if _reads_history(text)]))
    assert [1, 0, 0] == reads
    assert {"twice"} == {one.campaign for one in kit.ask(rk.Referrals()).items}


def _reads_history(text: str) -> bool:
    return "rewardkit_event" in text and 'ORDER BY "user", "at"' in text


def test_rows_looked_at_on_postgresql_do_not_grow_with_the_senders_history(postgres_dsn: str) -> None:
    touched = {}
    with rk.RewardKit(postgres_dsn, clock=lambda: NOW) as kit:
        kit.migrate()
        define(kit)
        campaigns(kit)
        codes = {sender: buy(kit, sender, number) for sender, number in (("few", 2), ("many", 600))}
    for sender, code in codes.items():
        with psycopg.connect(postgres_dsn, autocommit=True) as connection:
            connection.execute("ANALYZE")
        before = looked_at(postgres_dsn, OF_USERS)
        with rk.RewardKit(postgres_dsn, clock=lambda: NOW) as kit:
            assert "twice" == kit.ask(rk.SenderTerms(sender)).campaign
            assert "twice" == kit.run(rk.EnterReferralCode(code, f"new of {sender}")).campaign
        touched[sender] = _after(before, postgres_dsn, OF_USERS)
    assert 0 < touched["few"] <= 30
    assert touched["many"] <= touched["few"] + 5


def _after(before: int, dsn: str, tables: Sequence[str] = OF_REFERRALS) -> int:
    """What was looked at since, once the server has counted it."""
    for _ in range(200):
        after = looked_at(dsn, tables)
        if after > before:
            return after - before
    raise AssertionError("the server counts nothing")
