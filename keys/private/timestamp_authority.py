"""The built-in development time-stamp authority (RFC 3161, RFC 5816): ECDSA P-256, one token in about a millisecond.

It tells the time of the clock it is given. A production site sets ECERT_TSA_URL to a licensed service instead.
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding

from keys.private.signer import Signer
from keys.public.purposes import KeyPurpose

POLICY = "1.3.6.1.4.1.13762.3"
"""Policy OID of the tokens: an example arc, as the authority itself is an example."""
_ACCEPTED = {"sha256": 32, "sha384": 48, "sha512": 64}
_SERIAL_BITS = 159


class TimestampAuthority:
    """Answers RFC 3161 requests. Safe for threads: it holds no state that changes."""

    def __init__(self, signer: Signer, now: Callable[[], datetime]) -> None:
        if signer.purpose is not KeyPurpose.TIMESTAMP:
            raise ValueError(f"a {signer.purpose} key does not make timestamps")
        self._signer = signer
        self._now = now
        certificate = signer.certificate.public_bytes(Encoding.DER)
        self._certificate = asn1_x509.Certificate.load(certificate)
        self._chain = [
            asn1_x509.Certificate.load(cert.public_bytes(Encoding.DER))
            for cert in (signer.certificate, *signer.chain[:-1])
        ]
        self._sid = cms.SignerIdentifier(
            {
                "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                    {"issuer": self._certificate.issuer, "serial_number": self._certificate.serial_number}
                )
            }
        )
        essid = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})
        self._signing_certificate = _attribute("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [essid]}))
        self._content_type = _attribute("content_type", "tst_info")

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
        except (ValueError, TypeError, KeyError):
            return _refusal("bad_data_format")
        if _ACCEPTED.get(algorithm) != len(digest):
            return _refusal("bad_alg")
        if policy not in (None, POLICY):
            return _refusal("unaccepted_policy")
        token = self.token(digest, algorithm, nonce=nonce, with_certificate=wants_certificate)
        response = tsp.TimeStampResp({"status": tsp.PKIStatusInfo({"status": "granted"}), "time_stamp_token": token})
        return bytes(response.dump())

    def token(
        self, digest: bytes, algorithm: str = "sha256", *, nonce: int | None = None, with_certificate: bool = True
    ) -> cms.ContentInfo:
        """A token over a message digest made with `algorithm` (sha256, sha384, sha512)."""
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": POLICY,
                "message_imprint": {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": digest},
                # 159 random bits are unique without a counter to keep (CA/Browser Forum asks 64 of certificates).
                "serial_number": secrets.randbits(_SERIAL_BITS) | 1,
                "gen_time": core.GeneralizedTime(self._now()),
                "accuracy": {"seconds": 1},
                **({} if nonce is None else {"nonce": nonce}),
            }
        )
        content = info.dump()
        signed = cms.CMSAttributes(
            [
                self._content_type,
                _attribute("message_digest", hashlib.sha256(content).digest()),
                self._signing_certificate,
            ]
        )
        signer_info = {
            "version": "v1",
            "sid": self._sid,
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": signed,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": self._signer.sign(signed.dump()),
        }
        signed_data = {
            "version": "v3",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(content)},
            "signer_infos": [signer_info],
        }
        if with_certificate:
            signed_data["certificates"] = self._chain
        return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed_data)})


def _attribute(kind: str, value: object) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": kind, "values": (value,)})


def _refusal(reason: str) -> bytes:
    status = tsp.PKIStatusInfo({"status": "rejection", "fail_info": tsp.PKIFailureInfo({reason})})
    return bytes(tsp.TimeStampResp({"status": status}).dump())
