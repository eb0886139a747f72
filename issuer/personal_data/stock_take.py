"""The stock-take: every published certificate against its file, seal, public record, log leaf and list entry.

It goes through the certificates in bounded portions, each of which re-reads at most `PORTION_BYTES` of files, and
then through the public record for entries nobody issued. What does not agree is looked at twice before it counts: a
status may be on its way. A finding stands until a later stock-take finds it in order.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.records.certificates import ECertificate
from issuer.records.ledger import SealIntent
from issuer.records.personal_data import StockFinding, StockTake
from issuer.records.storage import FileMissingError
from issuer.rules.terms import Role
from verifier.record.log_reading import ISSUE_LEAF, LeafMalformedError, decode_leaf
from verifier.record.merkle import leaf_hash
from verifier.record.status import CertificateStatus
from verifier.record.status_list import StatusList
from verifier.record.tables import certificates, files, log_checkpoints, log_leaves, status_lists

PORTION = 200
PORTION_BYTES = 32 << 20
TAKERS = (Role.OPERATOR, Role.AUDITOR)
READERS = (Role.OPERATOR, Role.AUDITOR, Role.SUPERVISOR, Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
UNKNOWN = "record-unknown"
LOG_SIZE = "log-size"

Found = set[tuple[str, str]]
"""(kind, subject) of what does not agree; subjects are row references and public tokens."""


@dataclass(frozen=True, slots=True)
class Portion:
    """How far a stock-take has come after one portion."""

    take: int
    examined: int
    found: int
    finished: bool


def take_portion(ctx: Context, actor: Actor) -> Portion:
    """Begin a stock-take or go on with the one under way, for one portion."""
    actor.require(*TAKERS)
    with ctx.database.write() as session:
        take = session.scalars(select(StockTake).where(StockTake.finished_at.is_(None)).with_for_update()).first()
        if take is None:
            take = StockTake(
                started_at=ctx.clock.now(), actor=actor.username, place=0, examined=0, file_bytes=0, found=0
            )
            session.add(take)
            session.flush()
        number, place = take.id, take.place
    rows = _portion(ctx, place)
    found, read = _compare(ctx, rows) if rows else (_compare_whole(ctx), 0)
    if found:  # whatever was on its way has arrived by now, or is named
        ctx.relay.flush()
        found &= _compare(ctx, rows)[0] if rows else _compare_whole(ctx)
    with ctx.database.write() as session:
        take = session.get_one(StockTake, number, with_for_update=True)
        if take.place != place or take.finished_at is not None:  # another process did this portion
            return Portion(number, take.examined, take.found, take.finished_at is not None)
        new = _note(ctx, session, take, found)
        take.examined += len(rows)
        take.file_bytes += read
        take.found += len(found)
        if rows:
            take.place = rows[-1].id
        else:
            take.finished_at = ctx.clock.now()
            session.execute(
                update(StockFinding)
                .where(StockFinding.settled_at.is_(None), StockFinding.last_take < take.id)
                .values(settled_at=ctx.clock.now())
            )
        session.flush()
        if new:
            details = {"take": take.id, "new": len(new), "kinds": sorted({kind for kind, _ in new})}
            record_event(session, ctx.clock, actor, "stock-take.found", f"stock-take:{take.id}", details=details)
        if take.finished_at is not None:
            details = {"examined": take.examined, "found": take.found, "bytes": take.file_bytes}
            record_event(session, ctx.clock, actor, "stock-take.done", f"stock-take:{take.id}", details=details)
        return Portion(take.id, take.examined, take.found, take.finished_at is not None)


def standing_findings(session: Session, limit: int = 200) -> list[StockFinding]:
    """What does not agree as of the last stock-take, newest first."""
    query = select(StockFinding).where(StockFinding.settled_at.is_(None)).order_by(StockFinding.id.desc())
    return list(session.scalars(query.limit(limit)))


def count_findings(session: Session) -> int:
    """How many findings stand."""
    query = select(func.count()).select_from(StockFinding).where(StockFinding.settled_at.is_(None))
    return session.scalar(query) or 0


def last_take(session: Session) -> StockTake | None:
    """The newest stock-take, finished or not."""
    return session.scalars(select(StockTake).order_by(StockTake.id.desc()).limit(1)).first()


def _portion(ctx: Context, after: int) -> Sequence[ECertificate]:
    query = select(ECertificate).where(ECertificate.id > after, ECertificate.published_at.is_not(None))
    with ctx.database.read() as session:
        rows = session.scalars(query.order_by(ECertificate.id).limit(PORTION)).all()
        session.expunge_all()
    size = 0
    kept: list[ECertificate] = []
    for row in rows:
        size += row.file_size or 0
        if kept and size > PORTION_BYTES:
            break
        kept.append(row)
    return kept


def _compare(ctx: Context, rows: Sequence[ECertificate]) -> tuple[Found, int]:
    with ctx.database.read() as session:
        fresh = {
            row.id: row
            for row in session.scalars(select(ECertificate).where(ECertificate.id.in_([row.id for row in rows])))
        }
        sealed: dict[int, set[str]] = defaultdict(set)
        query = select(SealIntent.certificate_id, SealIntent.sealed_sha256)
        for number, sha256 in session.execute(query.where(SealIntent.certificate_id.in_([row.id for row in rows]))):
            sealed[number].add(sha256 or "")
        session.expunge_all()
    public = _public(ctx, [row.token for row in rows])
    found: Found = set()
    read = 0
    for row in fresh.values():
        subject = f"certificate:{row.id}"
        kinds, size = _file(ctx, row)
        read += size
        if row.file_sha256 not in sealed[row.id]:
            kinds.append("seal-unknown")
        kinds += public.compare(row)
        found.update((kind, subject) for kind in kinds)
    return found, read


def _file(ctx: Context, row: ECertificate) -> tuple[list[str], int]:
    try:
        content = ctx.storage.get(row.file_key or "missing")
    except FileMissingError:
        return ["file-missing"], 0
    same = hashlib.sha256(content).hexdigest() == row.file_sha256
    return [] if same else ["file-changed"], len(content)


@dataclass(frozen=True, slots=True)
class _Public:
    records: dict[str, "object"]
    files: set[tuple[str, str]]
    leaves: dict[str, list[tuple[bytes, bytes]]]
    lists: dict[str, StatusList]

    def compare(self, row: ECertificate) -> list[str]:
        record = self.records.get(row.token)
        if record is None:
            return ["record-missing"]
        kinds = []
        if record.status != row.status:  # type: ignore[attr-defined]  # a row of the table `certificates`
            kinds.append("record-status")
        if record.credential_sha256 != row.credential_sha256:  # type: ignore[attr-defined]
            kinds.append("record-credential")
        if (record.list_id, record.list_index) != (row.list_id, row.list_index):  # type: ignore[attr-defined]
            kinds.append("record-place")
        if (row.token, row.file_sha256 or "") not in self.files:
            kinds.append("record-file")
        statuses = self.lists.get(row.list_id)
        if statuses is None or statuses.get(row.list_index) != CertificateStatus(row.status or "").list_value:
            kinds.append("list-status")
        return kinds + _log(row.token, self.leaves.get(row.token, []))


def _log(token: str, leaves: list[tuple[bytes, bytes]]) -> list[str]:
    issued = 0
    for leaf, hashed in leaves:
        try:
            said = decode_leaf(bytes(leaf))
        except LeafMalformedError:
            return ["log-changed"]
        if leaf_hash(bytes(leaf)) != bytes(hashed) or not said.is_of(token):
            return ["log-changed"]
        issued += said.kind == ISSUE_LEAF
    return [] if issued == 1 else ["log-missing"]


def _public(ctx: Context, tokens: Sequence[str]) -> _Public:
    with ctx.register_engine.connect().execution_options(ecert_read_only=True) as connection:
        records = connection.execute(select(certificates).where(certificates.c.token.in_(tokens))).all()
        named = connection.execute(select(files.c.token, files.c.sha256).where(files.c.token.in_(tokens))).all()
        query = select(log_leaves.c.token, log_leaves.c.leaf, log_leaves.c.leaf_hash)
        leaves: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
        for token, leaf, hashed in connection.execute(query.where(log_leaves.c.token.in_(tokens))):
            leaves[token].append((leaf, hashed))
        wanted = {row.list_id for row in records}
        lists = connection.execute(
            select(status_lists.c.list_id, status_lists.c.packed).where(status_lists.c.list_id.in_(wanted))
        ).all()
    return _Public(
        {row.token: row for row in records},
        {(token, sha256) for token, sha256 in named},
        leaves,
        {row.list_id: StatusList(bytes(row.packed)) for row in lists},
    )


def _compare_whole(ctx: Context) -> Found:
    """What only the whole shows: public entries nobody issued, a log not as long as its checkpoint says."""
    found: Found = set()
    after = ""
    with ctx.register_engine.connect().execution_options(ecert_read_only=True) as connection:
        size = connection.execute(select(func.max(log_checkpoints.c.tree_size))).scalar() or 0
        count, last = connection.execute(select(func.count(), func.max(log_leaves.c.leaf_index))).one()
        if (count, -1 if last is None else last) != (size, size - 1):
            found.add((LOG_SIZE, "log"))
        while True:
            query = select(certificates.c.token).where(certificates.c.token > after).order_by(certificates.c.token)
            tokens = connection.execute(query.limit(2000)).scalars().all()
            if not tokens:
                return found
            with ctx.database.read() as session:
                ours = set(session.scalars(select(ECertificate.token).where(ECertificate.token.in_(tokens))))
            found.update((UNKNOWN, f"token:{token}") for token in tokens if token not in ours)
            after = tokens[-1]


def _note(ctx: Context, session: Session, take: StockTake, found: Found) -> Found:
    """Write findings down; returns those that did not stand before."""
    if not found:
        return set()
    standing = {
        (row.kind, row.subject): row
        for row in session.scalars(
            select(StockFinding).where(
                StockFinding.settled_at.is_(None), StockFinding.subject.in_({subject for _, subject in found})
            )
        )
    }
    for key in sorted(found):
        if key in standing:
            standing[key].last_take = take.id
        else:
            session.add(
                StockFinding(
                    kind=key[0],
                    subject=key[1],
                    first_take=take.id,
                    last_take=take.id,
                    first_seen_at=ctx.clock.now(),
                )
            )
    session.flush()
    return found - standing.keys()
