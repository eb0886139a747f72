"""How often one address, or everyone together for one management number, may ask. Kept in memory and in Redis."""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from verifier.web.standing import Standing

log = logging.getLogger(__name__)

LOOKUPS_PER_ADDRESS: Final = "20/minute;200/hour"
LOOKUPS_PER_NUMBER: Final = "10/minute;60/hour"
WORKED_LOOKUPS_PER_ADDRESS: Final = "60/minute;600/hour"
"""Beyond the limits above, and only with a proof of work each (`verifier.web.proof_of_work`)."""
WORKED_LOOKUPS_PER_NUMBER: Final = "20/minute;120/hour"
ENDINGS_PER_NUMBER: Final = "20/hour;40/day"
"""Look-ups of one number that name the last four, right or wrong; a proof of work buys no more (decision 0013)."""
UPLOADS_PER_ADDRESS: Final = "120/minute"
RECEIPTS_PER_ADDRESS: Final = "60/minute;600/hour"
BULK_ITEMS_PER_ADDRESS: Final = "20000/minute;200000/hour"
BULK_NAMES_PER_ADDRESS: Final = "1000/10 minutes;5000/day"
"""Pairs of number and name in bulk; each also counts against its number."""
_REST_SECONDS: Final = 3.0
"""How long a Redis that did not answer is left alone, so that a dead one costs no asker a second."""


class RateLimits:
    """Counts hits in sliding windows. Safe for threads.

    With Redis the count is shared by all workers; each worker counts for itself as well. So when Redis goes away in
    the middle nobody starts from nothing: the limit is then looser by the number of workers, never absent, and
    checking goes on.
    """

    def __init__(self, redis_url: str | None = None) -> None:
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        if redis_url:
            options = {"socket_timeout": 1, "socket_connect_timeout": 1}
            storage: Storage = storage_from_string(redis_url, wrap_exceptions=True, **options)  # type: ignore[assignment]
            self._shared = SlidingWindowCounterRateLimiter(storage)
        self._standing = Standing(
            log,
            away="rate limits: shared counter unreachable, counting in this process",
            back="rate limits: shared counter reachable again",
        )
        self._rest_until = 0.0
        self._lock = threading.Lock()

    def retry_after(self, limits: str, *who: str, cost: int = 1) -> int | None:
        """Count one hit, or `cost` of them. None when it is allowed, else the seconds to wait."""
        items = parse_many(limits)
        with self._lock:
            wait = self._hit(self._here, items, who, cost)
        if wait is not None or self._shared is None or time.monotonic() < self._rest_until:
            return wait
        try:
            wait = self._hit(self._shared, items, who, cost)
        except StorageError as error:
            self._rest_until = time.monotonic() + _REST_SECONDS
            self._standing.lost(error)
            return None
        self._standing.found()
        return wait

    @staticmethod
    def _hit(
        limiter: SlidingWindowCounterRateLimiter, items: Sequence[RateLimitItem], who: Sequence[str], cost: int
    ) -> int | None:
        for item in items:
            if not limiter.hit(item, *who, cost=cost):
                wait = limiter.get_window_stats(item, *who).reset_time - time.time()
                return max(1, min(item.get_expiry(), round(wait + 0.5)))
        return None
