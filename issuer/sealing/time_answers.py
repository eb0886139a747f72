"""Requests to a time-stamp service and what its answers are worth (RFC 3161, 2.4).

An answer is taken only when the check that every verifier makes takes it: the signature, the imprint, an authority
in the published key set, good at that time. A service that cannot answer now is asked again; one that answers
wrongly is not.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from asn1crypto import algos, cms, tsp
from cryptography.hazmat.primitives.asymmetric import ec

from issuer.errors import UnavailableError, Words
from keys.public.ecdsa import ORDERS, lower_half
from keys.public.keyset import KeySet
from keys.public.profile import trust_faults
from verifier.check.cms import CmsError, ForeignSignerError, SignatureWrongError
from verifier.check.der import SEQUENCE, one
from verifier.check.timestamps import Stamp, TimeUnprovenError, read_token

CLOCKS_APART = timedelta(minutes=5)
"""A service whose time is further from ours is wrong, or we are: neither may go into a certificate."""
_FAILURES = {
    0: "badAlg",
    2: "badRequest",
    5: "badDataFormat",
    14: "timeNotAvailable",
    15: "unacceptedPolicy",
    16: "unacceptedExtension",
    17: "addInfoNotAvailable",
    25: "systemFailure",
}
"""PKIFailureInfo, bit by bit (RFC 3161, 2.4.2)."""
_PASSING = frozenset({"timeNotAvailable", "systemFailure"})
_GRANTED, _WAITING = (0, 1), 3
_BIT_STRING = 0x03
_NONCE_BITS = 64


class NotNowError(Exception):
    """The service may answer if asked again; the text says in a few words why it did not. `after` in seconds."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


def request_for(digest: bytes) -> tuple[bytes, int]:
    """A DER request for a token over a SHA-256 digest, with the authority's certificates inside, and its nonce."""
    nonce = secrets.randbits(_NONCE_BITS) | 1 << (_NONCE_BITS - 1)
    imprint = tsp.MessageImprint(
        {"hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}), "hashed_message": digest}
    )
    request = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "nonce": nonce, "cert_req": True})
    return bytes(request.dump()), nonce


def accept_answer(answer: bytes, digest: bytes, nonce: int, key_set: KeySet, now: datetime) -> tuple[bytes, Stamp]:
    """The token in a DER response and what it proves.

    Raises NotNowError, and UnavailableError `timestamp-refused`, `timestamp-wrong`, `timestamp-not-ours`.
    """
    token = _token_of(answer)
    try:
        if token["content"]["encap_content_info"]["content"].parsed["nonce"].native != nonce:
            raise wrong_answer("nonce")
        der = _one_spelling(token)
        stamp = read_token(der, digest, key_set)
    except ForeignSignerError as error:
        raise _not_ours() from error
    except SignatureWrongError as error:
        raise wrong_answer("signature") from error
    except TimeUnprovenError as error:
        raise wrong_answer("imprint") from error
    except (CmsError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise wrong_answer("form") from error
    faults = trust_faults(stamp.key, key_set, stamp.time)
    if faults:
        raise wrong_answer(faults[0])
    if abs(stamp.time - now) > CLOCKS_APART:
        raise wrong_answer("clock")
    return der, stamp


def _token_of(answer: bytes) -> cms.ContentInfo:
    try:
        status, failures, der = _read_response(answer)
        token = None if der is None else cms.ContentInfo.load(der, strict=True)
    except (ValueError, TypeError, KeyError) as error:
        raise wrong_answer("form") from error
    if status in _GRANTED and isinstance(token, cms.ContentInfo):
        return token
    why = ", ".join(failures) or f"status {status}"
    if status == _WAITING or (failures and set(failures) <= _PASSING):
        raise NotNowError(why)
    raise UnavailableError(
        "timestamp-refused",
        Words(
            f"时间戳服务拒绝了请求（{why}），什么也没有签发。",
            f"The time-stamp service refused the request ({why}); nothing was issued.",
        ),
        remedy=Words(
            "请与服务方核对：SHA-256 请求、证书、账号；然后重试未完成的证书。",
            "Ask the service about SHA-256 requests, certificates and the account; then retry what is unfinished.",
        ),
    )


def _read_response(answer: bytes) -> tuple[int, tuple[str, ...], bytes | None]:
    """Status, names of its failures, token of a TimeStampResp; raises DerError."""
    response = one(answer)
    info = response.enter()
    status, bits = info.integer(), b"\0"
    if info.peek() == SEQUENCE:
        info.next(SEQUENCE)  # words for people, in any language
    if info.peek() == _BIT_STRING:
        bits = info.next(_BIT_STRING)
    info.end()
    token = response.whole(SEQUENCE) if response else None
    response.end()
    failures = (name for place, name in _FAILURES.items() if _is_set(bits[1:], place))
    return status, tuple(failures), token


def _is_set(bits: bytes, place: int) -> bool:
    return place // 8 < len(bits) and bool(bits[place // 8] & 0x80 >> place % 8)


def _one_spelling(token: cms.ContentInfo) -> bytes:
    """The token in DER, an ECDSA signature in its lower half: the check takes no other (`keys.public.ecdsa`)."""
    signer = token["content"]["signer_infos"][0]
    if signer["signature_algorithm"].signature_algo == "ecdsa":
        curve = _curve_of(token, signer)
        if curve in ORDERS:
            signer["signature"] = lower_half(signer["signature"].native, curve)
    return bytes(token.dump())


def _curve_of(token: cms.ContentInfo, signer: cms.SignerInfo) -> str:
    wanted = signer["sid"].chosen
    for choice in token["content"]["certificates"]:
        certificate = choice.chosen
        if (certificate.issuer, certificate.serial_number) == (wanted["issuer"], wanted["serial_number"].native):
            return str(certificate.public_key.curve[1])
    return ec.SECP256R1.name


def wrong_answer(what: str) -> UnavailableError:
    """An answer that is not about our request, or does not hold: not to be asked again, somebody must look."""
    return UnavailableError(
        "timestamp-wrong",
        Words(
            f"时间戳服务的答复不对（{what}），没有采用，什么也没有签发。",
            f"The answer of the time-stamp service is wrong ({what}); it was not used, nothing was issued.",
        ),
        remedy=Words(
            "请核对 ECERT_TSA_URL、服务方证书和两边的时钟，然后重试未完成的证书。",
            "Check ECERT_TSA_URL, the service's certificate and both clocks; then retry what is unfinished.",
        ),
    )


def _not_ours() -> UnavailableError:
    return UnavailableError(
        "timestamp-not-ours",
        Words(
            "时间戳不是由已公布的时间戳机构签发的，没有采用。",
            "The timestamp is not by an authority in the published key set, and was not used.",
        ),
        remedy=Words("请先运行 ecert keys trust-tsa。", "Run `ecert keys trust-tsa` first."),
    )


def probe_digest() -> bytes:
    """A digest of nothing, to learn how long this service's tokens are."""
    return hashlib.sha256(secrets.token_bytes(32)).digest()
