"""How often a holder's sign-in may be tried, per address and per identity. In memory, or shared through Redis."""

import hashlib
import logging
import time

from limits import parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from issuer.errors import NotAllowedError, Words

log = logging.getLogger(__name__)

PER_ADDRESS = "20/5minutes;100/hour"
PER_IDENTITY = "6/15minutes;20/day"
WATCHES_ASKED = "20/hour;60/day"
WATCHES_TARGET = "5/day"
"""Messages that ask an address to confirm: nobody's mailbox is filled by strangers."""
STAFF_FAILURES = "30/15minutes"
PUBLIC_PAGES = "120/minute;2000/hour"
"""Announcements: far more than a reader turns, too few to copy every list of names quickly."""


class SignInLimits:
    """Counts tries. When Redis is down this process counts alone: looser, never absent."""

    def __init__(self, redis_url: str | None = None) -> None:
        self._here = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        if redis_url:
            options = {"socket_timeout": 1, "socket_connect_timeout": 1}
            storage: Storage = storage_from_string(redis_url, wrap_exceptions=True, **options)  # type: ignore[assignment]
            self._shared = MovingWindowRateLimiter(storage)

    def count(self, address: str, identity: str) -> None:
        """Count one try; raises NotAllowedError (told as 429) when there were too many."""
        who = hashlib.sha256(identity.encode()).hexdigest()[:32]  # the limiter's memory holds no ID number
        for limit, key in ((PER_ADDRESS, f"holder-address/{address}"), (PER_IDENTITY, f"holder-identity/{who}")):
            wait = self._hit(limit, key)
            if wait is not None:
                raise _too_many(wait)

    def count_watch(self, address: str, target: str) -> None:
        """Count one request to be told of changes, by who asks and by the address (its digest) that would be
        written to; raises NotAllowedError (told as 429)."""
        for limit, key in ((WATCHES_ASKED, f"watch-address/{address}"), (WATCHES_TARGET, f"watch-target/{target}")):
            wait = self._hit(limit, key)
            if wait is not None:
                raise _too_many(wait)

    def count_reading(self, address: str) -> None:
        """Count one public page with names; raises NotAllowedError (told as 429) when there were too many."""
        wait = self._hit(PUBLIC_PAGES, f"public-page/{address}")
        if wait is not None:
            raise _too_many(wait)

    def require_room(self, address: str) -> None:
        """Raise NotAllowedError when staff sign-ins from this address have failed too often."""
        for item in parse_many(STAFF_FAILURES):
            if not self._here.test(item, f"staff-address/{address}"):
                raise _too_many(
                    self._here.get_window_stats(item, f"staff-address/{address}").reset_time - time.time()
                )

    def count_failure(self, address: str) -> None:
        """Count one failed staff sign-in; accounts themselves lock in the database."""
        for item in parse_many(STAFF_FAILURES):
            self._here.hit(item, f"staff-address/{address}")

    def _hit(self, limit: str, key: str) -> float | None:
        if self._shared is not None:
            try:
                return _wait(self._shared, limit, key)
            except StorageError:
                log.warning("sign-in limits: shared counter unreachable, counting in this process")
        return _wait(self._here, limit, key)


def _too_many(wait: float) -> NotAllowedError:
    minutes = max(1, round(wait / 60))
    return NotAllowedError(
        "too-many-attempts",
        Words(f"尝试次数过多，请约 {minutes} 分钟后再试。", f"Too many tries; try again in {minutes} min."),
    )


def _wait(limiter: MovingWindowRateLimiter, limit: str, key: str) -> float | None:
    for item in parse_many(limit):
        if not limiter.hit(item, key):
            return max(1.0, limiter.get_window_stats(item, key).reset_time - time.time())
    return None
