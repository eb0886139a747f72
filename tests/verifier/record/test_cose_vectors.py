"""The COSE working group's ES256 examples (github.com/cose-wg/Examples), read from ECERT_VECTORS when it is set."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keys.public.purposes import KeyPurpose
from tests.factories.claims import sample_claims
from tests.factories.signing import Bench, make_signer
from verifier.record.cose import ALG, ES256, KID, CoseError, Sign1, decode_sign1, encode_sign1

_FOLDER = Path(os.environ["ECERT_VECTORS"]) / "cose" if "ECERT_VECTORS" in os.environ else None


def _examples() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for path in sorted(_FOLDER.glob("*/*.json")) if _FOLDER else []:
        example = json.loads(path.read_bytes())
        part = example["input"].get("sign0")
        if part and part["alg"] == "ES256" and part["key"].get("crv") == "P-256":
            found.append((f"{path.parent.name}/{path.name}", example))
    return found


def test_pass_examples_verify_and_fail_examples_do_not() -> None:
    for name, example in _examples():
        part = example["input"]["sign0"]
        data = bytes.fromhex(example["output"]["cbor"])
        aad = bytes.fromhex(part.get("external", ""))
        if example["input"].get("failures", {}).get("RemoveCBORTag"):
            # Tag 18 is required here: the example stands for a form we do not take; with its tag it verifies.
            with pytest.raises(CoseError):
                decode_sign1(data)
            data = b"\xd2" + data
        assert _verifies(data, _key(part["key"]), aad) is not bool(example.get("fail")), name


def test_none_of_them_fits_our_profile() -> None:
    """Their messages carry the key id unprotected, or none at all."""
    for name, example in _examples():
        with pytest.raises(CoseError):
            decode_sign1(bytes.fromhex(example["output"]["cbor"])).require_profile(ALG, KID)
            pytest.fail(name)


def test_the_folder_when_named_holds_examples() -> None:
    assert _FOLDER is None or len(_examples()) >= 10


def _verifies(data: bytes, key: ec.EllipticCurvePublicKey, aad: bytes) -> bool:
    try:
        return decode_sign1(data).verified_by(key, aad)
    except CoseError:
        return False


def _key(jwk: dict[str, str]) -> ec.EllipticCurvePublicKey:
    numbers = (_number(jwk, name) for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()


def _number(jwk: dict[str, str], name: str) -> int:
    if f"{name}_hex" in jwk:
        return int(jwk[f"{name}_hex"], 16)
    return int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big")


# Own examples, so that the same things are tried when no folder is named.

_SIGNER = make_signer(KeyPurpose.QR_CREDENTIAL)
_HEADER = {ALG: ES256, KID: bytes.fromhex(_SIGNER.kid)}
_MESSAGE = encode_sign1(_HEADER, b"This is the content.", _SIGNER.sign_raw)


def test_own_message_verifies_only_with_its_own_key_and_no_external_data() -> None:
    message = decode_sign1(_MESSAGE)
    assert message.require_profile(ALG, KID) == _SIGNER.kid
    assert message.verified_by(_SIGNER.public_key)
    assert not message.verified_by(_SIGNER.public_key, b"external")
    assert not message.verified_by(make_signer(KeyPurpose.QR_CREDENTIAL).public_key)
    assert not message.verified_by(ec.generate_private_key(ec.SECP384R1()).public_key())


def test_a_signature_of_another_algorithm_label_or_length_never_verifies() -> None:
    message = decode_sign1(_MESSAGE)
    for protected in ({ALG: -35, KID: b""}, {ALG: "ES256"}, {}):
        changed = Sign1(message.protected_bytes, protected, {}, message.payload, message.signature)
        assert not changed.verified_by(_SIGNER.public_key)
    for signature in (b"", message.signature[:63], message.signature + b"\0", bytes(64), b"\xff" * 64):
        changed = Sign1(message.protected_bytes, message.protected, {}, message.payload, signature)
        assert not changed.verified_by(_SIGNER.public_key)


@pytest.mark.parametrize("tag", ["", "d1", "d8 62", "d9 03e6", "d2d2"])
def test_tag_18_is_required(tag: str) -> None:
    with pytest.raises(CoseError):
        decode_sign1(bytes.fromhex(tag) + _MESSAGE[1:])


@pytest.mark.parametrize("parts", ["80", "8340a040", "8540a0404040", "84a0a04040", "8440404040", "8440a0f640", "a0"])
def test_a_message_has_exactly_its_four_parts(parts: str) -> None:
    with pytest.raises(CoseError):
        decode_sign1(b"\xd2" + bytes.fromhex(parts))


def test_two_signatures_of_the_same_claims_are_two_credentials() -> None:
    """ECDSA is randomised: the register's digest of the credential names one of them, not both."""
    from issuer.sealing.credential import sign_credential

    bench = Bench()
    assert sign_credential(bench, sample_claims()) != sign_credential(bench, sample_claims())
