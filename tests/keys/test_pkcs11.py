"""Keys in a token, on SoftHSM2: made inside, never read out, one caller at a time."""

import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pkcs11 import Attribute, Mechanism, ObjectClass

from keys.private.ceremony import hold_ceremony, rotate
from keys.private.errors import KeyStoreError
from keys.private.pkcs11 import Token, TokenSigner, open_token
from keys.public.ecdsa import is_lower_half
from keys.public.keyset import KeySet, load_key_set
from keys.public.profile import trust_faults
from keys.public.purposes import ISSUER_PURPOSES, KeyPurpose
from tests.factories.soft_token import soft_token

ECDSA = ec.ECDSA(hashes.SHA256())


@pytest.fixture(scope="module")
def token() -> Token:
    return open_token(soft_token().module, soft_token().label, soft_token().pin)


@pytest.fixture(scope="module")
def token_keys(token: Token, tmp_path_factory: pytest.TempPathFactory) -> Path:
    keys_dir = tmp_path_factory.mktemp("token") / "keys"
    hold_ceremony(keys_dir, "x", now=datetime.now(UTC) - timedelta(days=1), maker=token)
    return keys_dir


@pytest.mark.parametrize("purpose", ISSUER_PURPOSES)
def test_signs_with_the_key_of_each_purpose(token: Token, token_keys: Path, purpose: KeyPurpose) -> None:
    key_set = load_key_set(token_keys)
    published = key_set.current(purpose)
    signer = token.signer(published, key_set.anchors[0])
    published.public_key.verify(signer.sign(b"message"), b"message", ECDSA)
    assert len(signer.sign_raw(b"message")) == 64
    assert all(is_lower_half(signer.sign(b"%d" % number)) for number in range(20))
    assert (signer.purpose, signer.kid) == (purpose, published.kid)
    assert trust_faults(published, key_set, published.not_before + timedelta(days=1)) == ()


def test_only_the_authorities_are_in_files(token_keys: Path) -> None:
    assert sorted(file.name for file in (token_keys / "private").iterdir()) == ["issuing-ca.p12", "root-ca.p12"]


def test_private_keys_cannot_be_read_out(token: Token, token_keys: Path) -> None:
    keys = list(token._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}))
    assert len(keys) >= len(ISSUER_PURPOSES)
    for key in keys:
        assert key[Attribute.NEVER_EXTRACTABLE]
        assert key[Attribute.ALWAYS_SENSITIVE]
        with pytest.raises(pkcs11.exceptions.PKCS11Error):
            key[Attribute.VALUE]


def test_many_threads_take_turns(token: Token, token_keys: Path) -> None:
    key_set = load_key_set(token_keys)
    published = key_set.current(KeyPurpose.DOCUMENT_SEAL)
    signer = token.signer(published, key_set.anchors[0])
    messages = [b"%050d" % number for number in range(320)]
    with ThreadPoolExecutor(32) as pool:
        signatures = list(pool.map(signer.sign, messages))
    for message, signature in zip(messages, signatures, strict=True):
        published.public_key.verify(signature, message, ECDSA)


def test_no_two_calls_are_ever_inside_the_library(token: Token, token_keys: Path) -> None:
    key_set = load_key_set(token_keys)
    published = key_set.current(KeyPurpose.DOCUMENT_SEAL)
    inner = token.signer(published, key_set.anchors[0])._key
    inside: list[int] = []

    class Watched:
        def sign(self, data: bytes, *, mechanism: Mechanism) -> bytes:
            inside.append(1)
            assert len(inside) == 1
            time.sleep(0.001)
            signature = inner.sign(data, mechanism=mechanism)
            inside.pop()
            return signature

    signers = [TokenSigner(published, (), Watched()) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(lambda number: signers[number % 2].sign(b"message"), range(64)))) == 64


def test_a_process_of_its_own_opens_its_own_session(token: Token, token_keys: Path) -> None:
    code = f"""
        from pathlib import Path
        from keys.private.pkcs11 import open_token
        from keys.public.keyset import load_key_set
        from keys.public.purposes import KeyPurpose
        key_set = load_key_set(Path({str(token_keys)!r}))
        token = open_token({soft_token().module!r}, {soft_token().label!r}, {soft_token().pin!r})
        key = key_set.current(KeyPurpose.DOCUMENT_SEAL)
        print(token.signer(key, key_set.anchors[0]).sign(b"message").hex())
    """
    root = Path(__file__).resolve().parents[2]
    output = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, cwd=root
    ).stdout
    published = load_key_set(token_keys).current(KeyPurpose.DOCUMENT_SEAL)
    published.public_key.verify(bytes.fromhex(output.strip()), b"message", ECDSA)


def test_rotation_takes_the_old_keys_right_to_sign(token: Token, token_keys: Path, now: datetime) -> None:
    key_set = load_key_set(token_keys)
    old = key_set.current(KeyPurpose.LOG)
    signer = token.signer(old, key_set.anchors[0])
    new = rotate(token_keys, "x", KeyPurpose.LOG, now=now + timedelta(days=1), maker=token)
    token.signer(new, key_set.anchors[0]).sign(b"message")
    with pytest.raises(KeyStoreError):
        signer.sign(b"message")


def test_same_token_object_however_often_it_is_opened(token: Token) -> None:
    assert open_token(soft_token().module, soft_token().label, soft_token().pin) is token


def test_failures_are_in_words(token: Token, key_set: KeySet) -> None:
    with pytest.raises(KeyStoreError) as caught:
        token.signer(key_set.current(KeyPurpose.LOG), key_set.anchors[0])
    assert caught.value.code == "token-key-missing"
    with pytest.raises(KeyStoreError) as caught:
        open_token(soft_token().module, "no such token", soft_token().pin)
    assert caught.value.code == "token-unavailable"
    with pytest.raises(KeyStoreError) as caught:
        open_token("/nowhere/libnothing.so", soft_token().label, soft_token().pin)
    assert caught.value.code == "token-unavailable"
