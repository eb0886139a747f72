"""Everything the office holds about one person, as a zip they can read and a program can use (PIPL art. 45).

`data.json`, the same as `data.html` in both languages, and the person's files. What belongs to others is left out:
who on the staff acted, who raised an objection, notes that go to the police with a suspected crime (art. 45 ¶1).
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.context import Context
from issuer.errors import InputError, NotFoundError, Words
from issuer.pages import render
from issuer.personal_data.about import Row, kind_of, rows_about, subjects_of
from issuer.personal_data.tables import BYTES, sealed_tables
from issuer.personal_data.wording import COLUMNS, TABLES
from issuer.queues.person import events_about
from issuer.records.encryption import SealedValueError
from issuer.records.storage import FileMissingError
from issuer.rules.terms import Role

EXPORTERS = (Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)
MAX_REASON = 500
WITHHELD = frozenset({"transfer_notes", "case_claims"})
"""Tables that are not shown to the person: a suspected crime handed over (R10), drafts of staff."""
_PASSED_OVER = frozenset(
    {"secret_sha256", "csrf", "code_index", "photo_key", "file_key", "scan_key", "record_key", "extra"}
)
_ACTORS = ("_by", "actor", "username", "drafted_by", "holder")
_PLAIN_FILES = {"e_certificates": ("management_no", "pdf"), "annotated_copies": ("copy_no", "pdf")}


@dataclass(frozen=True, slots=True)
class Export:
    """A zip; its name names nobody."""

    name: str
    content: bytes
    rows: int
    files: int


def export_person(ctx: Context, actor: Actor, person_id: int, reason: str = "") -> Export:
    """Gather everything about a person; that it was done is put on record, by whom and how much.

    The person themselves needs no reason, staff do. Raises NotAllowedError, InputError, NotFoundError.
    """
    if actor.via != "holder" or actor.username != f"holder:{person_id}":
        actor.require(*EXPORTERS)
        if not reason.strip() or len(reason) > MAX_REASON:
            raise InputError("export-reason", Words("请填写导出事由。", "Say why it is exported."))
    with ctx.database.write() as session:
        rows = rows_about(session, person_id)
        if not rows:
            raise NotFoundError("person-unknown", Words("没有这个人的记录。", "There is no such person."))
        events = events_about(session, subjects_of(rows))
        files = dict(_files(ctx, rows))
        count = sum(len(found) for found in rows.values())
        details = {
            "rows": count,
            "files": len(files),
            "by": "person" if actor.via == "holder" else "staff",
            "reason_sha256": hashlib.sha256(reason.strip().encode()).hexdigest() if reason else "",
        }
        record_event(session, ctx.clock, actor, "person.export", f"person:{person_id}", details=details)
    now = ctx.clock.now()
    parts = [
        {
            "table": table.name,
            "title": TABLES.get(table.name, (table.name, table.name)),
            "kind": kind_of(table, "id").value,
            "rows": [_shown(ctx, table, row) for row in found],
        }
        for table, found in rows.items()
        if table.name not in WITHHELD
    ]
    looks = [{"at": event.at.isoformat(), "act": event.act, "by": _who(event.actor)} for event in events]
    body = {
        "format": 1,
        "person": person_id,
        "made_at": now.isoformat(),
        "withheld": sorted(table.name for table in rows if table.name in WITHHELD),
        "data": parts,
        "acts_on_record": looks,
        "files": sorted(files),
    }
    page = render("holder/export.html", body=body, labels=COLUMNS, made_at=now)
    content = {
        "data.json": json.dumps(body, ensure_ascii=False, indent=1, default=str).encode(),
        "data.html": page.encode(),
        **{f"files/{name}": file for name, file in files.items()},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(content):
            archive.writestr(zipfile.ZipInfo(name, now.timetuple()[:6]), content[name], zipfile.ZIP_DEFLATED)
    return Export(f"personal-data-{person_id}-{now:%Y%m%d}.zip", out.getvalue(), count, len(files))


def _shown(ctx: Context, table: Table, row: Row) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for column in table.columns:
        name, value = column.name, row[column.name]
        if name in _PASSED_OVER or name.endswith(("_index", "_digest")) or value is None:
            continue
        if (table.name, name) == ("scores", "score"):
            shown[name] = ctx.data_key.open(BYTES["scores", "score"], bytes(value)).decode()
        elif isinstance(value, bytes):
            continue
        elif name.endswith(_ACTORS) and isinstance(value, str):
            shown[name] = _who(value)
        elif isinstance(value, date | datetime):
            shown[name] = value.isoformat()
        else:
            shown[name] = value
    return shown


def _who(actor: str) -> str:
    kind = actor.partition(":")[0]
    return {"holder": "本人 / yourself", "system": "系统 / system", "watcher": "关注者 / watcher"}.get(
        kind, "工作人员 / staff"
    )


def _files(ctx: Context, rows: Mapping[Table, Sequence[Row]]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    sealed = {one.table.name: one.files for one in sealed_tables()}
    for table, those in rows.items():
        if table.name in WITHHELD:
            continue
        for row in those:
            for column, purpose in sealed.get(table.name, {}).items():
                content = _opened(ctx, row[column], purpose)
                if content is not None:
                    found.append((f"{table.name}-{row['id']}{_ending(content)}", content))
            if table.name in _PLAIN_FILES and row["file_key"]:
                name, ending = _PLAIN_FILES[table.name]
                try:
                    found.append((f"{row[name]}.{ending}", ctx.storage.get(row["file_key"])))
                except FileMissingError:
                    continue  # doctor and the stock-take name files that are gone
    return found


def _opened(ctx: Context, key: str | None, purpose: str) -> bytes | None:
    if not key or key == "erased":
        return None
    try:
        return ctx.data_key.open(purpose, ctx.storage.get(key))
    except (FileMissingError, SealedValueError):
        return None


def _ending(content: bytes) -> str:
    for start, ending in ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"%PDF", ".pdf"), (b"PK", ".zip")):
        if content.startswith(start):
            return ending
    return ".bin"
