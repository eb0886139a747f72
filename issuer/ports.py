"""What services need from the composition root, as a protocol, so that they can be tried without all of it."""

from typing import TYPE_CHECKING, Protocol

from issuer.clock import Clock
from issuer.records.database import Database
from issuer.records.encryption import DataKey
from issuer.settings import Settings

if TYPE_CHECKING:
    from issuer.sealing.room import SealingRoom


class ServiceContext(Protocol):
    """The part of `issuer.context.Context` that review, invalidation and paper use."""

    @property
    def clock(self) -> Clock:
        """Where the time comes from."""
        ...

    @property
    def database(self) -> Database:
        """The private side's units of work."""
        ...

    @property
    def settings(self) -> Settings:
        """Settings of this installation."""
        ...

    @property
    def data_key(self) -> DataKey:
        """The key personal data rests under."""
        ...

    def publish(self) -> None:
        """Bring what stands in the outbox to the public record; run after a commit."""
        ...


class SealingContext(ServiceContext, Protocol):
    """What a service needs that seals a document of the office."""

    def room(self) -> "SealingRoom":
        """The private keys; raises UnavailableError without them."""
        ...
