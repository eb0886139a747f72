"""A WebAuthn authenticator in software, for tests: keeps its promises, or breaks one at a time.

Data formats by W3C WebAuthn Level 3 §6 (authenticator data, attested credential data, `none` attestation) and §5.8.1
(client data), written by hand so that they are not checked with the code that made them.
"""

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(value: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def plain(value: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


@dataclass
class SoftwareKey:
    """One credential. `count` is the counter it shows next; 0 for one without a counter."""

    origin: str
    rp_id: str
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    count: int = 1
    flags: int = PRESENT | VERIFIED
    handle: bytes = b""
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any], **spoil: Any) -> str:
        """The answer to `navigator.credentials.create`."""
        self.handle = plain(options["user"]["id"])
        numbers = self._key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cose
        data = self._data(self.flags | ATTESTED, spoil) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options, spoil)
        self.count += 1 if self.count else 0
        return self._answer({"clientDataJSON": text(client), "attestationObject": text(statement)})

    def get(self, options: dict[str, Any], **spoil: Any) -> str:
        """The answer to `navigator.credentials.get`; `spoil`: origin, challenge, type, rp_id, flags, handle."""
        client = self._client("webauthn.get", options, spoil)
        data = self._data(spoil.get("flags", self.flags), spoil)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        self.count += 1 if self.count else 0
        response = {"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature)}
        return self._answer(response | {"userHandle": text(spoil.get("handle", self.handle))})

    def _client(self, kind: str, options: dict[str, Any], spoil: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(
            said | {name: spoil[name] for name in ("type", "challenge", "origin") if name in spoil}
        ).encode()

    def _data(self, flags: int, spoil: dict[str, Any]) -> bytes:
        host = str(spoil.get("rp_id", self.rp_id))
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + struct.pack(">I", self.count)

    def _answer(self, response: dict[str, str]) -> str:
        named = text(self.credential_id)
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": response})
