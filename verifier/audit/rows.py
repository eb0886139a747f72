"""Step 8: the register row by row, where the auditor may read it (a copy, or a role that may only SELECT).

Rows are named by their place in the status lists, not by token.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from verifier.audit.findings import Finding
from verifier.audit.log_walk import LogWalk
from verifier.audit.sources import SourceError
from verifier.record.log_reading import FILE_LEAF, ISSUE_LEAF, STATUS_LEAF, Leaf, change_digest, file_digest
from verifier.record.readonly import ReadOnlyDatabase, RegisterUnavailableError
from verifier.record.tables import certificates, copies, files, log_leaves, status_changes

_PAGE: Final = 400
_SHOWN: Final = 50

_CERTIFICATES = (
    select(
        certificates.c.token,
        certificates.c.status,
        certificates.c.file_sha256,
        certificates.c.list_id,
        certificates.c.list_index,
        certificates.c.published_at,
        certificates.c.status_changed_at,
    )
    .where(certificates.c.token > bindparam("after"))
    .order_by(certificates.c.token)
    .limit(_PAGE)
)
_LEAVES = (
    select(log_leaves.c.token, log_leaves.c.leaf_index)
    .where(log_leaves.c.token.in_(bindparam("tokens", expanding=True)))
    .order_by(log_leaves.c.leaf_index)
)
_FILES = select(files.c.token, files.c.sha256).where(files.c.token.in_(bindparam("tokens", expanding=True)))
_HISTORY = (
    select(status_changes)
    .where(status_changes.c.token.in_(bindparam("tokens", expanding=True)))
    .order_by(status_changes.c.sequence)
)
_ORPHANS = (
    select(log_leaves.c.leaf_index)
    .where(
        ~select(certificates.c.token).where(certificates.c.token == log_leaves.c.token).exists(),
        ~select(copies.c.token).where(copies.c.token == log_leaves.c.token).exists(),
    )
    .order_by(log_leaves.c.leaf_index)
    .limit(_SHOWN)
)

_COPIES = (
    select(copies.c.token, copies.c.list_id, copies.c.list_index, copies.c.withdrawn_at)
    .where(copies.c.token > bindparam("after"))
    .order_by(copies.c.token)
    .limit(_PAGE)
)

Numbered = tuple[int, Leaf]


def audit_rows(database: ReadOnlyDatabase, found: LogWalk) -> tuple[int, list[Finding]]:
    """How many certificates were compared, and what disagrees; raises SourceError."""
    findings: list[Finding] = []
    count, after = 0, ""
    try:
        while page := database.all(_CERTIFICATES, {"after": after}):
            after = page[-1].token
            count += len(page)
            tokens = {"tokens": [row.token for row in page]}
            leaves, shas, history = (_by_token(database.all(query, tokens)) for query in (_LEAVES, _FILES, _HISTORY))
            for row in page:
                own = _own(found, row.token, leaves.get(row.token, ()))
                findings += _certificate(row, own, shas.get(row.token, ()), history.get(row.token, ()))
        findings += _copies(database, found)
        for row in database.all(_ORPHANS, {}):
            findings.append(Finding("certificate-missing", f"leaf {row.leaf_index}"))
    except RegisterUnavailableError as error:
        raise SourceError("登记系统无法读取 / the public record cannot be read") from error
    return count, findings


def _copies(database: ReadOnlyDatabase, found: LogWalk) -> list[Finding]:
    """Purpose-bound copies: their files have leaves under their certificates; their early end has one of its own."""
    findings: list[Finding] = []
    after = ""
    while page := database.all(_COPIES, {"after": after}):
        after = page[-1].token
        leaves = _by_token(database.all(_LEAVES, {"tokens": [row.token for row in page]}))
        for row in page:
            where = f"list {row.list_id}, entry {row.list_index}"
            ends = [leaf for _, leaf in _own(found, row.token, leaves.get(row.token, ())) if leaf.kind == STATUS_LEAF]
            if bool(ends) != (row.withdrawn_at is not None):
                findings.append(Finding("silent-change", f"{where}: withdrawn copy"))
            elif ends and ends[0].seconds != _seconds(row.withdrawn_at):
                findings.append(Finding("row-back-dated", f"{where}: withdrawn_at"))
            if any(leaf.place != (row.list_id, row.list_index) for leaf in ends):
                findings.append(Finding("place-differs", where))
    return findings


def _by_token(rows: Sequence[Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.token, []).append(row)
    return found


def _own(found: LogWalk, token: str, rows: Sequence[Row[Any]]) -> list[Numbered]:
    """Leaves that truly are this certificate's: the column says so, the digest proves it."""
    own = []
    for row in rows:
        leaf = found.leaves[row.leaf_index] if row.leaf_index < len(found.leaves) else None
        if leaf is not None and leaf.is_of(token):
            own.append((row.leaf_index, leaf))
    return own


def _certificate(
    row: Row[Any], own: list[Numbered], shas: Sequence[Row[Any]], history: Sequence[Row[Any]]
) -> list[Finding]:
    where = f"list {row.list_id}, entry {row.list_index}"
    issues = [leaf for _, leaf in own if leaf.kind == ISSUE_LEAF]
    if not issues:
        return [Finding("silent-issue", where)]
    issue = issues[0]
    stated = [(index, leaf) for index, leaf in own if leaf.kind != FILE_LEAF]
    changes = [leaf for _, leaf in own if leaf.kind == STATUS_LEAF]
    findings = []
    index, last = stated[-1]
    if last.status != row.status:
        findings.append(Finding("silent-change", f"{where}: {row.status}, log {last.status} (leaf {index})"))
    if issue.seconds != _seconds(row.published_at):
        findings.append(Finding("row-back-dated", f"{where}: published_at"))
    changed_at = _seconds(changes[-1]) if changes else None
    if changed_at != (_seconds(row.status_changed_at) if row.status_changed_at else None):
        findings.append(Finding("row-back-dated", f"{where}: status_changed_at"))
    if any(leaf.place != (row.list_id, row.list_index) for leaf in changes):
        findings.append(Finding("place-differs", where))
    findings += _files(row, own, shas, where)
    if not _same_history(row.token, issue, changes, history):
        findings.append(Finding("history-differs", where))
    return findings


def _files(row: Row[Any], own: list[Numbered], shas: Sequence[Row[Any]], where: str) -> list[Finding]:
    recorded = {one.sha256 for one in shas} | {row.file_sha256}
    unlogged, unrecorded = set(recorded), 0
    for _, leaf in own:
        if leaf.kind == STATUS_LEAF:
            continue
        named = {sha256 for sha256 in recorded if file_digest(leaf.event, row.token, sha256) == leaf.content_digest}
        unrecorded += not named
        unlogged -= named
    findings = [Finding("silent-file", where) for _ in unlogged]
    return findings + [Finding("file-missing", where) for _ in range(unrecorded)]


def _same_history(token: str, issue: Leaf, changes: list[Leaf], history: Sequence[Row[Any]]) -> bool:
    if [row.sequence for row in history] != list(range(len(changes) + 1)):
        return False
    if (history[0].status, _seconds(history[0].changed_at)) != (issue.status, issue.seconds):
        return False
    return all(
        (row.status, _seconds(row.changed_at)) == (leaf.status, leaf.seconds)
        and change_digest(leaf.event, token, row.reason_class, row.effective_on, row.from_beginning)
        == leaf.content_digest
        for row, leaf in zip(history[1:], changes, strict=True)
    )


def _seconds(instant: datetime | Leaf) -> int:
    return instant.seconds if isinstance(instant, Leaf) else int(instant.timestamp())
