"""Work that goes on after the answer was given: a port of two methods, whatever engine stands behind it."""

from typing import Protocol


class Jobs(Protocol):
    """Runs batches of issue. What is to be done stands in the batch's own row, so losing a job loses no work."""

    def enqueue(self, batch_id: int) -> None:
        """See to it that this batch is worked on; asking twice does it once."""
        ...

    def cancel(self, batch_id: int) -> None:
        """Let go of a batch that has not begun; a running one stops by its state before the next group."""
        ...
