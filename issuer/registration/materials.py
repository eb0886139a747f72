"""证明材料 (R3): handed in by the candidate, judged by the review body. Replaced or declined, a file stays."""

import hashlib
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import SYSTEM, Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, InputError, NotFoundError, UnavailableError, Words
from issuer.records.encryption import SealedValueError
from issuer.records.people import Registration
from issuer.records.registration import MATERIAL_PURPOSE, DeclaredFact, Material, MaterialProof
from issuer.records.reviews import EligibilityReview
from issuer.records.sittings import Sitting
from issuer.refusals import refusal_from
from issuer.registration.dossier import fact_of, load_dossiers
from issuer.registration.pictures import inspect_file, page_picture
from issuer.registration.ports import RegistrationContext
from issuer.review.sitting import open_sitting
from issuer.rules.comparison import FactItem
from issuer.rules.materials import MaterialKind, require_upload_open
from issuer.rules.terms import ReviewOutcome, Role
from issuer.rules.violation import RuleViolation

JUDGES: Final = (Role.REVIEW_BODY, Role.AUTHORITY_ISSUER)
VIEWERS: Final = (*JUDGES, Role.AUTHORITY_APPROVER, Role.SUPERVISOR, Role.AUDITOR)
MAX_FILES: Final = 6
"""Files of one kind standing at once: pages photographed one by one."""
MAX_NOTE: Final = 500
FILE_NAME: Final = 120
CLAUSE: Final = "R3"


def hand_in(
    ctx: RegistrationContext,
    person_id: int,
    actor: Actor,
    registration_id: int,
    kind: str,
    file_name: str,
    content: bytes,
    *,
    replaces: int | None = None,
) -> int:
    """Keep a file as proof; its number. The same file again is the same number.

    replaces: a file of the same kind, not decided yet, whose place it takes. Raises InputError, TooLargeError,
    NotFoundError, ConflictError (R15: nothing of the kind is asked; R7: too late, or settled; too many files).
    """
    wanted = _kind(kind)
    inspected = inspect_file(content)
    digest = ctx.data_key.blind_index(MATERIAL_PURPOSE, hashlib.sha256(content).hexdigest())
    with ctx.database.write() as session:
        registration = _own(session, person_id, registration_id)
        standing = session.scalars(
            select(Material)
            .where(Material.registration_id == registration_id, Material.kind == wanted, Material.state == "given")
            .order_by(Material.id)
        ).all()
        same = next((row for row in standing if row.digest == digest), None)
        if same is not None:
            return same.id
        items = _proves(session, ctx, registration, wanted)
        old = next((row for row in standing if row.id == replaces), None)
        if replaces is not None and old is None:
            raise _unknown()
        if old is None and len(standing) >= MAX_FILES:
            raise ConflictError(
                "materials-too-many",
                Words(f"同一材料最多 {MAX_FILES} 个文件。", f"At most {MAX_FILES} files of one kind."),
                remedy=Words("请替换或撤回其中一个。", "Replace one of them, or take one back."),
            )
        row = Material(
            person_id=person_id,
            registration_id=registration_id,
            kind=wanted.value,
            state="given",
            file_key=f"materials/{registration_id}/{secrets.token_hex(16)}.enc",
            file_name=_plain_name(file_name),
            media_type=inspected.media_type,
            size=len(content),
            pages=inspected.pages,
            digest=digest,
            given_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        if old is not None:
            old.state, old.replaced_by = "replaced", row.id
        session.add_all(MaterialProof(material_id=row.id, item=item.value, fact=fact) for item, fact in items.items())
        ctx.storage.put(row.file_key, ctx.data_key.seal(MATERIAL_PURPOSE, content))
        details = {"material": row.id, "kind": wanted.value, "pages": row.pages, "replaces": replaces}
        subject = f"registration:{registration_id}"
        record_event(session, ctx.clock, actor, "material.give", subject, clause=CLAUSE, details=details)
        return row.id


def take_back(ctx: RegistrationContext, person_id: int, actor: Actor, material_id: int) -> int:
    """The candidate takes an undecided file back; its registration. Raises NotFoundError."""
    with ctx.database.write() as session:
        row = session.get(Material, material_id, with_for_update=True)
        if row is None or row.person_id != person_id:
            raise _unknown()
        if row.state == "given":
            row.state, row.decided_at = "withdrawn", ctx.clock.now()
            subject = f"registration:{row.registration_id}"
            details = {"material": row.id}
            record_event(session, ctx.clock, actor, "material.withdraw", subject, clause=CLAUSE, details=details)
        return row.registration_id


def judge(ctx: RegistrationContext, actor: Actor, material_id: int, *, accepted: bool, note: str = "") -> int:
    """Accept or decline a file; its registration. A declined one is asked for again, and the candidate reads `note`.

    Raises NotFoundError, NotAllowedError (role, R1), InputError (no reason), ConflictError (decided, or replaced).
    """
    actor.require(*JUDGES)
    note = note.strip()
    if not accepted and not 4 <= len(note) <= MAX_NOTE:
        raise InputError(
            "note-missing",
            Words(f"请写明不予采用的原因（4 至 {MAX_NOTE} 字）。", f"Say why in 4 to {MAX_NOTE} characters."),
            clause=CLAUSE,
        )
    with ctx.database.write() as session:
        row = _within(session, actor, material_id, lock=True)
        if row.state != "given":
            raise ConflictError(
                "material-decided",
                Words("该材料已处理或已被替换。", "This material was decided on, replaced or taken back."),
                remedy=Words("刷新页面查看当前材料。", "Load the page again."),
            )
        row.state, row.decided_by, row.decided_at = (
            "accepted" if accepted else "declined",
            actor.username,
            ctx.clock.now(),
        )
        row.note = note or None
        act = "material.accept" if accepted else "material.decline"
        subject = f"registration:{row.registration_id}"
        record_event(session, ctx.clock, actor, act, subject, clause=CLAUSE, details={"material": row.id})
        return row.registration_id


@dataclass(frozen=True, slots=True)
class MaterialSheet:
    """One material for its viewer. Holds the file's name: for screens only."""

    id: int
    registration_id: int
    sitting: str
    admission_no: str
    kind: str
    state: str
    file_name: str
    media_type: str
    size: int
    pages: int
    given_at: datetime
    note: str | None


def describe(ctx: RegistrationContext, actor: Actor, material_id: int) -> MaterialSheet:
    """What a material is, without opening it. Raises NotFoundError, NotAllowedError (role, R1)."""
    actor.require(*VIEWERS)
    with ctx.database.read() as session:
        row = _within(session, actor, material_id)
        registration = session.get_one(Registration, row.registration_id)
        return MaterialSheet(
            id=row.id,
            registration_id=registration.id,
            sitting=registration.sitting_code,
            admission_no=registration.admission_no,
            kind=row.kind,
            state=row.state,
            file_name=row.file_name,
            media_type=row.media_type,
            size=row.size,
            pages=row.pages,
            given_at=row.given_at,
            note=row.note,
        )


def look(ctx: RegistrationContext, actor: Actor, material_id: int, page: int) -> bytes:
    """One page as PNG for staff; the look is recorded. Raises NotFoundError, NotAllowedError (role, R1)."""
    actor.require(*VIEWERS)
    with ctx.database.write() as session:
        row = _within(session, actor, material_id)
        _require_page(row, page)
        subject = f"registration:{row.registration_id}"
        record_event(session, ctx.clock, actor, "material.look", subject, details={"material": row.id, "page": page})
    return page_picture(_content(ctx, row), page)


def look_at_own(ctx: RegistrationContext, person_id: int, material_id: int, page: int) -> bytes:
    """One page of the candidate's own file as PNG. Raises NotFoundError."""
    with ctx.database.read() as session:
        row = session.get(Material, material_id)
        if row is None or row.person_id != person_id:
            raise _unknown()
        _require_page(row, page)
    return page_picture(_content(ctx, row), page)


def _proves(
    session: Session, ctx: RegistrationContext, registration: Registration, kind: MaterialKind
) -> dict[FactItem, str]:
    """The items a file of this kind is to prove, with the declaration each; refuses what nobody asked for."""
    if registration.void_since is not None:
        raise ConflictError("registration-void", Words("该报名已无效。", "This registration is void."), clause="R9")
    sitting = open_sitting(session, SYSTEM, registration.sitting_code)
    # Held until the paper is in: a decision comes before it, or after it and counts it.
    review = session.get(EligibilityReview, registration.id, with_for_update=True)
    outcome = ReviewOutcome(review.outcome) if review else ReviewOutcome.AWAITING
    today = ctx.clock.today()
    try:
        require_upload_open(outcome, sitting.dates, today)
    except RuleViolation as violation:
        raise refusal_from(violation) from violation
    dossier = load_dossiers(session, sitting, [registration.id], today)[registration.id]
    asked = next((each for each in dossier.asked if each.kind is kind), None)
    if asked is None:
        raise ConflictError(
            "material-not-asked",
            Words("该材料不需要提交：有关事项已核实，或尚待比对。", "Nothing of the kind is asked for."),
            remedy=Words("页面会写明需要提交的材料。", "The page names what is asked."),
            clause="R15",
        )
    declared = {
        FactItem(row.item): row.fact
        for row in session.scalars(select(DeclaredFact).where(DeclaredFact.registration_id == registration.id))
    }
    return {item: declared.get(item) or fact_of(item, None) for item in asked.items}


def _content(ctx: RegistrationContext, row: Material) -> bytes:
    try:
        return ctx.data_key.open(MATERIAL_PURPOSE, ctx.storage.get(row.file_key))
    except (LookupError, SealedValueError) as exc:
        raise UnavailableError(
            "material-file-missing",
            Words("材料文件缺失或无法解密。", "The file of this material is missing or does not open."),
            remedy=Words("请维护人员从备份恢复文件存储。", "Operators restore the file store from a backup."),
        ) from exc


def _within(session: Session, actor: Actor, material_id: int, *, lock: bool = False) -> Material:
    row = session.get(Material, material_id, with_for_update=lock)
    if row is None:
        raise _unknown()
    registration = session.get_one(Registration, row.registration_id)
    sitting = session.get_one(Sitting, registration.sitting_code)
    actor.require_programme(sitting.programme_code, registration.city)
    return row


def _own(session: Session, person_id: int, registration_id: int) -> Registration:
    # Not its key: a decision that has the review, which is waited for next, records its event for this registration.
    registration = session.get(Registration, registration_id, with_for_update={"key_share": True})
    if registration is None or registration.person_id != person_id:
        raise _unknown()
    return registration


def _require_page(row: Material, page: int) -> None:
    if not 1 <= page <= row.pages:
        raise _unknown()


def _kind(kind: str) -> MaterialKind:
    try:
        return MaterialKind(kind)
    except ValueError:
        raise InputError("material-kind", Words("请选择材料种类。", "Choose the kind of material.")) from None


def _plain_name(name: str) -> str:
    name = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(char for char in name if unicodedata.category(char)[0] not in "CZ" or char == " ")
    return shown[-FILE_NAME:] or "file"


def _unknown() -> NotFoundError:
    return NotFoundError("material-unknown", Words("没有这份材料或报名。", "There is no such material."))
