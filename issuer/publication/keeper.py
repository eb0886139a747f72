"""Beside a running server: events that stayed behind are carried over, and status lists never run out."""

import logging
import threading
from types import TracebackType
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from issuer.errors import DomainError

EVERY_SECONDS: Final = 60.0
"""Far below the 12 hours a list still has when it is due, and short for an event left behind by a crash."""

log = logging.getLogger(__name__)


class Kept(Protocol):
    """What is kept: `issuer.publication.relay.Relay`."""

    def flush(self) -> int:
        """Apply what is in the outbox."""
        ...

    def refresh_lists(self) -> int:
        """Sign anew the lists that are due."""
        ...


class Keeper:
    """A thread that looks at once and then every `every` seconds, until stopped. Use as a context manager.

    A failure is logged (its kind, never its data) and tried again at the next look; several keepers do no harm.
    """

    def __init__(self, relay: Kept, *, every: float = EVERY_SECONDS) -> None:
        self._relay = relay
        self._every = every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publication-keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the look that is under way."""
        self._stopped.set()
        self._thread.join()

    def look(self) -> bool:
        """Do once what is due; returns whether it went well."""
        try:
            applied, signed = self._relay.flush(), self._relay.refresh_lists()
        except (DomainError, SQLAlchemyError, OSError) as exc:
            log.error("the public record could not be brought up to date: %s", type(exc).__name__)
            return False
        if applied or signed:
            log.info("public record: %d events carried over, %d status lists signed", applied, signed)
        return True

    def _run(self) -> None:
        self.look()
        while not self._stopped.wait(self._every):
            self.look()

    def __enter__(self) -> "Keeper":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
