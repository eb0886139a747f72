"""CMS SignedData (RFC 5652) with one ECDSA P-256 signer, as PAdES (EN 319 142-1) and RFC 3161 ask for it."""

import hashlib
from collections.abc import Callable

from cryptography.hazmat.primitives.serialization import Encoding

from keys.private import der
from keys.private.signer import Signer

DATA = "1.2.840.113549.1.7.1"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
_SIGNED_DATA = der.oid("1.2.840.113549.1.7.2")
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52"
_SIGNATURE_TIMESTAMP = der.oid("1.2.840.113549.1.9.16.2.14")

# RFC 5754: no parameters with SHA-256, nor with ecdsa-with-SHA256.
_SHA256 = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"))
_ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))
_IMPLICIT_SET_0, _IMPLICIT_SET_1 = 0xA0, 0xA1
_DIGEST_PLACE = hashlib.sha256(b"the place of the digest").digest()


class CmsWriter:
    """Writes signed data of one content type with one key; all that stays the same is encoded once.

    Signed attributes: content type, message digest, ESS signing-certificate-v2 (RFC 5035), algorithm protection
    (RFC 6211). No signing time: PAdES keeps it in the PDF, RFC 3161 in the content.
    """

    def __init__(self, signer: Signer, content_type: str) -> None:
        certificate = signer.certificate
        leaf = certificate.public_bytes(Encoding.DER)
        chain = [cert.public_bytes(Encoding.DER) for cert in signer.chain[:-1]]
        # ESSCertIDv2 with its default hash, SHA-256.
        signing_certificate = der.sequence(der.sequence(der.sequence(der.octets(hashlib.sha256(leaf).digest()))))
        protection = der.sequence(_SHA256, der.tagged(_IMPLICIT_SET_1, _ECDSA_SHA256[2:]))
        self._signer = signer
        self._content_type = der.oid(content_type)
        # RFC 5652, 5.1: version 1 for plain data, 3 for any other content.
        self._version = der.integer(1 if content_type == DATA else 3)
        self._certificates = der.set_of(leaf, *chain, tag=_IMPLICIT_SET_0)
        self._signer_id = der.sequence(certificate.issuer.public_bytes(), der.integer(certificate.serial_number))
        # The order of the attributes does not depend on the digest: it stands behind the name of its own.
        attributes = der.set_of(
            der.attribute(_CONTENT_TYPE, self._content_type),
            der.attribute(_SIGNING_CERTIFICATE_V2, signing_certificate),
            der.attribute(_ALGORITHM_PROTECTION, protection),
            der.attribute(_MESSAGE_DIGEST, der.octets(_DIGEST_PLACE)),
        )
        self._before_digest, self._after_digest = attributes.split(_DIGEST_PLACE)
        self._digest_set = der.set_of(_SHA256)
        self._signer_head = der.integer(1) + self._signer_id + _SHA256

    def write(
        self,
        digest: bytes,
        *,
        content: bytes | None = None,
        timestamp: Callable[[bytes], bytes] | None = None,
        with_certificates: bool = True,
    ) -> bytes:
        """DER ContentInfo over content with this SHA-256 `digest`.

        `content` is put inside when given (else it is detached); `timestamp` is asked for an RFC 3161 token over the
        signature value, which becomes an unsigned attribute (EN 319 122-1, 5.3).
        """
        if len(digest) != len(_DIGEST_PLACE):
            raise ValueError("a SHA-256 digest has 32 bytes")
        attributes = self._before_digest + digest + self._after_digest
        # RFC 5652, 5.4: the SET is signed, and written with an implicit tag.
        signature = self._signer.sign(attributes)
        unsigned = b""
        if timestamp is not None:
            token = der.sequence(_SIGNATURE_TIMESTAMP, der.tagged(der.SET, timestamp(signature)))
            unsigned = der.tagged(_IMPLICIT_SET_1, token)
        signer_info = der.sequence(
            self._signer_head,
            bytes((_IMPLICIT_SET_0,)),
            attributes[1:],
            _ECDSA_SHA256,
            der.octets(signature),
            unsigned,
        )
        inner = b"" if content is None else der.explicit(0, der.octets(content))
        signed_data = der.sequence(
            self._version,
            self._digest_set,
            der.sequence(self._content_type, inner),
            self._certificates if with_certificates else b"",
            der.tagged(der.SET, signer_info),
        )
        return der.sequence(_SIGNED_DATA, der.explicit(0, signed_data))
