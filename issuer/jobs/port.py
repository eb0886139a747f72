"""Work that goes on after the answer was given: a narrow port, whatever engine stands behind it."""

from typing import Protocol

from sqlalchemy.orm import Session


class Jobs(Protocol):
    """Runs batches of issue and large acts. What is to be done stands in their own rows, so losing a job loses no
    work."""

    def enqueue(self, session: Session, batch_id: int, *, urgent: bool = False) -> None:
        """See to it that this batch is worked on once the caller's unit of work is committed, and not otherwise.

        `urgent`: before everything that is not. Asking twice does it once.
        """
        ...

    def enqueue_act(self, session: Session, act_id: int) -> None:
        """The same for a large act (`issuer.jobs.large_acts`)."""
        ...

    def cancel(self, session: Session, batch_id: int) -> None:
        """In the caller's unit of work, let go of what has not begun; what runs stops by the batch's state before
        its next group."""
        ...

    def resume(self) -> int:
        """At start: take up what was begun and nobody works on; how many batches and large acts."""
        ...

    def close(self) -> None:
        """At the end: take nothing new and let go of what is held."""
        ...
