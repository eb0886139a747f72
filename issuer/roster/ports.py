"""What the roster slice needs from the composition root."""

from typing import Protocol

from issuer.ports import ServiceContext


class FileStore(Protocol):
    """Whole files by key (`issuer.records.storage.Storage`)."""

    def put(self, key: str, content: bytes) -> None:
        """Write the whole file."""
        ...

    def get(self, key: str) -> bytes:
        """The whole file; raises LookupError."""
        ...

    def exists(self, key: str) -> bool:
        """Whether a file is stored under `key`."""
        ...


class RosterContext(ServiceContext, Protocol):
    """The part of `issuer.context.Context` that taking in rosters uses."""

    @property
    def storage(self) -> FileStore:
        """Where photos are kept."""
        ...
