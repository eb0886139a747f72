"""For whom a paper certificate may be printed (R9–R11), and under which number."""

from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from issuer.issuance.facts import Case, Examination
from issuer.issuance.numbers import take_numbers
from issuer.ports import ServiceContext
from issuer.records.certificates import Holding
from issuer.records.paper import PaperCertificate
from issuer.rules.eligibility import IssueFacts
from issuer.rules.misconduct import require_no_record
from issuer.rules.paper_making import PrintFacts, may_print
from issuer.rules.suspension import require_not_suspended
from issuer.rules.terms import Medium
from issuer.rules.violation import RuleViolation


def judged(
    ctx: ServiceContext,
    session: Session,
    examination: Examination,
    cases: Sequence[Case],
    holdings: dict[tuple[int, str], Holding] | None = None,
) -> list[tuple[Case, RuleViolation | None]]:
    """Each case with what the law has against a paper certificate for it, None where it has nothing.

    holdings: by person and qualification, where the caller has locked them; else they are read.
    """
    keys = [(case.person.id, case.qualification) for case in cases]
    if holdings is None:
        held = select(Holding).where(tuple_(Holding.person_id, Holding.qualification).in_(keys))
        holdings = {(row.person_id, row.qualification): row for row in session.scalars(held)}
    columns = (PaperCertificate.person_id, PaperCertificate.qualification)
    live = {
        (person, key)
        for person, key in session.execute(
            select(*columns).where(tuple_(*columns).in_(keys), PaperCertificate.slot == "live")
        )
    }
    today = ctx.clock.today()
    out: list[tuple[Case, RuleViolation | None]] = []
    for case, key in zip(cases, keys, strict=True):
        holding = holdings.get(key)
        facts = PrintFacts(
            issue=IssueFacts(
                medium=Medium(examination.programme.medium),
                outcome=case.outcome,
                notice=examination.notice,
                approved_on=examination.sitting.approved_on,
                scores=case.scores,
                open_objections=case.open_objections,
                registration_void=case.registration.void_since is not None,
                live_certificate=case.open_certificate is not None,
            ),
            e_certificate_made=holding is not None and holding.e_certificate_made_at is not None,
            live_paper=key in live,
        )
        try:
            may_print(facts, today)
            require_no_record(case.misconduct, today)
            require_not_suspended(case.suspended)
        except RuleViolation as violation:
            out.append((case, violation))
        else:
            out.append((case, None))
    return out


def numbers_for(session: Session, examination: Examination, cases: Sequence[Case]) -> list[str]:
    """The person's own number where there was one before (a reprint), a fresh one otherwise."""
    columns = (PaperCertificate.person_id, PaperCertificate.qualification)
    keys = [(case.person.id, case.qualification) for case in cases]
    earlier = {
        (person, key): number
        for person, key, number in session.execute(
            select(*columns, PaperCertificate.management_no)
            .where(tuple_(*columns).in_(keys))
            .order_by(PaperCertificate.id)
        )
    }
    given: dict[tuple[int, str], str] = {}
    waiting = [(case, key) for case, key in zip(cases, keys, strict=True) if key not in earlier]
    while waiting:
        taken = take_numbers(session, examination, [case for case, _ in waiting])
        used = set(
            session.scalars(select(PaperCertificate.management_no).where(PaperCertificate.management_no.in_(taken)))
        )
        given |= {key: number for (_, key), number in zip(waiting, taken, strict=True) if number not in used}
        waiting = [(case, key) for case, key in waiting if key not in given]
    return [earlier.get(key) or given[key] for key in keys]
