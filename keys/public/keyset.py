"""The published key set: which key may vouch for what, since when, until when, and under which root.

Read from `public/ecert-keys.json`, served as `/.well-known/ecert-keys.json`. Every key is a JWK (RFC 7517) with its
certificate path in `x5c`, leaf first, root left out; roots stand under `anchors`, outside time-stamp authorities
under `time_authorities`.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keys.public.purposes import KeyPurpose
from keys.public.time_authority import TimeAuthority, from_path, path_der

KEY_SET_FILE = "ecert-keys.json"
_COORDINATE_BYTES = 32


class UnknownKeyError(LookupError):
    """No published key has this id and this purpose."""


class KeySetMalformedError(ValueError):
    """The key set cannot be read, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """One public key and the certificate that binds it. Instants are aware, UTC."""

    kid: str
    purpose: KeyPurpose
    public_key: ec.EllipticCurvePublicKey
    certificate: x509.Certificate
    not_before: datetime
    not_after: datetime
    retired_at: datetime | None = None
    """From this instant the key signs nothing new; what it signed before stays good."""
    chain: tuple[x509.Certificate, ...] = field(default=())
    """Intermediate certificates above `certificate`, issuer first, without the root."""

    def may_have_signed_at(self, instant: datetime) -> bool:
        """Whether the key was valid and not yet retired at `instant`."""
        if not self.not_before <= instant <= self.not_after:
            return False
        return self.retired_at is None or instant <= self.retired_at


@dataclass(frozen=True)
class KeySet:
    """Everything a verifier may know about keys."""

    keys: tuple[PublishedKey, ...]
    anchors: tuple[x509.Certificate, ...]
    crls: tuple[x509.CertificateRevocationList, ...]
    generated_at: datetime
    authorities: tuple[TimeAuthority, ...] = ()
    """Outside time-stamp authorities whose tokens are accepted; their roots stand among the anchors."""

    def find(self, kid: str, purpose: KeyPurpose) -> PublishedKey:
        """The key with this id, only if it was made for this purpose; raises UnknownKeyError."""
        for key in self.keys:
            if key.kid == kid and key.purpose is purpose:
                return key
        raise UnknownKeyError(f"no {purpose} key with id {kid[:32]!r}")

    def current(self, purpose: KeyPurpose) -> PublishedKey:
        """The key that signs for this purpose now: the newest that is not retired; raises UnknownKeyError."""
        live = [key for key in self.for_purpose(purpose) if key.retired_at is None]
        if not live:
            raise UnknownKeyError(f"no {purpose} key in use")
        return max(live, key=lambda key: key.not_before)

    def newest(self, purpose: KeyPurpose) -> PublishedKey:
        """The key in use, or when there is none the one that was in use last; raises UnknownKeyError."""
        keys = sorted(self.for_purpose(purpose), key=lambda key: (key.retired_at is None, key.not_before))
        if not keys:
            raise UnknownKeyError(f"no {purpose} key was ever published")
        return keys[-1]

    def for_purpose(self, purpose: KeyPurpose) -> Iterator[PublishedKey]:
        """All keys ever published for this purpose, retired ones too."""
        return (key for key in self.keys if key.purpose is purpose)

    def to_json(self) -> dict[str, Any]:
        """The published form; `from_json` reads it back."""
        outside = [[_b64(der) for der in path_der(authority)] for authority in self.authorities]
        return {
            "keys": [_key_to_json(key) for key in self.keys],
            "anchors": [cert.public_bytes(serialization.Encoding.PEM).decode() for cert in self.anchors],
            "crls": [_b64(crl.public_bytes(serialization.Encoding.DER)) for crl in self.crls],
            "generated_at": self.generated_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            **({"time_authorities": [{"x5c": path} for path in outside]} if outside else {}),
        }

    @classmethod
    def from_json(cls, data: object) -> "KeySet":
        """Read the published form; raises KeySetMalformedError."""
        try:
            if not isinstance(data, dict):
                raise TypeError("not an object")
            return cls(
                keys=tuple(_key_from_json(item) for item in data["keys"]),
                anchors=tuple(x509.load_pem_x509_certificate(pem.encode()) for pem in data["anchors"]),
                crls=tuple(x509.load_der_x509_crl(_unb64(der)) for der in data["crls"]),
                generated_at=datetime.fromisoformat(data["generated_at"]),
                authorities=tuple(
                    from_path([_unb64(der) for der in item["x5c"]]) for item in data.get("time_authorities", ())
                ),
            )
        except (KeyError, TypeError, ValueError, AttributeError, binascii.Error, OverflowError, OSError) as error:
            raise KeySetMalformedError(f"the key set cannot be read: {type(error).__name__}") from error


def key_id(public_key: ec.EllipticCurvePublicKey) -> str:
    """The key id: first 8 bytes of SHA-256 over the SubjectPublicKeyInfo, in hex."""
    spki = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()[:16]


def key_set_path(keys_dir: Path) -> Path:
    """Where the key set of a key folder stands."""
    return keys_dir / "public" / KEY_SET_FILE


def receipt_key_path(keys_dir: Path, kid: str) -> Path:
    """Where the private half of a receipt key stands: the public side's own, outside `private/`."""
    return keys_dir / "receipt" / f"{kid}.pem"


def load_key_set(keys_dir: Path) -> KeySet:
    """Read `keys_dir/public/ecert-keys.json`; raises FileNotFoundError, KeySetMalformedError."""
    return read_key_set(key_set_path(keys_dir))


def read_key_set(path: Path) -> KeySet:
    """Read a key set from any file, as an offline checker's bundle has it; raises as `load_key_set` does."""
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise KeySetMalformedError("the key set is not JSON") from error
    return KeySet.from_json(data)


def published_key(
    purpose: KeyPurpose,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...] = (),
    retired_at: datetime | None = None,
) -> PublishedKey:
    """The published form of a certified key; `chain` without the root. Raises ValueError unless it is P-256."""
    public_key = certificate.public_key()
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or not isinstance(public_key.curve, ec.SECP256R1):
        raise ValueError("only P-256 keys are published")
    return PublishedKey(
        kid=key_id(public_key),
        purpose=purpose,
        public_key=public_key,
        certificate=certificate,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        retired_at=retired_at,
        chain=chain,
    )


def _key_to_json(key: PublishedKey) -> dict[str, Any]:
    numbers = key.public_key.public_numbers()
    return {
        "kid": key.kid,
        "use": key.purpose.value,
        "kty": "EC",
        "crv": "P-256",
        "x": _b64url(numbers.x.to_bytes(_COORDINATE_BYTES, "big")),
        "y": _b64url(numbers.y.to_bytes(_COORDINATE_BYTES, "big")),
        "x5c": [_b64(cert.public_bytes(serialization.Encoding.DER)) for cert in (key.certificate, *key.chain)],
        "nbf": int(key.not_before.timestamp()),
        "exp": int(key.not_after.timestamp()),
        "retired": None if key.retired_at is None else int(key.retired_at.timestamp()),
    }


def _key_from_json(item: dict[str, Any]) -> PublishedKey:
    certificates = [x509.load_der_x509_certificate(_unb64(der)) for der in item["x5c"]]
    retired = item["retired"]
    key = published_key(
        KeyPurpose(item["use"]),
        certificates[0] if certificates else _missing(),
        tuple(certificates[1:]),
        None if retired is None else datetime.fromtimestamp(retired, UTC),
    )
    # The bare key beside the certificate is for readers without X.509; the two must never disagree.
    if _key_to_json(key) != item:
        raise ValueError("a key contradicts its certificate")
    return key


def _missing() -> x509.Certificate:
    raise ValueError("a key has no certificate")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
