"""Signed data (RFC 5652) of the one form we write: a single P-256/SHA-256 signer, DER, nothing unsigned to spare.
A time-stamp token of an outside authority may also be by RSA (PKCS #1 v1.5) or another NIST curve, with any SHA-2.

Whatever the signature does not cover is either held to a constant, or checked by something that is: a
forger finds no byte to play with.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from keys.public.ecdsa import is_lower_half
from keys.public.keyset import KeySet, PublishedKey
from keys.public.purposes import KeyPurpose
from keys.public.time_authority import TimeAuthority
from verifier.check.der import NULL, OCTETS, OID, SEQUENCE, SET, Der, DerError, one

DATA: Final = bytes.fromhex("2a864886f70d010701")
"""id-data: the signed bytes stand elsewhere (a seal)."""
TST_INFO: Final = bytes.fromhex("2a864886f70d0109100104")
"""id-ct-TSTInfo: the signed bytes stand inside (a time-stamp token)."""
_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
SHA256_OID: Final = bytes.fromhex("608648016503040201")
_ECDSA_SHA256: Final = bytes.fromhex("2a8648ce3d040302")
_HASHES: Final[dict[bytes, hashes.HashAlgorithm]] = {
    SHA256_OID: hashes.SHA256(),
    bytes.fromhex("608648016503040202"): hashes.SHA384(),
    bytes.fromhex("608648016503040203"): hashes.SHA512(),
}
_RSA: Final = bytes.fromhex("2a864886f70d010101")
"""rsaEncryption: PKCS #1 v1.5 with the digest named beside it (RFC 3370, 3.2)."""
_SIGNATURES: Final[dict[bytes, tuple[type[object], bytes | None]]] = {
    _ECDSA_SHA256: (ec.EllipticCurvePublicKey, SHA256_OID),
    bytes.fromhex("2a8648ce3d040303"): (ec.EllipticCurvePublicKey, bytes.fromhex("608648016503040202")),
    bytes.fromhex("2a8648ce3d040304"): (ec.EllipticCurvePublicKey, bytes.fromhex("608648016503040203")),
    _RSA: (rsa.RSAPublicKey, None),
    bytes.fromhex("2a864886f70d01010b"): (rsa.RSAPublicKey, SHA256_OID),
    bytes.fromhex("2a864886f70d01010c"): (rsa.RSAPublicKey, bytes.fromhex("608648016503040202")),
    bytes.fromhex("2a864886f70d01010d"): (rsa.RSAPublicKey, bytes.fromhex("608648016503040203")),
}
"""Signature algorithm → the kind of key it is for, and the digest it names."""
_CONTENT_TYPE: Final = bytes.fromhex("2a864886f70d010903")
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")
_SIGNING_TIME: Final = bytes.fromhex("2a864886f70d010905")
_SIGNING_CERTIFICATE_V2: Final = bytes.fromhex("2a864886f70d010910022f")
_SIGNING_CERTIFICATE: Final = bytes.fromhex("2a864886f70d010910020c")
"""By SHA-1, which some authorities write beside the second version: signed, and not looked at."""
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

    key: PublishedKey | TimeAuthority
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
    digest: bytes
    algorithm: bytes
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
    _only_our_certificates(parts.certificates, key_set, outside=purpose is KeyPurpose.TIMESTAMP)
    certificate = key.certificate.public_bytes(Encoding.DER)
    whole = parts.content is None or _digest(parts.digest, parts.content) == digest
    right = _digest(named[0], certificate) == named[1]
    if not (whole and right and _verifies(key, parts)):
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
    named_digest = _digest_algorithm(digests)
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
    _expect(_digest_algorithm(signer) == named_digest, "two digest algorithms")
    signed = signer.whole(_TAG_0)
    algorithm = _signature_algorithm(signer)
    signature = signer.next(OCTETS)
    timestamp = None
    if signer and content_type == DATA:
        timestamp = _only_timestamp(signer.enter(_TAG_1))
    signer.end()
    # RFC 5652, 5.4: what is signed is the SET itself, not its implicit tag.
    as_set = bytes((SET,)) + signed[1:]
    own_form = named_digest == SHA256_OID and algorithm == _ECDSA_SHA256
    _expect(own_form or content_type == TST_INFO, "another algorithm")
    attributes = _attributes(signed, _ALLOWED if content_type == DATA else _ALLOWED | {_SIGNING_CERTIFICATE})
    signer_id = (issuer, serial, named_digest, algorithm)
    return _Parts(content, tuple(certificates), *signer_id, attributes, as_set, signature, timestamp)


def _attributes(signed: bytes, allowed: set[bytes]) -> dict[bytes, bytes]:
    out: dict[bytes, bytes] = {}
    cursor = one(signed, _TAG_0)
    while cursor:
        name, value = _attribute(cursor)
        _expect(name in allowed and name not in out, "a signed attribute is unknown or doubled")
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


def _named_certificate(value: bytes) -> tuple[bytes, bytes]:
    """Algorithm and certificate digest in an ESS signing-certificate-v2 with one entry (RFC 5035, 3)."""
    certificates = one(value).enter()
    entry = certificates.enter()
    algorithm = _digest_algorithm(entry) if entry.peek() == SEQUENCE else SHA256_OID
    return algorithm, entry.next(OCTETS)


def _digest_algorithm(cursor: Der) -> bytes:
    """An AlgorithmIdentifier of SHA-2; parameters absent, or NULL as some authorities write."""
    algorithm = cursor.enter()
    name = algorithm.next(OID)
    _expect(name in _HASHES, "another digest algorithm")
    if algorithm:
        _expect(algorithm.next(NULL) == b"", "unexpected parameters")
    algorithm.end()
    return name


def _signature_algorithm(cursor: Der) -> bytes:
    """An AlgorithmIdentifier of a signature: no parameters with ECDSA (RFC 5758), NULL with RSA (RFC 4055)."""
    algorithm = cursor.enter()
    name = algorithm.next(OID)
    _expect(name in _SIGNATURES, "another signature algorithm")
    if _SIGNATURES[name][0] is rsa.RSAPublicKey:
        _expect(algorithm.next(NULL) == b"", "unexpected parameters")
    algorithm.end()
    return name


def _signer_key(parts: _Parts, key_set: KeySet, purpose: KeyPurpose) -> PublishedKey | TimeAuthority:
    outside = key_set.authorities if purpose is KeyPurpose.TIMESTAMP else ()
    known: tuple[PublishedKey | TimeAuthority, ...] = (*key_set.for_purpose(purpose), *outside)
    for key in known:
        certificate = key.certificate
        if certificate.serial_number == parts.serial and certificate.issuer.public_bytes() == parts.issuer:
            return key
    raise ForeignSignerError


def _only_our_certificates(found: tuple[bytes, ...], key_set: KeySet, *, outside: bool) -> None:
    """Certificates are not signed: only those of the published set may stand here, outside authorities' in tokens."""
    known: list[PublishedKey | TimeAuthority] = [*key_set.keys, *(key_set.authorities if outside else ())]
    ours = {
        certificate.public_bytes(Encoding.DER)
        for key in known
        for certificate in (key.certificate, *key.chain, *key_set.anchors)
    }
    distinct = len(set(found)) == len(found) <= _MAX_CERTIFICATES
    _expect(distinct and ours.issuperset(found), "it carries certificates that are not ours")


def _verifies(key: PublishedKey | TimeAuthority, parts: _Parts) -> bool:
    kind, named_digest = _SIGNATURES[parts.algorithm]
    public, algorithm = key.public_key, _HASHES[parts.digest]
    if not isinstance(public, kind) or named_digest not in (None, parts.digest):
        return False
    own_form = parts.digest == SHA256_OID and parts.algorithm == _ECDSA_SHA256
    if isinstance(key, PublishedKey) and not own_form:
        return False
    try:
        if isinstance(public, rsa.RSAPublicKey):
            # One signature for one message, in one length: there is no second spelling to refuse (RFC 8017, 8.2.2).
            public.verify(parts.signature, parts.signed, padding.PKCS1v15(), algorithm)
            return True
        # Of (r, s) and (r, n - s) only the one we write, in DER: a second spelling would be a second file with the
        # same signature. Tokens of an outside time-stamp authority are brought to it before they enter a file.
        if not is_lower_half(parts.signature, public.curve.name):
            return False
        public.verify(parts.signature, parts.signed, ec.ECDSA(algorithm))
    except (InvalidSignature, ValueError):
        return False
    return True


def _digest(algorithm: bytes, data: bytes) -> bytes:
    return hashlib.new(_HASHES[algorithm].name, data).digest()


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CmsError(otherwise)
