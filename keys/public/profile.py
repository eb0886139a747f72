"""What a signer certificate must look like, and whether it stands under one of our roots, unrevoked.

Sources: RFC 5280 (path, CRL), RFC 3161 2.3 (time-stamp certificates), RFC 9336 (document signing usage),
ETSI EN 319 412-2 4.3.2 (key usage). Faults are returned as stable codes, never raised: a checker shows each of them.
"""

from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from keys.public.keyset import KeySet, PublishedKey
from keys.public.purposes import KeyPurpose
from keys.public.time_authority import TimeAuthority, is_fit

DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""id-kp-documentSigning (RFC 9336)."""

EXTENDED_USAGES: dict[KeyPurpose, tuple[ObjectIdentifier, ...]] = {
    # Readers older than RFC 9336 (NSS, `openssl cms` by default) take a signature only with emailProtection.
    KeyPurpose.DOCUMENT_SEAL: (DOCUMENT_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION),
    KeyPurpose.TIMESTAMP: (ExtendedKeyUsageOID.TIME_STAMPING,),
}
"""Extended key usages a certificate of this purpose has; the other purposes have none."""

NON_REPUDIATION_PURPOSES = frozenset({KeyPurpose.DOCUMENT_SEAL, KeyPurpose.TIMESTAMP})
"""Purposes whose certificate also has the key usage nonRepudiation (contentCommitment)."""

_MAX_PATH = 4
_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_Kind = TypeVar("_Kind", bound=x509.ExtensionType)


def certificate_faults(certificate: x509.Certificate, purpose: KeyPurpose, at: datetime) -> tuple[str, ...]:
    """What in `certificate` breaks the profile of `purpose` at the aware instant `at`; empty when nothing does.

    Codes: `not-p256`, `is-authority`, `key-usage`, `extended-key-usage`, `not-yet-valid`, `expired`, `unreadable`.
    """
    try:
        return tuple(_certificate_faults(certificate, purpose, at))
    except ValueError:
        # cryptography parses extensions lazily, so a malformed one shows only here.
        return ("unreadable",)


def _certificate_faults(certificate: x509.Certificate, purpose: KeyPurpose, at: datetime) -> list[str]:
    faults: list[str] = []
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        faults.append("not-p256")
    extensions = certificate.extensions
    constraints = _extension(extensions, x509.BasicConstraints)
    if constraints is None or constraints.value.ca:
        faults.append("is-authority")
    usage = _extension(extensions, x509.KeyUsage)
    if usage is None or not _usage_fits(usage, purpose):
        faults.append("key-usage")
    extended = _extension(extensions, x509.ExtendedKeyUsage)
    wanted = set(EXTENDED_USAGES.get(purpose, ()))
    found = set() if extended is None else set(extended.value)
    if purpose is KeyPurpose.TIMESTAMP:
        fits = found == wanted and extended is not None and extended.critical
    elif purpose is KeyPurpose.DOCUMENT_SEAL:
        fits = DOCUMENT_SIGNING in found and found <= wanted
    else:
        fits = not found
    if not fits:
        faults.append("extended-key-usage")
    if at < certificate.not_valid_before_utc:
        faults.append("not-yet-valid")
    if at > certificate.not_valid_after_utc:
        faults.append("expired")
    return faults


def authority_faults(certificate: x509.Certificate, at: datetime) -> tuple[str, ...]:
    """What in the certificate of an outside time-stamp authority breaks RFC 3161, 2.3, at `at`.

    Codes: `key-unfit` (neither RSA of 2048 bits and more nor a NIST curve), `is-authority`, `key-usage`,
    `extended-key-usage`, `not-yet-valid`, `expired`, `unreadable`.
    """
    try:
        key, extensions = certificate.public_key(), certificate.extensions
        constraints = _extension(extensions, x509.BasicConstraints)
        usage = _extension(extensions, x509.KeyUsage)
        extended = _extension(extensions, x509.ExtendedKeyUsage)
    except (ValueError, UnsupportedAlgorithm):
        return ("unreadable",)
    wanted = {ExtendedKeyUsageOID.TIME_STAMPING}
    holds = {
        "key-unfit": is_fit(key),
        "is-authority": constraints is None or not constraints.value.ca,
        "key-usage": usage is not None and _only_signs(usage.value),
        "extended-key-usage": extended is not None and extended.critical and set(extended.value) == wanted,
        "not-yet-valid": certificate.not_valid_before_utc <= at,
        "expired": at <= certificate.not_valid_after_utc,
    }
    return tuple(code for code, good in holds.items() if not good)


def trust_faults(key: PublishedKey | TimeAuthority, key_set: KeySet, at: datetime) -> tuple[str, ...]:
    """Whether `key` leads by valid, unrevoked certificates to an anchor of `key_set`, as of `at`.

    Codes: those of `certificate_faults` (`authority_faults` for an outside authority), and `issuer-unknown`,
    `issuer-not-valid`, `signature-wrong`, `revoked`, `crl-missing`. A certificate revoked after `at` was good at
    `at` and is no fault.
    """
    if isinstance(key, TimeAuthority):
        faults = list(authority_faults(key.certificate, at))
    else:
        faults = list(certificate_faults(key.certificate, key.purpose, at))
    current = key.certificate
    pool = (*key.chain, *key_set.anchors)
    for _ in range(_MAX_PATH):
        if current in key_set.anchors:
            return tuple(faults)
        parent = next((cert for cert in pool if cert.subject == current.issuer and cert != current), None)
        if parent is None:
            return (*faults, "issuer-unknown")
        if not _issued(parent, current):
            return (*faults, "signature-wrong")
        if not _may_issue(parent, at):
            faults.append("issuer-not-valid")
        crl = newest_crl(key_set, parent)
        if crl is None:
            faults.append("crl-missing")
        elif is_revoked(crl, current, at):
            faults.append("revoked")
        current = parent
    return (*faults, "issuer-unknown")


def newest_crl(key_set: KeySet, issuer: x509.Certificate) -> x509.CertificateRevocationList | None:
    """The latest CRL of `issuer` whose signature holds, or None."""
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return None
    good = [crl for crl in key_set.crls if crl.issuer == issuer.subject and crl.is_signature_valid(key)]
    return max(good, key=lambda crl: crl.last_update_utc, default=None)


def is_revoked(crl: x509.CertificateRevocationList, certificate: x509.Certificate, at: datetime) -> bool:
    """Whether `crl` says the certificate was already revoked at `at`."""
    entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    return entry is not None and entry.revocation_date_utc <= at


def _only_signs(value: x509.KeyUsage) -> bool:
    others = (
        value.key_encipherment,
        value.data_encipherment,
        value.key_agreement,
        value.key_cert_sign,
        value.crl_sign,
    )
    return (value.digital_signature or value.content_commitment) and not any(others)


def _usage_fits(usage: x509.Extension[x509.KeyUsage], purpose: KeyPurpose) -> bool:
    value = usage.value
    others = (
        value.key_encipherment,
        value.data_encipherment,
        value.key_agreement,
        value.key_cert_sign,
        value.crl_sign,
    )
    wants_non_repudiation = purpose in NON_REPUDIATION_PURPOSES
    return (
        usage.critical
        and value.digital_signature
        and value.content_commitment is wants_non_repudiation
        and not any(others)
    )


def _issued(parent: x509.Certificate, child: x509.Certificate) -> bool:
    try:
        if not isinstance(child.signature_hash_algorithm, _HASHES):
            return False
        child.verify_directly_issued_by(parent)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _may_issue(parent: x509.Certificate, at: datetime) -> bool:
    try:
        constraints = _extension(parent.extensions, x509.BasicConstraints)
        usage = _extension(parent.extensions, x509.KeyUsage)
    except ValueError:
        return False
    return (
        constraints is not None
        and constraints.value.ca
        and usage is not None
        and usage.value.key_cert_sign
        and parent.not_valid_before_utc <= at <= parent.not_valid_after_utc
    )


def _extension(extensions: x509.Extensions, kind: type[_Kind]) -> x509.Extension[_Kind] | None:
    try:
        return extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
