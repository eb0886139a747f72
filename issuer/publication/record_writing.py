"""Writes events into the public record's rows: certificates, files, history. Statuses of lists are handed back."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Column, Connection, bindparam, select, tuple_, update

from issuer.errors import UnavailableError, Words
from issuer.publication.copies import write_copies
from issuer.publication.outbox import FILE, PUBLISH, STATUS, read_change, read_file, read_record
from issuer.records.ledger import OutboxEvent
from verifier.record.public_record import PublicRecord, StatusChange
from verifier.record.status import CertificateStatus
from verifier.record.tables import certificates, files, status_changes

_CHUNK = 400
ListStatuses = dict[str, dict[int, CertificateStatus]]
"""List id → index → the newest status."""


class ContradictionError(Exception):
    """An event cannot be applied to the record as it stands."""


class FeedBrokenError(UnavailableError):
    """Events that contradict the public record and so cannot be applied. They stay in the outbox."""

    def __init__(self, numbers: Sequence[int]) -> None:
        listed = ", ".join(map(str, numbers))
        super().__init__(
            "feed-broken",
            Words(
                f"待公布事件与公共记录矛盾，未写入（编号 {listed}）；其余事件已公布。",
                f"Events contradict the public record and were left out (numbers {listed}); all others are public.",
            ),
            remedy=Words("请运行 ecert doctor 并联系维护人员。", "Run `ecert doctor` and call the maintainer."),
        )
        self.numbers = tuple(numbers)


def write_events(connection: Connection, events: Sequence[OutboxEvent]) -> ListStatuses:
    """Apply events in order; returns which list entries changed. Raises ContradictionError.

    An event whose effect already stands (the same certificate, file or change) changes nothing.
    """
    touched: ListStatuses = {}
    _publish(connection, [read_record(event.payload) for event in events if event.kind == PUBLISH], touched)
    _add_files(connection, [read_file(event.payload) for event in events if event.kind == FILE])
    write_copies(connection, events, touched)
    _change(connection, [read_change(event.payload) for event in events if event.kind == STATUS], touched)
    return touched


def known(connection: Connection, column: Column[Any], values: Iterable[Any]) -> set[Any]:
    """Which of `values` already stand in `column`."""
    found: set[Any] = set()
    for chunk in _chunks(list(values)):
        found.update(connection.execute(select(column).where(column.in_(chunk))).scalars())
    return found


def _publish(connection: Connection, records: list[PublicRecord], touched: ListStatuses) -> None:
    standing = known(connection, certificates.c.token, (record.token for record in records))
    fresh = [record for record in records if record.token not in standing]
    if not fresh:
        return
    connection.execute(certificates.insert(), [asdict(record) for record in fresh])
    connection.execute(
        files.insert(),
        [{"sha256": r.file_sha256, "token": r.token, "kind": "original", "valid_until": None} for r in fresh],
    )
    connection.execute(
        status_changes.insert(),
        [
            asdict(StatusChange(r.token, 0, r.status, r.reason_class, r.effective_on or r.issued_on, r.published_at))
            for r in fresh
        ],
    )
    for record in fresh:
        touched.setdefault(record.list_id, {})[record.list_index] = record.status


def _add_files(connection: Connection, rows: list[dict[str, Any]]) -> None:
    standing = known(connection, files.c.sha256, (row["sha256"] for row in rows))
    fresh = {row["sha256"]: row for row in rows if row["sha256"] not in standing}
    if fresh:
        _require_published(connection, {row["token"] for row in fresh.values()})
        connection.execute(files.insert(), list(fresh.values()))


def _change(connection: Connection, changes: list[tuple[StatusChange, str | None]], touched: ListStatuses) -> None:
    standing: set[tuple[str, int]] = set()
    for chunk in _chunks([(change.token, change.sequence) for change, _ in changes]):
        key = tuple_(status_changes.c.token, status_changes.c.sequence)
        rows = connection.execute(select(status_changes.c.token, status_changes.c.sequence).where(key.in_(chunk)))
        standing.update((row.token, row.sequence) for row in rows)
    fresh = [(change, by) for change, by in changes if (change.token, change.sequence) not in standing]
    if not fresh:
        return
    places = _require_published(connection, {change.token for change, _ in fresh})
    connection.execute(status_changes.insert(), [asdict(change) for change, _ in fresh])
    connection.execute(
        _UPDATE_STATUS,
        [
            {
                "of_token": change.token,
                "status": change.status,
                "reason_class": change.reason_class,
                "effective_on": change.effective_on,
                "status_changed_at": change.changed_at,
                "superseded_by": by,
            }
            for change, by in fresh
        ],
    )
    for change, _ in fresh:
        list_id, index = places[change.token]
        touched.setdefault(list_id, {})[index] = change.status


_UPDATE_STATUS = (
    update(certificates)
    .where(certificates.c.token == bindparam("of_token"))
    .values(
        {
            name: bindparam(name)
            for name in ("status", "reason_class", "effective_on", "status_changed_at", "superseded_by")
        }
    )
)


def places_of(connection: Connection, tokens: set[str]) -> dict[str, tuple[str, int]]:
    """List id and index of each of these certificates that is published."""
    places: dict[str, tuple[str, int]] = {}
    columns = (certificates.c.token, certificates.c.list_id, certificates.c.list_index)
    for chunk in _chunks(sorted(tokens)):
        for row in connection.execute(select(*columns).where(certificates.c.token.in_(chunk))):
            places[row.token] = (row.list_id, row.list_index)
    return places


def _require_published(connection: Connection, tokens: set[str]) -> dict[str, tuple[str, int]]:
    """Where the certificates stand in the lists; raises ContradictionError when one was never published."""
    places = places_of(connection, tokens)
    if len(places) != len(tokens):
        raise ContradictionError("an event concerns a certificate that was never published")
    return places


def _chunks(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
