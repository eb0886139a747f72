"""Whether a part of the machine is there, told to the log when that changes and not at every request."""

import logging
import threading


class Standing:
    """What the log was last told of one part. Safe for threads.

    `away` and `back` are the lines to write; `away` gets the reason added.
    """

    def __init__(self, log: logging.Logger, *, away: str, back: str) -> None:
        self._log = log
        self._away, self._back = away, back
        self._reason: str | None = None
        self._lock = threading.Lock()

    def lost(self, error: BaseException) -> None:
        """The part did not answer; another kind of reason is told again. One line, no traceback."""
        reason = type(error).__name__
        with self._lock:
            known, self._reason = self._reason == reason, reason
        if not known:
            self._log.warning("%s (%s)", self._away, reason)

    def found(self) -> None:
        """The part answered."""
        if self._reason is None:
            return
        with self._lock:
            was_away, self._reason = self._reason is not None, None
        if was_away:
            self._log.warning("%s", self._back)
