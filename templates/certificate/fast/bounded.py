"""A small table that forgets what was not asked for longest. Safe for threads."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `size` entries."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The entry of `key`; made, once, when it is not there. What `make` raises is passed on and not kept."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
            made = make()
            self._entries[key] = made
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
            return made

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def entries(self) -> list[tuple[K, V]]:
        """All entries, as they are now."""
        with self._lock:
            return list(self._entries.items())
