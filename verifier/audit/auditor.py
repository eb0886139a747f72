"""The audit from outside, in numbered steps.

1. The key set: keys of the last audit are still listed.
2. The checkpoint: signed by a published log key, for the log the auditor knows.
3. The log, whole: every entry and every tile; together they give the signed root.
4. Append-only: every checkpoint seen before, or handed over by others, is a beginning of this log.
5. Time: no entry is back-dated behind a checkpoint that lacks it, out of order, or in the future.
6. Status lists: each is signed and current, and every entry is what the log's changes make it.
7. Certificates the auditor holds: issued in the log, and the register says what the log said last.
8. The register's rows, where the auditor may read them: each has its leaves, each leaf its row.

The register may move on while it is read; what disagrees is looked at again under the newer checkpoint.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from keys.public.keyset import KeySet, KeySetMalformedError
from keys.public.purposes import KeyPurpose
from verifier.audit.findings import AuditReport, Finding
from verifier.audit.held import audit_held
from verifier.audit.lists import audit_lists
from verifier.audit.log_walk import LogWalk, walk
from verifier.audit.memory import Memory, Seen
from verifier.audit.sources import CHECKPOINT, KEYS, Source, SourceError
from verifier.record.log_reading import (
    Checkpoint,
    CheckpointMalformedError,
    CheckpointUntrustedError,
    read_checkpoint,
    verify_checkpoint,
)
from verifier.record.witnessing import Witness, count_cosignatures

TOLERANCE: Final = timedelta(hours=1)
"""How late an entry may reach the log: publication takes seconds; a relay that stood still is worth a question."""
_ROUNDS: Final = 4
_SHOWN: Final = 50

RowAudit = Callable[[LogWalk], tuple[int, list[Finding]]]
"""Step 8; given where the register can be read."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How to audit. `held` are tokens in upper case; `known` are checkpoints that others handed over."""

    now: Callable[[], datetime]
    tolerance: timedelta = TOLERANCE
    held: tuple[str, ...] = ()
    known: tuple[Seen, ...] = ()
    rows: RowAudit | None = None
    witnesses: tuple[Witness, ...] = ()


@dataclass(frozen=True, slots=True)
class Audited:
    """The report, the note it is about, and notes that contradict it (evidence)."""

    report: AuditReport
    note: str
    key_set: KeySet
    contradicting: tuple[str, ...]


def audit(source: Source, memory: Memory, wishes: Wishes) -> Audited:
    """All steps; raises SourceError when something cannot be read at all."""
    audited = _round(source, memory, wishes)
    for _ in range(_ROUNDS - 1):
        if audited.report.agrees or source.get(CHECKPOINT) == audited.note.encode():
            break
        audited = _round(source, memory, wishes)
    return audited


def _round(source: Source, memory: Memory, wishes: Wishes) -> Audited:
    key_set = read_keys(source)
    findings = _vanished_keys(key_set, memory)
    note = _text(source.get(CHECKPOINT))
    try:
        head = verify_checkpoint(note, key_set, origin=memory.origin)
    except CheckpointMalformedError as error:
        raise SourceError("日志检查点无法读取 / the log's checkpoint cannot be read") from error
    except CheckpointUntrustedError:
        unsigned = read_checkpoint(note)
        report = _report(unsigned, [*findings, Finding("checkpoint-untrusted", f"checkpoint {unsigned.tree_size}")])
        return Audited(report, note, key_set, (note,))
    earlier = [*memory.seen, *wishes.known]
    found = walk(source, head, {one.tree_size for one in earlier})
    findings += found.findings
    forked, contradicting = _append_only(head, found, earlier)
    findings += forked
    findings += _times(found, earlier, wishes.now(), wishes.tolerance)
    lists, entries_set, listed = audit_lists(source, key_set, head.origin, found.leaves, wishes.now())
    findings += listed
    findings += audit_held(source, key_set, head.origin, found.leaves, wishes.held)
    rows = None
    if wishes.rows is not None:
        rows, disagreeing = wishes.rows(found)
        findings += disagreeing
    report = _report(
        head,
        findings,
        lists=lists,
        entries_set=entries_set,
        tokens=len(wishes.held),
        rows=rows,
        compared=len(earlier),
        cosigned=count_cosignatures(note, wishes.witnesses),
    )
    notes = (note, *contradicting) if contradicting else ()
    return Audited(report, note, key_set, notes)


def read_keys(source: Source) -> KeySet:
    """The published key set; raises SourceError."""
    try:
        return KeySet.from_json(json.loads(_text(source.get(KEYS))))
    except (ValueError, KeySetMalformedError) as error:
        raise SourceError("公钥清单无法读取 / the key set cannot be read") from error


def log_kids(key_set: KeySet) -> set[str]:
    """Ids of the keys an audit rests on."""
    purposes = (KeyPurpose.LOG, KeyPurpose.STATUS_LIST)
    return {key.kid for purpose in purposes for key in key_set.for_purpose(purpose)}


def _vanished_keys(key_set: KeySet, memory: Memory) -> list[Finding]:
    return [Finding("key-vanished", f"key {kid}") for kid in sorted(memory.kids - log_kids(key_set))]


def _append_only(head: Checkpoint, found: LogWalk, earlier: Sequence[Seen]) -> tuple[list[Finding], list[str]]:
    findings, notes = [], []
    for one in earlier:
        where = f"checkpoint {one.tree_size}" + (f" ({_minute(one.seen_at)})" if one.seen_at else "")
        if one.tree_size > head.tree_size:
            findings.append(Finding("log-shrunk", f"{where} > {head.tree_size}"))
        elif found.roots.get(one.tree_size, one.root_hash) != one.root_hash:
            findings.append(Finding("log-forked", where))
        else:
            continue
        notes.append(one.note)
    return findings, notes


def _times(found: LogWalk, earlier: Sequence[Seen], now: datetime, tolerance: timedelta) -> list[Finding]:
    slack = tolerance.total_seconds()
    known = sorted((one.tree_size, one.seen_at) for one in earlier if one.seen_at is not None)
    findings: list[Finding] = []
    newest, seen_at, at = 0, None, 0
    for index, leaf in enumerate(found.leaves):
        while at < len(known) and known[at][0] <= index:
            seen_at = known[at][1] if seen_at is None else max(seen_at, known[at][1])
            at += 1
        if leaf is None:
            continue
        code = None
        if leaf.seconds > now.timestamp() + slack:
            code = "in-the-future"
        elif seen_at is not None and leaf.seconds < seen_at.timestamp() - slack:
            code = "back-dated"
        elif leaf.seconds < newest - slack:
            code = "out-of-order"
        if code and len(findings) < _SHOWN:
            findings.append(Finding(code, f"leaf {index}"))
        newest = max(newest, leaf.seconds)
    return findings


def _report(
    head: Checkpoint,
    findings: Sequence[Finding],
    *,
    lists: int = 0,
    entries_set: int = 0,
    tokens: int = 0,
    rows: int | None = None,
    compared: int = 0,
    cosigned: int = 0,
) -> AuditReport:
    return AuditReport(
        origin=head.origin,
        tree_size=head.tree_size,
        root_hash=head.root_hash,
        lists=lists,
        entries_set=entries_set,
        tokens=tokens,
        rows=rows,
        compared=compared,
        cosignatures=cosigned,
        findings=tuple(findings),
    )


def _text(content: bytes | None) -> str:
    if content is None:
        raise SourceError("没有公钥清单或日志检查点 / there is no key set or no checkpoint at that address")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise SourceError("内容不是文本 / what is served there is not text") from error


def _minute(instant: datetime) -> str:
    return instant.isoformat(timespec="minutes")
