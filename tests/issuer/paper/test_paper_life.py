"""The working life of paper certificates (R11–R13): stock, printing, mail, pick-up, boxes."""

import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select, update

from issuer.audit import verify_chain
from issuer.errors import DomainError, InputError, NotAllowedError, NotFoundError
from issuer.paper import handouts, keeping, mail, making, parcels, stock, worklists
from issuer.paper.handouts import Agent, Proof
from issuer.paper.mail import Destination
from issuer.paper.waybill_file import WaybillRow, read_waybills
from issuer.paper.waybills import assign_waybills
from issuer.records.certificates import Holding
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent
from issuer.records.paper import PaperBlank, PaperCertificate
from issuer.records.people import Registration
from issuer.records.sittings import Programme
from issuer.rules.paper_states import PaperQueue
from issuer.rules.terms import Medium, ReviewOutcome, Role
from tests.factories.paper_office import (
    ANNOUNCED,
    CLERK,
    DEPARTMENT,
    HOME,
    SECOND,
    WINDOW_OVER,
    PaperDesk,
    make_paper,
    paper_desk,
)
from tests.factories.small_world import small_context, staff
from tests.factories.world import World

ELSEWHERE = Destination("李四", "0371-60000000", "示例省另一市另一路 9 号")


@pytest.fixture
def desk(tmp_path: Path) -> PaperDesk:
    return paper_desk(small_context(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path))


def refusal(act: object) -> tuple[str, str | None]:
    """(code, clause) of what an act is refused with."""
    with pytest.raises(DomainError) as caught:
        act()  # type: ignore[operator]
    return caught.value.code, caught.value.clause


def signature() -> bytes:
    out = io.BytesIO()
    Image.new("L", (200, 80), 255).save(out, "PNG")
    return out.getvalue()


def test_r16_forms_count_once_two_people_agree(desk: PaperDesk) -> None:
    ctx = desk.ctx
    receipt = stock.receive(ctx, CLERK, "EJJZ", "B0001", "B0010")
    assert stock.balances(ctx, CLERK)[0].in_stock == 20
    assert refusal(lambda: stock.confirm(ctx, CLERK, receipt.id, 10)) == ("two-people", "R16")
    assert refusal(lambda: stock.confirm(ctx, SECOND, receipt.id, 9)) == ("count-differs", "R16")
    assert stock.confirm(ctx, SECOND, receipt.id, 10).state == "confirmed"
    assert refusal(lambda: stock.confirm(ctx, DEPARTMENT, receipt.id, 10))[0] == "receipt-closed"
    assert refusal(lambda: stock.receive(ctx, CLERK, "EJJZ", "B0010", "B0011")) == ("serials-known", "R16")
    stock.spoil_blank(ctx, CLERK, "b0001", "damaged")
    assert refusal(lambda: stock.spoil_blank(ctx, CLERK, "B0001", "damaged"))[0] == "blank-not-in-stock"
    (balance,) = stock.balances(ctx, CLERK)
    assert (balance.received, balance.in_stock, balance.used, balance.spoiled) == (30, 29, 0, 1)
    wrong = stock.receive(ctx, CLERK, "EJJZ", "C0001", "C0010")
    assert stock.reject(ctx, SECOND, wrong.id).state == "rejected"
    stock.receive(ctx, CLERK, "EJJZ", "C0001", "C0009")
    assert stock.balances(ctx, staff("other", Role.REVIEW_BODY, programmes=frozenset({"X"}))) == []


def test_r11_a_sheet_for_each_eligible_person_and_never_a_second(desk: PaperDesk) -> None:
    desk.world.register(1, outcome=ReviewOutcome.INELIGIBLE)
    plan = making.plan_print(desk.ctx, CLERK, desk.sitting)
    assert (plan.may, len(plan.refused), plan.printed) == (4, 1, ())
    report = making.print_sitting(desk.ctx, CLERK, desk.sitting)
    assert [serial for serial, _ in report.printed] == ["A0001", "A0002", "A0003", "A0004"]
    assert {(code, clause) for _, code, clause in report.refused} == {("not-eligible", "R4")}
    again = making.print_sitting(desk.ctx, CLERK, desk.sitting)
    assert (again.printed, again.already) == ((), 4)
    making.spoil(desk.ctx, CLERK, "A0002", "misprint")
    reprint = making.print_sitting(desk.ctx, CLERK, desk.sitting)
    ((serial, number),) = reprint.printed
    assert serial == "A0005"
    assert number == desk.sheet("A0002").management_no, "the person keeps the number, the sheet has its own serial"
    assert desk.sheet("A0002").slot == "ended"
    assert stock.balances(desk.ctx, CLERK)[0].in_stock == 15


def test_r16_nothing_is_printed_when_the_forms_do_not_suffice(desk: PaperDesk) -> None:
    for number in range(1, 18):
        stock.spoil_blank(desk.ctx, CLERK, f"A{number:04}", "lost")
    assert refusal(lambda: making.print_sitting(desk.ctx, CLERK, desk.sitting)) == ("stock-short", "R16")
    with desk.ctx.database.read() as session:
        assert session.scalars(select(PaperCertificate)).all() == []
        assert {row.state for row in session.scalars(select(PaperBlank))} == {"in-stock", "spoiled"}


def test_r14_no_paper_where_an_e_certificate_was_made(desk: PaperDesk) -> None:
    desk.world.certificate(desk.registrations[0], status="invalid", slot="ended")
    report = making.print_sitting(desk.ctx, CLERK, desk.sitting)
    assert len(report.printed) == 3
    assert report.refused == ((desk.registrations[0], "e-certificate-already-made", "R14"),)
    with desk.ctx.database.read() as session:
        for holding in session.scalars(select(Holding)):
            assert (holding.paper_made_at is None) != (holding.e_certificate_made_at is None)


def test_r12_the_holder_books_within_the_window_and_once(desk: PaperDesk) -> None:
    first, second, *_ = desk.printed()
    holder, person = desk.holder_of(first)
    assert refusal(lambda: mail.book(desk.ctx, holder, second, HOME, person_id=person))[0] == "paper-unknown"
    mail.book(desk.ctx, holder, first, HOME, person_id=person)
    assert refusal(lambda: mail.book(desk.ctx, holder, first, HOME, person_id=person)) == ("paper-state", "R12")
    desk.clock.move_to(ANNOUNCED + timedelta(days=30), hour=23)
    mail.book(desk.ctx, CLERK, second, HOME)
    mail.cancel(desk.ctx, CLERK, second)
    desk.clock.move_to(WINDOW_OVER, hour=0)
    assert refusal(lambda: mail.book(desk.ctx, CLERK, second, HOME)) == ("booking-closed", "R12")


@pytest.mark.parametrize(
    "bad",
    [
        Destination("", "13800000000", "示例路 1 号院"),
        Destination("张", "1", "示例路 1 号院"),
        Destination("张", "13800000000", "短"),
    ],
)
def test_an_address_must_be_usable(desk: PaperDesk, bad: Destination) -> None:
    (serial, *_) = desk.printed()
    with pytest.raises(InputError) as refused:
        mail.book(desk.ctx, CLERK, serial, bad)
    assert refused.value.code == "destination-unusable"


def test_r12_a_wrong_envelope_raises_an_alarm_that_stays_on_record(desk: PaperDesk) -> None:
    first, second, *_ = desk.printed()
    desk.booked(first, "SF0000000001")
    desk.booked(second, "SF0000000002")
    assert refusal(lambda: parcels.pack(desk.ctx, CLERK, first, "SF0000000002")) == ("wrong-envelope", "R12")
    assert refusal(lambda: parcels.pack(desk.ctx, CLERK, first, "SF0000009999")) == ("waybill-unknown", "R12")
    assert parcels.pack(desk.ctx, CLERK, first, " sf0000000001\n").reference == "SF0000000001"
    assert refusal(lambda: parcels.pack(desk.ctx, CLERK, first, "SF0000000001")) == ("envelope-closed", "R12")
    assert refusal(lambda: parcels.post(desk.ctx, CLERK, "SF0000000002")) == ("not-packed", "R12")
    with desk.ctx.database.read() as session:
        alarms = session.scalars(
            select(AuditEvent).where(AuditEvent.act == "paper.pack", AuditEvent.outcome == "refused")
        ).all()
        assert [event.details["code"] for event in alarms] == ["wrong-envelope", "waybill-unknown", "envelope-closed"]
        assert verify_chain(session).intact


def test_r12_the_address_changes_until_the_couriers_scan_and_voids_the_label(desk: PaperDesk) -> None:
    (serial, *_) = desk.printed()
    holder, person = desk.holder_of(serial)
    desk.booked(serial, "SF0000000001")
    parcels.pack(desk.ctx, CLERK, serial, "SF0000000001")
    assert mail.change_address(desk.ctx, holder, serial, ELSEWHERE, person_id=person) == 2
    assert refusal(lambda: parcels.post(desk.ctx, CLERK, "SF0000000001"))[0] == "not-packed"
    assert refusal(lambda: parcels.pack(desk.ctx, CLERK, serial, "SF0000000001"))[0] == "outdated-label"
    desk.labelled(serial, "SF0000000003")
    parcels.pack(desk.ctx, CLERK, serial, "SF0000000003")
    parcels.post(desk.ctx, CLERK, "SF0000000003")
    change = lambda: mail.change_address(desk.ctx, holder, serial, HOME, person_id=person)  # noqa: E731
    assert refusal(change) == ("courier-has-it", "R12")
    assert refusal(lambda: mail.cancel(desk.ctx, CLERK, serial)) == ("courier-has-it", "R12")
    assert parcels.deliver(desk.ctx, CLERK, "SF0000000003").state == "delivered"


def test_r12_a_returned_parcel_waits_for_a_mended_address(desk: PaperDesk) -> None:
    (serial, *_) = desk.printed()
    desk.posted(serial, "SF0000000001")
    parcels.take_back(desk.ctx, CLERK, "SF0000000001")
    assert [queue.queue for queue in worklists.queues(desk.ctx, CLERK)] == ["awaiting-holder", "returned"]
    assert refusal(lambda: mail.resend(desk.ctx, CLERK, serial)) == ("address-not-mended", "R12")
    mail.change_address(desk.ctx, CLERK, serial, HOME)
    assert "to-resend" in {queue.queue for queue in worklists.queues(desk.ctx, CLERK)}
    mail.resend(desk.ctx, CLERK, serial)
    desk.labelled(serial, "SF0000000002")
    parcels.pack(desk.ctx, CLERK, serial, "SF0000000002")
    parcels.post(desk.ctx, CLERK, "SF0000000002")
    parcels.take_back(desk.ctx, CLERK, "SF0000000002")
    assert keeping.store(desk.ctx, CLERK, "BOX-1", serial).state == "safekeeping"


def test_the_couriers_file_goes_in_row_by_row_and_twice_changes_nothing(desk: PaperDesk, tmp_path: Path) -> None:
    first, second, third, _ = desk.printed()
    for serial in (first, second):
        desk.booked(serial)
    numbers = [desk.sheet(serial).management_no for serial in (first, second, third)]
    file = tmp_path / "courier.csv"
    lines = [
        "管理号,收件人,运单号",
        f"{numbers[0]},=1+1,SF0000000001",
        f"{numbers[1]},x,SF-2",
        f"{numbers[2]},x,SF0000000003",
        "999,x,SF0000000004",
        f"{numbers[1]},x,",
    ]
    file.write_text("\n".join(lines), encoding="gb18030")
    rows, findings = read_waybills(file)
    report = assign_waybills(desk.ctx, CLERK, desk.sitting, rows, findings, dry_run=True)
    assert (report.assigned, report.dry_run) == (1, True)
    report = assign_waybills(desk.ctx, CLERK, desk.sitting, rows, findings)
    assert (report.assigned, report.unchanged) == (1, 0)
    assert [(finding.row, finding.code) for finding in report.findings] == [
        (3, "waybill-form"),
        (4, "not-booked"),
        (5, "paper-unknown"),
    ]
    again = assign_waybills(desk.ctx, CLERK, desk.sitting, rows, findings)
    assert (again.assigned, again.unchanged, len(again.findings)) == (0, 1, 3)
    assert [row[6] for row in worklists.courier_rows(desk.ctx, CLERK, desk.sitting)] == ["SF0000000001", ""]
    stale = WaybillRow(2, numbers[1], "SF0000000009", revision=1)
    mail.change_address(desk.ctx, CLERK, second, ELSEWHERE)
    report = assign_waybills(desk.ctx, CLERK, desk.sitting, [stale])
    assert [finding.code for finding in report.findings] == ["address-changed"]


def test_r12_on_site_once_with_the_holders_id_and_a_proof(desk: PaperDesk) -> None:
    first, second, *_ = desk.printed()
    holder, person = desk.holder_of(first)
    code, _ = handouts.make_pickup_code(desk.ctx, holder, first, person)
    with pytest.raises(NotAllowedError):
        handouts.make_pickup_code(desk.ctx, holder, second, person)
    hand = lambda number, proof: handouts.hand_out(  # noqa: E731
        desk.ctx, CLERK, first, holder_id_no=number, proof=proof
    )
    good = Proof("code", code=code)
    assert refusal(lambda: hand("P00000002", good)) == ("id-differs", "R12")
    assert refusal(lambda: hand("P00000001", Proof("code", code="00000000")))[0] == "code-wrong"
    assert refusal(lambda: hand("P00000001", Proof("signature", signature=b"x")))[0] == "signature-unusable"
    hand("P00000001", good)
    assert refusal(lambda: hand("P00000001", good)) == ("paper-state", "R12")
    agent = Agent("王代领", "P99999999", "委托书 2025-10-10")
    handouts.hand_out(
        desk.ctx,
        CLERK,
        second,
        holder_id_no="P00000002",
        proof=Proof("signature", signature=signature()),
        agent=agent,
    )
    view = worklists.show_sheet(desk.ctx, CLERK, second)
    assert (view.line.state, view.handed_to, view.proof) == ("collected", "agent", "signature")


def test_a_code_is_not_guessed(desk: PaperDesk) -> None:
    (serial, *_) = desk.printed()
    holder, person = desk.holder_of(serial)
    code, _ = handouts.make_pickup_code(desk.ctx, holder, serial, person)
    for guess in range(handouts.MAX_TRIES):
        wrong = Proof("code", code=f"{(int(code) + guess + 1) % 10**8:08}")
        with pytest.raises(InputError):
            handouts.hand_out(desk.ctx, CLERK, serial, holder_id_no="P00000001", proof=wrong)
    right = lambda: handouts.hand_out(  # noqa: E731
        desk.ctx, CLERK, serial, holder_id_no="P00000001", proof=Proof("code", code=code)
    )
    assert refusal(right)[0] == "code-wrong"
    code, _ = handouts.make_pickup_code(desk.ctx, holder, serial, person)
    right()


def test_r13_into_a_box_when_the_window_is_over(desk: PaperDesk) -> None:
    (first, *_) = desk.printed()
    assert refusal(lambda: keeping.store(desk.ctx, CLERK, "BOX-1", first)) == ("still-bookable", "R13")
    desk.clock.move_to(WINDOW_OVER)
    keeping.store(desk.ctx, CLERK, "BOX-1", first)
    assert refusal(lambda: keeping.store(desk.ctx, CLERK, "BOX-2", first)) == ("paper-state", "R13")
    (line,) = keeping.due_list(desk.ctx, CLERK)
    assert (line.due.kept_until, line.due.state, line.boxes) == (date(2030, 6, 15), "kept", (("BOX-1", 1),))
    handouts.hand_out(
        desk.ctx, CLERK, first, holder_id_no="P00000001", proof=Proof("signature", signature=signature())
    )
    assert keeping.due_list(desk.ctx, CLERK) == []
    assert desk.sheet(first).box_id is None


def test_r9_a_void_registrations_certificate_goes_to_nobody(desk: PaperDesk) -> None:
    (serial, *_) = desk.printed()
    desk.booked(serial, "SF0000000001")
    assert refusal(lambda: making.recall(desk.ctx, CLERK, serial)) == ("registration-valid", "R9")
    with desk.ctx.database.write() as session:
        session.get_one(Registration, desk.sheet(serial).registration_id).void_since = desk.clock.now()
    assert refusal(lambda: parcels.pack(desk.ctx, CLERK, serial, "SF0000000001")) == ("registration-void", "R9")
    assert PaperQueue.RECALL in {queue.queue for queue in worklists.queues(desk.ctx, CLERK)}
    making.recall(desk.ctx, CLERK, serial)
    assert (desk.sheet(serial).state, desk.sheet(serial).slot) == ("void", "ended")


def test_r1_another_bodys_paper_stays_out_of_reach(desk: PaperDesk) -> None:
    (serial, *_) = desk.printed()
    stranger = staff("stranger", Role.REVIEW_BODY, programmes=frozenset({"X"}))
    city = staff("city", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}), cities=frozenset({"西岭"}))
    for actor in (stranger, city):
        with pytest.raises(NotAllowedError):
            mail.book(desk.ctx, actor, serial, HOME)
        assert worklists.list_sheets(desk.ctx, actor) == []
        assert worklists.queues(desk.ctx, actor) == []
    with pytest.raises(NotAllowedError):
        making.print_sitting(desk.ctx, city, desk.sitting)
    with pytest.raises(NotAllowedError):
        mail.book(desk.ctx, staff("auditor", Role.AUDITOR), serial, HOME)
    with pytest.raises(NotFoundError):
        mail.book(desk.ctx, CLERK, "NONE", HOME)


def test_where_somebody_lives_rests_encrypted_and_stays_out_of_the_audit(desk: PaperDesk) -> None:
    (serial, *_) = desk.printed()
    desk.booked(serial)
    with desk.ctx.database.read() as session:
        raw = session.connection().exec_driver_sql("SELECT recipient, phone, address FROM mail_bookings").one()
        assert all(isinstance(value, bytes) and value[:1] == b"\x01" for value in raw)
        told = " ".join(str(event.details) + event.subject for event in session.scalars(select(AuditEvent)))
    assert all(secret not in told for secret in (HOME.recipient, HOME.phone, HOME.address))


def test_r11_no_electronic_certificate_is_made_beside_paper(eligible_world: World) -> None:
    make_paper(eligible_world)
    with eligible_world.ctx.database.write() as session:
        session.execute(update(Programme).values(medium=Medium.ELECTRONIC))
    report = eligible_world.issue()
    assert report.published == 0
    assert {(refused.code, refused.clause) for refused in report.refused} == {("paper-certificate-made", "R11")}
