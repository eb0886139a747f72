"""Ceremony, rotation, revocation, and the commands that do them."""

import json
import stat
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from keys.cli import app
from keys.private.ceremony import accept_timestamp_authority, hold_ceremony, publish, renew_crls, rotate
from keys.private.errors import KeyStoreError
from keys.private.keyring import Keyring
from keys.public.keyset import KeySet, load_key_set, receipt_key_path
from keys.public.profile import trust_faults
from keys.public.purposes import KeyPurpose


def _tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_name_says_that_it_is_an_example(key_set: KeySet) -> None:
    certificates = [*key_set.anchors, *(cert for key in key_set.keys for cert in (key.certificate, *key.chain))]
    for certificate in certificates:
        assert "示例" in certificate.subject.rfc4514_string()


def test_a_second_ceremony_changes_nothing(keys_dir: Path, passphrase: str, now: datetime) -> None:
    before = _tree(keys_dir)
    with pytest.raises(KeyStoreError) as caught:
        hold_ceremony(keys_dir, passphrase, now=now)
    assert caught.value.code == "keys-exist"
    assert _tree(keys_dir) == before
    (keys_dir / "public" / "ecert-keys.json").unlink()
    with pytest.raises(KeyStoreError):
        hold_ceremony(keys_dir, passphrase, now=now)


def test_rotation_keeps_the_old_key_published(keys_dir: Path, passphrase: str, now: datetime) -> None:
    later = now + timedelta(days=100)
    old = load_key_set(keys_dir).current(KeyPurpose.DOCUMENT_SEAL)
    new = rotate(keys_dir, passphrase, KeyPurpose.DOCUMENT_SEAL, now=later)
    key_set = load_key_set(keys_dir)
    assert key_set.current(KeyPurpose.DOCUMENT_SEAL).kid == new.kid != old.kid
    kept = key_set.find(old.kid, KeyPurpose.DOCUMENT_SEAL)
    assert kept.retired_at == later
    assert kept.certificate == old.certificate
    assert trust_faults(new, key_set, later) == ()
    assert Keyring(keys_dir, passphrase).signer(new).kid == new.kid
    with pytest.raises(KeyStoreError):
        Keyring(keys_dir, passphrase).signer(kept)
    assert (keys_dir / "private" / "retired" / f"document-seal-{old.kid}.p12").exists()


def test_a_rotation_with_the_wrong_passphrase_changes_nothing(keys_dir: Path, now: datetime) -> None:
    before = _tree(keys_dir)
    with pytest.raises(KeyStoreError):
        rotate(keys_dir, "wrong", KeyPurpose.LOG, now=now)
    assert _tree(keys_dir) == before


def test_a_revoked_key_leaves_use_and_can_be_replaced(keys_dir: Path, passphrase: str, now: datetime) -> None:
    kid = load_key_set(keys_dir).current(KeyPurpose.QR_CREDENTIAL).kid
    revoked = renew_crls(keys_dir, passphrase, now=now, revoke=kid, reason=x509.ReasonFlags.key_compromise)
    assert revoked.newest(KeyPurpose.QR_CREDENTIAL).retired_at is not None
    new = rotate(keys_dir, passphrase, KeyPurpose.QR_CREDENTIAL, now=now + timedelta(minutes=1))
    assert load_key_set(keys_dir).current(KeyPurpose.QR_CREDENTIAL).kid == new.kid
    again = renew_crls(keys_dir, passphrase, now=now + timedelta(days=1))
    assert sum(len(crl) for crl in again.crls) == 1


def test_crl_numbers_grow(keys_dir: Path, passphrase: str, now: datetime) -> None:
    renewed = renew_crls(keys_dir, passphrase, now=now + timedelta(days=1))
    numbers = [crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for crl in renewed.crls]
    assert numbers == [2, 2]
    assert all(crl.next_update_utc is not None and crl.next_update_utc > now for crl in renewed.crls)


def test_an_outside_time_authority_is_published_only_if_it_is_fit(
    keys_dir: Path, key_set: KeySet, tmp_path: Path, now: datetime
) -> None:
    outside = hold_ceremony(tmp_path / "outside", "x", now=now, organisation="另一机构")
    authority, seal = outside.current(KeyPurpose.TIMESTAMP), outside.current(KeyPurpose.DOCUMENT_SEAL)
    before = _tree(keys_dir)
    with pytest.raises(KeyStoreError) as caught:
        accept_timestamp_authority(keys_dir, seal.certificate, (*seal.chain, *outside.anchors), outside.crls, now=now)
    assert "extended-key-usage" in str(caught.value)
    with pytest.raises(KeyStoreError, match="crl-missing"):
        accept_timestamp_authority(keys_dir, authority.certificate, outside.anchors, (), now=now)
    assert _tree(keys_dir) == before
    accept_timestamp_authority(keys_dir, authority.certificate, outside.anchors, outside.crls, now=now)
    extended = load_key_set(keys_dir)
    (accepted,) = extended.authorities
    assert (accepted.kid, accepted.certificate) == (authority.kid, authority.certificate)
    assert trust_faults(accepted, extended, now) == ()
    # Ours is still the one that signs here.
    assert extended.current(KeyPurpose.TIMESTAMP) == key_set.current(KeyPurpose.TIMESTAMP)
    assert KeySet.from_json(extended.to_json()) == extended
    assert trust_faults(key_set.current(KeyPurpose.DOCUMENT_SEAL), extended, now) == ()


def _run(data_dir: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*words, "--data-dir", str(data_dir)], env={"ECERT_KEY_PASSPHRASE": ""})
    return result.exit_code, result.output


def test_refusals_are_json_for_programs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "nothing", tmp_path / "file"):
        for words in (("list",), ("rotate", "log"), ("crl",)):
            code, text = _run(folder, *words, "--json")
            assert (code, set(json.loads(text)["error"])) == (2, {"code", "message"})


def test_commands(tmp_path: Path) -> None:
    code, text = _run(tmp_path, "list")
    assert code == 2
    assert len(text.strip().splitlines()) == 1
    assert _run(tmp_path, "ceremony", "--years", "2")[0] == 0
    assert (tmp_path / "keys" / "passphrase").exists()
    assert _run(tmp_path, "ceremony")[0] == 2
    assert _run(tmp_path, "rotate", "log")[0] == 0
    kid = load_key_set(tmp_path / "keys").current(KeyPurpose.LOG).kid
    assert _run(tmp_path, "crl", "--revoke", kid, "--compromised")[0] == 0
    assert _run(tmp_path, "crl", "--revoke", "nobody")[0] == 2
    code, text = _run(tmp_path, "list", "--json")
    rows = {row["kid"]: row for row in json.loads(text)["keys"]}
    assert code == 0
    assert rows[kid]["faults"] == ["revoked"]
    assert len(rows) == len(KeyPurpose) + 1


def test_the_receipt_key_stands_apart_for_the_public_side(keys_dir: Path, passphrase: str, now: datetime) -> None:
    first = load_key_set(keys_dir).current(KeyPurpose.RECEIPT)
    file = receipt_key_path(keys_dir, first.kid)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list((keys_dir / "private").glob("receipt*"))
    new = rotate(keys_dir, passphrase, KeyPurpose.RECEIPT, now=now + timedelta(hours=1))
    assert [path.name for path in file.parent.iterdir()] == [f"{new.kid}.pem"]
    key_set = load_key_set(keys_dir)
    assert key_set.find(first.kid, KeyPurpose.RECEIPT).retired_at is not None
    assert trust_faults(new, key_set, now + timedelta(hours=2)) == ()


def test_a_folder_from_before_receipts_gets_its_first_receipt_key(
    keys_dir: Path, passphrase: str, now: datetime
) -> None:
    key_set = load_key_set(keys_dir)
    older = replace(key_set, keys=tuple(key for key in key_set.keys if key.purpose is not KeyPurpose.RECEIPT))
    publish(keys_dir, older)
    new = rotate(keys_dir, passphrase, KeyPurpose.RECEIPT, now=now)
    assert load_key_set(keys_dir).current(KeyPurpose.RECEIPT).kid == new.kid
    assert trust_faults(new, load_key_set(keys_dir), now) == ()
    assert receipt_key_path(keys_dir, new.kid).exists()
