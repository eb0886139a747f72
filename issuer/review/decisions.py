"""Taking in a round's decisions: bad rows become findings, good rows go through, a second time changes nothing."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import record_event
from issuer.errors import ConflictError, DomainError, Words
from issuer.ports import ServiceContext
from issuer.records.people import Registration
from issuer.records.reviews import EligibilityReview, ReviewEvent
from issuer.registration.guard import LEFT_OPEN
from issuer.review.decision_file import DecisionRow, Found, bad_row, read_decisions
from issuer.review.moves import Moves, Step, move_reviews
from issuer.review.report import DecisionReport
from issuer.review.sitting import OpenSitting, acting_day, open_sitting, within_reach
from issuer.roster.findings import Finding
from issuer.rules.review import ReviewAction
from issuer.rules.terms import ReviewOutcome, ReviewRound

ACTIONS = {
    Found.ELIGIBLE: ReviewAction.FIND_ELIGIBLE,
    Found.INELIGIBLE: ReviewAction.FIND_INELIGIBLE,
    Found.PENDING: ReviewAction.HOLD_PENDING,
}
_OUTCOMES = {
    Found.ELIGIBLE: ReviewOutcome.ELIGIBLE,
    Found.INELIGIBLE: ReviewOutcome.INELIGIBLE,
    Found.PENDING: ReviewOutcome.CONDITIONS_PENDING,
}


_Review = Row[int, str, datetime | None, bool, str, str]


def apply_decisions(
    ctx: ServiceContext,
    actor: Actor,
    sitting_code: str,
    round: ReviewRound | str,
    *,
    content: Path,
    on: date | None = None,
    dry_run: bool = False,
) -> DecisionReport:
    """Take in the decision file at `content` for one round, in one unit of work.

    `on`: the day the decisions were reported, when the department enters them late (default: today).

    Raises NotFoundError (sitting), NotAllowedError (role, R1), InputError or TooLargeError (no decision file).
    """
    round, day = ReviewRound(round), acting_day(ctx.clock, actor, on)
    with ctx.database.read() as session:  # who may not act learns it before the file is read
        open_sitting(session, actor, sitting_code)
    file = read_decisions(content)
    with ctx.database.read() if dry_run else ctx.database.write() as session:
        sitting = open_sitting(session, actor, sitting_code)
        findings = list(file.findings)
        wanted, elsewhere, unchanged = _choose(session, actor, sitting, round, file.rows, findings)
        steps = [
            Step(id_, ACTIONS[row.found], row.reason_code, row.note)
            for id_, row in wanted.items()
            if id_ not in elsewhere
        ]
        done = move_reviews(session, ctx.clock, actor, sitting, steps, on=day, dry_run=dry_run)
        done.refused.update(elsewhere)
        unchanged += _explain_refusals(session, sitting, round, wanted, done, findings)
        moved = Counter(wanted[id_].found.value for id_ in done.moved)
        report = DecisionReport(
            sitting_code=sitting.code,
            round=round,
            rows=file.total,
            moved=dict(moved),
            unchanged=unchanged,
            findings=tuple(sorted(findings, key=lambda finding: finding.row)),
            dry_run=dry_run,
        )
        if done.moved and not dry_run:
            details = {
                "round": round.value,
                "file_sha256": hashlib.sha256(content.read_bytes()).hexdigest(),
                "rows": report.rows,
                "moved": len(done.moved),
                "unchanged": report.unchanged,
                "refused": report.refused,
                "acted_on": day.isoformat(),
            }
            record_event(
                session,
                ctx.clock,
                actor,
                "review.decision-file",
                f"sitting:{sitting.code}",
                clause="R4",
                details=details,
            )
    return report


def decide_all_eligible(
    ctx: ServiceContext,
    actor: Actor,
    sitting_code: str,
    round: ReviewRound | str,
    *,
    on: date | None = None,
    dry_run: bool = False,
) -> DecisionReport:
    """Find everybody eligible who still awaits this round's decision, within the actor's reach (R1).

    Who has a material open goes on waiting (R3), and so does who is in somebody's hands, with a finding each, counted
    in the order of admission numbers.
    """
    round, day = ReviewRound(round), acting_day(ctx.clock, actor, on)
    with ctx.database.read() if dry_run else ctx.database.write() as session:
        sitting = open_sitting(session, actor, sitting_code)
        waiting = session.scalars(
            select(EligibilityReview.registration_id)
            .join(Registration, EligibilityReview.registration_id == Registration.id)
            .where(
                EligibilityReview.sitting_code == sitting.code,
                EligibilityReview.round == round,
                EligibilityReview.outcome == ReviewOutcome.AWAITING,
                within_reach(actor),
            )
            .order_by(Registration.admission_no)
        ).all()
        steps = [Step(id_, ReviewAction.FIND_ELIGIBLE) for id_ in waiting]
        done = move_reviews(session, ctx.clock, actor, sitting, steps, on=day, dry_run=dry_run)
        for refusal in done.refused.values():
            if refusal.code not in (*LEFT_OPEN, "case-held"):
                raise refusal
        findings = tuple(
            _finding_of(number, done.refused[step.registration_id])
            for number, step in enumerate(steps, 1)
            if step.registration_id in done.refused
        )
    moved = {Found.ELIGIBLE.value: len(done.moved)}
    return DecisionReport(sitting.code, round, len(steps), moved, 0, findings, dry_run)


def _choose(
    session: Session,
    actor: Actor,
    sitting: OpenSitting,
    round: ReviewRound,
    rows: Sequence[DecisionRow],
    findings: list[Finding],
) -> tuple[dict[int, DecisionRow], dict[int, DomainError], int]:
    """Rows that ask for a change, by registration; those standing in another round; how many are so already."""
    reviews = {
        row.admission_no: row
        for row in session.execute(
            select(
                Registration.id,
                Registration.admission_no,
                Registration.void_since,
                within_reach(actor).label("in_reach"),
                EligibilityReview.round,
                EligibilityReview.outcome,
            )
            .join(EligibilityReview, EligibilityReview.registration_id == Registration.id)
            .where(Registration.sitting_code == sitting.code)
        )
    }
    wanted: dict[int, DecisionRow] = {}
    elsewhere: dict[int, DomainError] = {}
    unchanged = 0
    for row in rows:
        review = reviews.get(row.admission_no)
        if (
            review is not None
            and review.in_reach
            and review.round == round
            and review.outcome == _OUTCOMES[row.found]
        ):
            unchanged += 1
        elif (finding := _fault(review, row, round)) is not None:
            findings.append(finding)
        else:
            assert review is not None, "a row without a review is a fault"
            wanted[review.id] = row
            if review.round != round:
                elsewhere[review.id] = _other_round(round)
    return wanted, elsewhere, unchanged


def _other_round(asked: ReviewRound) -> ConflictError:
    if asked is ReviewRound.SUPPLEMENTARY:
        return ConflictError(
            "supplementary-not-opened",
            Words("该考生未进入补充资格核查", "this candidate is not in the supplementary round"),
            remedy=Words(
                "先办理 ecert review open-supplementary；不合格的须先申辩",
                "open it first (ecert review open-supplementary); who was found ineligible must make a defence",
            ),
            clause="R7",
        )
    return ConflictError(
        "first-round-over",
        Words("该考生的核查已进入补充轮次", "this candidate's review is in the supplementary round"),
        remedy=Words("按补充轮次提交（--round supplementary）", "send it for that round (--round supplementary)"),
        clause="R7",
    )


def _fault(review: _Review | None, row: DecisionRow, round: ReviewRound) -> Finding | None:
    if review is None:
        return bad_row(
            row.row,
            "准考证号",
            "not_in_sitting",
            Words("本考次的核查名单中没有这个准考证号", "this admission number is not under review in this sitting"),
            Words("核对准考证号和考次代码", "check the number and the sitting"),
        )
    if not review.in_reach:
        return bad_row(
            row.row,
            "准考证号",
            "outside_own_city",
            Words("该考生不属于本市", "this candidate belongs to another city"),
            Words("由所属地市的核查部门办理", "leave it to that city's review body"),
            "R1",
        )
    if review.void_since is not None:
        return bad_row(
            row.row,
            "准考证号",
            "registration_void",
            Words("该考生报名已无效", "this registration is void"),
            Words("不要再提交该行", "do not send the row again"),
            "R9",
        )
    if row.found is Found.PENDING and round is ReviewRound.SUPPLEMENTARY:
        return bad_row(
            row.row,
            "核查结果",
            "pending_in_last_round",
            Words(
                "补充资格核查为最后一次，不能再待核查", "the supplementary review is the last: nobody is held pending"
            ),
            Words("改为合格或不合格", "decide 合格 or 不合格"),
            "R7",
        )
    return None


def _explain_refusals(
    session: Session,
    sitting: OpenSitting,
    round: ReviewRound,
    wanted: Mapping[int, DecisionRow],
    done: Moves,
    findings: list[Finding],
) -> int:
    """Add a finding for each refusal, except where this very decision was taken before: how many of those."""
    applied = _taken_before(session, round, wanted, list(done.refused))
    for registration_id, refusal in done.refused.items():
        if registration_id not in applied:
            findings.append(_finding_of(wanted[registration_id].row, refusal))
    return len(applied)


def _taken_before(
    session: Session, round: ReviewRound, wanted: Mapping[int, DecisionRow], refused: Sequence[int]
) -> set[int]:
    taken: set[int] = set()
    for start in range(0, len(refused), 5000):
        found = session.execute(
            select(ReviewEvent.registration_id, ReviewEvent.version, ReviewEvent.action).where(
                ReviewEvent.registration_id.in_(refused[start : start + 5000]), ReviewEvent.round == round
            )
        ).all()
        undone = {(row.registration_id, row.version - 1) for row in found if row.action == ReviewAction.TAKE_BACK}
        taken.update(
            row.registration_id
            for row in found
            if row.action == ACTIONS[wanted[row.registration_id].found]
            and (row.registration_id, row.version) not in undone
        )
    return taken


def _finding_of(row: int, refusal: DomainError) -> Finding:
    remedy = refusal.remedy or Words("按当前核查状态办理", "act on the review as it stands")
    return bad_row(row, "核查结果", refusal.code, refusal.words, remedy, refusal.clause)
