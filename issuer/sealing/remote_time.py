"""Timestamps from an outside RFC 3161 service (ECERT_TSA_URL), over HTTP by pyHanko's client."""

import asyncio

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.timestamps import HTTPTimeStamper, TimestampRequestError

from issuer.errors import UnavailableError, Words
from keys.public.keyset import KeySet, PublishedKey
from keys.public.purposes import KeyPurpose

TIMEOUT_SECONDS = 10
_RESERVE_BYTES = 12 * 1024


class RemoteTimestamps:
    """Asks one service for tokens, and takes only those of an authority in the published key set.

    Otherwise the province would publish certificates that its own verifier cannot check.
    """

    reserve = _RESERVE_BYTES

    def __init__(self, url: str, key_set: KeySet, timeout: float = TIMEOUT_SECONDS) -> None:
        self._url = url
        self._timeout = timeout
        self._known = {
            key.certificate.public_bytes(Encoding.DER): key for key in key_set.for_purpose(KeyPurpose.TIMESTAMP)
        }
        self._anchors = key_set.anchors
        self._authority: PublishedKey | None = None

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The path of the authority that answered last, for the DSS; empty before the first token."""
        if self._authority is None:
            return ()
        above = (*self._authority.chain, self._authority.certificate)
        issuers = {certificate.issuer for certificate in above}
        roots = tuple(anchor for anchor in self._anchors if anchor.subject in issuers)
        return (self._authority.certificate, *self._authority.chain, *roots)

    def token(self, digest: bytes) -> bytes:
        """A DER token over a SHA-256 digest; raises UnavailableError when none that we accept can be had."""
        # A client a request: each call may run in another thread, with an event loop of its own.
        client = HTTPTimeStamper(self._url, timeout=self._timeout)
        try:
            token = asyncio.run(client.async_timestamp(digest, "sha256"))
            data, imprint, certificate = _read(token)
        except (
            TimestampRequestError,
            OSError,
            TimeoutError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as error:
            raise UnavailableError(
                "timestamp-unavailable",
                Words(
                    "时间戳服务没有给出可用的答复，什么也没有签。",
                    "The time-stamp service gave no usable answer; nothing was sealed.",
                ),
                remedy=Words(
                    "请检查 ECERT_TSA_URL 和网络，然后重试；已盖章的证书不受影响。",
                    "Check ECERT_TSA_URL and the network, then try again; certificates already sealed are kept.",
                ),
            ) from error
        if imprint != digest or certificate not in self._known:
            raise UnavailableError(
                "timestamp-not-ours",
                Words(
                    "时间戳不是由已公布的时间戳机构签发的，没有采用。",
                    "The timestamp is not by an authority in the published key set, and was not used.",
                ),
                remedy=Words("请先运行 ecert keys trust-tsa。", "Run `ecert keys trust-tsa` first."),
            )
        self._authority = self._known[certificate]
        return data


def _read(token: cms.ContentInfo) -> tuple[bytes, bytes, bytes | None]:
    """The token, the digest it is about, and its signer's certificate, all DER."""
    signed = token["content"]
    imprint = signed["encap_content_info"]["content"].parsed["message_imprint"]["hashed_message"].native
    signer_id = signed["signer_infos"][0]["sid"].chosen
    certificates = [choice.chosen for choice in signed["certificates"]]
    return token.dump(), imprint, next((_der(cert) for cert in certificates if _is(cert, signer_id)), None)


def _is(certificate: asn1_x509.Certificate, signer_id: cms.IssuerAndSerialNumber) -> bool:
    return bool(
        certificate.issuer == signer_id["issuer"] and certificate.serial_number == signer_id["serial_number"].native
    )


def _der(certificate: asn1_x509.Certificate) -> bytes:
    return bytes(certificate.dump())
