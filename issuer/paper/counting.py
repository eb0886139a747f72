"""A whole box counted at once (R13): a few statements for all of its certificates, all or none."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import DomainError, InputError, NotFoundError, Words
from issuer.paper.keeping import box_named
from issuer.paper.register_views import find_register, require_state
from issuer.paper.sheets import CLERKS, scanned
from issuer.ports import ServiceContext
from issuer.records.paper import PaperCertificate
from issuer.records.paper_keeping import HandoverItem, SafekeepingBox
from issuer.records.people import Registration
from issuer.records.sittings import Sitting
from issuer.refusals import refusal_from
from issuer.rules.paper_keeping import require_in_right_box
from issuer.rules.violation import RuleViolation

MOST_AT_ONCE = 2000
_CHUNK = 500


def count_box(ctx: ServiceContext, actor: Actor, number: str, box_label: str, certificates: Sequence[str]) -> int:
    """Count what was scanned in one box; how many were not counted before. What is scanned twice counts once.

    `certificates`: serials or management numbers, at most MOST_AT_ONCE. Raises ConflictError (R13 wrong-box,
    not-in-safekeeping, register-closed), NotFoundError, NotAllowedError (R1), InputError: nothing is counted then, an
    alarm is recorded, and the number of the certificate is named.
    """
    actor.require(*CLERKS)
    wanted = list(dict.fromkeys(scanned(each) for each in certificates))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise InputError(
            "count-size",
            Words(f"一次清点 1 至 {MOST_AT_ONCE} 份。", f"Count 1 to {MOST_AT_ONCE} certificates at once."),
        )
    alarm: DomainError | None = None
    with ctx.database.write() as session:
        row = find_register(session, actor, number, lock=True)
        require_state(row, "open")
        box = box_named(session, scanned(box_label), row.sitting_code)
        papers = _sheets(session, actor, wanted)
        labels = _labels(session, papers.values())
        for reference, paper in papers.items():
            try:
                _require_here(paper, row.sitting_code, labels.get(paper.box_id or 0), box.label)
            except RuleViolation as violation:
                words = refusal_from(violation)
                alarm = type(words)(
                    words.code,
                    Words(f"{reference}：{words.words.zh}", f"{reference}: {words.words.en}"),
                    clause=words.clause,
                )
                details = {"code": violation.code, "paper": paper.id}
                subject = f"register:{row.id}"
                record_event(
                    session,
                    ctx.clock,
                    actor,
                    "paper.register.count",
                    subject,
                    outcome="refused",
                    clause="R13",
                    details=details,
                )
                break
        added = 0 if alarm else _add(session, ctx, actor, row.id, box.id, [paper.id for paper in papers.values()])
    if alarm is not None:
        raise alarm
    return added


def _require_here(paper: PaperCertificate, sitting_code: str, own: str | None, box: str) -> None:
    if own is None or paper.sitting_code != sitting_code:
        raise RuleViolation(
            "R13",
            "not-in-safekeeping",
            found=(f"该证书状态为 {paper.state}，不在本清册", f"{paper.state}: no part of this register"),
            expected=("本考次代为保管的证书", "a certificate of this sitting in safekeeping"),
        )
    require_in_right_box(own, box)


def _sheets(session: Session, actor: Actor, wanted: Sequence[str]) -> dict[str, PaperCertificate]:
    """The sheet behind each reference, as `find_sheet` finds it, locked; in the order they were scanned."""
    found: dict[str, PaperCertificate] = {}
    ranks: dict[str, tuple[bool, bool, int]] = {}
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        known = set(part)
        rows = session.execute(
            select(PaperCertificate, Registration.city, Sitting.programme_code)
            .join(Registration, Registration.id == PaperCertificate.registration_id)
            .join(Sitting, Sitting.code == PaperCertificate.sitting_code)
            .where(PaperCertificate.serial.in_(part) | PaperCertificate.management_no.in_(part))
            .order_by(PaperCertificate.id)
            .with_for_update(of=PaperCertificate)
            .execution_options(populate_existing=True)
        )
        for paper, city, programme in rows:
            actor.require_programme(programme, city)
            for reference in {paper.serial, paper.management_no} & known:
                rank = (paper.serial == reference, paper.slot == "live", paper.id)
                if reference not in ranks or rank > ranks[reference]:
                    found[reference], ranks[reference] = paper, rank
    for reference in wanted:
        if reference not in found:
            raise NotFoundError(
                "paper-unknown",
                Words(
                    f"没有编号为 {reference or '（空）'} 的纸质证书，未作清点。",
                    f"There is no paper certificate {reference or '(empty)'}; nothing was counted.",
                ),
                remedy=Words("核对扫描或输入的编号。", "Check what was scanned or typed."),
            )
    return {reference: found[reference] for reference in wanted}


def _labels(session: Session, papers: Iterable[PaperCertificate]) -> dict[int, str]:
    ids = {paper.box_id for paper in papers if paper.box_id}
    rows = session.execute(select(SafekeepingBox.id, SafekeepingBox.label).where(SafekeepingBox.id.in_(ids)))
    return {row.id: row.label for row in rows}


def _add(
    session: Session, ctx: ServiceContext, actor: Actor, register_id: int, box_id: int, paper_ids: Sequence[int]
) -> int:
    new = set(paper_ids)
    for start in range(0, len(paper_ids), _CHUNK):
        part = paper_ids[start : start + _CHUNK]
        before = select(HandoverItem.paper_id).where(
            HandoverItem.register_id == register_id, HandoverItem.paper_id.in_(part)
        )
        new -= set(session.scalars(before))
    if new:
        values: dict[str, Any] = {"register_id": register_id, "box_id": box_id, "withdrawn": False}
        values |= {"scanned_by": actor.username, "scanned_at": ctx.clock.now()}
        session.execute(insert(HandoverItem), [{**values, "paper_id": paper_id} for paper_id in sorted(new)])
    return len(new)
