"""A price for asking too often: the asker's machine must first find a number, which takes it a second or two.

A challenge is a text that only this verifier can have made (HMAC-SHA256, RFC 2104), bound to whoever asked and to
what was asked, good for five minutes and once. It is answered by `CHALLENGE:N` with N decimal, such that SHA-256 of
that text begins with `bits` zero bits (as in hashcash). The server keeps nothing for a challenge nobody answers.
"""

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import redis

from verifier.puzzle import ALGORITHM, solve, zero_bits

__all__ = ["Challenge", "ProofOfWork", "SpentChallenges", "solve", "zero_bits"]

LIFE_SECONDS: Final = 300
MAX_BITS: Final = 28
_PROOF: Final = re.compile(r"(1\.([0-9]{1,2})\.([0-9]{10,12})\.[A-Za-z0-9_-]{22})\.([0-9a-f]{32}):([0-9]{1,20})")
_KEPT: Final = 200_000
"""Spent challenges remembered in one process; each took work, so this many do not come within five minutes."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What has to be solved. `text` is sent back with the answer."""

    text: str
    bits: int
    expires_at: datetime

    def to_json(self) -> dict[str, Any]:
        """As a problem document carries it."""
        return {
            "algorithm": ALGORITHM,
            "challenge": self.text,
            "bits": self.bits,
            "expires_at": self.expires_at.isoformat().replace("+00:00", "Z"),
            "answer": "proof = challenge + ':' + N; SHA-256(proof) begins with this many zero bits",
        }


class SpentChallenges:
    """Remembers for five minutes what was spent: in Redis for all workers, and always in this process."""

    def __init__(self, redis_url: str | None, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._here: dict[str, float] = {}
        self._lock = threading.Lock()
        options = {"socket_timeout": 1, "socket_connect_timeout": 1}
        self._shared = redis.Redis.from_url(redis_url, **options) if redis_url else None

    def spend(self, name: str) -> bool:
        """Whether `name` is spent for the first time. Without Redis each process answers for itself."""
        now = self._clock().timestamp()
        with self._lock:
            if self._here.get(name, 0.0) > now:
                return False
            if len(self._here) >= _KEPT:
                self._here = {kept: until for kept, until in self._here.items() if until > now}
            self._here[name] = now + LIFE_SECONDS
        if self._shared is None:
            return True
        try:
            return bool(self._shared.set(f"ecert:spent:{name}", 1, nx=True, ex=LIFE_SECONDS))
        except redis.RedisError:
            return True


class ProofOfWork:
    """Makes challenges and takes answers. Safe for threads."""

    def __init__(self, secret: bytes, bits: int, clock: Callable[[], datetime], spent: SpentChallenges) -> None:
        if not 1 <= bits <= MAX_BITS:
            raise ValueError(f"a challenge has 1 to {MAX_BITS} bits")
        self._key = hmac.digest(secret, b"proof-of-work", hashlib.sha256)
        self._bits = bits
        self._clock = clock
        self._spent = spent

    def challenge(self, bound_to: str) -> Challenge:
        """A fresh challenge for one asker and one question."""
        expires = int(self._clock().timestamp()) + LIFE_SECONDS
        head = f"1.{self._bits}.{expires}.{secrets.token_urlsafe(16)}"
        return Challenge(f"{head}.{self._mac(head, bound_to)}", self._bits, datetime.fromtimestamp(expires, UTC))

    def accepts(self, proof: str, bound_to: str) -> bool:
        """Whether `proof` answers a challenge of ours for this asker and question, in time, with the work, once."""
        found = _PROOF.fullmatch(proof)
        if found is None or not proof.isascii():
            return False
        head, bits, expires, mac, _ = found.groups()
        if not hmac.compare_digest(mac, self._mac(head, bound_to)):
            return False
        if int(expires) < self._clock().timestamp() or zero_bits(proof) < int(bits):
            return False
        return self._spent.spend(mac)

    def _mac(self, head: str, bound_to: str) -> str:
        return hmac.digest(self._key, f"{head}\0{bound_to}".encode(), hashlib.sha256).hex()[:32]
