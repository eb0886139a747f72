"""The second place of the audit trail: signed heads kept where the database is not.

A cut-off end, or a history rewritten with all its hashes, is consistent by itself; it is found by a head that was
put elsewhere. Each head is a file `audit-heads/NUMBER.txt`, a checkpoint (C2SP tlog-checkpoint) under the log key:

    HOST/audit            origin
    120                   sequence of the last event
    BASE64                its hash
    number 17             of this file; the newest counts
    at 2026-01-05T01:00:00+00:00
    after-loss-of 154:HEX (only where somebody accepted that later events are lost)

While the newest head is not in our chain (an older backup was restored, or the trail was tampered with), nothing
may be written: events added now would contradict those that were put on record. Give the place credentials that
may add files and not delete them.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from obstore.exceptions import BaseError
from obstore.store import from_url
from sqlalchemy import select

from issuer.audit import ChainHead, chain_head, record_event
from issuer.audit_standing import SignedHead, Standing, State, not_a_prefix, refusal_of, unreachable
from issuer.clock import Clock
from issuer.errors import ConflictError, UnavailableError, Words
from issuer.records.database import Database
from issuer.records.ledger import AuditEvent
from issuer.records.storage import FileMissingError, Storage
from issuer.settings import Settings
from keys.public.keyset import KeySet, load_key_set
from verifier.record.log_reading import (
    Checkpoint,
    CheckpointMalformedError,
    CheckpointUntrustedError,
    checkpoint_text,
    origin_of,
    read_checkpoint,
    verify_checkpoint,
)

if TYPE_CHECKING:
    from obstore.store import RetryConfig

    from issuer.access.actor import Actor
    from issuer.sealing.credential import HasSigners

FOLDER = "audit-heads"
MEMORY = "audit-head"
"""Under DATA_DIR, in no backup: the newest head seen, for when the second place does not answer."""
RETRY_SECONDS = 5.0
"""While writing is refused, so often at most the second place is looked at again."""
_RETRIES: Final["RetryConfig"] = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}


class SecondPlace:
    """Compares the chain with the second place, writes new heads there, and refuses writing while it is ahead."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._good = False
        self._looked = 0.0
        self._refusal: UnavailableError | None = None
        self._passing = threading.local()

    def standing(self) -> Standing:
        """Look now. Nothing is raised for what is wrong; it is said."""
        with self._database.read() as session:
            ours = chain_head(session)
        memory = self._settings.data_dir / MEMORY
        try:
            newest = self._newest(self._storage())
        except UnavailableError:
            newest = self._remembered(memory)
            return Standing(self._compare(newest) if newest else "unreachable", ours, newest)
        except (CheckpointMalformedError, CheckpointUntrustedError):
            return Standing("untrusted", ours, None)
        if newest is None:
            return Standing("emptied" if memory.exists() else "first", ours, self._remembered(memory))
        return Standing(self._compare(newest), ours, newest)

    def require_writable(self) -> None:
        """Raise UnavailableError while the second place knows of events we lack; asked before every unit of work."""
        if self._good or getattr(self._passing, "on", False):
            return
        if self._refusal is None or time.monotonic() - self._looked >= RETRY_SECONDS:
            self.look_again()
        if self._refusal is not None:
            raise self._refusal

    def look_again(self) -> Standing:
        """Compare anew, and let units of work through or not from now on."""
        standing = self.standing()
        self._looked = time.monotonic()
        self._good = standing.writable
        self._refusal = None if standing.writable else refusal_of(standing)
        return standing

    def put_head(self, room: "HasSigners") -> SignedHead | None:
        """Sign our head and put it there; None when the newest one there is the same.

        Raises UnavailableError while writing is refused, or when the place takes no files.
        """
        standing = self.look_again()
        if not standing.writable:
            raise refusal_of(standing)
        if standing.newest is not None and standing.newest.head == standing.ours:
            return None
        return self._put(room, standing.ours, standing.newest, None)

    def accept_loss(self, room: "HasSigners", actor: "Actor") -> SignedHead:
        """Go on from an older backup for good: the events after its head are given up, and that is on record.

        Also where the heads themselves were lost, if our chain has the newest one this folder remembers. Raises
        ConflictError when nothing is lost or our chain is not the beginning of the recorded one, UnavailableError.
        """
        standing = self.standing()
        known = standing.newest
        if standing.writable:
            raise ConflictError(
                "audit-nothing-lost",
                Words("没有丢失的审计记录，未作任何改动。", "No audit event is missing; nothing was changed."),
                remedy=Words("无需办理。", "There is nothing to do."),
            )
        if known is None or standing.state not in ("behind", "emptied"):
            raise refusal_of(standing)
        if standing.state == "behind":
            self._require_prefix(standing)
        elif self._compare(known) != "current":
            raise not_a_prefix()
        put = self._put(room, standing.ours, known, known.head)
        with self._pass(), self._database.write() as session:
            details = {"kept": standing.ours.sequence, "known": known.head.sequence, "head": put.number}
            record_event(session, self._clock, actor, "audit.loss-accepted", "audit:chain", details=details)
        self.look_again()
        return put

    def _require_prefix(self, standing: Standing) -> None:
        """Every head recorded up to ours must be in our chain."""
        storage = self._storage()
        for number in sorted(_numbers(storage), reverse=True):
            signed = self._read(storage, number)
            if signed.head.sequence <= standing.ours.sequence and self._compare(signed) != "current":
                raise not_a_prefix()
            if signed.loss_of is not None:
                return  # what is older may belong to events that were given up before

    def _put(
        self, room: "HasSigners", head: ChainHead, after: SignedHead | None, loss_of: ChainHead | None
    ) -> SignedHead:
        from issuer.sealing.audit_head import sign_audit_head

        number = after.number + 1 if after else 1
        origin = origin_of(self._settings.verify_base_url).removesuffix("/log") + "/audit"
        text = checkpoint_text(Checkpoint(origin, head.sequence, bytes.fromhex(head.event_hash)))
        text += f"number {number}\nat {self._clock.now().isoformat(timespec='seconds')}\n"
        if loss_of is not None:
            text += f"after-loss-of {loss_of}\n"
        note = sign_audit_head(room, text, origin)
        try:
            self._storage().put(_key(number), note.encode())
        except (OSError, BaseError) as exc:
            raise unreachable() from exc
        self._remember(note)
        return SignedHead(number, head, loss_of)

    def _newest(self, storage: Storage) -> SignedHead | None:
        try:
            numbers = _numbers(storage)
            return self._read(storage, max(numbers)) if numbers else None
        except (OSError, BaseError) as exc:
            raise unreachable() from exc

    def _read(self, storage: Storage, number: int) -> SignedHead:
        try:
            note = storage.get(_key(number)).decode("utf-8", "replace")
        except FileMissingError as exc:
            raise CheckpointMalformedError("a head went missing while it was read") from exc
        signed = _parse(note, load_key_set(self._settings.keys_dir))
        if signed.number != number:
            raise CheckpointMalformedError("a head stands under another's number")
        self._remember(note)
        return signed

    def _remember(self, note: str) -> None:
        memory = self._settings.data_dir / MEMORY
        kept = self._remembered(memory)
        signed = _parse(note, load_key_set(self._settings.keys_dir))
        if kept is None or signed.number > kept.number:
            part = memory.with_name(f".{MEMORY}.part")
            part.write_text(note, encoding="utf-8")
            part.replace(memory)

    def _remembered(self, memory: Path) -> SignedHead | None:
        try:
            return _parse(memory.read_text(encoding="utf-8"), load_key_set(self._settings.keys_dir))
        except (OSError, UnicodeDecodeError, CheckpointMalformedError, CheckpointUntrustedError):
            return None

    def _compare(self, signed: SignedHead) -> State:
        if signed.head.sequence == 0:
            return "current"
        with self._database.read() as session:
            found = session.scalar(select(AuditEvent.event_hash).where(AuditEvent.sequence == signed.head.sequence))
        if found is None:
            return "behind"
        return "current" if bytes(found).hex() == signed.head.event_hash else "forked"

    def _storage(self) -> Storage:
        place = self._settings.audit_second_place or ""
        if "://" in place and not place.startswith("file://"):
            return Storage(from_url(place, retry_config=_RETRIES))
        folder = Path(place.removeprefix("file://"))
        if not folder.is_dir():  # an unmounted disk must not be taken for an empty one
            raise unreachable()
        return Storage.in_folder(folder)

    @contextmanager
    def _pass(self) -> Iterator[None]:
        self._passing.on = True
        try:
            yield
        finally:
            self._passing.on = False


def _parse(note: str, keys: KeySet) -> SignedHead:
    if not read_checkpoint(note).origin.endswith("/audit"):
        raise CheckpointUntrustedError("not a head of an audit chain")
    checkpoint = verify_checkpoint(note, keys)
    lines = dict(line.split(" ", 1) for line in note.split("\n\n")[0].split("\n")[3:] if " " in line)
    try:
        loss_of = ChainHead.parse(lines["after-loss-of"]) if "after-loss-of" in lines else None
        number = int(lines["number"])
    except (KeyError, ValueError) as exc:
        raise CheckpointMalformedError("not a head of an audit chain") from exc
    return SignedHead(number, ChainHead(checkpoint.tree_size, checkpoint.root_hash.hex()), loss_of)


def _numbers(storage: Storage) -> list[int]:
    names = (key.rpartition("/")[2].removesuffix(".txt") for key in storage.list(FOLDER))
    return [int(name) for name in names if name.isascii() and name.isdigit()]


def _key(number: int) -> str:
    return f"{FOLDER}/{number:012}.txt"
