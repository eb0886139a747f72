"""R10 and MOHRSS Order 31: the record is entered and lifted with its case, and holds certificates until looked at."""

import functools
import hashlib
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from sqlalchemy import select, text

from issuer.audit import verify_chain
from issuer.errors import ConflictError, InputError, NotAllowedError
from issuer.invalidation.misconduct import consider, list_records
from issuer.invalidation.service import approve, overturn, propose
from issuer.invalidation.subject import Seat
from issuer.invalidation.transfer import Evidence, transfer, transfer_pdf
from issuer.paper import making
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.rules.misconduct import RecordFacts, RecordState, Term, ends_on, require_no_record, state_on, term_for
from issuer.rules.terms import InvalidationGround, Role
from issuer.rules.violation import RuleViolation
from tests.factories.paper_office import PaperDesk, paper_desk
from tests.factories.small_world import admission_no, small_context, staff

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
CHIEF = staff("chief", Role.AUTHORITY_APPROVER)
SECOND_CHIEF = staff("second-chief", Role.AUTHORITY_APPROVER)
AUDITOR = staff("auditor", Role.AUDITOR)
BASIS = "经核实提供虚假学历证明，人社部令第31号第十条"
FALSE, MEANS = InvalidationGround.FALSE_MATERIALS, InvalidationGround.IMPROPER_MEANS


@pytest.fixture
def desk(tmp_path: Path) -> PaperDesk:
    return paper_desk(small_context(make_engine(f"sqlite:///{tmp_path / 'i.sqlite3'}"), tmp_path), people=3)


@pytest.mark.parametrize(
    ("ground", "wanted", "term"),
    [
        (FALSE, None, Term.FIVE_YEARS),
        (MEANS, "long-term", Term.LONG_TERM),
        (InvalidationGround.INELIGIBLE_IN_REVIEW, None, None),
    ],
)
def test_r10_the_term_follows_the_ground(ground: InvalidationGround, wanted: str | None, term: Term | None) -> None:
    assert term_for(ground, wanted) == term


@pytest.mark.parametrize(
    ("ground", "wanted", "code"),
    [
        (FALSE, "long-term", "long-term-not-grounded"),
        (MEANS, "ten-years", "unknown-term"),
        (InvalidationGround.INELIGIBLE_IN_REVIEW, "five-years", "no-misconduct"),
    ],
)
def test_r10_other_terms_are_refused(ground: InvalidationGround, wanted: str, code: str) -> None:
    with pytest.raises(RuleViolation) as refused:
        term_for(ground, wanted)
    assert refused.value.code == code


def test_r10_five_years_by_calendar_date_and_a_long_term_without_end() -> None:
    assert ends_on(Term.FIVE_YEARS, date(2024, 2, 29)) == date(2029, 2, 28)
    assert ends_on(Term.LONG_TERM, date(2024, 2, 29)) is None
    facts = RecordFacts(date(2029, 2, 28))
    assert state_on(facts, date(2029, 2, 28)) is RecordState.RUNNING
    assert state_on(facts, date(2029, 3, 1)) is RecordState.EXPIRED
    require_no_record((facts,), date(2029, 3, 1))
    require_no_record((RecordFacts(None, considered=True), RecordFacts(None, lifted=True)), date(2026, 1, 1))
    with pytest.raises(RuleViolation, match="misconduct-record") as refused:
        require_no_record((facts,), date(2029, 2, 28))
    assert refused.value.clause == "R10"


def test_r10_entered_read_by_few_lifted_with_its_case(desk: PaperDesk) -> None:
    seat = Seat(desk.sitting, admission_no(1))
    case = propose(desk.ctx, CLERK, seat, FALSE, BASIS)
    assert list_records(desk.ctx, AUDITOR) == [], "a proposal enters nothing"
    approve(desk.ctx, CHIEF, case)
    (record,) = list_records(desk.ctx, AUDITOR, state="running", of=seat)
    assert (record.case_id, record.term, record.article, record.facts) == (case, "five-years", "10,7,12", BASIS)
    assert record.ends_on == ends_on(Term.FIVE_YEARS, desk.clock.today())
    for stranger in (CLERK, staff("body", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}))):
        with pytest.raises(NotAllowedError):
            list_records(desk.ctx, stranger)
    with desk.ctx.database.read() as session:
        (raw,) = session.connection().exec_driver_sql("SELECT facts FROM misconduct_records").one()
        assert isinstance(raw, bytes) and BASIS.encode() not in raw
        told = [(event.act, str(event.details)) for event in session.scalars(select(AuditEvent))]
        assert verify_chain(session).intact
    assert {"misconduct.enter", "misconduct.read"} <= {act for act, _ in told}
    assert all("虚假" not in details for _, details in told)
    approve(desk.ctx, SECOND_CHIEF, overturn(desk.ctx, CLERK, seat, "行政复议决定撤销原认定"))
    (record,) = list_records(desk.ctx, AUDITOR)
    assert (record.state, record.lifted_at is not None) == ("lifted", True)
    assert list_records(desk.ctx, AUDITOR, state="running") == []


def test_r10_a_running_record_holds_a_certificate_until_it_is_considered_or_over(desk: PaperDesk) -> None:
    case = propose(desk.ctx, CLERK, Seat(desk.sitting, admission_no(1)), MEANS, BASIS, misconduct_term="long-term")
    approve(desk.ctx, CHIEF, case)
    (record,) = list_records(desk.ctx, CHIEF)
    other = desk.registrations[1]
    with desk.ctx.database.write() as session:  # as if the same person had passed another examination
        session.execute(
            text("UPDATE misconduct_records SET person_id = :person"),
            {"person": session.get_one(Registration, other).person_id},
        )
    report = making.print_sitting(desk.ctx, CLERK, desk.sitting)
    assert (other, "misconduct-record", "R10") in report.refused
    assert len(report.printed) == 1, "the third person is not concerned"
    with pytest.raises(NotAllowedError):
        consider(desk.ctx, CLERK, record.id, other, "已查阅记录，同意制发")
    with pytest.raises(ConflictError):
        consider(desk.ctx, CHIEF, record.id, desk.registrations[2], "已查阅记录，同意制发")
    consider(desk.ctx, CHIEF, record.id, other, "已查阅记录，同意制发")
    consider(desk.ctx, CHIEF, record.id, other, "已查阅记录，同意制发")
    assert len(making.print_sitting(desk.ctx, CLERK, desk.sitting).printed) == 1
    assert list_records(desk.ctx, CHIEF)[0].considered_for == (other,)


def test_r10_a_transfer_note_has_number_facts_and_the_digests_of_the_evidence(desk: PaperDesk) -> None:
    proof = Evidence("学历证明扫描件.pdf", hashlib.sha256(b"scan").hexdigest())
    account = "当事人提交伪造的学历证明，涉嫌伪造证件"
    case = propose(desk.ctx, CLERK, Seat(desk.sitting, admission_no(1)), FALSE, BASIS)
    give = functools.partial(transfer, desk.ctx, case_id=case, to="示例市公安局", facts=account)
    with pytest.raises(ConflictError) as refused:
        give(CHIEF, evidence=[proof])
    assert refused.value.code == "not-transferable"
    approve(desk.ctx, CHIEF, case)
    with pytest.raises(NotAllowedError):
        give(CLERK, evidence=[proof])
    for bad in ([], [Evidence("x", "00")]):
        with pytest.raises(InputError):
            give(CHIEF, evidence=bad)
    number, digest = give(CHIEF, evidence=[proof])
    assert give(CHIEF, evidence=[proof])[0] != number
    pdf = transfer_pdf(desk.ctx, AUDITOR, number)
    assert hashlib.sha256(pdf).hexdigest() == digest
    with pypdfium2.PdfDocument(pdf) as document:
        words = "".join("".join(page.get_textpage().get_text_bounded().split()) for page in document)
    for said in (number, "示例市公安局", "张三", "P00000001", account, proof.what, proof.sha256, BASIS):
        assert said in words, said
    with desk.ctx.database.read() as session:
        told = " ".join(f"{event.details}" for event in session.scalars(select(AuditEvent)))
    assert proof.sha256 in told and "张三" not in told and account not in told
