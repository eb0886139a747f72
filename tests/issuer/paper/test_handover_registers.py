"""R13: registers are opened when the five years are over, counted against the boxes, sealed and countersigned."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from issuer.audit import verify_chain
from issuer.errors import DomainError
from issuer.paper import counting, handouts, keeping, registers
from issuer.paper.handouts import Proof
from issuer.records.ledger import AuditEvent
from issuer.records.paper import PaperCertificate
from issuer.records.paper_keeping import HandoverRegister
from issuer.records.sittings import Sitting
from issuer.rules.terms import Role
from tests.factories.paper_office import CLERK, DEPARTMENT, make_paper, serial_of
from tests.factories.pdf_judges import outloud, poppler
from tests.factories.small_world import staff
from tests.factories.world import World
from tests.issuer.paper.test_paper_life import signature

BOTH = staff("clerk", Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER)


def refusal(act: object) -> tuple[str, str | None]:
    with pytest.raises(DomainError) as caught:
        act()  # type: ignore[operator]
    return caught.value.code, caught.value.clause


@pytest.fixture
def boxed(eligible_world: World) -> Iterator[World]:
    """Eight unclaimed certificates in two boxes, five years after the examination."""
    make_paper(eligible_world)
    ctx = eligible_world.ctx
    today = ctx.clock.today()
    eligible_world.clock.move_to(today + timedelta(days=31))  # type: ignore[attr-defined]
    serials = sorted(serial_of(eligible_world, person.admission_no) for person in eligible_world.people)
    for place, serial in enumerate(serials):
        keeping.store(ctx, CLERK, f"BOX-{1 + place % 2}", serial)
    with ctx.database.write() as session:
        ended = ctx.clock.today().replace(year=ctx.clock.today().year - 5, day=1) - timedelta(days=40)
        session.execute(update(Sitting).values(exam_ended_on=ended))
    yield eligible_world


def serials_of(world: World) -> list[tuple[str, str]]:
    with world.ctx.database.read() as session:
        return [(label, paper.serial) for paper, label in keeping.kept(session, world.sitting)]


def person_of(world: World, serial: str) -> str:
    """The ID number of a certificate's holder."""
    return next(p.id_no for p in world.people if serial_of(world, p.admission_no) == serial)


def test_a_register_from_the_boxes_to_the_department(boxed: World) -> None:
    ctx = boxed.ctx
    register = registers.open_register(ctx, CLERK, boxed.sitting)
    assert refusal(lambda: registers.open_register(ctx, CLERK, boxed.sitting)) == ("register-open", "R13")
    all_of_them = serials_of(boxed)
    for label, serial in all_of_them[:-1]:
        registers.count_one(ctx, CLERK, register.number, label, serial)
    registers.count_one(ctx, CLERK, register.number, *all_of_them[0])
    label, last = all_of_them[-1]
    assert refusal(lambda: registers.close_count(ctx, CLERK, register.number)) == ("count-differs", "R13")
    assert registers.show_register(ctx, CLERK, register.number).missing == ((label, last),)
    wrong = lambda: registers.count_one(ctx, CLERK, register.number, "BOX-1", last)  # noqa: E731
    assert refusal(wrong) == ("wrong-box", "R13")
    registers.count_one(ctx, CLERK, register.number, label, last)
    counted = registers.close_count(ctx, CLERK, register.number)
    assert (counted.state, counted.total, counted.expected) == ("counted", 8, {"BOX-1": 4, "BOX-2": 4})
    claim = lambda: handouts.hand_out(  # noqa: E731
        ctx,
        CLERK,
        last,
        holder_id_no=person_of(boxed, last),
        proof=Proof("signature", signature=signature()),
    )
    assert refusal(claim) == ("on-register", "R13")
    assert refusal(lambda: registers.countersign(ctx, BOTH, register.number)) == ("two-people", "R13")
    assert registers.send_back(ctx, DEPARTMENT, register.number).state == "open"
    registers.close_count(ctx, CLERK, register.number)

    done = registers.countersign(ctx, DEPARTMENT, register.number)
    assert (done.state, done.countersigned_by) == ("handed-over", "department")
    with pytest.raises(DomainError) as refused:
        claim()
    assert refused.value.code == "handed-over"
    assert register.number in str(refused.value), "a claim is told the register's number"
    with ctx.database.read() as session:
        papers = session.scalars(select(PaperCertificate)).all()
        assert {(paper.state, paper.box_id) for paper in papers} == {("handed-over", None)}
        acts = [(event.act, event.outcome) for event in session.scalars(select(AuditEvent))]
        assert acts.count(("paper.register.seal", "intent")) == acts.count(("paper.register.seal", "done")) == 1
        assert acts.count(("paper.hand-over", "done")) == 8
        assert verify_chain(session).intact
        raw = session.connection().exec_driver_sql("SELECT pdf, xlsx FROM handover_registers").one()
        assert all(value[:1] == b"\x01" for value in raw), "names rest encrypted"
    for act in (registers.close_count, registers.send_back, registers.countersign):
        who = CLERK if act is registers.close_count else DEPARTMENT
        assert refusal(lambda act=act, who=who: act(ctx, who, register.number))[0] == "register-closed"


def test_the_registers_files_are_sealed_and_hold_every_line(boxed: World, tmp_path: Path) -> None:
    ctx = boxed.ctx
    number = registers.open_register(ctx, CLERK, boxed.sitting).number
    for label, serial in serials_of(boxed):
        registers.count_one(ctx, CLERK, number, label, serial)
    registers.close_count(ctx, CLERK, number)
    assert refusal(lambda: registers.register_file(ctx, CLERK, number, "pdf"))[0] == "register-not-finished"
    done = registers.countersign(ctx, DEPARTMENT, number)
    pdf = registers.register_file(ctx, CLERK, number, "pdf")
    assert hashlib.sha256(pdf).hexdigest() == done.pdf_sha256
    file = tmp_path / "register.pdf"
    file.write_bytes(pdf)
    assert "Signature is Valid" in poppler(file)
    judged = outloud(file)
    assert judged.returncode == 0, judged.stdout
    assert boxed.checker().check_pdf(pdf).verdict != "valid", "a register is no certificate"
    book = load_workbook(BytesIO(registers.register_file(ctx, CLERK, number, "xlsx")))
    lines = [[cell.value for cell in row] for row in book.active.iter_rows(min_row=3)]
    assert [line[0] for line in lines] == [str(place) for place in range(1, 9)]
    assert {line[4] for line in lines} == {person.name for person in boxed.people}


def test_whoever_comes_before_the_count_is_closed_gets_the_certificate(boxed: World) -> None:
    ctx = boxed.ctx
    number = registers.open_register(ctx, CLERK, boxed.sitting).number
    for label, serial in serials_of(boxed):
        registers.count_one(ctx, CLERK, number, label, serial)
    serial = serials_of(boxed)[0][1]
    proof = Proof("signature", signature=signature())
    handouts.hand_out(ctx, CLERK, serial, holder_id_no=person_of(boxed, serial), proof=proof)
    assert registers.close_count(ctx, CLERK, number).total == 7


def test_not_before_the_five_years_are_over(boxed: World) -> None:
    with boxed.ctx.database.write() as session:
        session.execute(update(Sitting).values(exam_ended_on=boxed.ctx.clock.today()))
    assert refusal(lambda: registers.open_register(boxed.ctx, CLERK, boxed.sitting)) == (
        "safekeeping-not-over",
        "R13",
    )
    with boxed.ctx.database.read() as session:
        assert session.scalars(select(HandoverRegister)).all() == []


def test_a_box_is_counted_at_once_or_not_at_all(boxed: World) -> None:
    ctx = boxed.ctx
    number = registers.open_register(ctx, CLERK, boxed.sitting).number
    first = [serial for label, serial in serials_of(boxed) if label == "BOX-1"]
    second = [serial for label, serial in serials_of(boxed) if label == "BOX-2"]
    astray = lambda: counting.count_box(ctx, CLERK, number, "BOX-1", [*first, second[0]])  # noqa: E731
    assert refusal(astray) == ("wrong-box", "R13")
    unknown = lambda: counting.count_box(ctx, CLERK, number, "BOX-1", [*first, "NONE"])  # noqa: E731
    assert refusal(unknown)[0] == "paper-unknown"
    assert refusal(lambda: counting.count_box(ctx, CLERK, number, "BOX-1", []))[0] == "count-size"
    assert registers.show_register(ctx, CLERK, number).counted == {}
    with ctx.database.read() as session:
        alarms = session.scalars(select(AuditEvent).where(AuditEvent.act == "paper.register.count")).all()
        assert [event.outcome for event in alarms] == ["refused"]
        query = select(PaperCertificate.management_no).where(PaperCertificate.serial == first[0])
        management_no = session.scalars(query).one()
    assert counting.count_box(ctx, CLERK, number, "BOX-1", [*first[:1], *first[:1], management_no]) == 1
    assert counting.count_box(ctx, CLERK, number, "BOX-1", first) == len(first) - 1
    assert counting.count_box(ctx, CLERK, number, "BOX-1", first) == 0
    stranger = staff("stranger", Role.REVIEW_BODY, programmes=frozenset({"OTHER"}))
    assert refusal(lambda: counting.count_box(ctx, stranger, number, "BOX-2", second))[1] == "R1"
    counting.count_box(ctx, CLERK, number, "BOX-2", second)
    assert registers.close_count(ctx, CLERK, number).total == len(first) + len(second)
    registers.countersign(ctx, DEPARTMENT, number)
    assert serials_of(boxed) == []
