"""Runs one audit for the command line: where to read, what to remember, how to say it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from verifier.audit.auditor import Audited, RowAudit, Wishes, audit, log_kids
from verifier.audit.findings import AuditReport
from verifier.audit.memory import Memory, MemoryUnreadableError, Seen, keep_evidence, recall, remember
from verifier.audit.sources import KEYS, FolderSource, HttpSource, RegisterSource, Source, SourceError
from verifier.record.log_reading import CheckpointMalformedError, read_checkpoint
from verifier.record.qr import QrGrammarError, is_token, parse_qr
from verifier.record.witnessing import Witness, WitnessKeyError

COULD_NOT: Final = 2
MEMORY: Final = "ecert-audit"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    server: str | None
    folder: Path | None
    memory: Path | None
    checkpoints: tuple[Path, ...]
    held: Path | None
    keys: Path | None
    tolerance: int
    witnesses: tuple[str, ...]
    data_dir: Path
    as_json: bool


def run_audit(asked: Asked) -> int:
    """Audit, remember, report; the exit code."""
    if asked.server and asked.folder:
        return _stop("--server 与 --folder 不能同时使用 / use either --server or --folder", asked.as_json)
    place = asked.memory or _memory_of(asked.server)
    try:
        remembered = recall(place)
        with _source(asked) as (source, rows):
            wishes = Wishes(
                now=lambda: datetime.now(UTC),
                tolerance=timedelta(minutes=asked.tolerance),
                held=_read_held(asked.held),
                known=tuple(_read_known(path) for path in asked.checkpoints),
                rows=rows,
                witnesses=_read_witnesses(asked.witnesses),
            )
            audited = audit(source, remembered, wishes)
        evidence = keep_evidence(place, list(audited.contradicting)) if audited.contradicting else None
        if audited.report.agrees is not False:
            _remember(place, remembered, audited, wishes.now())
    except (SourceError, MemoryUnreadableError, _UnusableError) as error:
        return _stop(str(error), asked.as_json)
    except OSError as error:
        line = f"审计记忆无法写入 / the audit's memory cannot be written: {error.strerror}"
        return _stop(line, asked.as_json)
    if asked.as_json:
        evidence_at = str(evidence) if evidence else None
        _write_json({**audited.report.to_json(), "memory": str(place), "evidence": evidence_at})
    else:
        _print(audited.report, place, evidence)
    return audited.report.exit_code


class _UnusableError(Exception):
    """Something handed over cannot be used; one line."""


@dataclass(frozen=True, slots=True)
class _WithKeys:
    """A source whose key set is the auditor's own."""

    source: Source
    key_set: bytes

    @property
    def answers_about_one(self) -> bool:
        """See `Source`."""
        return self.source.answers_about_one

    def get(self, path: str) -> bytes | None:
        """See `Source`."""
        return self.key_set if path == KEYS else self.source.get(path)


@contextmanager
def _source(asked: Asked) -> Iterator[tuple[Source, RowAudit | None]]:
    with _opened(asked.server, asked.folder, asked.data_dir) as (source, rows):
        yield (_WithKeys(source, _read(asked.keys)) if asked.keys else source), rows


@contextmanager
def _opened(server: str | None, folder: Path | None, data_dir: Path) -> Iterator[tuple[Source, RowAudit | None]]:
    if server:
        yield HttpSource(server), None
        return
    if folder:
        if not folder.is_dir():
            raise _UnusableError(f"没有这个文件夹 / no such folder: {folder}")
        yield FolderSource(folder), None
        return
    from keys.public.keyset import key_set_path
    from verifier.audit.rows import audit_rows
    from verifier.record.readonly import ReadOnlyDatabase
    from verifier.record.register import SqlRegister
    from verifier.settings import VerifierSettings

    settings = VerifierSettings(data_dir=data_dir)
    if not key_set_path(settings.keys_dir).is_file():
        raise _UnusableError(
            f"{data_dir} 不是数据目录；可用 --data-dir 指明，或用 --server、--folder / "
            "not a data folder: name one with --data-dir, or use --server or --folder"
        )
    register, database = SqlRegister(settings.register_database), ReadOnlyDatabase(settings.register_database)
    try:
        yield RegisterSource(register, key_set_path(settings.keys_dir)), lambda found: audit_rows(database, found)
    finally:
        register.close()
        database.close()


def _memory_of(server: str | None) -> Path:
    """Beside the one who runs it, not in the data folder, which is what is being audited."""
    host = urlsplit(server).netloc.replace(":", "-") if server else ""
    return Path(MEMORY) / (host or "here")


def _remember(place: Path, memory: Memory, audited: Audited, now: datetime) -> None:
    head = audited.report
    if not memory.seen or memory.seen[-1].tree_size < head.tree_size:
        memory.seen.append(Seen(audited.note, head.tree_size, head.root_hash, now))
    memory.origin = head.origin
    memory.kids |= log_kids(audited.key_set)
    remember(place, memory)


def _read_held(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    tokens = []
    for number, line in enumerate(_read(path).decode(errors="replace").splitlines(), start=1):
        text = line.strip()
        if not text:
            continue
        try:
            tokens.append(text.upper() if is_token(text) else parse_qr(text).token)
        except QrGrammarError as error:
            raise _UnusableError(f"{path} 第 {number} 行不是查验码 / line {number} is no code") from error
    return tuple(tokens)


def _read_witnesses(vkeys: tuple[str, ...]) -> tuple[Witness, ...]:
    from verifier.settings import VerifierSettings

    try:
        return tuple(Witness.parse(text) for text in vkeys or VerifierSettings().witnesses)
    except WitnessKeyError as error:
        raise _UnusableError("不是见证方公钥 / not the key of a witness") from error


def _read_known(path: Path) -> Seen:
    try:
        note = _read(path).decode()
        head = read_checkpoint(note)
    except (UnicodeDecodeError, CheckpointMalformedError) as error:
        raise _UnusableError(f"不是日志检查点 / not a checkpoint: {path}") from error
    return Seen(note, head.tree_size, head.root_hash, None)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _UnusableError(f"无法读取 {path} / cannot read it: {error.strerror}") from error


def _print(report: AuditReport, place: Path, evidence: Path | None) -> None:
    sentence = {
        True: "一致：日志、状态清单与登记说的是同一件事。 / All agree: log, lists and register tell one story.",
        False: "不一致。 / They do not agree.",
        None: "无法确定。 / It could not be determined.",
    }[report.agrees]
    lines = [sentence, f"  日志 / log: {report.origin}，{report.tree_size} 条 / entries"]
    lines.append(f"  状态清单 / status lists: {report.lists}，非有效 / entries not valid: {report.entries_set}")
    if report.rows is not None:
        lines.append(f"  登记的证书 / certificates in the register: {report.rows}")
    if report.tokens:
        lines.append(f"  所持证书 / certificates held: {report.tokens}")
    lines.append(f"  与以前的检查点比对 / compared with earlier checkpoints: {report.compared}")
    if report.cosignatures:
        lines.append(f"  见证方联署 / cosigned by witnesses: {report.cosignatures}")
    for finding in report.findings:
        mark = "?" if finding.ok is None else "✗"
        lines.append(f"  {mark} {finding.where}: {finding.zh} {finding.en} [{finding.code}]")
    if evidence is not None:
        lines.append(f"  证据（互相矛盾的签名）/ evidence, contradicting signatures: {evidence}")
    elif report.agrees is not False:
        lines.append(f"  已记下检查点；请自行保管 / checkpoint remembered, keep it yourself: {place}")
    sys.stdout.write("\n".join(lines) + "\n")


def _write_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _stop(line: str, as_json: bool) -> int:
    if as_json:
        _write_json({"error": {"code": "could-not-audit", "message": line}})
    sys.stderr.write(line[:600] + "\n")
    return COULD_NOT
