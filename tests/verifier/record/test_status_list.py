"""Token Status List: packing, both token forms, and everything that must not be believed."""

import json
import os
import re
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.sealing.status_list import sign_status_list
from keys.public.purposes import KeyPurpose
from tests.factories.signing import NOW, Bench
from verifier.record import cbor, jws
from verifier.record.cose import decode_sign1
from verifier.record.status_list import (
    LIST_ENTRIES,
    StatusList,
    StatusListExpiredError,
    StatusListMalformedError,
    StatusListUntrustedError,
    claims_json,
    list_uri,
    verify_status_list,
)

BASE = "https://verify.example"
URI = list_uri(BASE, "1")
BENCH = Bench()
SIGNER = BENCH.signer(KeyPurpose.STATUS_LIST)
_SET = {0: 1, 1: 2, 3: 3, 77_777: 2, LIST_ENTRIES - 1: 1}


def _list() -> StatusList:
    statuses = StatusList.empty()
    for index, value in _SET.items():
        statuses.set(index, value)
    return statuses


JWT, CWT = sign_status_list(BENCH, URI, _list(), issued_at=NOW, expires_at=NOW + timedelta(hours=24), ttl=300)


def _jwt(header: dict[str, Any] | None = None, **claims: Any) -> bytes:
    """A list token signed by our key with a changed header or claims (None removes one)."""
    head = {"alg": "ES256", "kid": SIGNER.kid, "typ": "statuslist+jwt", **(header or {})}
    body = {**claims_json(URI, _list(), NOW, NOW + timedelta(hours=24), 300), **claims}
    signed = jws.signing_input(head, {name: value for name, value in body.items() if value is not None})
    return signed + b"." + jws.b64url(SIGNER.sign_raw(signed)).encode()


@pytest.mark.parametrize("token", [JWT, CWT], ids=["jwt", "cwt"])
def test_both_forms_verify_and_hold_the_same_statuses(token: bytes) -> None:
    verified = verify_status_list(token, BENCH.key_set, list_id="1", now=NOW, base_url=BASE)
    assert len(verified.statuses) == LIST_ENTRIES
    assert {index: verified.statuses.get(index) for index in _SET} == _SET
    assert sum(verified.statuses.get(index) != 0 for index in range(LIST_ENTRIES)) == len(_SET)
    assert (verified.uri, verified.ttl, verified.kid) == (URI, 300, SIGNER.kid)
    assert verified.expires_at - verified.issued_at == timedelta(hours=24)


@pytest.mark.parametrize("token", [JWT, CWT], ids=["jwt", "cwt"])
def test_time_address_key_and_purpose_are_held(token: bytes) -> None:
    cases: list[tuple[type[Exception], dict[str, Any]]] = [
        (StatusListExpiredError, {"now": NOW + timedelta(hours=24)}),
        (StatusListExpiredError, {"now": NOW - timedelta(minutes=2)}),
        (StatusListUntrustedError, {"list_id": "2"}),
        (StatusListUntrustedError, {"list_id": "/1"}),
        (StatusListUntrustedError, {"base_url": "https://verify.example.net"}),
        (StatusListUntrustedError, {"key_set": Bench().key_set}),
        (
            StatusListUntrustedError,
            {"key_set": Bench(retired={KeyPurpose.STATUS_LIST: NOW - timedelta(days=1)}).key_set},
        ),
    ]
    for error, change in cases:
        given_values = {"key_set": BENCH.key_set, "list_id": "1", "now": NOW, "base_url": BASE, **change}
        with pytest.raises(error):
            verify_status_list(token, given_values.pop("key_set"), **given_values)


@pytest.mark.parametrize("token", [JWT, CWT], ids=["jwt", "cwt"])
def test_no_flipped_bit_is_believed(token: bytes) -> None:
    for bit in range(len(token) * 8):
        forged = bytearray(token)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises((StatusListMalformedError, StatusListUntrustedError)):
            verify_status_list(bytes(forged), BENCH.key_set, list_id="1", now=NOW)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        ({"typ": "JWT"}, {}),
        ({"alg": "none"}, {}),
        ({"alg": "HS256"}, {}),
        ({"kid": 7}, {}),
        ({"crit": ["exp"]}, {}),
        ({}, {"exp": None}),
        ({}, {"ttl": None}),
        ({}, {"ttl": 0}),
        ({}, {"iat": "1"}),
        ({}, {"iat": True}),
        ({}, {"exp": 10**15}),
        ({}, {"sub": None}),
        ({}, {"status_list": None}),
        ({}, {"status_list": {"bits": 3, "lst": "eNoDAAAAAAE"}}),
        ({}, {"status_list": {"bits": True, "lst": "eNoDAAAAAAE"}}),
        ({}, {"status_list": {"bits": 2, "lst": "eNoDAAAAAAE="}}),
        ({}, {"status_list": {"bits": 2, "lst": "AAAA"}}),
        ({}, {"status_list": {"bits": 2}}),
    ],
)
def test_signed_and_yet_not_a_list(header: dict[str, Any], claims: dict[str, Any]) -> None:
    with pytest.raises(StatusListMalformedError):
        verify_status_list(_jwt(header, **claims), BENCH.key_set, list_id="1", now=NOW)


def test_a_list_signed_by_a_key_of_another_purpose_is_refused() -> None:
    other = BENCH.signer(KeyPurpose.QR_CREDENTIAL)
    signed = jws.signing_input(
        {"alg": "ES256", "kid": other.kid, "typ": "statuslist+jwt"},
        claims_json(URI, _list(), NOW, NOW + timedelta(hours=24), 300),
    )
    token = signed + b"." + jws.b64url(other.sign_raw(signed)).encode()
    with pytest.raises(StatusListUntrustedError):
        verify_status_list(token, BENCH.key_set, list_id="1", now=NOW)


def test_a_bomb_is_refused_without_unfolding_it() -> None:
    bomb = zlib.compress(bytes(1 << 26), 9)
    with pytest.raises(StatusListMalformedError):
        StatusList.from_compressed(bomb)


@given(st.binary(max_size=200))
def test_random_bytes_are_malformed(data: bytes) -> None:
    for token in (data, b"\xd2" + data, b"eyJ" + data):
        with pytest.raises(StatusListMalformedError):
            verify_status_list(token, BENCH.key_set, list_id="1", now=NOW)


@given(st.sampled_from([1, 2, 4, 8]), st.lists(st.tuples(st.integers(0, 999), st.integers(0, 255)), max_size=30))
def test_set_then_get_with_neighbours_untouched(bits: int, writes: list[tuple[int, int]]) -> None:
    statuses, expected = StatusList.empty(1000, bits), [0] * 1000
    for index, value in writes:
        expected[index] = value % (1 << bits)
        statuses.set(index, expected[index])
    again = StatusList.from_compressed(statuses.compressed(), bits)
    assert [again.get(index) for index in range(1000)] == expected


def test_outside_the_list_no_statement_is_made() -> None:
    statuses = _list()
    for index in (-1, LIST_ENTRIES):
        with pytest.raises(IndexError):
            statuses.get(index)
    with pytest.raises(ValueError):
        statuses.set(0, 4)


def test_packing_is_little_end_first() -> None:
    """The twelve 2-bit statuses of the draft's worked example, by value."""
    statuses = StatusList.empty(12)
    for index, value in enumerate([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]):
        statuses.set(index, value)
    assert statuses.packed.hex() == "c944f9"


def test_the_cwt_is_a_tagged_sign1_with_the_registered_labels() -> None:
    message = decode_sign1(CWT)
    assert message.protected == {1: -7, 4: bytes.fromhex(SIGNER.kid), 16: "application/statuslist+cwt"}
    assert set(cbor.decode(message.payload)) == {2, 4, 6, 65533, 65534}


# The draft's own examples, when a folder is named: `status[i] = 0b…` in its text, encodings in its include files.

_FOLDER = Path(os.environ["ECERT_VECTORS"]) / "status-list" if "ECERT_VECTORS" in os.environ else None


def test_the_drafts_encodings_unpack_to_its_statuses() -> None:
    paths = sorted((_FOLDER / "examples").glob("status_list_encoding*.md")) if _FOLDER else []
    tried = [_try_encoding(path) for path in paths if path.stem.endswith(("_json", "_cbor"))]
    assert _FOLDER is None or len(tried) >= 8


def _try_encoding(path: Path) -> None:
    text = path.read_text()
    encoded = "".join(text.split("encoded:")[-1].split())
    if path.stem.endswith("_json"):
        listed = json.loads(encoded)
        compressed = jws.unb64url(listed["lst"])
    else:
        listed = cbor2.loads(bytes.fromhex(encoded))
        compressed = listed["lst"]
    statuses = StatusList.from_compressed(compressed, listed["bits"])
    told = re.search(r"byte_array = \[(.*?)\]", text)
    if told:
        assert list(statuses.packed) == [int(byte, 16) for byte in told[1].split(",")], path.name
        return
    made = StatusList.empty(1 << 20, listed["bits"])
    for index, value in _statuses_in_draft(listed["bits"]).items():
        made.set(index, value)
    assert made.packed == statuses.packed, path.name
    assert made.compressed() == compressed, path.name


def test_the_drafts_tokens_read_as_lists_of_a_key_that_is_not_ours() -> None:
    for name in ("status_list_jwt_raw.md", "status_list_cwt.md") if _FOLDER else ():
        text = "".join((_FOLDER / "examples" / name).read_text().split())
        token = text.encode() if name.endswith("raw.md") else bytes.fromhex(text)
        with pytest.raises((StatusListUntrustedError, StatusListMalformedError)):
            verify_status_list(token, BENCH.key_set, list_id="1", now=NOW)


def _statuses_in_draft(bits: int) -> dict[int, int]:
    text = (_FOLDER / "draft-ietf-oauth-status-list.md").read_text()
    section = text.split("# Test vectors for Status List encoding")[1].split(f"## {bits}-bit Status List")[1]
    block = section.split("JSON encoding")[0]
    return {int(i): int(value, 2) for i, value in re.findall(r"status\[(\d+)\]\s*=\s*0b([01]+)", block)}
