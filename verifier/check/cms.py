"""Signed data (RFC 5652) of the one form we write: a single P-256/SHA-256 signer, DER, nothing unsigned to spare.

Whatever the signature does not cover is either held to a constant, or checked by something that is: a
forger finds no byte to play with.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from keys.public.keyset import KeySet, PublishedKey
from keys.public.purposes import KeyPurpose
from verifier.check.der import NULL, OCTETS, OID, SEQUENCE, SET, Der, DerError, one

DATA: Final = bytes.fromhex("2a864886f70d010701")
"""id-data: the signed bytes stand elsewhere (a seal)."""
TST_INFO: Final = bytes.fromhex("2a864886f70d0109100104")
"""id-ct-TSTInfo: the signed bytes stand inside (a time-stamp token)."""
_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
SHA256_OID: Final = bytes.fromhex("608648016503040201")
_ECDSA_SHA256: Final = bytes.fromhex("2a8648ce3d040302")
_CONTENT_TYPE: Final = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")
_SIGNING_TIME: Final = bytes.fromhex("2a864886f70d010905")
_SIGNING_CERTIFICATE_V2: Final = bytes.fromhex("2a864886f70d010910022f")
_ALGORITHM_PROTECTION: Final = bytes.fromhex("2a864886f70d010934")
_TIMESTAMP_TOKEN: Final = bytes.fromhex("2a864886f70d010910020e")
_REQUIRED: Final = {_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_CERTIFICATE_V2}
_ALLOWED: Final = _REQUIRED | {_SIGNING_TIME, _ALGORITHM_PROTECTION}
_MAX_CERTIFICATES: Final = 8
_TAG_0, _TAG_1 = 0xA0, 0xA1


class CmsError(ValueError):
    """Not signed data of our form."""


class ForeignSignerError(Exception):
    """Well-formed signed data whose signer is not one of our keys of the wanted purpose."""


class SignatureWrongError(Exception):
    """It names one of our keys, and that key did not sign this."""


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A verified message: who signed, the digest it signs, its content (if inside) and unsigned timestamp."""

    key: PublishedKey
    message_digest: bytes
    content: bytes | None
    signature: bytes
    timestamp: bytes | None


@dataclass(frozen=True, slots=True)
class _Parts:
    content: bytes | None
    certificates: tuple[bytes, ...]
    issuer: bytes
    serial: int
    attributes: dict[bytes, bytes]
    signed: bytes
    signature: bytes
    timestamp: bytes | None


def verify_signed_data(der: bytes, key_set: KeySet, purpose: KeyPurpose, content_type: bytes) -> SignedMessage:
    """Verify one CMS SignedData by a key of `purpose`; raises CmsError, ForeignSignerError, SignatureWrongError.

    `content_type` is DATA or TST_INFO. Checked: DER, versions, algorithms, exactly one signer, the signed
    attributes once each (content type, message digest, ESS signing-certificate-v2 of the signer's own
    certificate), certificates only from our key set, no unsigned attribute but a seal's timestamp.
    """
    try:
        parts = _take_apart(der, content_type)
        _expect(
            Der(parts.attributes[_CONTENT_TYPE]).next(OID) == content_type, "the content type attribute disagrees"
        )
        digest = Der(parts.attributes[_MESSAGE_DIGEST]).next(OCTETS)
        named = _named_certificate(parts.attributes[_SIGNING_CERTIFICATE_V2])
    except DerError as error:
        raise CmsError(str(error)) from error
    key = _signer_key(parts, key_set, purpose)
    _only_our_certificates(parts.certificates, key_set)
    certificate = key.certificate.public_bytes(Encoding.DER)
    whole = parts.content is None or hashlib.sha256(parts.content).digest() == digest
    right = named == hashlib.sha256(certificate).digest()
    if not (whole and right and _verifies(key, parts.signature, parts.signed)):
        raise SignatureWrongError
    return SignedMessage(key, digest, parts.content, parts.signature, parts.timestamp)


def _take_apart(der: bytes, content_type: bytes) -> _Parts:
    info = one(der)
    _expect(info.next(OID) == _SIGNED_DATA, "not signed data")
    explicit = info.enter(_TAG_0)
    info.end()
    data = explicit.enter()
    explicit.end()
    _expect(data.integer() == (1 if content_type == DATA else 3), "unexpected version")
    digests = data.enter(SET)
    _algorithm(digests, SHA256_OID)
    digests.end()
    inner = data.enter()
    _expect(inner.next(OID) == content_type, "another content type")
    content = None
    if content_type != DATA:
        wrapped = inner.enter(_TAG_0)
        content = wrapped.next(OCTETS)
        wrapped.end()
    inner.end()
    certificates: list[bytes] = []
    if data.peek() == _TAG_0:
        bag = data.enter(_TAG_0)
        while bag:
            certificates.append(bag.whole(SEQUENCE))
    signers = data.enter(SET)
    data.end()
    signer = signers.enter()
    signers.end()
    _expect(signer.integer() == 1, "unexpected signer version")
    sid = signer.enter()
    issuer, serial = sid.whole(SEQUENCE), sid.integer()
    sid.end()
    _algorithm(signer, SHA256_OID)
    signed = signer.whole(_TAG_0)
    _algorithm(signer, _ECDSA_SHA256)
    signature = signer.next(OCTETS)
    timestamp = None
    if signer and content_type == DATA:
        timestamp = _only_timestamp(signer.enter(_TAG_1))
    signer.end()
    # RFC 5652, 5.4: what is signed is the SET itself, not its implicit tag.
    as_set = bytes((SET,)) + signed[1:]
    return _Parts(content, tuple(certificates), issuer, serial, _attributes(signed), as_set, signature, timestamp)


def _attributes(signed: bytes) -> dict[bytes, bytes]:
    out: dict[bytes, bytes] = {}
    cursor = one(signed, _TAG_0)
    while cursor:
        name, value = _attribute(cursor)
        _expect(name in _ALLOWED and name not in out, "a signed attribute is unknown or doubled")
        out[name] = value
    _expect(_REQUIRED.issubset(out), "a signed attribute is missing")
    return out


def _attribute(cursor: Der) -> tuple[bytes, bytes]:
    """Name and one value of an attribute."""
    attribute = cursor.enter()
    name, values = attribute.next(OID), attribute.enter(SET)
    attribute.end()
    value = values.whole()
    values.end()
    return name, value


def _only_timestamp(unsigned: Der) -> bytes:
    name, value = _attribute(unsigned)
    unsigned.end()
    _expect(name == _TIMESTAMP_TOKEN, "an unsigned attribute that does not belong here")
    return value


def _named_certificate(value: bytes) -> bytes:
    """The SHA-256 certificate digest in an ESS signing-certificate-v2 with one entry (RFC 5035, 3)."""
    certificates = one(value).enter()
    entry = certificates.enter()
    certificates.end()
    if entry.peek() == SEQUENCE:
        _algorithm(entry, SHA256_OID)
    return entry.next(OCTETS)


def _algorithm(cursor: Der, wanted: bytes) -> None:
    """An AlgorithmIdentifier of `wanted`; parameters absent, or NULL as some authorities write with SHA-256."""
    algorithm = cursor.enter()
    _expect(algorithm.next(OID) == wanted, "another algorithm")
    if algorithm and wanted == SHA256_OID:
        _expect(algorithm.next(NULL) == b"", "unexpected parameters")
    algorithm.end()


def _signer_key(parts: _Parts, key_set: KeySet, purpose: KeyPurpose) -> PublishedKey:
    for key in key_set.for_purpose(purpose):
        certificate = key.certificate
        if certificate.serial_number == parts.serial and certificate.issuer.public_bytes() == parts.issuer:
            return key
    raise ForeignSignerError


def _only_our_certificates(found: tuple[bytes, ...], key_set: KeySet) -> None:
    ours = {
        certificate.public_bytes(Encoding.DER)
        for key in key_set.keys
        for certificate in (key.certificate, *key.chain, *key_set.anchors)
    }
    distinct = len(set(found)) == len(found) <= _MAX_CERTIFICATES
    _expect(distinct and ours.issuperset(found), "it carries certificates that are not ours")


def _verifies(key: PublishedKey, signature: bytes, message: bytes) -> bool:
    try:
        # Only the one DER form of (r, s): a second spelling would be a second file with the same signature.
        if encode_dss_signature(*decode_dss_signature(signature)) != signature:
            return False
        key.public_key.verify(signature, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CmsError(otherwise)
