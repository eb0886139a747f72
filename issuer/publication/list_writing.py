"""Keeps the published status lists: entries set, both signed forms made anew, never left to expire.

Earlier versions are kept so that "what did it say then?" has a signed answer. Kept is every version whose statuses
differ from the one kept before, and one in every half life while nothing changes: two a day and list, and one for
each change. Issuing changes no status (an entry is valid until something is said of it), so batches of any size add
nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from issuer.publication.record_writing import ListStatuses
from issuer.sealing.credential import HasSigners
from issuer.sealing.status_list import sign_status_list
from keys.public.purposes import KeyPurpose
from verifier.record import jws
from verifier.record.status import CertificateStatus
from verifier.record.status_list import AGGREGATION_PATH, StatusList, list_uri
from verifier.record.tables import status_list_history, status_lists

LIFETIME: Final = timedelta(hours=24)
"""How long a signed list may be relied on without a fresh one (`exp`)."""
TIME_TO_LIVE: Final = timedelta(minutes=5)
"""How long a reader may keep a copy before looking again (`ttl`)."""
REFRESH_BELOW: Final = LIFETIME / 2
"""A list with less than this left is signed anew."""


def write_lists(
    connection: Connection, room: HasSigners, base_url: str, touched: ListStatuses, now: datetime
) -> None:
    """Set the entries in `touched` and sign each list once."""
    for list_id, entries in sorted(touched.items()):
        _write(connection, room, base_url, list_id, entries, now)


def refresh(connection: Connection, room: HasSigners, base_url: str, now: datetime) -> int:
    """Sign anew every list that runs out soon, or bears another address or an older key; how many there were."""
    kid = room.signer(KeyPurpose.STATUS_LIST).kid
    columns = (
        status_lists.c.list_id,
        status_lists.c.issued_at,
        status_lists.c.expires_at,
        status_lists.c.token_jwt,
    )
    due = []
    for row in connection.execute(select(*columns).order_by(status_lists.c.list_id)).all():
        token = jws.split(row.token_jwt)
        in_time = row.issued_at <= now and now + REFRESH_BELOW < row.expires_at
        if not in_time or token.header["kid"] != kid or token.claims["sub"] != list_uri(base_url, row.list_id):
            due.append(row.list_id)
    for list_id in due:
        _write(connection, room, base_url, list_id, {}, now)
    return len(due)


def _write(
    connection: Connection,
    room: HasSigners,
    base_url: str,
    list_id: str,
    entries: Mapping[int, CertificateStatus],
    now: datetime,
) -> None:
    row = connection.execute(
        select(status_lists.c.packed, status_lists.c.version).where(status_lists.c.list_id == list_id)
    ).one_or_none()
    statuses = StatusList.empty() if row is None else StatusList(row.packed)
    before = statuses.packed
    for index, status in entries.items():
        statuses.set(index, status.list_value)
    issued_at = now.replace(microsecond=0)
    expires_at = issued_at + LIFETIME
    jwt, cwt = sign_status_list(
        room,
        list_uri(base_url, list_id),
        statuses,
        issued_at=issued_at,
        expires_at=expires_at,
        ttl=int(TIME_TO_LIVE.total_seconds()),
        aggregation_uri=base_url.rstrip("/") + AGGREGATION_PATH,
    )
    values = {
        "version": 1 if row is None else row.version + 1,
        "packed": statuses.packed,
        "token_jwt": jwt,
        "token_cwt": cwt,
        "issued_at": issued_at,
        "expires_at": expires_at,
    }
    if row is None:
        connection.execute(status_lists.insert().values(list_id=list_id, **values))
    else:
        connection.execute(status_lists.update().where(status_lists.c.list_id == list_id).values(**values))
    if statuses.packed != before or _kept_until(connection, list_id) < issued_at + REFRESH_BELOW:
        kept = {name: value for name, value in values.items() if name != "packed"}
        connection.execute(status_list_history.insert().values(list_id=list_id, **kept))


def _kept_until(connection: Connection, list_id: str) -> datetime:
    """Until when the newest kept version answers."""
    newest = (
        select(status_list_history.c.expires_at)
        .where(status_list_history.c.list_id == list_id)
        .order_by(status_list_history.c.version.desc())
        .limit(1)
    )
    found: datetime | None = connection.execute(newest).scalar()
    return found or datetime.min.replace(tzinfo=UTC)
