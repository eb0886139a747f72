"""Independent judges of the built-in time-stamp authority: openssl and rfc3161-client."""

import hashlib
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import Encoding
from rfc3161_client import TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client.errors import VerificationError

from keys.private.keyring import Keyring
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.keyset import KeySet
from keys.public.purposes import ISSUER_PURPOSES, KeyPurpose

MESSAGE = "示例证书".encode()


@pytest.fixture
def authority(held: Path, key_set: KeySet, passphrase: str, now: datetime) -> TimestampAuthority:
    return TimestampAuthority(Keyring(held, passphrase).signer(key_set.current(KeyPurpose.TIMESTAMP)), lambda: now)


@pytest.mark.parametrize("certificate", [True, False], ids=["with certificate", "without"])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_accepts_the_answer(
    authority: TimestampAuthority, key_set: KeySet, tmp_path: Path, now: datetime, digest: str, certificate: bool
) -> None:
    data, query, reply = tmp_path / "data", tmp_path / "query", tmp_path / "reply"
    root, leaf = tmp_path / "root.pem", tmp_path / "tsa.pem"
    data.write_bytes(MESSAGE)
    root.write_bytes(key_set.anchors[0].public_bytes(Encoding.PEM))
    leaf.write_bytes(authority.certificates[0].public_bytes(Encoding.PEM))
    asked = ["openssl", "ts", "-query", "-data", data, f"-{digest}", "-out", query]
    subprocess.run([*asked, *(["-cert"] if certificate else [])], check=True, capture_output=True)
    reply.write_bytes(authority.answer(query.read_bytes()))
    check = ["openssl", "ts", "-verify", "-in", reply, "-CAfile", root, "-untrusted", leaf]
    moment = ["-attime", str(int(now.timestamp()))]
    for against in (["-queryfile", query], ["-data", data]):
        result = subprocess.run([*check, *against, *moment], capture_output=True, text=True, check=False)
        assert "Verification: OK" in result.stdout, result.stderr
    data.write_bytes(MESSAGE + b".")
    result = subprocess.run([*check, "-data", data, *moment], capture_output=True, text=True, check=False)
    assert result.returncode != 0


def test_another_client_accepts_the_answer(authority: TimestampAuthority, key_set: KeySet) -> None:
    request = TimestampRequestBuilder().data(MESSAGE).build()
    response = decode_timestamp_response(authority.answer(request.as_bytes()))
    assert response.tst_info.nonce == request.nonce is not None
    assert response.tst_info.policy.dotted_string == "2.999.3161"
    verifier = VerifierBuilder.from_request(request).add_root_certificate(key_set.anchors[0]).build()
    assert verifier.verify_message(response, MESSAGE)
    with pytest.raises(VerificationError):
        verifier.verify_message(response, MESSAGE + b".")


def test_serial_numbers_do_not_repeat_and_time_is_the_clocks(authority: TimestampAuthority, now: datetime) -> None:
    infos = [_info(authority.token(hashlib.sha256(b"x").digest())) for _ in range(200)]
    assert len({info["serial_number"].native for info in infos}) == 200
    assert {info["gen_time"].native for info in infos} == {now}
    assert max(len(authority.token(bytes(32))) for _ in range(50)) <= authority.reserve


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"message_imprint": {"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": bytes(20)}}, b"\x07\x80"),
        ({"message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(20)}}, b"\x07\x80"),
        ({"req_policy": "1.2.3"}, b"\x00\x00\x01"),
        ({"nonce": -5}, b"\x02\x04"),
    ],
    ids=["weak digest", "wrong length", "other policy", "negative nonce"],
)
def test_refuses_what_it_may_not_stamp(
    authority: TimestampAuthority, change: dict[str, object], reason: bytes
) -> None:
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}
    request = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, **change}).dump()
    answer = authority.answer(request)
    assert answer == b"\x30" + bytes([len(answer) - 2]) + answer[2:]
    assert answer.endswith(b"\x02\x01\x02\x03" + bytes([len(reason)]) + reason)


@pytest.mark.parametrize("request_bytes", [b"", b"hello", b"\x30\x80", b"\x30\x00", bytes(1000)])
def test_nonsense_is_refused_as_badly_formed(authority: TimestampAuthority, request_bytes: bytes) -> None:
    assert authority.answer(request_bytes).endswith(b"\x03\x02\x02\x04")


def test_no_other_key_makes_timestamps(held: Path, key_set: KeySet, passphrase: str, now: datetime) -> None:
    for purpose in set(ISSUER_PURPOSES) - {KeyPurpose.TIMESTAMP}:
        signer = Keyring(held, passphrase).signer(key_set.current(purpose))
        with pytest.raises(ValueError, match="does not make timestamps"):
            TimestampAuthority(signer, lambda: now + timedelta(0))


def _info(token: bytes) -> tsp.TSTInfo:
    parsed: tsp.TSTInfo = tsp.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
    return parsed
