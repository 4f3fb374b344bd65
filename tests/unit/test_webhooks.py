"""Signing webhooks, and telling signed ones from all others."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import standardwebhooks

from rewardkit.errors import NotVerified, ValidationError
from rewardkit.secret import Secret
from rewardkit.webhooks import Verified, generate_secret, sign, verify

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
OTHER = "whsec_" + base64.b64encode(bytes(24)).decode()
BODY = '{"kind":"grant.ready","note":"für Zoë 🎁"}'.encode()
NOW = 1_767_225_600


def signed(**changes: Any) -> dict[str, str]:
    arguments: dict[str, Any] = {"id": "no_1", "timestamp": NOW, "secrets": SECRET, **changes}
    return sign(BODY, **arguments)


def test_what_was_signed_is_verified() -> None:
    assert verify(BODY, signed(), SECRET, now=NOW) == Verified("no_1", datetime.fromtimestamp(NOW, UTC), BODY)


def test_the_example_of_the_standard_has_the_standards_signature() -> None:
    headers = sign(
        b'{"test": 2432232314}',
        id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        secrets="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_names_of_headers_are_read_in_any_case_beside_others() -> None:
    headers = {name.upper(): value for name, value in signed().items()} | {"Content-Type": "application/json"}
    assert verify(BODY, headers, SECRET, now=NOW).id == "no_1"


def test_while_secrets_rotate_either_side_may_be_first() -> None:
    assert verify(BODY, signed(secrets=[SECRET, OTHER]), OTHER, now=NOW).id == "no_1"
    assert verify(BODY, signed(secrets=[SECRET, OTHER]), Secret(SECRET), now=NOW).id == "no_1"
    assert verify(BODY, signed(secrets=Secret(OTHER)), [SECRET, OTHER], now=NOW).id == "no_1"


@pytest.mark.parametrize("seconds, verified", [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_five_minutes_either_way_are_tolerated(seconds: int, verified: bool) -> None:  # noqa: FBT001
    if verified:
        assert verify(BODY, signed(), SECRET, now=NOW + seconds).body == BODY
    else:
        with pytest.raises(NotVerified, match="300 seconds"):
            verify(BODY, signed(), SECRET, now=NOW + seconds)


def test_without_a_clock_it_is_this_machines() -> None:
    assert verify(BODY, signed(timestamp=int(time.time())), SECRET).id == "no_1"
    with pytest.raises(NotVerified):
        verify(BODY, signed(), SECRET)


SIGNATURE = signed()["webhook-signature"]


@pytest.mark.parametrize(
    "name, value",
    [
        ("webhook-id", "no_2"),
        ("webhook-id", ""),
        ("webhook-id", "no.1"),
        ("webhook-id", "no 1"),
        ("webhook-id", "no_1\n"),
        ("webhook-id", "nö_1"),
        ("webhook-id", "\ud800"),
        ("webhook-id", "n" * 256),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", str(NOW + 1)),
        ("webhook-timestamp", f" {NOW}"),
        ("webhook-timestamp", f"+{NOW}"),
        ("webhook-timestamp", f"{NOW}.0"),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", "nan"),
        ("webhook-timestamp", "inf"),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "9" * 5_000),
        ("webhook-timestamp", "１７６７２２５６００"),
        ("webhook-timestamp", "1_767_225_600"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1"),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,a,b"),
        ("webhook-signature", ","),
        ("webhook-signature", "   "),
        ("webhook-signature", "v1,ä"),
        ("webhook-signature", "\ud800"),
        ("webhook-signature", "v1,!!!!"),
        ("webhook-signature", SIGNATURE.replace("v1,", "v2,")),
        ("webhook-signature", SIGNATURE.replace("v1,", "v1a,")),
        ("webhook-signature", SIGNATURE.removeprefix("v1,")),
        ("webhook-signature", SIGNATURE.rstrip("=")),
        ("webhook-signature", SIGNATURE.lower()),
        ("webhook-signature", f"{SIGNATURE},"),
        ("webhook-signature", f"{SIGNATURE}\x00"),
        ("webhook-signature", " ".join(["v1,AAAA"] * 8 + [SIGNATURE])),
        ("webhook-signature", " ".join(["v1,AAAA"] * 100_000)),
    ],
)
def test_a_header_that_was_changed_is_not_verified(name: str, value: str) -> None:
    with pytest.raises(NotVerified):
        verify(BODY, signed() | {name: value}, SECRET, now=NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_doubled_or_untyped_header_is_not_verified(name: str) -> None:
    headers = signed()
    with pytest.raises(NotVerified, match=f"`{name}` is missing"):
        verify(BODY, {key: value for key, value in headers.items() if key != name}, SECRET, now=NOW)
    for extra in ({name.upper(): headers[name]}, {name: None}, {name: headers[name].encode()}):
        with pytest.raises(NotVerified, match=f"`{name}` is malformed"):
            verify(BODY, headers | extra, SECRET, now=NOW)


@pytest.mark.parametrize("filler", ["v1", "v1,a,b", "v1a,AAAA", "v1,", "v1,ab"])
def test_a_signature_counts_beside_others_that_are_not_ours(filler: str) -> None:
    assert verify(BODY, signed() | {"webhook-signature": f"{filler} {SIGNATURE}"}, SECRET, now=NOW).id == "no_1"
    eight = " ".join([filler] * 7 + [SIGNATURE])
    assert verify(BODY, signed() | {"webhook-signature": eight}, SECRET, now=NOW).id == "no_1"


@pytest.mark.parametrize(
    "body", [b"", BODY + b" ", BODY[:-1], json.dumps(json.loads(BODY)).encode(), b"\xff" + BODY, b"{}"]
)
def test_another_body_is_not_verified(body: bytes) -> None:
    with pytest.raises(NotVerified, match="no signature is by a secret of this receiver"):
        verify(body, signed(), SECRET, now=NOW)


def test_another_secret_vouches_for_nothing() -> None:
    with pytest.raises(NotVerified):
        verify(BODY, signed(), OTHER, now=NOW)


@pytest.mark.parametrize("length, fits", [(0, False), (1, False), (23, False), (24, True), (64, True), (65, False)])
def test_a_secret_has_24_to_64_bytes(length: int, fits: bool) -> None:  # noqa: FBT001
    secret = "whsec_" + base64.b64encode(b"k" * length).decode()
    if fits:
        assert verify(BODY, signed(secrets=secret), secret, now=NOW).id == "no_1"
    else:
        with pytest.raises(ValidationError, match="24 to 64 bytes"):
            signed(secrets=secret)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "hunter2",
        "whsec_ä" * 9,
        "whsec_" + "!" * 40,
        SECRET.removeprefix("whsec_"),
        b"k" * 32,
        None,
        [],
        [""],
    ],
)
def test_what_is_no_secret_is_the_callers_mistake_and_is_not_shown(secret: Any) -> None:
    for call in (lambda: signed(secrets=secret), lambda: verify(BODY, signed(), secret, now=NOW)):
        with pytest.raises(ValidationError) as refused:
            call()
        assert secret in ("", "whsec_", None) or str(secret) not in str(refused.value)


def test_a_secret_may_lack_its_padding() -> None:
    secret = "whsec_" + base64.b64encode(KEY).decode().rstrip("=")
    assert verify(BODY, signed(), secret, now=NOW).id == "no_1"


def test_a_text_is_no_body() -> None:
    with pytest.raises(ValidationError, match="bytes that came in"):
        verify(BODY.decode(), signed(), SECRET, now=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes", [{"id": "a.b"}, {"id": ""}, {"timestamp": -1}, {"timestamp": 1.5}, {"timestamp": True}]
)
def test_what_could_not_be_verified_is_not_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        signed(**changes)


def test_generated_secrets_sign_and_differ() -> None:
    one, other = generate_secret(), generate_secret()
    assert one != other
    assert len(base64.b64decode(one.reveal().removeprefix("whsec_"))) == 32
    assert verify(BODY, signed(secrets=one), one, now=NOW).id == "no_1"


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/St_Johns"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_the_standards_package_verifies_and_signs_the_same_in_any_zone(zone: str) -> None:
    assert os.environ["TZ"] == zone
    now = int(time.time())
    oracle = standardwebhooks.Webhook(SECRET)
    assert oracle.verify(BODY, signed(timestamp=now, secrets=[OTHER, SECRET])) == json.loads(BODY)
    at = datetime.fromtimestamp(now, UTC)
    theirs = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": oracle.sign("msg_1", at, BODY.decode()),
    }
    assert verify(BODY, theirs, SECRET) == Verified("msg_1", at, BODY)
    # The package signs another time where its datetime is in another zone; ours takes seconds, which have none.
    tokyo = at.astimezone(timezone(timedelta(hours=9)))
    assert int(tokyo.timestamp()) == now
