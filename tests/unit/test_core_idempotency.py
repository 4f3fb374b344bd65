"""Twice is once: idempotency keys, event ids, and answers that are remembered as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rewardkit as rk
from rewardkit.core.entrance import wire
from rewardkit.core.requests import answers, records
from rewardkit.core.requests.commands import Command
from rewardkit.language.event import LATEST, Event, moment
from rewardkit.testing.clock import FakeClock

Prepare = Callable[[rk.RewardKit], Any]


def _nothing(_kit: rk.RewardKit) -> None:
    return


def _offer(kit: rk.RewardKit) -> None:
    kit.run(rk.DefineReward("disc", {"tags": ["a", {"b": [1, Decimal("2.50")]}]}))
    kit.run(rk.DefineOffer("o", "disc", "A"))


def _draft(kit: rk.RewardKit) -> None:
    _offer(kit)
    kit.run(rk.DefineCampaign("c", "o", entry="E", code="SPRING", user_cap=5))


def _live(kit: rk.RewardKit) -> None:
    _draft(kit)
    kit.run(rk.LaunchCampaign("c"))


def _made(kit: rk.RewardKit) -> rk.UserOffer:
    _live(kit)
    return kit.run(rk.MakeOffer("c", "amanda"))


def _earned(kit: rk.RewardKit) -> str:
    _made(kit)
    return kit.emit("A", user="amanda", id="1").earned[0].grant


def _undeliverable(kit: rk.RewardKit) -> str:
    grant = _earned(kit)
    return kit.run(rk.FailGrant(grant, "the account is closed", final=True)).id


def _in_review(kit: rk.RewardKit) -> str:
    kit.run(rk.DefineReward("disc"))
    kit.run(rk.DefineOffer("o", "disc", "A", review="check"))
    kit.run(rk.DefineCampaign("c", "o"))
    kit.run(rk.LaunchCampaign("c"))
    kit.run(rk.MakeOffer("c", "amanda"))
    return kit.emit("A", user="amanda", id="1").earned[0].grant


def _silent(kit: rk.RewardKit) -> None:
    kit.emit("E", user="amanda", id="0")
    _live(kit)


COMMANDS: tuple[tuple[Prepare, Callable[[Any], Command[Any]], Command[Any]], ...] = (
    (_nothing, lambda _: rk.DefineReward("disc", {"a": 1, "b": 2}), rk.DefineReward("disc", {"a": 1, "b": 3})),
    (_nothing, lambda _: rk.DefineCondition("n", "A"), rk.DefineCondition("n", "B")),
    (_offer, lambda _: rk.DefineOffer("p", "disc", "A"), rk.DefineOffer("p", "disc", "B")),
    (_offer, lambda _: rk.DefineCampaign("c", "o"), rk.DefineCampaign("c", "o", cap=1)),
    (_draft, lambda _: rk.LaunchCampaign("c"), rk.LaunchCampaign("d")),
    (_live, lambda _: rk.EndCampaign("c"), rk.EndCampaign("d")),
    (_live, lambda _: rk.Emit((Event("E", user="u"),)), rk.Emit((Event("F", user="u"),))),
    (_live, lambda _: rk.MakeOffer("c", "amanda"), rk.MakeOffer("c", "bea")),
    (_live, lambda _: rk.EnterOfferCode("spring", "amanda"), rk.EnterOfferCode("spring", "bea")),
    (_made, lambda made: rk.CancelUserOffer(made.id), rk.CancelUserOffer("uo_other")),
    (_earned, lambda _: rk.ClaimGrants(), rk.ClaimGrants(2)),
    (_earned, rk.ClaimGrant, rk.ClaimGrant("gr_other")),
    (_earned, rk.FulfilGrant, rk.FulfilGrant("gr_other")),
    (_earned, lambda grant: rk.FailGrant(grant, "no answer"), rk.FailGrant("gr_other", "no answer")),
    (_earned, lambda grant: rk.ReverseGrant(grant, "refunded"), rk.ReverseGrant("gr_other", "refunded")),
    (_in_review, lambda _: rk.ClaimChecks(), rk.ClaimChecks(2)),
    (_in_review, lambda grant: rk.RecordCheck(grant, "odd"), rk.RecordCheck("gr_other", "odd")),
    (_in_review, lambda grant: rk.ApproveGrant(grant, by="ann"), rk.ApproveGrant("gr_other", by="ann")),
    (_in_review, lambda grant: rk.DenyGrant(grant, "no", by="ann"), rk.DenyGrant("gr_other", "no", by="ann")),
    (_undeliverable, rk.RetryGrant, rk.RetryGrant("gr_other")),
    (_made, lambda _: rk.RunDue(), rk.RunDue(5)),
    (_silent, lambda _: rk.Backfill(dry_run=False), rk.Backfill(dry_run=False, limit=7)),
)
NAMES = [type(other).__name__ for _, _, other in COMMANDS]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kit(clock: FakeClock) -> rk.RewardKit:
    return rk.RewardKit(clock=clock)


@pytest.mark.parametrize("prepare, make, other", COMMANDS, ids=NAMES)
def test_a_repeat_under_its_key_has_the_same_answer_and_no_effect(
    kit: rk.RewardKit, clock: FakeClock, prepare: Prepare, make: Callable[[Any], Command[Any]], other: Command[Any]
) -> None:
    command = make(prepare(kit))
    first = kit.run(command, key="k")
    notices = kit.ask(rk.Notices()).items
    clock.advance("1h")
    assert kit.run(command, key="k") == first
    assert kit.ask(rk.Notices()).items == notices


@pytest.mark.parametrize("prepare, make, other", COMMANDS, ids=NAMES)
def test_another_body_under_a_key_is_a_conflict_and_has_no_effect(
    kit: rk.RewardKit, prepare: Prepare, make: Callable[[Any], Command[Any]], other: Command[Any]
) -> None:
    command = make(prepare(kit))
    first = kit.run(command, key="k")
    with pytest.raises(rk.Conflict):
        kit.attempt(other, key="k")
    assert kit.run(command, key="k") == first


def test_a_refusal_is_not_remembered(kit: rk.RewardKit) -> None:
    _draft(kit)
    refused = kit.attempt(rk.MakeOffer("c", "amanda"), key="k")
    assert isinstance(refused, rk.Refused)
    kit.run(rk.LaunchCampaign("c"))
    assert isinstance(kit.attempt(rk.MakeOffer("c", "amanda"), key="k"), rk.UserOffer)


def test_a_refusal_that_was_raised_on_the_way_is_an_answer_of_attempt(kit: rk.RewardKit) -> None:
    refused = kit.attempt(rk.MakeOffer("nowhere", "amanda"))
    assert isinstance(refused, rk.Refused)
    assert (refused.code, refused.facts) == ("campaign_unknown", {"name": "nowhere", "defined": []})
    with pytest.raises(rk.Refused):
        kit.run(rk.MakeOffer("nowhere", "amanda"))


def test_a_key_belongs_to_one_tenant_and_one_operation(kit: rk.RewardKit) -> None:
    _live(kit)
    kit.run(rk.MakeOffer("c", "amanda"), key="k")
    assert kit.run(rk.EnterOfferCode("SPRING", "amanda"), key="k").entry == 2
    assert kit.tenant("acme").run(rk.DefineReward("r"), key="k").new


def test_a_defaulted_time_is_not_part_of_the_body(kit: rk.RewardKit, clock: FakeClock) -> None:
    first = kit.emit("A", user="u", key="k")
    again = kit.emit("A", user="u", id="1")
    clock.advance("1h")
    assert kit.emit("A", user="u", key="k") == first
    assert kit.emit("A", user="u", id="1").duplicate == again.event_ids


def test_an_event_id_counts_once_for_each_user(kit: rk.RewardKit) -> None:
    _live(kit)
    assert len(kit.emit("E", user="amanda", id="1").entered) == 1
    again = kit.emit("E", user="amanda", id="1")
    assert (again.duplicate, again.entered) == (("1",), ())
    assert len(kit.emit("E", user="bea", id="1").entered) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"name": "F"},
        {"order": 1},
        {"at": "2026-01-01T00:00:00Z"},
        {"properties": {"p": 1}},
        {"properties": {"p": True}},
        {"properties": {"p": "2"}},
    ],
)
def test_an_event_id_with_another_body_is_a_conflict(kit: rk.RewardKit, other: dict[str, Any]) -> None:
    given: dict[str, Any] = {"name": "E", "user": "amanda", "id": "1", "properties": {"p": 2}}
    kit.emit(**given)
    with pytest.raises(rk.Conflict):
        kit.emit(**(given | other))
    assert kit.emit(**given).duplicate == ("1",)


@pytest.mark.parametrize("same", [{"at": "2026-01-01T01:00:00+01:00"}, {"at": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_one_instant_is_one_body_whatever_its_offset(kit: rk.RewardKit, same: dict[str, Any]) -> None:
    kit.emit("E", user="u", id="1", at="2026-01-01T00:00:00Z")
    assert kit.emit("E", user="u", id="1", **same).duplicate == ("1",)


def test_the_order_of_properties_is_not_part_of_the_body(kit: rk.RewardKit) -> None:
    kit.emit("E", user="u", id="1", properties={"a": 1, "b": {"c": 2, "d": 3}}, key="k")
    kit.emit("E", user="u", id="1", properties={"b": {"d": 3, "c": 2}, "a": 1}, key="k")
    assert kit.emit("E", user="u", id="1", properties={"b": {"d": 3, "c": 2}, "a": 1}).duplicate == ("1",)


# --- answers as they are remembered ------------------------------------------------------------------

_TEXTS = st.text(max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXTS | st.decimals(allow_nan=False, places=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
_INSTANTS = st.integers(0, LATEST).map(moment)


def _of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    if hint is datetime:
        return _INSTANTS
    if hint is Decimal:
        return st.decimals(allow_nan=False, allow_infinity=False)
    if attrs.has(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{field.name: _of(hints[field.name]) for field in attrs.fields(hint)})
    if get_origin(hint) is tuple:
        return st.lists(_of(get_args(hint)[0]), max_size=2).map(tuple)
    if get_origin(hint) in (Union, UnionType):
        return st.one_of(*map(_of, get_args(hint)))
    if get_origin(hint) is Mapping:
        return st.dictionaries(_TEXTS, _JSON, max_size=3)
    return st.from_type(hint)


_ANSWERS = st.one_of(
    st.integers(),
    *map(
        _of,
        (
            answers.Defined,
            answers.CampaignState,
            answers.Recorded,
            answers.Progressed,
            answers.Backfilled,
            answers.Claimed,
            records.Grant,
            records.UserOffer,
            records.Notice,
        ),
    ),
)


@given(_ANSWERS)
def test_an_answer_comes_back_from_its_json_equal_and_of_equal_types(answer: Any) -> None:
    again = wire.load(wire.dump(answer))
    assert again == answer
    assert repr(again) == repr(answer)


def test_a_mapping_that_looks_like_a_tag_stays_a_mapping() -> None:
    reward = records.Reward("r", 1, {"$at": 5, "$map": {"$record": "Grant"}, "list": [1, [2]]})
    assert wire.load(wire.dump(reward)) == reward


def test_a_lost_lease_refuses_the_worker_who_lost_it(kit: rk.RewardKit, clock: FakeClock) -> None:
    _earned(kit)
    (mine,) = kit.claim(lease_seconds=10)
    assert kit.claim(lease_seconds=10) == ()
    clock.advance(timedelta(seconds=10))
    (theirs,) = kit.claim(lease_seconds=10)
    assert (mine.lease, theirs.lease) == (1, 2)
    refused = kit.attempt(rk.FulfilGrant(mine.id, lease=mine.lease))
    assert isinstance(refused, rk.Refused)
    assert refused.code == "lease_lost"
    assert kit.run(rk.FulfilGrant(mine.id, lease=theirs.lease)).status == "fulfilled"
    again = kit.attempt(rk.FulfilGrant(mine.id))
    assert isinstance(again, rk.Refused)
    assert again.code == "grant_fulfilled"
