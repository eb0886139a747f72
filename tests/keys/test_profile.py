"""Which certificates may sign what, and under which root."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keys.private.ceremony import hold_ceremony, renew_crls
from keys.public.keyset import KeySet, PublishedKey, published_key
from keys.public.profile import certificate_faults, trust_faults
from keys.public.purposes import KeyPurpose


@pytest.mark.parametrize("purpose", list(KeyPurpose))
def test_keys_of_the_ceremony_are_good(key_set: KeySet, purpose: KeyPurpose, now: datetime) -> None:
    assert trust_faults(key_set.current(purpose), key_set, now) == ()


def test_a_seal_is_only_made_with_a_seal_certificate(key_set: KeySet, now: datetime) -> None:
    for key in key_set.keys:
        for purpose in (KeyPurpose.DOCUMENT_SEAL, KeyPurpose.TIMESTAMP):
            faults = certificate_faults(key.certificate, purpose, now)
            assert (faults == ()) == (key.purpose is purpose)
    seal = key_set.current(KeyPurpose.DOCUMENT_SEAL).certificate
    assert "extended-key-usage" in certificate_faults(seal, KeyPurpose.QR_CREDENTIAL, now)


def test_the_timestamp_usage_is_critical_and_alone(key_set: KeySet) -> None:
    certificate = key_set.current(KeyPurpose.TIMESTAMP).certificate
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert [oid.dotted_string for oid in usage.value] == ["1.3.6.1.5.5.7.3.8"]


def test_time_counts(key_set: KeySet) -> None:
    key = key_set.current(KeyPurpose.DOCUMENT_SEAL)
    assert certificate_faults(key.certificate, key.purpose, key.not_before - timedelta(seconds=1)) == (
        "not-yet-valid",
    )
    assert certificate_faults(key.certificate, key.purpose, key.not_after + timedelta(seconds=1)) == ("expired",)


def test_an_authority_certificate_is_no_signer(key_set: KeySet, now: datetime) -> None:
    faults = certificate_faults(key_set.anchors[0], KeyPurpose.DOCUMENT_SEAL, now)
    assert {"is-authority", "key-usage", "extended-key-usage"} <= set(faults)


def test_another_authority_with_our_names_is_not_trusted(key_set: KeySet, tmp_path: Path, now: datetime) -> None:
    forged = hold_ceremony(tmp_path / "keys", "x", now=now)
    key = forged.current(KeyPurpose.DOCUMENT_SEAL)
    assert key.certificate.issuer == key_set.current(KeyPurpose.DOCUMENT_SEAL).certificate.issuer
    assert "signature-wrong" in trust_faults(key, key_set, now)


def test_a_stranger_is_not_trusted(key_set: KeySet, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stranger")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    assert "issuer-unknown" in trust_faults(published_key(KeyPurpose.LOG, certificate), key_set, now)


def test_revocation_counts_from_its_date_on(keys_dir: Path, passphrase: str, now: datetime) -> None:
    later = now + timedelta(days=30)
    kid = _seal(keys_dir).kid
    key_set = renew_crls(keys_dir, passphrase, now=later, revoke=kid)
    key = key_set.find(kid, KeyPurpose.DOCUMENT_SEAL)
    assert trust_faults(key, key_set, later - timedelta(minutes=1)) == ()
    assert trust_faults(key, key_set, later + timedelta(minutes=1)) == ("revoked",)


def test_an_unsigned_or_missing_crl_is_not_silence(key_set: KeySet, tmp_path: Path, now: datetime) -> None:
    key = key_set.current(KeyPurpose.DOCUMENT_SEAL)
    assert "crl-missing" in trust_faults(key, replace(key_set, crls=()), now)
    foreign = hold_ceremony(tmp_path / "keys", "x", now=now)
    assert "crl-missing" in trust_faults(key, replace(key_set, crls=foreign.crls), now)


def test_an_older_crl_cannot_hide_a_revocation(keys_dir: Path, passphrase: str, now: datetime) -> None:
    old = _set(keys_dir)
    kid = _seal(keys_dir).kid
    new = renew_crls(keys_dir, passphrase, now=now + timedelta(days=1), revoke=kid)
    both = replace(new, crls=(*new.crls, *old.crls))
    assert "revoked" in trust_faults(both.find(kid, KeyPurpose.DOCUMENT_SEAL), both, now + timedelta(days=2))


def _set(keys_dir: Path) -> KeySet:
    from keys.public.keyset import load_key_set

    return load_key_set(keys_dir)


def _seal(keys_dir: Path) -> PublishedKey:
    return _set(keys_dir).current(KeyPurpose.DOCUMENT_SEAL)
