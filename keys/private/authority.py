"""The development certification authority: certificates and CRLs by the profile in `keys.public.profile`.

A province in production uses a licensed CA instead; its certificates go into the same folder in the same form.
"""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keys.private.keyring import StoredKey
from keys.public.profile import EXTENDED_USAGES, NON_REPUDIATION_PURPOSES
from keys.public.purposes import KeyPurpose

BACKDATED = timedelta(hours=1)
"""Certificates start this much before now, so that a neighbour's slow clock does not refuse them."""
CRL_LIFETIME = timedelta(days=400)
"""Long, because the development authority is offline; `ecert keys crl` issues a new one at any time."""


def distinguished_name(organisation: str, common_name: str) -> x509.Name:
    """C=CN, O, CN; the two texts at most 64 characters each (X.520)."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def make_root(name: x509.Name, now: datetime, lifetime: timedelta) -> StoredKey:
    """A self-signed root that may stand above one level of authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _authority_extensions(_builder(name, name, key.public_key(), now, lifetime), key.public_key(), 1)
    return StoredKey(key, builder.sign(key, hashes.SHA256()), ())


def make_intermediate(parent: StoredKey, name: x509.Name, now: datetime, lifetime: timedelta) -> StoredKey:
    """An authority under `parent` that certifies signing keys only."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, parent.certificate.subject, key.public_key(), now, lifetime)
    builder = _authority_extensions(builder, key.public_key(), 0)
    builder = builder.add_extension(_authority_key(parent), critical=False)
    certificate = builder.sign(parent.private_key, hashes.SHA256())
    return StoredKey(key, certificate, (parent.certificate, *parent.chain))


def certify(
    parent: StoredKey,
    purpose: KeyPurpose,
    public_key: ec.EllipticCurvePublicKey,
    name: x509.Name,
    now: datetime,
    lifetime: timedelta,
) -> x509.Certificate:
    """A certificate for a signing key of `purpose`, never outliving its authority."""
    lifetime = min(lifetime, parent.certificate.not_valid_after_utc - now)
    builder = (
        _builder(name, parent.certificate.subject, public_key, now, lifetime)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(non_repudiation=purpose in NON_REPUDIATION_PURPOSES), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(_authority_key(parent), critical=False)
    )
    usages = EXTENDED_USAGES.get(purpose)
    if usages is not None:
        # RFC 3161, 2.3: for a time-stamp certificate this extension is critical.
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=purpose is KeyPurpose.TIMESTAMP)
    return builder.sign(parent.private_key, hashes.SHA256())


def issue_crl(
    authority: StoredKey, now: datetime, number: int, revoked: tuple[x509.RevokedCertificate, ...] = ()
) -> x509.CertificateRevocationList:
    """A complete CRL (RFC 5280, 5) of `authority`; `number` must grow from issue to issue."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - BACKDATED)
        .next_update(now + CRL_LIFETIME)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(_authority_key(authority), critical=False)
    )
    for entry in revoked:
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.private_key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + lifetime)
    )


def _authority_extensions(
    builder: x509.CertificateBuilder, public_key: ec.EllipticCurvePublicKey, path_length: int
) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _authority_key(parent: StoredKey) -> x509.AuthorityKeyIdentifier:
    identifier = parent.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _key_usage(*, authority: bool = False, non_repudiation: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=non_repudiation,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
