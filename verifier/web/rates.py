"""How often one address, or everyone together for one management number, may ask. Kept in memory or in Redis."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

log = logging.getLogger(__name__)

LOOKUPS_PER_ADDRESS: Final = "20/minute;200/hour"
LOOKUPS_PER_NUMBER: Final = "10/minute;60/hour"
UPLOADS_PER_ADDRESS: Final = "120/minute"


class RateLimits:
    """Counts hits in sliding windows. Safe for threads.

    With Redis the count is shared by all workers. When Redis is down each worker counts for itself: the
    limit then is looser, never absent, and checking goes on.
    """

    def __init__(self, redis_url: str | None = None) -> None:
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        if redis_url:
            options = {"socket_timeout": 1, "socket_connect_timeout": 1}
            storage: Storage = storage_from_string(redis_url, wrap_exceptions=True, **options)  # type: ignore[assignment]
            self._shared = SlidingWindowCounterRateLimiter(storage)
        self._lock = threading.Lock()

    def retry_after(self, limits: str, *who: str) -> int | None:
        """Count one hit. None when it is allowed, else the seconds to wait."""
        items = parse_many(limits)
        if self._shared is not None:
            try:
                return self._hit(self._shared, items, who)
            except StorageError:
                log.warning("rate limits: shared counter unreachable, counting in this process")
        with self._lock:
            return self._hit(self._here, items, who)

    @staticmethod
    def _hit(
        limiter: SlidingWindowCounterRateLimiter, items: Sequence[RateLimitItem], who: Sequence[str]
    ) -> int | None:
        for item in items:
            if not limiter.hit(item, *who):
                wait = limiter.get_window_stats(item, *who).reset_time - time.time()
                return max(1, min(item.get_expiry(), round(wait + 0.5)))
        return None
