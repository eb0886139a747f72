"""The built-in development time-stamp authority (RFC 3161, RFC 5816): ECDSA P-256, ESSCertIDv2.

It tells the time of the clock it is given. A production site sets ECERT_TSA_URL to a licensed service instead.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime

from asn1crypto import tsp
from cryptography import x509

from keys.private import der
from keys.private.cms import TST_INFO, CmsWriter
from keys.private.signer import Signer
from keys.public.purposes import KeyPurpose

POLICY = "2.999.3161"
"""Policy OID of the tokens: under the arc for examples (ITU-T X.660), as the authority itself is an example."""

_DIGESTS = {
    "sha256": (32, der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))),
    "sha384": (48, der.sequence(der.oid("2.16.840.1.101.3.4.2.2"))),
    "sha512": (64, der.sequence(der.oid("2.16.840.1.101.3.4.2.3"))),
}
_VERSION = der.integer(1)
_POLICY = der.oid(POLICY)
_ACCURACY = der.sequence(der.integer(1))
_SERIAL_BITS = 159
_SLACK = 16
"""Tokens differ by a few bytes: the signature and the serial number are DER integers."""

# PKIFailureInfo bits (RFC 3161, 2.4.2) as BIT STRING contents: unused bits, then the bits.
_BAD_ALGORITHM = b"\x07\x80"
_BAD_DATA_FORMAT = b"\x02\x04"
_UNACCEPTED_POLICY = b"\x00\x00\x01"
_UNACCEPTED_EXTENSION = b"\x07\x00\x00\x80"
_REJECTION = 2


class TimestampAuthority:
    """Answers RFC 3161 requests, and makes tokens without a request. Safe for threads: nothing in it changes."""

    def __init__(self, signer: Signer, now: Callable[[], datetime]) -> None:
        if signer.purpose is not KeyPurpose.TIMESTAMP:
            raise ValueError(f"a {signer.purpose} key does not make timestamps")
        self._cms = CmsWriter(signer, TST_INFO)
        self._now = now
        self.certificates: tuple[x509.Certificate, ...] = (signer.certificate, *signer.chain)
        self.reserve = len(self.token(bytes(32))) + _SLACK

    def token(self, digest: bytes) -> bytes:
        """A DER token over a SHA-256 digest (32 bytes), certificates inside, no nonce."""
        return self._token("sha256", digest, None, with_certificates=True)

    def answer(self, request: bytes) -> bytes:
        """A DER TimeStampResp for a DER TimeStampReq; refusals are responses too (RFC 3161, 2.4.2)."""
        try:
            asked = tsp.TimeStampReq.load(request, strict=True)
            imprint = asked["message_imprint"]
            algorithm = imprint["hash_algorithm"]["algorithm"].native
            digest = imprint["hashed_message"].native
            nonce = asked["nonce"].native
            wants_certificate = bool(asked["cert_req"].native)
            policy = asked["req_policy"].native
            critical = any(extension["critical"].native for extension in asked["extensions"])
        except (ValueError, TypeError, KeyError):
            return _refusal(_BAD_DATA_FORMAT)
        if algorithm not in _DIGESTS or len(digest) != _DIGESTS[algorithm][0]:
            return _refusal(_BAD_ALGORITHM)
        if policy not in (None, POLICY):
            return _refusal(_UNACCEPTED_POLICY)
        if critical:
            return _refusal(_UNACCEPTED_EXTENSION)
        if nonce is not None and nonce < 0:
            return _refusal(_BAD_DATA_FORMAT)
        token = self._token(algorithm, digest, nonce, with_certificates=wants_certificate)
        return der.sequence(der.sequence(der.integer(0)), token)

    def _token(self, algorithm: str, digest: bytes, nonce: int | None, *, with_certificates: bool) -> bytes:
        length, identifier = _DIGESTS[algorithm]
        if len(digest) != length:
            raise ValueError(f"a {algorithm} digest has {length} bytes")
        info = der.sequence(
            _VERSION,
            _POLICY,
            der.sequence(identifier, der.octets(digest)),
            # Random, so that several processes need no common counter; 159 bits do not meet twice.
            der.integer(secrets.randbits(_SERIAL_BITS) | 1),
            der.generalized_time(self._now()),
            _ACCURACY,
            b"" if nonce is None else der.integer(nonce),
        )
        return self._cms.write(hashlib.sha256(info).digest(), content=info, with_certificates=with_certificates)


def _refusal(bits: bytes) -> bytes:
    return der.sequence(der.sequence(der.integer(_REJECTION), der.tagged(0x03, bits)))
