"""Random samples and targeted checks of a sitting (R15): the seed in public first, then the draw, then the results.

The seed is made by the program and fixed, and one sitting has at most one seed that was not drawn with: nobody can
try seeds until the sample suits them. All seeds, also those drawn with, stay on the public page.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, DomainError, InputError, NotFoundError, Words
from issuer.ports import ServiceContext
from issuer.records.announcements import SampledCheck, Sampling
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview
from issuer.records.sittings import Sitting
from issuer.review.sitting import READERS, open_sitting, require_whole_programme, within_reach
from issuer.rules.sampling import PER_MILLE, drawn, list_digest
from issuer.rules.terms import Role

SUPERVISING = (Role.AUTHORITY_ISSUER, Role.SUPERVISOR)
"""The department supervises the review bodies (R15): it fixes, draws and targets."""
CHECKING = (Role.AUTHORITY_ISSUER, Role.SUPERVISOR, Role.REVIEW_BODY)
RESULTS = ("in-order", "not-in-order")
MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class CheckView:
    """One registration picked: at random (`sampling_id`) or for a reason, and what was found."""

    id: int
    registration_id: int
    admission_no: str
    name: str
    city: str
    sampling_id: int | None
    reason: str | None
    chosen_by: str
    chosen_at: datetime
    result: str | None
    note: str | None
    checked_by: str | None
    checked_at: datetime | None


@dataclass(frozen=True, slots=True)
class SamplingReport:
    """A sampling: fixed, and once drawn with how many of how many."""

    sampling: int
    sitting: str
    seed: str
    per_mille: int
    population: int | None
    list_sha256: str | None
    picked: tuple[str, ...]


def fix_seed(ctx: ServiceContext, actor: Actor, sitting_code: str, per_mille: int) -> SamplingReport:
    """Make and publish the seed of a sitting's next sample.

    Raises NotFoundError, NotAllowedError, InputError (rate), ConflictError (a seed waits to be drawn with).
    """
    if not 1 <= per_mille <= PER_MILLE:
        raise InputError("sampling-rate", Words("抽查比例为 1‰ 至 1000‰。", "The rate is 1 to 1000 per mille."))
    try:
        with ctx.database.write() as session:
            _supervised(session, actor, sitting_code)
            row = Sampling(
                sitting_code=sitting_code,
                seed=secrets.token_hex(16),
                per_mille=per_mille,
                fixed_by=actor.username,
                fixed_at=ctx.clock.now(),
            )
            session.add(row)
            session.flush()
            _note(session, ctx, actor, "fix", row, {"seed": row.seed, "per_mille": per_mille})
            return _report(row, ())
    except IntegrityError as exc:
        raise ConflictError(
            "seed-waits",
            Words("本批次已有公布而未抽取的种子，不能更换。", "A seed of this sitting waits to be drawn with."),
            remedy=Words("先用它抽取。", "Draw with it first."),
            clause="R15",
        ) from exc


def draw_sample(ctx: ServiceContext, actor: Actor, sitting_code: str) -> SamplingReport:
    """Draw with the published seed from all who are under review; the picked are listed for checking.

    Raises NotFoundError, NotAllowedError, ConflictError (no seed waits; nobody under review).
    """
    with ctx.database.write() as session:
        _supervised(session, actor, sitting_code)
        waiting = select(Sampling).where(Sampling.sitting_code == sitting_code, Sampling.drawn_at.is_(None))
        row = session.scalars(waiting.with_for_update()).one_or_none()
        if row is None:
            raise ConflictError(
                "no-seed",
                Words("没有待用的种子：先公布种子，再抽取。", "No seed waits: publish one first, then draw."),
                remedy=Words("ecert review sample fix", "ecert review sample fix"),
                clause="R15",
            )
        people = {number: registration_id for registration_id, number in _population(session, sitting_code)}
        if not people:
            raise ConflictError(
                "nobody-to-sample",
                Words("本批次没有可抽查的人员，种子保留。", "There is nobody to sample; the seed is kept."),
                remedy=Words("先导入名单。", "Take in the roster first."),
                clause="R15",
            )
        picked = drawn(row.seed, people, row.per_mille)
        now = ctx.clock.now()
        row.drawn_by, row.drawn_at = actor.username, now
        row.population, row.list_sha256 = len(people), list_digest(people)
        session.add_all(
            SampledCheck(
                sitting_code=sitting_code,
                registration_id=people[number],
                sampling_id=row.id,
                chosen_by=actor.username,
                chosen_at=now,
            )
            for number in picked
        )
        session.flush()
        details = {"picked": len(picked), "population": len(people), "list_sha256": row.list_sha256}
        _note(session, ctx, actor, "draw", row, details)
        return _report(row, picked)


def target_check(ctx: ServiceContext, actor: Actor, sitting_code: str, admission_no: str, reason: str) -> int:
    """Pick one candidate for a reason (重点监管); the check's number.

    Raises NotFoundError, NotAllowedError, InputError (no reason), ConflictError (a check of this person is open).
    """
    reason = _text(reason)
    with ctx.database.write() as session:
        _supervised(session, actor, sitting_code)
        found = select(Registration.id).where(
            Registration.sitting_code == sitting_code, Registration.admission_no == admission_no.strip()
        )
        registration_id = session.scalars(found).one_or_none()
        if registration_id is None:
            raise _unknown()
        still_open = select(func.count()).where(
            SampledCheck.registration_id == registration_id, SampledCheck.result.is_(None)
        )
        if session.scalar(still_open):
            raise ConflictError(
                "check-open",
                Words(
                    "该人员已有未办结的核查，不重复提出。", "A check of this person is open; nothing is asked twice."
                ),
                remedy=Words("在已有的核查中记录结果。", "Record the result there."),
                clause="R15",
            )
        row = SampledCheck(
            sitting_code=sitting_code,
            registration_id=registration_id,
            reason=reason,
            chosen_by=actor.username,
            chosen_at=ctx.clock.now(),
        )
        session.add(row)
        session.flush()
        record_event(session, ctx.clock, actor, "sampling.target", f"sampled-check:{row.id}", clause="R15")
        return row.id


def record_result(ctx: ServiceContext, actor: Actor, check_id: int, result: str, note: str) -> None:
    """Write down what a check found, once. Ineligibility found so is handled by invalidation or review (R9).

    Raises NotFoundError, NotAllowedError (R1), InputError, ConflictError (recorded before).
    """
    if result not in RESULTS:
        raise InputError("unknown-result", Words("请选择核查结论。", "Choose a result."))
    note = _text(note)
    with ctx.database.write() as session:
        row = session.scalars(select(SampledCheck).where(SampledCheck.id == check_id).with_for_update()).one_or_none()
        if row is None:
            raise _unknown()
        open_sitting(session, actor, row.sitting_code, CHECKING)
        reached = select(Registration.id).where(Registration.id == row.registration_id, within_reach(actor))
        if session.scalars(reached).one_or_none() is None:
            raise _unknown()
        if row.result is not None:
            raise ConflictError(
                "result-recorded",
                Words("该核查已有结论，未作更改。", "The result is recorded already; nothing was changed."),
                remedy=Words("需要再查的，另行提出重点核查。", "If it needs another look, begin a targeted check."),
            )
        row.result, row.note = result, note
        row.checked_by, row.checked_at = actor.username, ctx.clock.now()
        session.flush()
        details = {"result": result}
        subject = f"sampled-check:{row.id}"
        record_event(session, ctx.clock, actor, "sampling.result", subject, clause="R15", details=details)


def list_checks(
    ctx: ServiceContext, actor: Actor, sitting_code: str, *, after: int | None = None, limit: int = 500
) -> list[CheckView]:
    """Who was picked, the open ones first, within the reader's reach, by page (`after`: the last one's number).

    Raises NotFoundError, NotAllowedError (R1).
    """
    with ctx.database.read() as session:
        open_sitting(session, actor, sitting_code, READERS)
        done = SampledCheck.result.is_not(None)
        query = (
            select(SampledCheck, Registration)
            .join(Registration, SampledCheck.registration_id == Registration.id)
            .where(SampledCheck.sitting_code == sitting_code, within_reach(actor))
            .order_by(done, SampledCheck.id)
            .limit(limit)
        )
        last = session.get(SampledCheck, after) if after is not None else None
        if last is not None:
            later = SampledCheck.id > last.id
            query = query.where(done & later if last.result is not None else done | later)
        rows = session.execute(query).all()
        return [
            CheckView(
                id=check.id,
                registration_id=person.id,
                admission_no=person.admission_no,
                name=person.name,
                city=person.city,
                sampling_id=check.sampling_id,
                reason=check.reason,
                chosen_by=check.chosen_by,
                chosen_at=check.chosen_at,
                result=check.result,
                note=check.note,
                checked_by=check.checked_by,
                checked_at=check.checked_at,
            )
            for check, person in rows
        ]


def samplings_of(ctx: ServiceContext, actor: Actor, sitting_code: str) -> list[SamplingReport]:
    """The sitting's samplings, newest first. Raises NotFoundError, NotAllowedError (R1)."""
    with ctx.database.read() as session:
        open_sitting(session, actor, sitting_code, READERS)
        query = select(Sampling).where(Sampling.sitting_code == sitting_code).order_by(Sampling.id.desc())
        return [_report(row, ()) for row in session.scalars(query)]


def _population(session: Session, sitting_code: str) -> list[tuple[int, str]]:
    query = (
        select(Registration.id, Registration.admission_no)
        .join(EligibilityReview, EligibilityReview.registration_id == Registration.id)
        .where(Registration.sitting_code == sitting_code, Registration.void_since.is_(None))
    )
    return [(number, admission_no) for number, admission_no in session.execute(query)]


def _supervised(session: Session, actor: Actor, sitting_code: str) -> Sitting:
    open_sitting(session, actor, sitting_code, SUPERVISING)
    require_whole_programme(actor)
    return session.get_one(Sitting, sitting_code)


def _report(row: Sampling, picked: tuple[str, ...]) -> SamplingReport:
    return SamplingReport(row.id, row.sitting_code, row.seed, row.per_mille, row.population, row.list_sha256, picked)


def _note(
    session: Session, ctx: ServiceContext, actor: Actor, act: str, row: Sampling, details: dict[str, object]
) -> None:
    subject = f"sampling:{row.id}"
    record_event(session, ctx.clock, actor, f"sampling.{act}", subject, clause="R15", details=details)


def _text(text: str) -> str:
    text = text.strip()
    if 0 < len(text) <= MAX_TEXT:
        return text
    raise InputError(
        "sampling-text",
        Words(f"请填写说明，至多 {MAX_TEXT} 字；未作任何更改。", f"Say why, in at most {MAX_TEXT} characters."),
    )


def _unknown() -> DomainError:
    return NotFoundError(
        "check-not-found",
        Words("没有这名人员或这项核查。", "There is no such person or check."),
        remedy=Words("请从抽查名单打开。", "Open it from the list of those picked."),
    )
