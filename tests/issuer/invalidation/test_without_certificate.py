"""R9 where no electronic certificate stands: paper falls, a bare score report falls, and both stand up again."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from issuer.audit import verify_chain
from issuer.errors import ConflictError, DomainError, NotAllowedError
from issuer.invalidation.overview import list_cases, plan_invalidation, show_case
from issuer.invalidation.service import approve, overturn, propose, reject
from issuer.invalidation.subject import Seat
from issuer.paper import handouts, keeping, making, parcels, registers
from issuer.paper.handouts import Proof
from issuer.records.certificates import StatusEvent
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent, OutboxEvent
from issuer.records.paper_post import MailBooking, Parcel
from issuer.records.people import Registration, Score
from issuer.rules.terms import InvalidationGround, Medium, ReviewOutcome, Role
from tests.factories.paper_office import KEPT_UNTIL, PaperDesk, paper_desk
from tests.factories.small_world import SmallWorld, admission_no, small_context, staff

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
CHIEF = staff("chief", Role.AUTHORITY_APPROVER)
SECOND_CHIEF = staff("second-chief", Role.AUTHORITY_APPROVER)
BASIS = "豫人社函〔2024〕25号一（三）：经核实不符合报考条件"
R9 = InvalidationGround.INELIGIBLE_IN_SUPERVISION


@pytest.fixture
def desk(tmp_path: Path) -> PaperDesk:
    engine = make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}")
    return paper_desk(small_context(engine, tmp_path))


def seat(desk: PaperDesk, number: int = 1) -> Seat:
    return Seat(desk.sitting, admission_no(number))


def fallen(desk: PaperDesk, registration_id: int) -> tuple[bool, bool]:
    """(registration void, every score void)"""
    with desk.ctx.database.read() as session:
        registration = session.get_one(Registration, registration_id)
        scores = session.scalars(select(Score).where(Score.registration_id == registration_id)).all()
        return registration.void_since is not None, all(score.void_since is not None for score in scores)


def paper(desk: PaperDesk, serial: str) -> tuple[str, str, int | None]:
    sheet = desk.sheet(serial)
    return sheet.state, sheet.slot, sheet.box_id


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refused:
        act()
    return refused.value.code


def fall(desk: PaperDesk, reference: str | Seat) -> int:
    case = propose(desk.ctx, CLERK, reference, R9, BASIS)
    approve(desk.ctx, CHIEF, case)
    return case


def stand(desk: PaperDesk, reference: str | Seat) -> None:
    approve(desk.ctx, SECOND_CHIEF, overturn(desk.ctx, CLERK, reference, "行政复议决定：原认定撤销"))


def test_r9_a_paper_holders_sheet_registration_and_scores_fall_together(desk: PaperDesk) -> None:
    serial, other, *_ = desk.printed()
    number, registration = desk.sheet(serial).management_no, desk.sheet(serial).registration_id
    plan = plan_invalidation(desk.ctx, CLERK, number, R9)
    assert (plan.about, plan.paper_serial, plan.paper_state) == ("paper", serial, "available")
    case = propose(desk.ctx, CLERK, number, R9, BASIS)
    assert (fallen(desk, registration), paper(desk, serial)[0]) == ((False, False), "available")
    with pytest.raises(NotAllowedError):
        approve(desk.ctx, staff("clerk", Role.AUTHORITY_APPROVER), case)
    view = approve(desk.ctx, CHIEF, case)
    assert (view.about, view.management_no, view.state) == ("paper", number, "applied")
    assert show_case(desk.ctx, CHIEF, case) == view, "what fell keeps its number"
    assert fallen(desk, registration) == (True, True)
    assert paper(desk, serial) == ("void", "ended", None)
    assert paper(desk, other)[0] == "available", "nobody else's"
    with desk.ctx.database.read() as session:
        assert not session.scalar(select(func.count()).select_from(OutboxEvent)), "paper is not in the public record"
        assert not session.scalar(select(func.count()).select_from(StatusEvent))
        acts = [(e.act, e.outcome) for e in session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()))]
        assert verify_chain(session).intact
    assert acts[:3] == [("invalidation.apply", "done"), ("paper.void", "done"), ("invalidation.apply", "intent")]
    assert code_of(lambda: propose(desk.ctx, CLERK, serial, R9, BASIS)) == "already-invalid"


def test_r9_mail_under_way_is_stopped_and_reinstatement_brings_the_sheet_to_the_counter(desk: PaperDesk) -> None:
    serial, *_ = desk.printed()
    desk.posted(serial, "SF0000000001")
    fall(desk, serial)
    with desk.ctx.database.read() as session:
        assert session.scalars(select(Parcel.state)).all() == ["cancelled"]
        assert session.scalars(select(MailBooking.state)).all() == ["cancelled"]
    assert paper(desk, serial) == ("void", "ended", None)
    stand(desk, serial)
    assert paper(desk, serial) == ("available", "live", None)
    assert fallen(desk, desk.sheet(serial).registration_id) == (False, False)
    desk.posted(serial, "SF0000000002")
    parcels.deliver(desk.ctx, CLERK, "SF0000000002")
    assert paper(desk, serial)[0] == "delivered"


def test_r9_what_its_holder_has_stays_with_the_holder_after_an_appeal(desk: PaperDesk) -> None:
    serial, *_ = desk.printed()
    picture = io.BytesIO()
    Image.new("L", (200, 80), 255).save(picture, "PNG")
    proof = Proof("signature", signature=picture.getvalue())
    handouts.hand_out(desk.ctx, CLERK, serial, holder_id_no="P00000001", proof=proof)
    fall(desk, serial)
    assert paper(desk, serial)[0] == "void"
    stand(desk, serial)
    assert paper(desk, serial) == ("collected", "live", None)


def test_r9_a_box_is_emptied_and_a_counted_register_is_counted_again(desk: PaperDesk) -> None:
    serials = desk.printed()
    desk.clock.move_to(KEPT_UNTIL - timedelta(days=30))
    for serial in serials:
        keeping.store(desk.ctx, CLERK, "B1", serial)
    desk.clock.move_to(KEPT_UNTIL + timedelta(days=1))
    number = registers.open_register(desk.ctx, CLERK, desk.sitting).number
    for serial in serials:
        registers.count_one(desk.ctx, CLERK, number, "B1", serial)
    registers.close_count(desk.ctx, CLERK, number)
    fall(desk, serials[0])
    view = registers.show_register(desk.ctx, CLERK, number)
    assert (view.state, view.expected, view.counted, view.missing) == ("open", {"B1": 3}, {"B1": 3}, ())
    assert paper(desk, serials[0]) == ("void", "ended", None)
    assert registers.close_count(desk.ctx, CLERK, number).total == 3


def test_r9_who_holds_nothing_loses_registration_and_score_report(desk: PaperDesk) -> None:
    case = fall(desk, seat(desk))
    view = show_case(desk.ctx, CLERK, case)
    assert (view.about, view.management_no, view.admission_no) == ("score-report", None, admission_no(1))
    assert fallen(desk, desk.registrations[0]) == (True, True)
    report = making.print_sitting(desk.ctx, CLERK, desk.sitting)
    assert (desk.registrations[0], "registration-void", "R9") in report.refused
    stand(desk, seat(desk))
    assert fallen(desk, desk.registrations[0]) == (False, False)
    assert len(making.print_sitting(desk.ctx, CLERK, desk.sitting).printed) == 1
    assert [case.kind for case in list_cases(desk.ctx, CLERK, registration_id=desk.registrations[0])] == [
        "reinstate",
        "invalidate",
    ]


def test_r9_what_was_made_while_the_case_was_open_falls_with_it(tmp_path: Path) -> None:
    context = small_context(make_engine(f"sqlite:///{tmp_path / 'i.sqlite3'}"), tmp_path, today=date(2025, 11, 20))
    world = SmallWorld(context).build(medium=Medium.ELECTRONIC)
    (registration,) = world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    case = propose(context, CLERK, Seat(world.sitting, admission_no(1)), R9, BASIS)
    number = world.certificate(registration)
    assert code_of(lambda: propose(context, CLERK, number, R9, BASIS)) == "proposal-open"
    view = approve(context, CHIEF, case)
    assert (view.management_no, view.about) == (number, "certificate")
    assert plan_invalidation(context, CLERK, number, R9).status_now == "invalid"
    approve(context, SECOND_CHIEF, overturn(context, CLERK, number, BASIS))
    assert plan_invalidation(context, CLERK, number, R9).status_now == "valid"


def test_r9_printed_while_the_case_was_open_falls_too_and_a_refused_case_leaves_it(desk: PaperDesk) -> None:
    case = propose(desk.ctx, CLERK, seat(desk), R9, BASIS)
    serial, *_ = desk.printed()
    reject(desk.ctx, CHIEF, case, "证据不足，不予批准")
    assert paper(desk, serial)[0] == "available"
    case = propose(desk.ctx, CLERK, seat(desk), R9, BASIS)
    approve(desk.ctx, CHIEF, case)
    assert paper(desk, serial) == ("void", "ended", None)


def test_refusals_name_the_way_on(desk: PaperDesk) -> None:
    ctx = desk.ctx
    assert code_of(lambda: propose(ctx, CLERK, Seat(desk.sitting, "none"), R9, BASIS)) == "registration-not-found"
    assert code_of(lambda: propose(ctx, CLERK, "NONE", R9, BASIS)) == "certificate-not-found"
    assert code_of(lambda: overturn(ctx, CLERK, seat(desk), BASIS)) == "not-invalid"
    case = propose(ctx, CLERK, seat(desk), R9, BASIS)
    with pytest.raises(ConflictError) as refused:
        propose(ctx, CLERK, seat(desk), R9, BASIS)
    assert refused.value.remedy is not None and f"show {case}" in refused.value.remedy.en
    stranger = staff("stranger", Role.REVIEW_BODY, programmes=frozenset({"X"}))
    assert code_of(lambda: propose(ctx, stranger, seat(desk, 2), R9, BASIS)) == "outside-own-programmes"
    assert list_cases(ctx, stranger) == []
