"""The audit events of a copied office: a true chain, each with the hash of the one before it."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any

from sqlalchemy.engine.interfaces import DBAPIConnection

from issuer.records.ledger import AuditEvent

_BATCH = 20_000
_COLUMNS = tuple(column.name for column in AuditEvent.__table__.columns)
Subject = tuple[str, int, int, str]
"""Kind and number of what an event is about, how far apart the numbers of its copies are, and whose it is."""


def chain(
    events: Iterable[Mapping[str, Any]],
    subject_of: Callable[[str], Subject | None],
    copies: Mapping[str, int],
    sequence: int,
    previous: bytes,
) -> Iterator[tuple[Any, ...]]:
    """The events of all copies, each with the hash of the one before it (as `issuer.audit` makes them).

    `copies`: how many of each owner's; `sequence` and `previous`: number and hash of the last event there is.
    """
    by_owner: dict[str, list[tuple[Mapping[str, Any], str, int, int, str]]] = {}
    for event in sorted(events, key=lambda event: event["sequence"]):
        found = subject_of(event["subject"])
        if found is not None:
            kind, number, stride, owner = found
            by_owner.setdefault(owner, []).append((event, kind, number, stride, _before_hash(event)))
    for owner, of_owner in by_owner.items():
        for copy in range(1, copies[owner] + 1):
            for event, kind, number, stride, head in of_owner:
                sequence += 1
                subject = f"{kind}:{number + copy * stride}"
                tail = f'"previous_hash":"{previous.hex()}","sequence":{sequence},"subject":"{subject}"}}'
                digest = hashlib.sha256((head + tail).encode()).digest()
                yield (
                    *(sequence, previous, digest, event["at"], event["actor"], event["act"], subject),
                    *(event["clause"], event["outcome"], json.dumps(event["details"], ensure_ascii=False)),
                )
                previous = digest


def write(raw: DBAPIConnection, events: Iterator[tuple[Any, ...]], *, postgres: bool) -> None:
    """Put the events into the office's database, over the driver's own connection."""
    (_copy_in if postgres else _insert)(raw, events)


def _copy_in(raw: DBAPIConnection, events: Iterator[tuple[Any, ...]]) -> None:
    connection: Any = raw
    into = f"COPY issuer.audit_events ({', '.join(_COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in events:
            copy.write_row(row)
    connection.commit()


def _insert(raw: DBAPIConnection, events: Iterator[tuple[Any, ...]]) -> None:
    connection: Any = raw
    places = ", ".join("?" * len(_COLUMNS))
    connection.execute("BEGIN")
    while rows := [_stored(row) for row in itertools.islice(events, _BATCH)]:
        connection.executemany(f"INSERT INTO audit_events ({', '.join(_COLUMNS)}) VALUES ({places})", rows)
    connection.execute("COMMIT")


def _stored(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """As SQLite keeps instants."""
    return (*row[:3], row[3].astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"), *row[4:])


def _before_hash(event: Mapping[str, Any]) -> str:
    """The canonical JSON of an event up to what differs in each copy; keys are in the order of the alphabet."""
    plain = {name: event[name] for name in ("act", "actor", "clause", "details", "outcome")}
    plain["at"] = event["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))[:-1] + ","
