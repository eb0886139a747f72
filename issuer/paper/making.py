"""Paper certificates of a sitting: a form is spent on each person the law allows, checked, released (R11)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from issuer.access.actor import Actor
from issuer.audit import NewEvent, record_many
from issuer.issuance.facts import Case, Examination, candidates, load_cases, load_examination
from issuer.paper.mail import close_bookings
from issuer.paper.print_law import judged, numbers_for
from issuer.paper.sheets import CLERKS, find_sheet, lawful, note_step, require_sitting, require_whole, step
from issuer.paper.stock import require_reason, take_blanks
from issuer.ports import ServiceContext
from issuer.records.holdings import lock_holdings
from issuer.records.paper import PaperBlank, PaperCertificate
from issuer.rules.paper_states import PaperAction, PaperState
from issuer.rules.violation import RuleViolation

MAX_RUN = 2000
"""Sheets of one print run."""


@dataclass(frozen=True, slots=True)
class PrintReport:
    """`printed`: (serial, management number) in order of the serials; `refused`: registration, code, clause."""

    sitting: str
    printed: tuple[tuple[str, str], ...] = ()
    refused: tuple[tuple[int, str, str], ...] = ()
    already: int = 0
    left: int = 0
    """People who may have one and were not reached by this run."""
    dry_run: bool = False
    may: int = field(default=0)

    def to_json(self) -> dict[str, Any]:
        """Plain values; no names."""
        return {
            "sitting": self.sitting,
            "may_be_printed": self.may,
            "printed": [{"serial": serial, "management_no": number} for serial, number in self.printed],
            "refused": [{"registration": who, "code": code, "clause": clause} for who, code, clause in self.refused],
            "already": self.already,
            "left": self.left,
            "dry_run": self.dry_run,
        }


def plan_print(
    ctx: ServiceContext, actor: Actor, sitting_code: str, tell: Callable[[int, int], None] | None = None
) -> PrintReport:
    """What a print run would do now; nothing is written. `tell`: how many people are looked at, of how many."""
    actor.require(*CLERKS)
    with ctx.database.read() as session:
        require_sitting(session, actor, sitting_code)
        examination = load_examination(session, sitting_code)
        ids = candidates(session, sitting_code)
        may, refused, already = 0, [], 0
        for start in range(0, len(ids), 500):
            if tell is not None:
                tell(start, len(ids))
            cases = load_cases(session, examination, ids[start : start + 500])
            for case, violation in judged(ctx, session, examination, cases):
                if violation is None:
                    may += 1
                elif violation.code == "paper-made":
                    already += 1
                else:
                    refused.append((case.registration.id, violation.code, violation.clause))
    return PrintReport(sitting_code, (), tuple(refused), already, may, dry_run=True, may=may)


def print_sitting(ctx: ServiceContext, actor: Actor, sitting_code: str, *, limit: int = MAX_RUN) -> PrintReport:
    """Spend a form on everybody who may have a certificate and has none, at most `limit`, in one unit of work.

    Raises ConflictError (R16 stock-short: nothing is printed), NotFoundError, NotAllowedError. The law is asked under
    the holdings' locks, which the making of electronic certificates takes too.
    """
    actor.require(*CLERKS)
    require_whole(actor)
    limit = min(max(limit, 1), MAX_RUN)
    with ctx.database.write() as session:
        require_sitting(session, actor, sitting_code)
        examination = load_examination(session, sitting_code)
        wanted, refused, already, may = [], [], 0, 0
        ids = candidates(session, sitting_code)
        for start in range(0, len(ids), 500):
            for case, violation in judged(
                ctx, session, examination, load_cases(session, examination, ids[start : start + 500])
            ):
                if violation is None:
                    may += 1
                    wanted.append(case.registration.id)
                elif violation.code == "paper-made":
                    already += 1
                else:
                    refused.append((case.registration.id, violation.code, violation.clause))
        printed, moved = _print(ctx, session, actor, sitting_code, wanted[:limit]) if wanted else ((), [])
        for number, violation in moved:  # somebody else was first, between the first look and the locks
            may -= 1
            if violation.code == "paper-made":
                already += 1
            else:
                refused.append((number, violation.code, violation.clause))
    return PrintReport(sitting_code, printed, tuple(refused), already, may - len(printed), may=may)


def print_for(
    ctx: ServiceContext, session: Session, actor: Actor, examination: Examination, cases: Sequence[Case]
) -> list[tuple[PaperCertificate, NewEvent]]:
    """One new sheet for each case, whose holding the caller has locked and the law allowed. Raises RuleViolation."""
    now = ctx.clock.now()
    blanks = take_blanks(session, actor, examination.programme.code, len(cases), now)
    numbers = numbers_for(session, examination, cases)
    made = []
    for case, blank, number in zip(cases, blanks, numbers, strict=True):
        paper = PaperCertificate(
            registration_id=case.registration.id,
            sitting_code=examination.sitting.code,
            person_id=case.person.id,
            qualification=case.qualification,
            management_no=number,
            blank_id=blank.id,
            serial=blank.serial,
            state=PaperState.PRINTED,
            slot="live",
            version=0,
            printed_by=actor.username,
            printed_at=now,
            changed_at=now,
        )
        session.add(paper)
        made.append(paper)
    session.flush()
    for paper in made:
        note_step(session, ctx.clock, actor, paper, "print", "R11", paper.serial)
    return [
        (paper, NewEvent("paper.print", f"paper:{paper.id}", clause="R11", details={"serial": paper.serial}))
        for paper in made
    ]


def release(ctx: ServiceContext, actor: Actor, references: Sequence[str]) -> int:
    """These printed sheets were compared with the list and may be claimed; how many. All or none."""
    actor.require(*CLERKS)
    with ctx.database.write() as session, lawful():
        found = [find_sheet(session, actor, reference) for reference in references]
        events = [step(session, ctx.clock, actor, one.paper, PaperAction.RELEASE) for one in found]
        session.flush()
        record_many(session, ctx.clock, actor, events)
    return len(events)


def release_sitting(ctx: ServiceContext, actor: Actor, sitting_code: str) -> int:
    """All printed sheets of a sitting, once the whole run was compared; how many."""
    actor.require(*CLERKS)
    require_whole(actor)
    with ctx.database.write() as session, lawful():
        require_sitting(session, actor, sitting_code)
        rows = session.scalars(
            select(PaperCertificate)
            .where(PaperCertificate.sitting_code == sitting_code, PaperCertificate.state == PaperState.PRINTED)
            .order_by(PaperCertificate.id)
            .with_for_update()
        )
        events = [step(session, ctx.clock, actor, paper, PaperAction.RELEASE) for paper in rows]
        session.flush()
        record_many(session, ctx.clock, actor, events)
    return len(events)


def spoil(ctx: ServiceContext, actor: Actor, reference: str, reason: str) -> None:
    """A sheet that came out wrong: the form is written off, and the person may be printed again."""
    actor.require(*CLERKS)
    require_reason(reason)
    with ctx.database.write() as session, lawful():
        paper = find_sheet(session, actor, reference).paper
        event = step(session, ctx.clock, actor, paper, PaperAction.SPOIL, reference=reason)
        blank = session.get_one(PaperBlank, paper.blank_id)
        blank.state, blank.reason = "spoiled", reason
        blank.changed_by, blank.changed_at = actor.username, ctx.clock.now()
        session.flush()
        record_many(session, ctx.clock, actor, [event])


def recall(ctx: ServiceContext, actor: Actor, reference: str) -> None:
    """Make a sheet void because the registration fell (R9); whatever was under way with it ends.

    Raises ConflictError (registration-valid: a lost or damaged one is replaced on request instead).
    """
    actor.require(*CLERKS)
    with ctx.database.write() as session, lawful():
        found = find_sheet(session, actor, reference)
        if found.registration.void_since is None:
            raise RuleViolation(
                "R9",
                "registration-valid",
                found=("报名有效", "the registration is valid"),
                expected=("报名被认定无效后收回作废", "a registration that was found void"),
            )
        event = step(
            session,
            ctx.clock,
            actor,
            found.paper,
            PaperAction.VOID,
            reference="registration-void",
            clause="R9",
        )
        found.paper.box_id = None
        close_bookings(session, ctx.clock, found.paper.id)
        session.flush()
        record_many(session, ctx.clock, actor, [event])


def _print(
    ctx: ServiceContext, session: Session, actor: Actor, sitting_code: str, ids: Sequence[int]
) -> tuple[tuple[tuple[str, str], ...], list[tuple[int, RuleViolation]]]:
    """(serial, management number) of what was printed; registration and refusal of who may not have one after all."""
    # Holdings first, as everywhere; then everything is read again under their locks.
    examination = load_examination(session, sitting_code)
    keys = {(case.person.id, case.qualification) for case in load_cases(session, examination, ids)}
    holdings = lock_holdings(session, keys)
    session.expire_all()
    examination = load_examination(session, sitting_code)
    cases = load_cases(session, examination, ids, lock=True)
    looked = judged(ctx, session, examination, cases, holdings)
    good = [case for case, violation in looked if violation is None]
    with lawful():
        made = print_for(ctx, session, actor, examination, good)
    now = ctx.clock.now()
    for case in good:
        holding = holdings[case.person.id, case.qualification]
        holding.paper_made_at = holding.paper_made_at or now
    session.flush()
    record_many(session, ctx.clock, actor, [event for _, event in made])
    moved = [(case.registration.id, violation) for case, violation in looked if violation is not None]
    return tuple((paper.serial, paper.management_no) for paper, _ in made), moved
