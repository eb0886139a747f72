"""移送函: a case of suspected crime is handed to another authority (R10, second half): numbered, laid out, kept.

Facts and evidence are what the approver writes down; of each piece of evidence its SHA-256 is named, so that whoever
receives the files can tell that they are these.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.clock import SHANGHAI
from issuer.errors import ConflictError, InputError, NotFoundError, Words
from issuer.invalidation.cases import find_case
from issuer.invalidation.grounds import GROUND_WORDS
from issuer.invalidation.guards import require_person
from issuer.invalidation.misconduct import DECIDERS, READERS
from issuer.invalidation.subject import case_subject, require_reach
from issuer.ports import SealingContext, ServiceContext
from issuer.records.access import StaffAccount
from issuer.records.misconduct import TransferNote
from issuer.records.people import Person
from issuer.records.series import next_serial
from issuer.refusals import refusal_from
from issuer.rules.invalidation import require_basis
from issuer.rules.misconduct import CLAUSE
from issuer.rules.terms import InvalidationGround
from issuer.rules.violation import RuleViolation
from templates.certificate.seal import seal_svg
from templates.fonts import families, typst_fonts

PAGE = Path(__file__).resolve().parents[2] / "templates" / "cases" / "transfer.typ"
MAX_EVIDENCE = 50
SEAL_INK = "#c22a22"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a piece of evidence is, and the SHA-256 of its file: 64 hex characters."""

    what: str
    sha256: str


def transfer(
    ctx: SealingContext, actor: Actor, case_id: int, *, to: str, facts: str, evidence: Sequence[Evidence]
) -> tuple[str, str]:
    """Make the note for an applied case under R10; its number and the SHA-256 of its PDF.

    Raises NotFoundError, NotAllowedError, ConflictError (not-transferable: no applied case under R10; basis-…),
    InputError (evidence-unusable, receiver-unusable, transfer-undrawable), UnavailableError (no key to seal it).
    """
    require_person(actor, DECIDERS)
    to = _receiver(to)
    _require_evidence(evidence)
    try:
        require_basis(CLAUSE, facts)
    except RuleViolation as violation:
        raise refusal_from(violation) from violation
    with ctx.database.write() as session:
        case = find_case(session, case_id)
        subject = case_subject(session, case)
        require_reach(actor, subject)
        if case.clause != CLAUSE or case.kind != "invalidate" or case.state != "applied":
            raise ConflictError(
                "not-transferable",
                Words(
                    "只有已生效的违纪违规事项可以移送，未作改动。",
                    "Only an applied case of misconduct is transferred; nothing was changed.",
                ),
                remedy=Words("先由批准人员批准该事项。", "Have the case approved first."),
                clause=CLAUSE,
            )
        now = ctx.clock.now()
        person = session.get_one(Person, subject.registration.person_id)
        account = session.get(StaffAccount, actor.username)
        year = now.astimezone(SHANGHAI).year
        number = f"YS-{year}-{next_serial(session, f'transfer-note-{year}'):04}"
        pdf = _drawn(
            {
                "number": number,
                "to": to,
                "authority": subject.programme.authority,
                "families": list(families()),
                "notice": "示例文件，不具有法律效力 Sample" if ctx.settings.sample else None,
                "seal": list(seal_svg(subject.programme.authority, SEAL_INK, ctx.settings.sample).encode()),
                "seal_alt": "样章，非真实印章" if ctx.settings.sample else f"{subject.programme.authority}印章",
                "facts": [
                    ["当事人", "Person", subject.registration.name],
                    ["证件号码", "ID number", person.id_no],
                    ["考试项目", "Programme", f"{subject.programme.name} {subject.sitting.code}"],
                    ["准考证号", "Admission no.", subject.registration.admission_no],
                    ["管理号", "Management no.", subject.management_no or "—"],
                    ["认定事由", "Ground", GROUND_WORDS[InvalidationGround(case.ground)].zh],
                    ["认定事项", "Case", f"第 {case.id} 号，生效日期 {case.effective_on.isoformat()}"],
                ],
                "finding": case.basis,
                "account": facts.strip(),
                "evidence": [[piece.what.strip(), piece.sha256] for piece in evidence],
                "made_by": account.display_name if account else actor.username,
                "made_on": now.astimezone(SHANGHAI).strftime("%Y年%m月%d日"),
            },
            now,
        )
        pdf = ctx.room().seal_pdf(pdf, level=ctx.settings.seal_level)
        digest = hashlib.sha256(pdf).hexdigest()
        row = TransferNote(
            number=number,
            case_id=case.id,
            to=to,
            facts=facts.strip(),
            evidence=json.dumps([[piece.what.strip(), piece.sha256] for piece in evidence], ensure_ascii=False),
            made_by=actor.username,
            made_at=now,
            pdf=base64.b64encode(pdf).decode(),
            pdf_sha256=digest,
        )
        session.add(row)
        session.flush()
        details = {"number": number, "sha256": digest, "evidence": [piece.sha256 for piece in evidence]}
        record_event(
            session,
            ctx.clock,
            actor,
            "misconduct.transfer",
            f"invalidation:{case.id}",
            clause=CLAUSE,
            details=details,
        )
    return number, digest


def transfer_pdf(ctx: ServiceContext, actor: Actor, number: str) -> bytes:
    """The note as it was made; reading it is put on record. Raises NotFoundError, NotAllowedError."""
    actor.require(*READERS)
    with ctx.database.write() as session:
        wanted = number.strip().upper()
        row = session.scalars(select(TransferNote).where(TransferNote.number == wanted)).one_or_none()
        if row is None:
            raise NotFoundError(
                "transfer-not-found",
                Words("没有这份移送函。", "There is no such transfer note."),
                remedy=Words("请核对编号。", "Check its number."),
            )
        record_event(
            session, ctx.clock, actor, "misconduct.transfer.read", f"invalidation:{row.case_id}", clause=CLAUSE
        )
        return base64.b64decode(row.pdf)


def _receiver(to: str) -> str:
    to = " ".join(to.split())
    if not 2 <= len(to) <= 120 or not to.isprintable():
        raise InputError(
            "receiver-unusable",
            Words("请写明接收机关（2 至 120 字）。", "Name the authority it goes to (2 to 120 characters)."),
        )
    return to


def _require_evidence(evidence: Sequence[Evidence]) -> None:
    good = all(
        1 <= len(piece.what.strip()) <= 200
        and piece.what.isprintable()
        and re.fullmatch(r"[0-9a-f]{64}", piece.sha256)
        for piece in evidence
    )
    if not good or not 1 <= len(evidence) <= MAX_EVIDENCE:
        raise InputError(
            "evidence-unusable",
            Words(
                f"证据须为 1 至 {MAX_EVIDENCE} 项，每项有名称和 SHA-256。",
                f"Give 1 to {MAX_EVIDENCE} pieces of evidence, each with its name and SHA-256.",
            ),
            remedy=Words("命令行可用 --evidence 指定文件。", "On the command line: --evidence FILE"),
        )


def _drawn(data: dict[str, Any], at: datetime) -> bytes:
    try:
        pdf = _compiler().compile(
            sys_inputs={"note": json.dumps(data, ensure_ascii=False)},
            format="pdf",
            pdf_standards=["a-3a", "ua-1"],
            timestamp=int(at.timestamp()),
        )
    except typst.TypstError as exc:
        # Typst quotes what it could not set, which may be a name: it is not passed on.
        raise InputError(
            "transfer-undrawable",
            Words("移送函无法排版（可能缺少字体），未作改动。", "It could not be laid out; nothing was changed."),
            remedy=Words("运行 ecert doctor 检查字体。", "See `ecert doctor` about fonts."),
        ) from exc
    assert isinstance(pdf, bytes), "one file was asked for"
    return pdf


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    return typst.Compiler(input=PAGE, root=PAGE.parent, font_paths=typst_fonts(), ignore_system_fonts=True)
