"""Defining sittings and taking in rosters: the use cases of this slice."""

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePath

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, NotFoundError, Words
from issuer.records.people import RosterImport
from issuer.records.sittings import Programme, Sitting
from issuer.roster.definition import define_sitting
from issuer.roster.findings import Finding, error, note
from issuer.roster.photos import PhotoArchive, check_photo, photo_key, store_photo
from issuer.roster.ports import RosterContext
from issuer.roster.reading import RosterTable, open_roster
from issuer.roster.report import RosterReport
from issuer.roster.row import RosterRow
from issuer.roster.rows import RowReader, SittingFrame
from issuer.roster.sittings import read_definition
from issuer.roster.writing import Sorted, sort_rows, write_changed, write_new
from issuer.rules.policy import Policy
from issuer.rules.terms import Medium, Role
from templates.certificate.photo import PhotoError

__all__ = ["define_sitting", "import_roster"]

IMPORTERS = (Role.AUTHORITY_ISSUER, Role.OPERATOR)
Progress = Callable[[str, int], None]
"""Told (step, rows done); steps: "read", "write"."""


def import_roster(
    ctx: RosterContext,
    actor: Actor,
    sitting_code: str,
    *,
    file_name: str,
    content: Path,
    photos: Path | None,
    dry_run: bool = False,
    definition: bytes | None = None,
    on_progress: Progress = lambda _step, _done: None,
) -> RosterReport:
    """Take in a roster (R5: the passers handed over for review). Good rows go in, bad ones come back as findings.

    content: the .xlsx or .csv on disk; photos: a .zip or None. All rows are written in one unit of work,
    with the first state of their reviews; a file that changes nothing writes nothing. A dry run checks
    everything and writes nothing. A sitting that is not known yet is defined by `definition`
    (`sitting.toml`), but only once the file has proved readable.
    Raises NotAllowedError, NotFoundError (sitting), InputError and TooLargeError (a file that cannot be
    used), ConflictError (another import at the same time).
    """
    actor.require(*IMPORTERS)
    sitting, programme = _sitting(ctx, sitting_code, definition)
    table = open_roster(content, list(sitting.pass_marks))
    if len(sitting.specialties) > 1:
        table.columns.require("specialty")
    rows, findings, count = _read(ctx, table, sitting, programme, photos, dry_run, on_progress)
    subjects = tuple(sitting.pass_marks)
    key, head = ctx.data_key, table.columns.head
    digest = _sha256(content)
    import_id = None
    if dry_run:
        with ctx.database.read() as session:
            plan = sort_rows(session, rows, key, sitting_code, subjects, head)
    else:
        if definition is not None:
            define_sitting(ctx, actor, definition)
        try:
            with ctx.database.write() as session:
                # Imports into one sitting follow one another.
                session.get_one(Sitting, sitting_code, with_for_update=True)
                plan = sort_rows(session, rows, key, sitting_code, subjects, head)
                if plan.new or plan.changed:
                    now = ctx.clock.now()
                    write_new(
                        session, sitting_code, subjects, plan.new, key, now, lambda done: on_progress("write", done)
                    )
                    write_changed(session, sitting_code, subjects, plan.changed, key, now)
                    import_id = _record(session, ctx, actor, sitting_code, file_name, digest, plan, count)
        except IntegrityError as exc:
            raise ConflictError(
                "roster-raced",
                Words(
                    "另一导入同时写入了同样的人员，本次未导入任何数据。",
                    "Another import wrote the same people at the same time; nothing of this one was imported.",
                ),
                remedy=Words("重新提交即可。", "Send the file again."),
            ) from exc
    findings = sorted([*findings, *plan.findings], key=lambda finding: finding.row)
    return RosterReport(
        sitting_code=sitting_code,
        file_name=_bare_name(file_name),
        file_sha256=digest,
        dry_run=dry_run,
        rows=count,
        imported=len(plan.new),
        updated=len(plan.changed),
        unchanged=plan.unchanged,
        rejected=len({finding.row for finding in findings if finding.level == "error"}),
        findings=tuple(findings),
        remarks=_remarks(table, photos, programme),
        import_id=import_id,
        sheet=table.sheet.name,
        header_row=table.columns.header_row,
        ignored_columns=table.columns.ignored,
        subjects=subjects,
    )


def _read(
    ctx: RosterContext,
    table: RosterTable,
    sitting: Sitting,
    programme: Programme,
    photos: Path | None,
    dry_run: bool,
    on_progress: Progress,
) -> tuple[list[RosterRow], list[Finding], int]:
    """(rows that stand on their own, findings, number of rows)."""
    reader = RowReader(
        table.columns,
        SittingFrame(
            level=programme.level,
            specialties=tuple(sitting.specialties),
            pass_marks=sitting.pass_marks,
            exam_ended_on=sitting.exam_ended_on,
            today=ctx.clock.today(),
            policy=Policy.from_dict(programme.policy),
        ),
    )
    gallery = _Gallery(ctx, sitting.code, photos, needed=programme.medium == Medium.ELECTRONIC, keep=not dry_run)
    rows: list[RosterRow] = []
    findings: list[Finding] = []
    numbers: set[str] = set()
    people: set[tuple[str, str]] = set()
    count = 0
    try:
        for number, cells in table.data_rows():
            count += 1
            row, found = reader.read(number, cells)
            if row is not None:
                person = (row.identity.id_type.value, row.identity.value)
                if row.admission_no in numbers:
                    found.append(error(number, table.columns.head("admission_no"), "duplicate_admission_no"))
                elif person in people:
                    found.append(error(number, table.columns.head("id_no"), "duplicate"))
                else:
                    found += gallery.take(row, table.columns.head("photo"))
                if not any(finding.level == "error" for finding in found):
                    numbers.add(row.admission_no)
                    people.add(person)
                    rows.append(row)
            findings += found
            if count % 200 == 0:
                on_progress("read", count)
    finally:
        gallery.close()
    on_progress("read", count)
    return rows, findings, count


class _Gallery:
    """Gives rows their portraits."""

    def __init__(
        self, ctx: RosterContext, sitting_code: str, photos: Path | None, *, needed: bool, keep: bool
    ) -> None:
        self._ctx, self._sitting_code = ctx, sitting_code
        self._needed, self._keep = needed, keep
        self._archive = PhotoArchive(photos) if photos is not None else None
        self._seen: set[str] = set()

    def take(self, row: RosterRow, head: str) -> list[Finding]:
        """Find, check and (unless this is a dry run) store the row's photo; what is wrong with it."""
        if self._archive is None:
            return []
        # Without a name in the row, photos are commonly named by admission or ID number.
        names = (row.photo_name,) if row.photo_name else (row.admission_no, row.identity.value)
        entry = self._archive.find(*names)
        if entry is None:
            return [error(row.row, head, "photo_missing")] if self._needed or row.photo_name else []
        try:
            sha256, picture = check_photo(self._archive.read(entry))
        except PhotoError as fault:
            code = "photo_too_large" if fault.code == "photo-too-large" else "photo_unusable"
            return [error(row.row, head, code)]
        row.photo_sha256 = sha256
        key = photo_key(self._sitting_code, sha256)
        if self._keep and not self._ctx.storage.exists(key):
            store_photo(self._ctx, key, picture)
        shared = sha256 in self._seen
        self._seen.add(sha256)
        return [note(row.row, head, "photo_shared")] if shared else []

    def close(self) -> None:
        """Let go of the archive."""
        if self._archive is not None:
            self._archive.close()


def _sitting(ctx: RosterContext, code: str, definition: bytes | None) -> tuple[Sitting, Programme]:
    with ctx.database.read() as session:
        sitting = session.get(Sitting, code)
        if sitting is None and definition is not None:
            defined = read_definition(definition)
            if defined.sitting["code"] != code:
                raise _unknown_sitting()
            return Sitting(**defined.sitting), Programme(**defined.programme, policy=defined.policy)
        if sitting is None:
            raise _unknown_sitting()
        programme = session.get_one(Programme, sitting.programme_code)
        session.expunge_all()
    return sitting, programme


def _unknown_sitting() -> NotFoundError:
    return NotFoundError(
        "sitting-unknown",
        Words("没有这个考试批次。未导入任何数据。", "There is no such sitting. Nothing was imported."),
        remedy=Words(
            "先用 `ecert sitting define sitting.toml` 定义，或核对代码。",
            "Define it first with `ecert sitting define sitting.toml`, or check the code.",
        ),
    )


def _record(
    session: Session,
    ctx: RosterContext,
    actor: Actor,
    sitting_code: str,
    file_name: str,
    digest: str,
    plan: Sorted,
    count: int,
) -> int:
    counts = {
        "rows": count,
        "imported": len(plan.new),
        "updated": len(plan.changed),
        "unchanged": plan.unchanged,
        "rejected": count - len(plan.new) - len(plan.changed) - plan.unchanged,
    }
    row = RosterImport(
        sitting_code=sitting_code,
        file_sha256=digest,
        file_name=_bare_name(file_name),
        imported_at=ctx.clock.now(),
        actor=actor.username,
        counts=counts,
    )
    session.add(row)
    session.flush()
    record_event(
        session,
        ctx.clock,
        actor,
        "roster.import",
        f"sitting:{sitting_code}",
        clause="R5",
        details={"import": row.id, "file_sha256": digest, **counts},
    )
    return row.id


def _remarks(table: RosterTable, photos: Path | None, programme: Programme) -> tuple[Words, ...]:
    remarks = []
    if photos is None and programme.medium == Medium.ELECTRONIC:
        remarks.append(
            Words(
                "未提交照片压缩包；制证前需要再次导入并附照片。",
                "No photo archive was sent; import again with photos before certificates are made.",
            )
        )
    if table.skipped_sheets:
        remarks.append(
            Words(
                f"另有 {len(table.skipped_sheets)} 个工作表未使用。",
                f"{len(table.skipped_sheets)} other sheets were not used.",
            )
        )
    return tuple(remarks)


def _bare_name(file_name: str) -> str:
    name = PurePath(file_name.replace("\\", "/")).name
    return "".join(char for char in name if char.isprintable())[:255] or "roster"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
