"""Signed data (RFC 5652) of the one form we write: a single P-256/SHA-256 signer, DER, nothing unsigned to spare.

Whatever the signature does not cover is either held to a constant, or checked by something that is: a
forger finds no byte to play with.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from asn1crypto import cms, core
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from keys.public.keyset import KeySet, PublishedKey
from keys.public.purposes import KeyPurpose
from verifier.check.der import is_der

_REQUIRED: Final = {"content_type", "message_digest", "signing_certificate_v2"}
_ALLOWED: Final = _REQUIRED | {"signing_time", "cms_algorithm_protection"}
_MAX_CERTIFICATES: Final = 8


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


def verify_signed_data(der: bytes, key_set: KeySet, purpose: KeyPurpose, content_type: str) -> SignedMessage:
    """Verify one CMS SignedData by a key of `purpose`; raises CmsError, ForeignSignerError, SignatureWrongError.

    `content_type` is `data` (detached: no content inside) or `tst_info` (content inside). Checked: DER,
    versions, algorithms, exactly one signer, the three signed attributes once each (content type, message
    digest, ESS signing-certificate-v2 of the signer's own certificate), certificates only from our key set.
    """
    try:
        return _verify(der, key_set, purpose, content_type)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        if isinstance(error, CmsError):
            raise
        # asn1crypto parses lazily and lets many kinds of error out.
        raise CmsError("the signed data cannot be read") from error


def _verify(der: bytes, key_set: KeySet, purpose: KeyPurpose, content_type: str) -> SignedMessage:
    info = cms.ContentInfo.load(der, strict=True)
    if info["content_type"].native != "signed_data" or not is_der(der):
        raise CmsError("not DER-encoded signed data")
    data = info["content"]
    inner = data["encap_content_info"]
    if inner["content_type"].native != content_type or (content_type == "data") != (_absent(inner["content"])):
        raise CmsError("the content is not of the kind it must be")
    if len(data["signer_infos"]) != 1:
        raise CmsError("there must be exactly one signer")
    signer = data["signer_infos"][0]
    key = _signer_key(signer, data, key_set, purpose)
    if data["version"].native != ("v1" if content_type == "data" else "v3") or signer["version"].native != "v1":
        raise CmsError("unexpected version")
    algorithms = [item["algorithm"].native for item in data["digest_algorithms"]]
    if algorithms != ["sha256"] or signer["digest_algorithm"]["algorithm"].native != "sha256":
        raise CmsError("the digest is not SHA-256")
    if signer["signature_algorithm"]["algorithm"].native not in ("sha256_ecdsa",):
        raise CmsError("the signature is not ECDSA with SHA-256")
    if not _absent(data["crls"]):
        raise CmsError("revocation lists do not belong here")
    _only_our_certificates(data, key_set)
    attributes = _signed_attributes(signer)
    if attributes["content_type"].native != content_type:
        raise CmsError("the content type attribute disagrees")
    essid = attributes["signing_certificate_v2"]["certs"]
    certificate = key.certificate.public_bytes(Encoding.DER)
    if len(essid) != 1 or essid[0]["hash_algorithm"]["algorithm"].native != "sha256":
        raise CmsError("the signing certificate is not named as it must be")
    digest, signature = attributes["message_digest"].native, signer["signature"].native
    content = None if content_type == "data" else bytes(inner["content"])
    signed = signer["signed_attrs"].untag().dump(force=True)
    named = essid[0]["cert_hash"].native == hashlib.sha256(certificate).digest()
    whole = content is None or hashlib.sha256(content).digest() == digest
    if not (named and whole and _verifies(key, signature, signed)):
        raise SignatureWrongError
    return SignedMessage(key, digest, content, signature, _timestamp(signer, allowed=content_type == "data"))


def _absent(value: Any) -> bool:
    """Whether an optional part is missing; asking `.native` would parse the whole tree, and make dumping it slow."""
    return isinstance(value, core.Void)


def _signer_key(signer: Any, data: Any, key_set: KeySet, purpose: KeyPurpose) -> PublishedKey:
    sid = signer["sid"]
    if sid.name != "issuer_and_serial_number":
        raise ForeignSignerError
    issuer, serial = sid.chosen["issuer"].dump(), sid.chosen["serial_number"].native
    for key in key_set.for_purpose(purpose):
        certificate = key.certificate
        if certificate.serial_number == serial and certificate.issuer.public_bytes() == issuer:
            return key
    raise ForeignSignerError


def _only_our_certificates(data: Any, key_set: KeySet) -> None:
    ours = {
        certificate.public_bytes(Encoding.DER)
        for key in key_set.keys
        for certificate in (key.certificate, *key.chain, *key_set.anchors)
    }
    bag = data["certificates"]
    found = [] if _absent(bag) else [item.chosen.dump() for item in bag]
    if len(found) > _MAX_CERTIFICATES or found != sorted(set(found)) or not ours.issuperset(found):
        raise CmsError("it carries certificates that are not ours")


def _signed_attributes(signer: Any) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for attribute in signer["signed_attrs"]:
        name = attribute["type"].native
        if name in out or name not in _ALLOWED or len(attribute["values"]) != 1:
            raise CmsError("a signed attribute is unknown, doubled or has several values")
        out[name] = attribute["values"][0]
    if not _REQUIRED.issubset(out):
        raise CmsError("a signed attribute is missing")
    return out


def _timestamp(signer: Any, *, allowed: bool) -> bytes | None:
    attributes = signer["unsigned_attrs"]
    if _absent(attributes):
        return None
    if not allowed or len(attributes) != 1 or attributes[0]["type"].native != "signature_time_stamp_token":
        raise CmsError("an unsigned attribute that does not belong here")
    if len(attributes[0]["values"]) != 1:
        raise CmsError("there must be one timestamp")
    return bytes(attributes[0]["values"][0].dump())


def _verifies(key: PublishedKey, signature: bytes, message: bytes) -> bool:
    try:
        # Only the one DER form of (r, s): a second spelling would be a second file with the same signature.
        if encode_dss_signature(*decode_dss_signature(signature)) != signature:
            return False
        key.public_key.verify(signature, message, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
