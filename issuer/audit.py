"""The audit trail: append-only events, each holding the hash of the one before it.

An event's hash is SHA-256 over the canonical JSON (sorted keys, no blanks, UTF-8) of all its fields and
the previous hash. Editing, removing, adding or exchanging any event breaks the chain; cutting off its end
is found by comparing with a head that was remembered elsewhere (`ecert audit verify` keeps one).

Events hold no personal data: subjects are row references (`certificate:12`), details are counts, codes,
dates and digests. On PostgreSQL the chain's lock is held until the unit of work ends, so services
take row locks first and record their events last.
"""

import hashlib
import json
import os
import pwd
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.clock import Clock
from issuer.records.ledger import AuditEvent

GENESIS = bytes(32)
"""The previous hash of the first event."""

_CHAIN_LOCK = 0x6563_6572_7441_7564
"""Key of the PostgreSQL advisory lock: "ecertAud" in ASCII."""

TOLD_EVERY = 1000
"""A walk over the chain tells how far it is after so many events."""
_OUTCOMES = frozenset({"intent", "done", "refused"})
_PERSONAL_KEYS = frozenset(
    {
        "name",
        "id_no",
        "id_number",
        "admission_no",
        "mobile",
        "phone",
        "birth_date",
        "employer",
        "basis",
        "note",
        "text",
    }
)
_RESIDENT_NUMBER = re.compile(r"(?<![0-9A-Za-z])([1-9][0-9]{16}[0-9Xx])(?![0-9A-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class PersonalDataInAuditError(ValueError):
    """Somebody tried to write personal data into the audit trail, where it could never be deleted."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be recorded; `outcome` is intent, done or refused."""

    act: str
    subject: str
    outcome: str = "done"
    clause: str | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The last event of a chain: its number and its hash (hex). (0, 64 zeros) is the empty chain."""

    sequence: int
    event_hash: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.event_hash}"

    @classmethod
    def parse(cls, text: str) -> "ChainHead":
        """Read `SEQUENCE:HASH`; raises ValueError."""
        number, _, digest = text.strip().partition(":")
        if not number.isascii() or not number.isdigit() or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ValueError("a chain head is written SEQUENCE:HASH, the hash as 64 hex characters")
        return cls(int(number), digest)


@dataclass(frozen=True, slots=True)
class ChainFault:
    """One break: at which sequence, and its kind (`gap`, `link`, `content`, `truncated`, `head`)."""

    sequence: int
    kind: str
    found: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a walk over the whole chain found."""

    events: int
    head: ChainHead
    faults: tuple[ChainFault, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def record_event(
    session: Session,
    clock: Clock,
    actor: Actor,
    act: str,
    subject: str,
    *,
    outcome: str = "done",
    clause: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Add one event to the chain in the caller's unit of work and return it.

    Raises PersonalDataInAuditError when the details look like personal data, ValueError when they are not
    plain JSON or `outcome` is unknown.
    """
    return record_many(session, clock, actor, [NewEvent(act, subject, outcome, clause, details)])[0]


def record_many(session: Session, clock: Clock, actor: Actor, events: Iterable[NewEvent]) -> Sequence[AuditEvent]:
    """Add many events in one go, in the given order: one lock, one read of the head, one bulk insert.

    The returned events are detached copies. Raises as `record_event` does.
    """
    waiting = [(event, _plain_details(event)) for event in events]
    if not waiting:
        return []
    _lock_chain(session)
    last = session.execute(
        select(AuditEvent.sequence, AuditEvent.event_hash).order_by(AuditEvent.sequence.desc()).limit(1)
    ).first()
    sequence, previous = (last.sequence, last.event_hash) if last else (0, GENESIS)
    origin = _origin(actor)
    rows: list[dict[str, Any]] = []
    for event, details in waiting:
        sequence += 1
        row: dict[str, Any] = {
            "sequence": sequence,
            "previous_hash": previous,
            "at": clock.now(),
            "actor": actor.username,
            "act": event.act,
            "subject": event.subject,
            "clause": event.clause,
            "outcome": event.outcome,
            "details": details | origin,
        }
        previous = row["event_hash"] = _hash(row)
        rows.append(row)
    session.execute(insert(AuditEvent), rows)
    return [AuditEvent(**row) for row in rows]


def chain_head(session: Session) -> ChainHead:
    """The chain's head as it stands in the table, unchecked."""
    last = session.execute(
        select(AuditEvent.sequence, AuditEvent.event_hash).order_by(AuditEvent.sequence.desc()).limit(1)
    ).first()
    return ChainHead(last.sequence, last.event_hash.hex()) if last else ChainHead(0, GENESIS.hex())


def verify_chain(
    session: Session, remembered: ChainHead | None = None, tell: Callable[[int], None] | None = None
) -> ChainReport:
    """Walk the whole chain and compare it with a remembered head; `tell`: how many events were walked so far.

    Finds an edited, removed, added or exchanged event by itself. An end that was cut off, or a chain that
    was rewritten from some point on with all its hashes, is found when `remembered` is given.
    """
    faults: list[ChainFault] = []
    previous, sequence, events = GENESIS, 0, 0
    met_remembered = remembered is None or remembered.sequence == 0
    for event in session.execute(select(AuditEvent).order_by(AuditEvent.sequence).execution_options(yield_per=2000)):
        row = {column: getattr(event[0], column) for column in _COLUMNS}
        events += 1
        if tell is not None and events % TOLD_EVERY == 0:
            tell(events)
        if row["sequence"] != sequence + 1:
            faults.append(ChainFault(row["sequence"], "gap", f"follows event {sequence}"))
        if row["previous_hash"] != previous:
            faults.append(ChainFault(row["sequence"], "link", "does not hold the hash of the event before it"))
        if _hash(row) != row["event_hash"]:
            faults.append(ChainFault(row["sequence"], "content", "its content does not give its hash"))
        sequence, previous = row["sequence"], row["event_hash"]
        if remembered is not None and sequence == remembered.sequence:
            met_remembered = True
            if previous.hex() != remembered.event_hash:
                faults.append(ChainFault(sequence, "head", "is not the event that was remembered"))
    if remembered is not None and not met_remembered:
        faults.append(ChainFault(remembered.sequence, "truncated", "was remembered and is not there any more"))
    return ChainReport(events, ChainHead(sequence, previous.hex()), tuple(faults))


_COLUMNS = (
    "sequence",
    "previous_hash",
    "event_hash",
    "at",
    "actor",
    "act",
    "subject",
    "clause",
    "outcome",
    "details",
)


def _hash(row: Mapping[str, Any]) -> bytes:
    at: datetime = row["at"]
    content = {
        "sequence": row["sequence"],
        "previous_hash": bytes(row["previous_hash"]).hex(),
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": row["actor"],
        "act": row["act"],
        "subject": row["subject"],
        "clause": row["clause"],
        "outcome": row["outcome"],
        "details": row["details"],
    }
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).digest()


def _origin(actor: Actor) -> dict[str, Any]:
    """By which door the act came; at a terminal also who was signed in to the machine."""
    return {"via": actor.via, "os_user": _os_user()} if actor.via == "cli" else {"via": actor.via}


@cache
def _os_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no entry
        return f"uid:{os.getuid()}"


def _lock_chain(session: Session) -> None:
    # A write unit of work is alone on SQLite (BEGIN IMMEDIATE), so only PostgreSQL needs a lock.
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_CHAIN_LOCK)))


def _plain_details(event: NewEvent) -> dict[str, Any]:
    if event.outcome not in _OUTCOMES:
        raise ValueError(f"unknown outcome of an audit event: {event.outcome}")
    details = dict(event.details or {})
    _refuse_personal_data(details)
    _refuse_personal_data(event.subject)
    return details


def _refuse_personal_data(value: Any) -> None:
    match value:
        case Mapping():
            for key, inner in value.items():
                if not isinstance(key, str):
                    raise ValueError("keys of audit details are text")
                if key in _PERSONAL_KEYS:
                    raise PersonalDataInAuditError(f"'{key}' does not belong into an audit event")
                _refuse_personal_data(inner)
        case list() | tuple():
            for inner in value:
                _refuse_personal_data(inner)
        case str():
            if any(_is_resident_number(found) for found in _RESIDENT_NUMBER.findall(value)):
                raise PersonalDataInAuditError("an ID number does not belong into an audit event")
        case bool() | int() | None:
            pass
        case _:
            # A float may read back differently, and then the event's hash would no longer fit.
            raise ValueError(f"audit details hold text, whole numbers, lists and maps, not {type(value).__name__}")


def _is_resident_number(text: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[17].upper()
