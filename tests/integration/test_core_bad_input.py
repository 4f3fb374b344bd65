"""Bad input, T2 to T5, T7 to T11 and T14: a clear error each, on every store, and nothing changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import rewardkit as rk
from rewardkit.core.values import payload
from rewardkit.language.event import Event
from rewardkit.testing.audit import Snapshot
from rewardkit.testing.audit_rows import snapshot_of
from rewardkit.testing.clock import FakeClock

LONG = "x" * 300_000
NO_NUMBER: Any = "5"
NO_COMMAND: Any = object()
NO_QUERY: Any = rk.RunDue()
NO_EVENT: Any = 5
INJECTION = "'; DROP TABLE rewardkit_event; -- %s %_ \" ` \\ {0} ${1} ; ()"


class World:
    """A kit with something in it, and everything that its store keeps."""

    def __init__(self, store_text: str) -> None:
        self.clock = FakeClock()
        self.kit = rk.RewardKit(store_text, clock=self.clock)
        self.kit.migrate()
        self.kit.run(rk.DefineReward("disc", {"sku": "CD-1"}))
        self.kit.run(rk.DefineOffer("o", "disc", "A"))
        self.kit.run(rk.DefineCampaign("c", "o", entry="E", code="SPRING", user_cap=3))
        self.kit.run(rk.LaunchCampaign("c"))
        self.kit.emit("E", user="amanda", id="1", properties={"p": 1})

    def kept(self) -> Snapshot:
        return snapshot_of(self.kit._store, "default", ("amanda", "bea"))


@pytest.fixture(params=["memory", "SQLite", "PostgreSQL"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    texts = {"memory": ":memory:", "SQLite": f"sqlite:///{tmp_path / 'rewards.db'}"}
    world = World(texts.get(request.param) or request.getfixturevalue("postgres_dsn"))
    yield world
    world.kit.close()


def nested(depth: int, kind: type[list[Any] | dict[str, Any]]) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


def emitting(**changed: Any) -> Callable[[rk.RewardKit], Any]:
    given: dict[str, Any] = {"name": "A", "user": "amanda", "id": "2"}
    return lambda kit: kit.emit(**(given | changed))


def with_property(value: Any) -> Callable[[rk.RewardKit], Any]:
    return emitting(properties={"p": value})


def running(make: Callable[[], rk.Command[Any]], **options: Any) -> Callable[[rk.RewardKit], Any]:
    return lambda kit: kit.run(make(), **options)


ENDLESS: dict[str, Any] = {}
ENDLESS["p"] = ENDLESS

REFUSED: dict[str, tuple[type[rk.RewardKitError], Callable[[rk.RewardKit], Any]]] = {
    "T4 another name": (rk.Conflict, emitting(id="1")),
    "T4 another property": (rk.Conflict, emitting(name="E", id="1", properties={"p": 2})),
    "T4 in one call": (
        rk.Conflict,
        lambda kit: kit.emit_many([Event("A", id="7", user="bea"), Event("B", id="7", user="bea")]),
    ),
    "T5 naive": (rk.ValidationError, emitting(at=datetime(2026, 1, 1))),  # noqa: DTZ001
    "T5 no offset": (rk.ValidationError, emitting(at="2026-01-01T00:00:00")),
    "T5 only a date": (rk.ValidationError, emitting(at="2026-01-01")),
    "T5 not an instant": (rk.ValidationError, emitting(at="tomorrow")),
    "T5 in ten years": (rk.ValidationError, emitting(at="2036-01-01T00:00:00Z")),
    "T5 beyond five minutes": (rk.ValidationError, emitting(at="2026-01-01T00:05:00.000001Z")),
    "T5 before 1970": (rk.ValidationError, emitting(at="1969-12-31T23:59:59Z")),
    "T5 year 9999": (rk.ValidationError, emitting(at=datetime.max.replace(tzinfo=UTC))),
    "T5 year 1": (rk.ValidationError, emitting(at=datetime.min.replace(tzinfo=UTC))),
    "T5 a boolean": (rk.ValidationError, emitting(at=True)),
    "T5 a float": (rk.ValidationError, emitting(at=1.5)),
    "T5 beyond 64 bits": (rk.ValidationError, emitting(at=2**70)),
    "T5 4,301 digits": (rk.ValidationError, emitting(at=10**4_301)),
    "T5 campaign without offset": (
        rk.ValidationError,
        running(lambda: rk.DefineCampaign("d", "o", start=datetime(2026, 1, 1))),  # noqa: DTZ001
    ),
    "T5 campaign ends before it starts": (
        rk.ValidationError,
        running(lambda: rk.DefineCampaign("d", "o", start="2026-02-01", end="2026-01-01")),
    ),
    "T5 campaign beyond time": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", end="9999-12-31"))),
    "T5 no such day": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", end="2026-02-30"))),
    "T5 no such zone": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", zone="../../etc/passwd"))),
    "T7 true as a number": (rk.ValidationError, emitting(order=True)),
    "T7 a float as a whole number": (rk.ValidationError, emitting(order=1.0)),
    "T7 text as a number": (rk.ValidationError, emitting(order="5")),
    "T7 order beyond its range": (rk.ValidationError, emitting(order=2**40)),
    "T7 NaN": (rk.ValidationError, with_property(float("nan"))),
    "T7 infinity": (rk.ValidationError, with_property(float("-inf"))),
    "T7 decimal NaN": (rk.ValidationError, with_property(Decimal("sNaN"))),
    "T7 decimal infinity": (rk.ValidationError, with_property(Decimal("Infinity"))),
    "T7 whole number beyond 2**53": (rk.ValidationError, with_property(2**63)),
    "T7 whole decimal beyond 2**53": (rk.ValidationError, with_property(Decimal(2**63))),
    "T7 4,301 digits": (rk.ValidationError, with_property(10**4_301)),
    "T8 1e1000000": (rk.ValidationError, with_property(Decimal("1e1000000"))),
    "T8 1e-1000000": (rk.ValidationError, with_property(Decimal("1e-1000000"))),
    "T8 39 digits": (rk.ValidationError, with_property(Decimal("1." + "1" * 38))),
    "T8 in a condition": (rk.ConditionSyntaxError, running(lambda: rk.DefineOffer("p", "disc", "A[p > 1e1000000]"))),
    "T8 in a count": (rk.ConditionSyntaxError, running(lambda: rk.DefineOffer("p", "disc", "A*" + "9" * 5_000))),
    "T7 cap 0": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", cap=0))),
    "T7 cap -1": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", cap=-1))),
    "T7 cap 1.5": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", cap=1.5))),  # type: ignore[arg-type]
    "T7 cap true": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", cap=True))),
    "T7 cap 4,301 digits": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", cap=10**4_301))),
    "T7 claims '5'": (rk.ValidationError, lambda kit: kit.claim(limit=NO_NUMBER)),
    "T7 leases for ever": (rk.ValidationError, lambda kit: kit.claim(lease_seconds=10**9)),
    "T7 run_due '5'": (rk.ValidationError, lambda kit: kit.run_due(limit=NO_NUMBER)),
    "T7 run_due 0": (rk.ValidationError, lambda kit: kit.run_due(limit=0)),
    "T7 deliver -1": (rk.ValidationError, lambda kit: kit.deliver(limit=-1)),
    "T7 a page of a million": (rk.ValidationError, lambda kit: kit.ready(limit=10**6)),
    "T7 expires after nothing": (
        rk.ValidationError,
        running(lambda: rk.DefineOffer("p", "disc", "A", expires_after="0s")),
    ),
    "T7 expires after ages": (
        rk.ValidationError,
        running(lambda: rk.DefineOffer("p", "disc", "A", expires_after="999999999w")),
    ),
    "T9 100,000 objects deep": (rk.ValidationError, with_property(nested(100_000, dict))),
    "T9 100,000 lists deep": (rk.ValidationError, with_property(nested(100_000, list))),
    "T9 17 levels": (rk.ValidationError, with_property(nested(17, dict))),
    "T9 without end": (rk.ValidationError, emitting(properties=ENDLESS)),
    "T9 5 MB": (rk.ValidationError, with_property("x" * 5_000_000)),
    "T9 5 MB under a key": (rk.ValidationError, emitting(properties={"p": "x" * 5_000_000}, key="k")),
    "T9 deep under a key": (rk.ValidationError, emitting(properties=nested(100_000, dict), key="k")),
    "T9 endless under a key": (rk.ValidationError, emitting(properties=ENDLESS, key="k")),
    "T9 4,301 digits under a key": (rk.ValidationError, emitting(properties={"p": 10**4_301}, key="k")),
    "T9 bytes": (rk.ValidationError, with_property(b"x")),
    "T9 a set": (rk.ValidationError, with_property({1, 2})),
    "T9 a datetime": (rk.ValidationError, with_property(datetime(2026, 1, 1, tzinfo=UTC))),
    "T9 a key that is no text": (rk.ValidationError, emitting(properties={1: 2})),
    "T9 properties that are a list": (rk.ValidationError, emitting(properties=[])),
    "T9 properties that are text": (rk.ValidationError, emitting(properties='{"a": 1}')),
    "T9 a reward of 5 MB": (rk.ValidationError, running(lambda: rk.DefineReward("r", {"p": "x" * 5_000_000}))),
    "T9 10,001 events": (
        rk.ValidationError,
        lambda kit: kit.emit_many([Event("A", id=str(number), user="bea") for number in range(10_001)]),
    ),
    "T9 an event with an unknown field": (rk.ValidationError, lambda kit: kit.emit_many([{"name": "A", "who": "bea"}])),
    "T9 an event that is none": (rk.ValidationError, lambda kit: kit.emit_many([NO_EVENT])),
    "T10 300 kB user": (rk.ValidationError, emitting(user=LONG)),
    "T10 300 kB id": (rk.ValidationError, emitting(id=LONG)),
    "T10 300 kB name": (rk.ValidationError, emitting(name=LONG)),
    "T10 300 kB key": (rk.ValidationError, emitting(key=LONG)),
    "T10 256 characters": (rk.ValidationError, emitting(user="x" * 256)),
    "T10 too long in NFC": (rk.ValidationError, emitting(user="\u0958" * 200)),
    "T10 empty user": (rk.ValidationError, emitting(user="")),
    "T10 empty id": (rk.ValidationError, emitting(id="")),
    "T10 empty key": (rk.ValidationError, emitting(key="")),
    "T10 no text": (rk.ValidationError, emitting(user=5)),
    "T10 bytes": (rk.ValidationError, emitting(user=b"amanda")),
    "T10 NUL in a user": (rk.ValidationError, emitting(user="a\x00b")),
    "T10 NUL in a name": (rk.ValidationError, emitting(name="a\x00b")),
    "T10 NUL in a property": (rk.ValidationError, with_property("a\x00b")),
    "T10 NUL in a property's name": (rk.ValidationError, emitting(properties={"a\x00": 1})),
    "T10 lone surrogate": (rk.ValidationError, emitting(user="\ud800")),
    "T10 lone surrogate in a property": (rk.ValidationError, with_property(["\udfff"])),
    "T10 lone surrogate under a key": (rk.ValidationError, emitting(user="\ud800", key="k")),
    "T10 lone surrogate as a key": (rk.ValidationError, emitting(key="\ud800")),
    "T10 a line break": (rk.ValidationError, emitting(user="a\nb")),
    "T10 offer code beyond ASCII": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", code="stra\xdfe"))),
    "T10 offer code of 65": (rk.ValidationError, running(lambda: rk.DefineCampaign("d", "o", code="x" * 65))),
    "T11 100,000 parentheses": (
        rk.ConditionSyntaxError,
        running(lambda: rk.DefineOffer("p", "disc", "(" * 100_000 + "A" + ")" * 100_000)),
    ),
    "T11 500 negations": (rk.ConditionSyntaxError, running(lambda: rk.DefineOffer("p", "disc", "!" * 500 + "A"))),
    "T11 2,000 terms": (
        rk.ConditionSyntaxError,
        running(lambda: rk.DefineCampaign("d", "o", entry=" & ".join(["A"] * 2_000))),
    ),
    "T11 a name of 1 MB": (rk.ConditionSyntaxError, running(lambda: rk.DefineCondition("n", "x" * 1_000_000))),
    "T11 not text": (rk.ConditionSyntaxError, running(lambda: rk.DefineCondition("n", 5))),  # type: ignore[arg-type]
    "T11 no property": (rk.ConditionSyntaxError, running(lambda: rk.DefineOffer("p", "disc", "sum(A) > 5"))),
    "T11 a doubtful condition": (rk.Refused, running(lambda: rk.DefineOffer("p", "disc", "!A"))),
    "T14 a status that is none": (rk.ValidationError, lambda kit: kit.ask(rk.Grants(status=INJECTION))),
    "T14 a page that is none": (rk.ValidationError, lambda kit: kit.ask(rk.UserOffers(after=INJECTION))),
    "not a command": (rk.ValidationError, lambda kit: kit.run(NO_COMMAND)),
    "not a query": (rk.ValidationError, lambda kit: kit.ask(NO_QUERY)),
}


def a_million_turns() -> float:
    """What the processor takes for a loop that does nothing: a measure that a loaded machine does not change."""
    began = time.thread_time()
    for _ in range(1_000_000):
        pass
    return time.thread_time() - began


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_has_a_clear_error_and_changes_nothing(world: World, case: str) -> None:
    expected, call = REFUSED[case]
    before = world.kept()
    began = time.thread_time()
    with pytest.raises(expected) as raised:
        call(world.kit)
    assert time.thread_time() - began < 50 * a_million_turns()
    message = str(raised.value)
    assert 0 < len(message) < 2_000
    assert message.encode().isascii() or expected is rk.ConditionSyntaxError
    assert world.kept() == before
    assert len(world.kit.emit("A", user="amanda", id="after").earned) == 1


KEPT_TEXTS = {
    "SQL": INJECTION,
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202eabc",
    "zero width": "a\u200bb",
    "joined": "\U0001f469\u200d\U0001f680",
    "beyond the plane": "\U0001d11e",
    "254 and one": "x" * 255,
    "blanks": "  two  ",
    "per cent": "100%_",
}


@pytest.mark.parametrize("case", KEPT_TEXTS)
def test_odd_text_is_kept_as_it_is_in_every_field(world: World, case: str) -> None:
    text = KEPT_TEXTS[case]
    kit = world.kit
    kit.run(rk.DefineReward(text, {text: text}), key=text)
    kit.run(rk.DefineCondition(text, "A"))
    kit.run(rk.DefineOffer(text, text, f'"{text.replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"'))
    kit.run(rk.DefineCampaign(text, text))
    kit.run(rk.LaunchCampaign(text))
    made = kit.run(rk.MakeOffer(text, text), key=text)
    recorded = kit.emit(text, user=text, id=text, properties={text: [text]}, key=text)
    (earned,) = recorded.earned
    assert (earned.user, earned.campaign, earned.reward, earned.event_id) == (text, text, text, text)
    (grant,) = kit.ask(rk.Grants(text)).items
    assert (grant.user, grant.reward.properties, grant.user_offer) == (text, {text: text}, made.id)
    assert [one.id for one in kit.ask(rk.UserOffers(text, text)).items] == [made.id]
    assert kit.ask(rk.UserOffers(text[:-1] or "x")).items == ()
    assert kit.tenant(text).ready() == ()
    assert kit.emit(text, user=text, id=text, properties={text: [text]}).duplicate == (text,)


def test_texts_that_are_one_in_nfc_are_one(world: World) -> None:
    first = world.kit.emit("A", user="Stra\u00dfe \u212a \u00e9", id="\u212a")
    assert first.event_ids == ("K",)
    again = world.kit.emit("A", user="Stra\u00dfe K e\u0301", id="K")
    assert again.duplicate == ("K",)
    assert world.kit.emit("A", user="stra\u00dfe k \u00e9", id="K").duplicate == ()


@pytest.mark.parametrize(
    "at",
    [
        "2026-01-01T05:30:00+05:30",
        "2025-12-31T16:00:00-08:00",
        datetime(2026, 1, 1, 1, tzinfo=UTC) - timedelta(hours=1),
        1_767_225_600_000_000,
    ],
)
def test_offsets_are_normalised(world: World, at: Any) -> None:
    (earned,) = world.kit.emit("A", user="amanda", id="2", at="2026-01-01T00:00:00Z", order=1).earned
    assert earned.earned_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert world.kit.emit("A", user="amanda", id="2", at=at, order=1).duplicate == ("2",)


def test_an_event_five_minutes_ahead_is_kept(world: World) -> None:
    assert len(world.kit.emit("A", user="amanda", at="2026-01-01T00:05:00Z").earned) == 1


def test_an_offer_code_is_read_in_any_case_and_answers_alike_where_it_is_not_valid(world: World) -> None:
    assert world.kit.run(rk.EnterOfferCode("sPrInG", "bea")).campaign == "c"
    world.kit.run(rk.DefineCampaign("later", "o", code="LATER", start="2027-01-01"))
    world.kit.run(rk.LaunchCampaign("later"))
    world.kit.run(rk.DefineCampaign("draft", "o", code="DRAFT"))
    sentences = set()
    for code in ("later", "draft", "nothing", "spr\u0131ng", INJECTION[:60]):
        refused = world.kit.attempt(rk.EnterOfferCode(code, "bea"))
        assert isinstance(refused, rk.Refused)
        assert refused.code == "code_not_valid"
        sentences.add(refused.sentence.replace(str(refused.facts["code"]), "…").split("`")[-1])
    assert sentences == {" is not valid now"}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e1000000}',
        '{"a": ' + "9" * 4_301 + "}",
        '{"a": 0.' + "1" * 60 + "}",
        "[" * 100_000,
        "[" * 20_000 + "]" * 20_000,
        '{"a": "' + "x" * 70_000 + '"}',
        b"\xff",
        "",
        "{'a': 1}",
    ],
)
def test_json_from_outside_is_read_with_guards(text: str | bytes) -> None:
    with pytest.raises(rk.ValidationError):
        payload.read(text)
