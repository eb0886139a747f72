"""Token Status List (draft-ietf-oauth-status-list): the statuses of many certificates in one signed file.

Ours has 2 bits an entry (`CertificateStatus.list_value`) and 131,072 entries (32 KiB before compression).
Both token forms are read here: JWT (`statuslist+jwt`) and CWT (`application/statuslist+cwt`, tag 18). They
are read strictly: ES256 only, nothing in the CWT's unprotected header, `exp` and `ttl` required, and the
signing key must have been made for status lists.
"""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from keys.public.keyset import KeySet, UnknownKeyError
from keys.public.purposes import KeyPurpose
from verifier.record import cbor, jws
from verifier.record.cose import ALG, KID, TYP, CoseError, decode_sign1, es256_verifies, to_be_signed

LIST_ENTRIES: Final = 131_072
LIST_BITS: Final = 2
AGGREGATION_PATH: Final = "/status-lists"
"""Where the addresses of all lists stand: `{"status_lists": [address, …]}` (the draft's Status List Aggregation)."""
JWT_TYPE: Final = "statuslist+jwt"
CWT_TYPE: Final = "application/statuslist+cwt"
SUB: Final = 2
EXP: Final = 4
IAT: Final = 6
STATUS_LIST: Final = 65533
TTL: Final = 65534
_MAX_PACKED: Final = 1 << 21
_MAX_TOKEN: Final = 4 << 20
_MAX_SECONDS: Final = 253_402_300_799


class StatusListError(Exception):
    """The token says nothing about any status. `code` is stable."""

    code = "status-list-unusable"


class StatusListMalformedError(StatusListError):
    """Not a status list token of the accepted form."""

    code = "status-list-malformed"


class StatusListUntrustedError(StatusListError):
    """Unknown key, a key of another purpose, a bad signature, or a list of another address."""

    code = "status-list-untrusted"


class StatusListExpiredError(StatusListError):
    """Past its `exp`, or issued after the present: fetch a fresh one."""

    code = "status-list-expired"


class StatusList:
    """Packed statuses: entry i occupies `bits` bits, the least significant bits of a byte first."""

    def __init__(self, packed: bytes, bits: int = LIST_BITS) -> None:
        if bits not in (1, 2, 4, 8):
            raise ValueError("a status list has 1, 2, 4 or 8 bits an entry")
        self.bits = bits
        self._packed = bytearray(packed)

    @classmethod
    def empty(cls, entries: int = LIST_ENTRIES, bits: int = LIST_BITS) -> "StatusList":
        """A list in which every entry is 0 (valid)."""
        return cls(bytes(-(-entries * bits // 8)), bits)

    @classmethod
    def from_compressed(cls, compressed: bytes, bits: int = LIST_BITS) -> "StatusList":
        """Unpack ZLIB data; raises StatusListMalformedError, also when it would unfold beyond 2 MiB."""
        try:
            stream = zlib.decompressobj()
            packed = stream.decompress(compressed, _MAX_PACKED)
            if not stream.eof or stream.unused_data or stream.unconsumed_tail:
                raise StatusListMalformedError("the list is cut off, too long, or followed by other bytes")
            return cls(packed, bits)
        except (zlib.error, ValueError) as exc:
            raise StatusListMalformedError("the list does not unpack") from exc

    @property
    def packed(self) -> bytes:
        """The statuses, not compressed."""
        return bytes(self._packed)

    def compressed(self) -> bytes:
        """The statuses in ZLIB data, highest level, as the draft recommends."""
        return zlib.compress(bytes(self._packed), 9)

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._packed) * 8 // self.bits

    def get(self, index: int) -> int:
        """The value of an entry; raises IndexError outside the list (no statement can be made)."""
        byte, shift = self._place(index)
        return self._packed[byte] >> shift & ((1 << self.bits) - 1)

    def set(self, index: int, value: int) -> None:
        """Set an entry; raises IndexError or ValueError."""
        byte, shift = self._place(index)
        mask = (1 << self.bits) - 1
        if not 0 <= value <= mask:
            raise ValueError("the value does not fit the entry")
        self._packed[byte] = self._packed[byte] & ~(mask << shift) | value << shift

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise IndexError("the index lies outside the status list")
        return divmod(index * self.bits, 8)


@dataclass(frozen=True)
class VerifiedStatusList:
    """A list whose signature, address and time were checked. `ttl` in seconds; instants UTC."""

    statuses: StatusList
    uri: str
    issued_at: datetime
    expires_at: datetime
    ttl: int
    kid: str


def list_path(list_id: str) -> str:
    """Public path of a list."""
    return f"/status-lists/{list_id}"


def list_uri(base_url: str, list_id: str) -> str:
    """Public address of a list: the `sub` of its tokens."""
    return base_url.rstrip("/") + list_path(list_id)


def claims_json(
    uri: str,
    statuses: StatusList,
    issued_at: datetime,
    expires_at: datetime,
    ttl: int,
    aggregation_uri: str | None = None,
) -> dict[str, Any]:
    """The JWT claims of a list."""
    return {
        "exp": int(expires_at.timestamp()),
        "iat": int(issued_at.timestamp()),
        "status_list": _listed(statuses, jws.b64url(statuses.compressed()), aggregation_uri),
        "sub": uri,
        "ttl": ttl,
    }


def claims_cbor(
    uri: str,
    statuses: StatusList,
    issued_at: datetime,
    expires_at: datetime,
    ttl: int,
    aggregation_uri: str | None = None,
) -> bytes:
    """The CWT claims of a list."""
    return cbor.encode(
        {
            SUB: uri,
            EXP: int(expires_at.timestamp()),
            IAT: int(issued_at.timestamp()),
            STATUS_LIST: _listed(statuses, statuses.compressed(), aggregation_uri),
            TTL: ttl,
        }
    )


def _listed(statuses: StatusList, compressed: str | bytes, aggregation_uri: str | None) -> dict[str, Any]:
    listed: dict[str, Any] = {"bits": statuses.bits, "lst": compressed}
    return listed if aggregation_uri is None else {**listed, "aggregation_uri": aggregation_uri}


def verify_status_list(
    token: bytes, key_set: KeySet, *, list_id: str, now: datetime, base_url: str | None = None
) -> VerifiedStatusList:
    """Check a status list token of either form and unpack it.

    `sub` must be the address of `list_id`; with `base_url` also at that origin. Raises StatusListMalformedError,
    StatusListUntrustedError or StatusListExpiredError; after any of them no statement about a status can be made.
    """
    if len(token) > _MAX_TOKEN:
        raise StatusListMalformedError("longer than any status list token")
    kid, signed, signature, claims = _read_cwt(token) if token[:1] == b"\xd2" else _read_jwt(token)
    try:
        key = key_set.find(kid, KeyPurpose.STATUS_LIST)
    except UnknownKeyError as exc:
        raise StatusListUntrustedError("no published status-list key has this id") from exc
    if not es256_verifies(key.public_key, signature, signed):
        raise StatusListUntrustedError("the signature does not fit the list")
    statuses, uri, issued_at, expires_at, ttl = _claims(claims)
    if not key.may_have_signed_at(issued_at):
        raise StatusListUntrustedError("the key was not in use when the list says it was issued")
    address_fits = uri == list_uri(base_url, list_id) if base_url else urlsplit(uri).path == list_path(list_id)
    if not address_fits:
        raise StatusListUntrustedError("this is the list of another address")
    if not issued_at.timestamp() - 60 <= now.timestamp() < expires_at.timestamp():
        raise StatusListExpiredError("the list is past its time, or from the future")
    return VerifiedStatusList(statuses, uri, issued_at, expires_at, ttl, kid)


def _read_jwt(token: bytes) -> tuple[str, bytes, bytes, Any]:
    try:
        parts = jws.split(token)
    except jws.JwsError as exc:
        raise StatusListMalformedError(str(exc)) from exc
    header = parts.header
    if set(header) != {"alg", "kid", "typ"} or header["alg"] != "ES256" or header["typ"] != JWT_TYPE:
        raise StatusListMalformedError("not an ES256 statuslist+jwt")
    if not isinstance(header["kid"], str):
        raise StatusListMalformedError("the key id is not text")
    claims = parts.claims
    listed = claims.get("status_list")
    if isinstance(listed, dict) and isinstance(listed.get("lst"), str):
        try:
            claims = {**claims, "status_list": {**listed, "lst": jws.unb64url(listed["lst"])}}
        except jws.JwsError as exc:
            raise StatusListMalformedError(str(exc)) from exc
    return header["kid"], parts.signed, parts.signature, claims


def _read_cwt(token: bytes) -> tuple[str, bytes, bytes, Any]:
    try:
        message = decode_sign1(token)
        kid = message.require_profile(ALG, KID, TYP)
        claims = cbor.decode(message.payload)
    except (CoseError, cbor.CborError) as exc:
        raise StatusListMalformedError(str(exc)) from exc
    if message.protected[TYP] != CWT_TYPE or not isinstance(claims, dict):
        raise StatusListMalformedError("not a statuslist+cwt")
    names = {SUB: "sub", EXP: "exp", IAT: "iat", STATUS_LIST: "status_list", TTL: "ttl"}
    signed = to_be_signed(message.protected_bytes, message.payload)
    return kid, signed, message.signature, {names.get(label, label): value for label, value in claims.items()}


def _claims(claims: Any) -> tuple[StatusList, str, datetime, datetime, int]:
    listed = claims.get("status_list")
    uri, iat, exp, ttl = (claims.get(name) for name in ("sub", "iat", "exp", "ttl"))
    whole = all(type(number) is int and 0 <= number <= _MAX_SECONDS for number in (iat, exp, ttl))
    if not whole or not ttl or not isinstance(uri, str) or not isinstance(listed, dict):
        raise StatusListMalformedError("sub, iat, exp, ttl or status_list is missing or of the wrong kind")
    bits, compressed = listed.get("bits"), listed.get("lst")
    if type(bits) is not int or bits not in (1, 2, 4, 8) or not isinstance(compressed, bytes):
        raise StatusListMalformedError("status_list lacks bits or lst")
    return (
        StatusList.from_compressed(compressed, bits),
        uri,
        datetime.fromtimestamp(iat, UTC),
        datetime.fromtimestamp(exp, UTC),
        ttl,
    )
