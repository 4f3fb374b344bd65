"""No change to a signed webhook goes unnoticed, and none has another error."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardkit.errors import NotVerified
from rewardkit.webhooks import ID, SIGNATURE, TIMESTAMP, sign, verify

keys = st.binary(min_size=24, max_size=64)
ids = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="."), min_size=1, max_size=40)
timestamps = st.integers(0, 10**10)
headers = st.sampled_from([ID, TIMESTAMP, SIGNATURE])


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


@settings(deadline=None)
@given(keys, keys, ids, timestamps, st.binary(max_size=200))
def test_what_either_secret_signed_is_verified_by_either(
    key: bytes, other: bytes, id: str, timestamp: int, body: bytes
) -> None:
    made = sign(body, id=id, timestamp=timestamp, secrets=[secret(key), secret(other)])
    for one in (key, other):
        assert verify(body, made, secret(one), now=timestamp)[::2] == (id, body)


@settings(deadline=None)
@given(keys, ids, timestamps, st.text(max_size=200))
def test_the_standards_package_comes_to_the_same_signature(key: bytes, id: str, timestamp: int, body: str) -> None:
    encoded = body.encode(errors="replace")
    theirs = standardwebhooks.Webhook(secret(key)).sign(id, datetime.fromtimestamp(timestamp, UTC), encoded.decode())
    assert sign(encoded, id=id, timestamp=timestamp, secrets=secret(key))[SIGNATURE] == theirs


@settings(deadline=None)
@given(keys, ids, timestamps, st.binary(max_size=100), st.data())
def test_a_change_anywhere_is_noticed(key: bytes, id: str, timestamp: int, body: bytes, data: st.DataObject) -> None:
    made = sign(body, id=id, timestamp=timestamp, secrets=secret(key))
    name = data.draw(st.sampled_from([ID, TIMESTAMP, SIGNATURE, "body", "key"]))
    if name == "body":
        body = data.draw(st.binary(max_size=100).filter(lambda other: other != body))
    elif name == "key":
        key = data.draw(keys.filter(lambda other: other.rstrip(b"\x00") != key.rstrip(b"\x00")))
    else:
        value = made[name]
        at = data.draw(st.integers(0, len(value) - 1))
        letter = data.draw(st.characters(max_codepoint=255).filter(lambda one: one != value[at]))
        made[name] = value[:at] + letter + value[at + 1 :]
    with pytest.raises(NotVerified):
        verify(body, made, secret(key), now=timestamp)


@settings(deadline=None)
@given(
    st.dictionaries(headers | st.text(max_size=20), st.text(max_size=60) | st.none() | st.binary() | st.integers()),
    st.binary(max_size=50),
)
def test_headers_that_anybody_wrote_have_one_error(made: dict[str, str], body: bytes) -> None:
    with pytest.raises(NotVerified):
        verify(body, made, secret(bytes(24)), now=1_000)
