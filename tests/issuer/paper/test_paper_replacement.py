"""R14 and R11: when a paper certificate may be replaced, and what stays behind when it may not."""

from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.errors import ConflictError, ECertificateAlreadyIssued, InputError, NotAllowedError, NotFoundError
from issuer.paper.requests import list_replacements
from issuer.paper.service import close_replacement, request_replacement
from issuer.records.certificates import ECertificate
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent
from issuer.records.paper import PaperReplacementRequest
from issuer.records.people import Registration
from issuer.rules.terms import Medium, ReviewOutcome, Role
from tests.factories.small_world import SmallContext, SmallWorld, admission_no, small_context, staff

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
LOST = "证书遗失"


@pytest.fixture
def context(tmp_path: Path) -> SmallContext:
    return small_context(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path)


@pytest.fixture
def paper(context: SmallContext) -> SmallWorld:
    return SmallWorld(context).build(medium=Medium.PAPER)


@pytest.fixture
def electronic(context: SmallContext) -> SmallWorld:
    return SmallWorld(context).build()


def rows(context: SmallContext) -> list[PaperReplacementRequest]:
    with context.database.write() as session:
        return list(session.scalars(select(PaperReplacementRequest).order_by(PaperReplacementRequest.id)))


def events(context: SmallContext) -> list[tuple[str, str, str | None]]:
    with context.database.read() as session:
        found = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence))
        return [(event.act, event.outcome, event.clause) for event in found]


def test_a_paper_programme_takes_one_request_at_a_time(paper: SmallWorld) -> None:
    (registration,) = paper.register(1, outcome=ReviewOutcome.ELIGIBLE)
    number = request_replacement(paper.context, CLERK, registration_id=registration, reason=LOST)
    with pytest.raises(ConflictError) as refused:
        request_replacement(paper.context, CLERK, registration_id=registration, reason=LOST)
    assert (refused.value.code, refused.value.clause) == ("replacement-open", "R14")
    assert not isinstance(refused.value, ECertificateAlreadyIssued)
    assert close_replacement(paper.context, CLERK, number, "fulfilled").state == "fulfilled"
    with pytest.raises(ConflictError):
        close_replacement(paper.context, CLERK, number, "withdrawn")
    again = request_replacement(paper.context, CLERK, registration_id=registration, reason=LOST)
    assert [(row.id, row.state) for row in rows(paper.context)] == [
        (number, "fulfilled"),
        (number + 1, "refused"),
        (again, "accepted"),
    ]


@pytest.mark.parametrize(
    ("status", "slot", "points_to"), [("valid", "live", "download"), ("invalid", "ended", "decision")]
)
def test_once_made_the_paper_door_is_closed_for_good(
    electronic: SmallWorld, status: str, slot: str, points_to: str
) -> None:
    (registration,) = electronic.register(1, outcome=ReviewOutcome.ELIGIBLE)
    management_no = electronic.certificate(registration, status=status, slot=slot)
    with pytest.raises(ECertificateAlreadyIssued) as refused:
        request_replacement(electronic.context, CLERK, management_no=management_no, reason=LOST)
    assert (refused.value.code, refused.value.clause) == ("e-certificate-already-made", "R14")
    assert refused.value.remedy is not None and points_to in refused.value.remedy.en.lower()
    (row,) = rows(electronic.context)
    assert (row.state, row.clause, row.code) == ("refused", "R14", "e-certificate-already-made")
    assert events(electronic.context) == [("paper.replacement.refuse", "refused", "R14")]


def test_a_superseded_certificate_still_closes_the_door(electronic: SmallWorld) -> None:
    (registration,) = electronic.register(1, outcome=ReviewOutcome.ELIGIBLE)
    electronic.certificate(registration, status="superseded", slot="ended")
    with pytest.raises(ECertificateAlreadyIssued):
        request_replacement(electronic.context, CLERK, registration_id=registration, reason=LOST)


def test_an_electronic_programme_has_no_paper_to_replace(electronic: SmallWorld) -> None:
    (registration,) = electronic.register(1, outcome=ReviewOutcome.ELIGIBLE)
    with pytest.raises(ConflictError) as refused:
        request_replacement(electronic.context, CLERK, registration_id=registration, reason=LOST)
    assert refused.value.clause == "R11" and not isinstance(refused.value, ECertificateAlreadyIssued)
    assert rows(electronic.context)[0].state == "refused"


def test_paper_is_replaced_for_eligible_people_only(paper: SmallWorld) -> None:
    waiting, void = paper.register(1) + paper.register(1, outcome=ReviewOutcome.ELIGIBLE)
    with paper.context.database.write() as session:
        session.get_one(Registration, void).void_since = paper.context.clock.now()
    for registration, clause in ((waiting, "R4"), (void, "R9")):
        with pytest.raises(ConflictError) as refused:
            request_replacement(paper.context, CLERK, registration_id=registration, reason=LOST)
        assert refused.value.clause == clause
    assert {row.state for row in rows(paper.context)} == {"refused"}


def test_a_registration_is_found_by_sitting_and_admission_number(paper: SmallWorld) -> None:
    paper.register(2, outcome=ReviewOutcome.ELIGIBLE)
    request_replacement(
        paper.context, CLERK, sitting_code=paper.sitting, admission_no=f" {admission_no(2)} ", reason=LOST
    )
    with pytest.raises(NotFoundError) as missing:
        request_replacement(paper.context, CLERK, sitting_code=paper.sitting, admission_no="4100099", reason=LOST)
    assert "4100099" not in str(missing.value), "no admission number in an error text"


def test_holders_ask_for_themselves_only(paper: SmallWorld) -> None:
    mine, other = paper.register(2, outcome=ReviewOutcome.ELIGIBLE)
    with paper.context.database.read() as session:
        me = session.get_one(Registration, mine).person_id
    holder = Actor("holder", frozenset(), "holder")
    with pytest.raises(NotFoundError):
        request_replacement(paper.context, holder, registration_id=other, person_id=me, reason=LOST)
    with pytest.raises(NotAllowedError):
        request_replacement(paper.context, holder, registration_id=mine, reason=LOST)
    request_replacement(paper.context, holder, registration_id=mine, person_id=me, reason=LOST)
    assert [view.registration_id for view in list_replacements(paper.context, holder, person_id=me)] == [mine]


def test_a_review_body_reaches_its_own_programmes_only(paper: SmallWorld) -> None:
    (registration,) = paper.register(1, outcome=ReviewOutcome.ELIGIBLE, city="东江")
    stranger = staff("other", Role.REVIEW_BODY, programmes=frozenset({"OTHER"}))
    elsewhere = staff("city", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}), cities=frozenset({"西岭"}))
    for actor in (stranger, elsewhere):
        with pytest.raises(NotAllowedError) as refused:
            request_replacement(paper.context, actor, registration_id=registration, reason=LOST)
        assert refused.value.clause == "R1"
    request_replacement(paper.context, CLERK, registration_id=registration, reason=LOST)
    assert list_replacements(paper.context, stranger) == [] == list_replacements(paper.context, elsewhere)
    with pytest.raises(NotAllowedError):
        request_replacement(paper.context, staff("auditor", Role.AUDITOR), registration_id=registration, reason=LOST)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "丢\u202e失", "\x00"])
def test_a_reason_must_be_readable(paper: SmallWorld, reason: str) -> None:
    (registration,) = paper.register(1, outcome=ReviewOutcome.ELIGIBLE)
    with pytest.raises(InputError):
        request_replacement(paper.context, CLERK, registration_id=registration, reason=reason)
    assert rows(paper.context) == []


def test_the_reason_rests_encrypted_and_no_personal_data_reaches_the_audit(paper: SmallWorld) -> None:
    (registration,) = paper.register(1, outcome=ReviewOutcome.ELIGIBLE)
    request_replacement(paper.context, CLERK, registration_id=registration, reason="张三的证书被水浸湿")
    with paper.context.database.read() as session:
        raw = session.connection().exec_driver_sql("SELECT reason FROM paper_replacement_requests").scalar_one()
        assert "水".encode() not in raw
        assert "张三" not in str(session.scalars(select(AuditEvent.details)).all())
        assert session.scalars(select(ECertificate)).all() == []
