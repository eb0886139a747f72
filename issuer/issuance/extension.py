"""One more archive timestamp on a published certificate (PAdES B-LTA renewal, ETSI EN 319 142-1, 5.5), years later.

The longer file takes the place of the stored one; the old bytes are kept, and their digest goes on leading to the
certificate. In order, each step committed before the next: 1 intent; 2 timestamp and check; 3 store under a key of
its own; 4 record, publish and log. A kill after any of them leaves the certificate as it was or wholly renewed.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import ConflictError, UnavailableError, Words
from issuer.invalidation.cases import find_certificate
from issuer.issuance.files import read_file
from issuer.issuance.workers import file_key
from issuer.publication.outbox import announce_file
from issuer.records.certificates import ECertificate
from issuer.records.database import after_commit
from issuer.records.ledger import ARCHIVE, SealIntent
from issuer.records.storage import FileMissingError
from issuer.rules.terms import Role
from verifier.check.document import inspect_document
from verifier.record.status import CertificateStatus

REST = timedelta(days=1)
"""A file renewed less than this ago is left as it is: the same command twice adds one timestamp."""
SETTLED_AFTER = timedelta(minutes=30)
EXTENDABLE = (CertificateStatus.VALID, CertificateStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Extended:
    """What became of one certificate's file. `outcome` unchanged: it was renewed at `last_at` already."""

    management_no: str
    outcome: Literal["extended", "unchanged"]
    sha256: str
    previous_sha256: str
    size: int
    last_at: datetime

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {name: getattr(self, name) for name in self.__slots__} | {"last_at": self.last_at.isoformat()}


def extend_certificate(ctx: Context, actor: Actor, management_no: str) -> Extended:
    """Add an archive timestamp to one certificate's file and publish the new file. Idempotent within `REST`.

    Not to be called inside a unit of work. Raises NotFoundError, NotAllowedError, ConflictError (not published, or
    no longer in force), UnavailableError (keys, time service, storage; the certificate is as it was).
    """
    actor.require(Role.AUTHORITY_ISSUER)
    begun = _intend(ctx, actor, management_no)
    if isinstance(begun, Extended):
        return begun
    certificate, intent_id, attempt = begun
    try:
        old = read_file(ctx, certificate)
        new = ctx.room().extend(old)
        _require_sound(ctx, old, new)
    except Exception:
        _give_up(ctx, intent_id)
        raise
    key = file_key(certificate.list_id, certificate.token, attempt)
    ctx.storage.put(key, new)
    return _record(ctx, actor, certificate.id, intent_id, key, new)


def remove_lost_extensions(ctx: Context) -> int:
    """Remove files of renewals that were killed before they were recorded; how many attempts were given up.

    An attempt is left alone for `SETTLED_AFTER`, and given up under the lock of its row: who is frozen and wakes
    again finds it lost.
    """
    query = (
        select(SealIntent, ECertificate)
        .join(ECertificate, SealIntent.certificate_id == ECertificate.id)
        .where(
            SealIntent.outcome == "intent",
            SealIntent.seal_kid == ARCHIVE,
            SealIntent.intended_at < ctx.clock.now() - SETTLED_AFTER,
        )
        .with_for_update(of=SealIntent)
    )
    with ctx.database.write() as session:
        lost = session.execute(query).all()
        for intent, row in lost:
            ctx.storage.delete(file_key(row.list_id, row.token, intent.attempt))
            intent.outcome = "lost"
    return len(lost)


def last_sealed_at(session: Session, certificate: ECertificate) -> datetime:
    """When this file was last sealed or renewed."""
    last = session.scalar(
        select(func.max(SealIntent.intended_at)).where(
            SealIntent.certificate_id == certificate.id,
            SealIntent.outcome == "sealed",
            SealIntent.seal_kid == ARCHIVE,
        )
    )
    sealed = certificate.sealed_at or certificate.intended_at
    return max(last, sealed) if last else sealed


def _intend(ctx: Context, actor: Actor, management_no: str) -> "Extended | tuple[ECertificate, int, int]":
    """1: what is about to be done, with the digest it starts from."""
    with ctx.database.write() as session:
        certificate = find_certificate(session, management_no)
        session.refresh(certificate, with_for_update=True)
        _require_extendable(certificate)
        assert certificate.file_sha256 is not None, "a published certificate has a file"
        last_at = last_sealed_at(session, certificate)
        renewed = last_at > (certificate.sealed_at or certificate.intended_at)
        if renewed and ctx.clock.now() - last_at < REST:
            digest, size = certificate.file_sha256, certificate.file_size or 0
            return Extended(certificate.management_no, "unchanged", digest, digest, size, last_at)
        highest = session.scalar(
            select(func.max(SealIntent.attempt)).where(SealIntent.certificate_id == certificate.id)
        )
        intent = SealIntent(
            certificate_id=certificate.id,
            attempt=(highest or 0) + 1,
            content_sha256=certificate.file_sha256,
            seal_kid=ARCHIVE,
            intended_at=ctx.clock.now(),
        )
        session.add(intent)
        session.flush()
        subject, details = f"certificate:{certificate.id}", {"sha256": certificate.file_sha256}
        record_event(
            session, ctx.clock, actor, "certificate.extend", subject, outcome="intent", clause="R11", details=details
        )
        return certificate, intent.id, intent.attempt


def _require_sound(ctx: Context, old: bytes, new: bytes) -> None:
    """2: nothing but the timestamp and what proves it was added, and the file passes an employer's check."""
    if not new.startswith(old) or len(new) <= len(old):
        raise _unsound("the old file is not its beginning")
    now = ctx.clock.now()
    findings = inspect_document(new, ctx.room().key_set, now=now, known_since=now)
    if not findings.ok:
        raise _unsound(", ".join(check.code for check in findings.checks if check.ok is not True))


def _record(ctx: Context, actor: Actor, certificate_id: int, intent_id: int, key: str, new: bytes) -> Extended:
    """4: the new file counts, is announced and leaves a leaf in the log, or is removed as one too many."""
    digest = hashlib.sha256(new).hexdigest()
    with ctx.database.write() as session:
        row = session.get_one(ECertificate, certificate_id, with_for_update=True)
        intent = session.get_one(SealIntent, intent_id, with_for_update=True)
        before = row.file_sha256 or ""
        overtaken = intent.outcome != "intent" or intent.content_sha256 != before or not _stored(ctx, key, digest)
        if overtaken or row.status not in EXTENDABLE:
            ctx.storage.delete(key)
            intent.outcome = "lost"
            refusal = None if overtaken else _not_extendable(row)
        else:
            refusal = None
            intent.outcome, intent.sealed_sha256 = "sealed", digest
            row.file_key, row.file_sha256, row.file_size = key, digest, len(new)
            now = ctx.clock.now()
            announce_file(session, digest, row.token, "extended", at=now)
            details = {"sha256": digest, "previous": before}
            record_event(
                session,
                ctx.clock,
                actor,
                "certificate.extend",
                f"certificate:{row.id}",
                clause="R11",
                details=details,
            )
            after_commit(session, ctx.publish)
        last_at = last_sealed_at(session, row)
    if refusal is not None:
        raise refusal
    if overtaken:
        return Extended(row.management_no, "unchanged", row.file_sha256 or "", before, row.file_size or 0, last_at)
    return Extended(row.management_no, "extended", digest, before, len(new), last_at)


def _stored(ctx: Context, key: str, digest: str) -> bool:
    try:
        return hashlib.sha256(ctx.storage.get(key)).hexdigest() == digest
    except FileMissingError:
        return False


def _give_up(ctx: Context, intent_id: int) -> None:
    with ctx.database.write() as session:
        session.get_one(SealIntent, intent_id).outcome = "failed"


def _require_extendable(certificate: ECertificate) -> None:
    if certificate.state != "published" or certificate.status not in EXTENDABLE:
        raise _not_extendable(certificate)


def _not_extendable(certificate: ECertificate) -> ConflictError:
    return ConflictError(
        "not-extendable",
        Words(
            f"证书状态为 {certificate.status or '未发布'}，文件不再续签时间戳。",
            f"The certificate is {certificate.status or 'not published'}; its file is not renewed.",
        ),
        remedy=Words("只续签有效或暂停的证书。", "Only valid or suspended certificates are renewed."),
        clause="R11",
    )


def _unsound(why: str) -> UnavailableError:
    return UnavailableError(
        "extension-check-failed",
        Words(
            "续签后的文件未通过核验，原文件保持不变。", f"The renewed file failed its check ({why}); nothing changed."
        ),
        remedy=Words("运行 ecert doctor 后重试。", "Run `ecert doctor` and try again."),
    )
