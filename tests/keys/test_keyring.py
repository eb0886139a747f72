"""Private keys at rest: encrypted, owner-only, and refused when anybody else could read them."""

import stat
from pathlib import Path

import pytest

from keys.private.errors import KeyStoreError
from keys.private.keyring import Keyring, key_file_name, passphrase_for, write_secret
from keys.private.signer import Signer
from keys.public.ecdsa import is_lower_half
from keys.public.keyset import KeySet
from keys.public.purposes import ISSUER_PURPOSES, KeyPurpose


def test_files_and_folder_are_for_the_owner_only(held: Path) -> None:
    private = held / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    files = list(private.glob("*"))
    assert len(files) == len(ISSUER_PURPOSES) + 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_no_key_stands_in_the_clear(held: Path, passphrase: str) -> None:
    for file in (held / "private").iterdir():
        data = file.read_bytes()
        assert b"PRIVATE KEY" not in data
        assert passphrase.encode() not in data
        # An unencrypted PKCS#12 key bag shows the id-ecPublicKey algorithm of its key.
        assert bytes.fromhex("06072a8648ce3d0201") not in data


@pytest.mark.parametrize("purpose", ISSUER_PURPOSES)
def test_opens_the_key_of_each_purpose(held: Path, key_set: KeySet, passphrase: str, purpose: KeyPurpose) -> None:
    published = key_set.current(purpose)
    signer: Signer = Keyring(held, passphrase).signer(published)
    assert (signer.purpose, signer.kid, signer.certificate) == (purpose, published.kid, published.certificate)
    assert signer.chain[-1] == key_set.anchors[0]
    assert len(signer.sign_raw(b"m")) == 64
    assert all(is_lower_half(signer.sign(b"%d" % number)) for number in range(20))


def test_wrong_passphrase_is_said_so(held: Path, key_set: KeySet) -> None:
    with pytest.raises(KeyStoreError) as caught:
        Keyring(held, "wrong").signer(key_set.current(KeyPurpose.LOG))
    assert caught.value.code == "wrong-passphrase"
    assert "ECERT_KEY_PASSPHRASE" in caught.value.zh


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_refuses_a_file_that_others_may_read(keys_dir: Path, key_set: KeySet, passphrase: str, mode: int) -> None:
    published = key_set.current(KeyPurpose.LOG)
    (keys_dir / "private" / f"{key_file_name(published.purpose, published.kid)}.p12").chmod(mode)
    with pytest.raises(KeyStoreError) as caught:
        Keyring(keys_dir, passphrase).signer(published)
    assert caught.value.code == "key-too-open"


def test_refuses_a_folder_that_others_may_enter(keys_dir: Path, key_set: KeySet, passphrase: str) -> None:
    (keys_dir / "private").chmod(0o750)
    with pytest.raises(KeyStoreError) as caught:
        Keyring(keys_dir, passphrase).signer(key_set.current(KeyPurpose.LOG))
    assert caught.value.code == "key-too-open"


def test_missing_and_damaged_files_are_told_apart(keys_dir: Path, key_set: KeySet, passphrase: str) -> None:
    published = key_set.current(KeyPurpose.LOG)
    file = keys_dir / "private" / f"{key_file_name(published.purpose, published.kid)}.p12"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(KeyStoreError) as caught:
        Keyring(keys_dir, passphrase).signer(published)
    assert caught.value.code == "key-damaged"
    file.unlink()
    with pytest.raises(KeyStoreError) as caught:
        Keyring(keys_dir, passphrase).signer(published)
    assert caught.value.code == "key-missing"


def test_a_file_put_in_another_purposes_place_is_refused(keys_dir: Path, key_set: KeySet, passphrase: str) -> None:
    seal, qr = key_set.current(KeyPurpose.DOCUMENT_SEAL), key_set.current(KeyPurpose.QR_CREDENTIAL)
    private = keys_dir / "private"
    (private / f"{key_file_name(qr.purpose, qr.kid)}.p12").replace(
        private / f"{key_file_name(seal.purpose, seal.kid)}.p12"
    )
    with pytest.raises(KeyStoreError) as caught:
        Keyring(keys_dir, passphrase).signer(seal)
    assert caught.value.code == "key-damaged"


def test_a_secret_is_never_overwritten(tmp_path: Path) -> None:
    write_secret(tmp_path / "s", b"first")
    with pytest.raises(KeyStoreError):
        write_secret(tmp_path / "s", b"second")
    assert (tmp_path / "s").read_bytes() == b"first"


def test_passphrase_is_made_once_and_kept(tmp_path: Path) -> None:
    keys_dir = tmp_path / "keys"
    with pytest.raises(KeyStoreError) as caught:
        passphrase_for(keys_dir, None)
    assert caught.value.code == "passphrase-missing"
    made = passphrase_for(keys_dir, None, create=True)
    assert len(made) > 30
    assert passphrase_for(keys_dir, None) == made
    assert passphrase_for(keys_dir, "given") == "given"
    assert stat.S_IMODE((keys_dir / "passphrase").stat().st_mode) == 0o600
    (keys_dir / "passphrase").chmod(0o644)
    with pytest.raises(KeyStoreError) as caught:
        passphrase_for(keys_dir, None)
    assert caught.value.code == "key-too-open"
