"""A hearing from the holder's wish to the decision that names it: pages, API, service, record (R7, R9, R10)."""

import io
import json
import re
from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.clock import SHANGHAI, SimulatedClock
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from issuer.hearings import holder, service
from issuer.hearings.matter import About
from issuer.hearings.reading import hearing_scan, own_hearing, show_hearing
from issuer.hearings.service import Present
from issuer.invalidation.service import approve, propose, reject
from issuer.records.hearings import Hearing
from issuer.records.ledger import AuditEvent
from issuer.records.people import Registration
from issuer.review.statements import Candidate, decide_defence
from issuer.rules.terms import Role
from tests.factories.office import CSRF, Office
from tests.factories.review_desk import reopen_review
from tests.factories.world import World
from tests.issuer.holders.test_holder_pages import signed_in as sign_in

WHY = "本人从业年限另有社保证明"
MINUTES = "当事人陈述从业年限。\n出示社保缴费证明原件。"
PLACE = "示例市示例路 1 号 301 会议室"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
THERE = [Present("party", "当事人甲"), Present("recorder", "记录员乙")]


@pytest.fixture
def office(office: Office) -> Office:
    """The eighth candidate's defence is open; a review body's officer made the finding."""
    reopen_review(office.world)
    return office


def officer(username: str, role: Role) -> Actor:
    return Actor(username, frozenset({role}), "cli", frozenset({"EJJZ"}))


ISSUER, CHIEF, SECOND = (
    officer("issuer", Role.AUTHORITY_ISSUER),
    officer("approver", Role.AUTHORITY_APPROVER),
    officer("second", Role.AUTHORITY_APPROVER),
)


def defender(world: World) -> Registration:
    return world.registrations()[7]


def clock_of(world: World) -> SimulatedClock:
    assert isinstance(world.clock, SimulatedClock)
    return world.clock


def set_for(world: World, about: About, days: int = 7, chair: str = "second") -> int:
    day = clock_of(world).today() + timedelta(days=days)
    starts = SimulatedClock.on(day, hour=10).now().astimezone(SHANGHAI)
    return service.set_hearing(world.ctx, ISSUER, about, starts_at=starts, place=PLACE, chair=chair)


def go_to(world: World, days: int, hour: int = 11) -> None:
    clock = clock_of(world)
    clock.move_to(clock.today() + timedelta(days=days), hour=hour)


def held(world: World, about: About, **more: Any) -> int:
    number = set_for(world, about)
    go_to(world, 7)
    service.record_hearing(world.ctx, SECOND, number, present=THERE, minutes=MINUTES, **more)
    return number


def test_r7_from_the_holders_wish_to_the_decision_that_names_the_record(office: Office) -> None:
    world, own = office.world, defender(office.world)
    person = world.people[7]
    mine = office.anybody()
    csrf = sign_in(mine, person)
    assert "要求听证" in mine.get("/my/").text
    form = {"csrf": csrf, "registration_id": str(own.id), "why": WHY}
    asked = mine.post("/my/hearings", data=form)
    assert asked.status_code == 303, asked.text
    page = asked.headers["location"]
    assert "已收到您的听证要求" in mine.get(page).text
    assert mine.post("/my/hearings", data=form).status_code == 409, "one hearing about each defence"
    who = Candidate(registration_id=own.id)
    with pytest.raises(ConflictError) as early:
        decide_defence(world.ctx, ISSUER, world.sitting, who, accepted=False, note="理由不成立")
    assert (early.value.code, early.value.clause) == ("hearing-open", "R7")
    day = clock_of(world).today() + timedelta(days=7)
    desk = office.desk("issuer")
    assert "通知听证" in desk.get(f"/console/hearings?defence={own.id}").text
    notice = {"csrf": CSRF, "defence": str(own.id), "place": PLACE, "chair": "reviewer"}
    soon = desk.post("/console/hearings", data={**notice, "starts_at": f"{day - timedelta(days=1)}T10:00"})
    assert soon.status_code == 409 and "提前 7 日" in soon.text and PLACE in soon.text, "what was typed stays"
    made = desk.post("/console/hearings", data={**notice, "starts_at": f"{day}T10:00"})
    assert made.status_code == 303, made.text
    told = mine.get(page).text
    assert PLACE in told and f"{day} 10:00" in told and "TZ-" in told
    assert f"{day}" in mine.get("/my/").text, "the hearing stands in the timeline"
    chair, address = office.desk("reviewer"), made.headers["location"]
    record = {"csrf": CSRF, "present": f"当事人：{person.name}\n记录人：李示例", "minutes": MINUTES}
    assert chair.post(f"{address}/record", data=record).status_code == 409, "it has not begun"
    go_to(world, 7)
    assert office.desk("issuer").post(f"{address}/record", data=record).status_code == 403, "its chair only"
    done = office.desk("reviewer").post(f"{address}/record", data=record, files={"scan": ("s.png", PNG, "image/png")})
    assert done.status_code == 303, done.text
    csrf = sign_in(mine, person)
    assert "出示社保缴费证明原件" in mine.get(page).text
    objection = {"csrf": csrf, "text": "缴费年限应为八年"}
    assert mine.post(f"{page}/answer", data=objection).status_code == 303
    assert mine.post(f"{page}/answer", data={"csrf": csrf, "confirmed": "true"}).status_code == 409, "once"
    decide_defence(world.ctx, ISSUER, world.sitting, who, accepted=False, note="经听证复核理由不成立")
    number = own_hearing(world.ctx, own.person_id, int(page.rpartition("/")[2])).number
    last = mine.get(page).text
    assert f"依据听证笔录 {number}" in last and "行政复议" in last and "缴费年限应为八年" in last
    assert f"依据听证笔录 {number}" in mine.get("/my/").text
    pdf = mine.get(f"{page}/record.pdf")
    assert mine.get(f"{page}/record.pdf").content == pdf.content, "sealed once"
    document = pypdfium2.PdfDocument(io.BytesIO(pdf.content))
    text = re.sub(r"\s", "", "".join(each.get_textpage().get_text_range() for each in document))
    for said in (number, person.name, "缴费年限应为八年", "李示例", "申辩不成立", "出示社保缴费证明原件"):
        assert said and re.sub(r"\s", "", said) in text, said
    other = office.anybody()
    sign_in(other, world.people[0])
    assert other.get(page).status_code == 404 and other.get(f"{page}/record.pdf").status_code == 404


def test_r9_r10_a_proposed_case_waits_for_its_hearing_and_names_it(office: Office) -> None:
    world = office.world
    ctx = world.ctx
    certificate = world.certificates()[0]
    case = propose(ctx, ISSUER, certificate.management_no, "false-materials", "查实提供虚假学历证明")
    about = About(case_id=case)
    for chair, code in (
        ("issuer", "chair-investigated"),
        ("auditor", "chair-unusable"),
        ("nobody", "chair-unusable"),
    ):
        with pytest.raises((ConflictError, InputError)) as refused:
            set_for(world, about, chair=chair)
        assert refused.value.code == code
    number = held(world, about, scan=PNG, signed=True)
    assert show_hearing(ctx, CHIEF, number).state == "confirmed"
    assert hearing_scan(ctx, CHIEF, number) == (PNG, "image/png")
    with ctx.database.read() as session:
        key = session.get_one(Hearing, number).scan_key
    assert key and PNG not in ctx.storage.get(key), "scans rest encrypted"
    view = approve(ctx, CHIEF, case)
    assert view.decision_note == f"（依据听证笔录 {show_hearing(ctx, CHIEF, number).number}）"
    with pytest.raises(ConflictError):
        set_for(world, about)


def test_r9_while_it_is_open_nothing_is_approved_and_a_rejection_makes_it_moot(office: Office) -> None:
    ctx = office.world.ctx
    number = office.world.certificates()[0].management_no
    case = propose(ctx, ISSUER, number, "ineligible-in-supervision", "经核实不符合报考条件")
    hearing = set_for(office.world, About(case_id=case))
    with pytest.raises(ConflictError) as waiting:
        approve(ctx, CHIEF, case)
    assert (waiting.value.code, waiting.value.clause) == ("hearing-open", "R9")
    reject(ctx, CHIEF, case, "证据不足，不予认定")
    assert show_hearing(ctx, CHIEF, hearing).state == "moot"


def test_who_does_not_answer_or_does_not_come(office: Office) -> None:
    world, ctx = office.world, office.world.ctx
    cases = [
        propose(ctx, ISSUER, each.management_no, "ineligible-in-supervision", "经核实不符合报考条件")
        for each in world.certificates()[:2]
    ]
    silent, absent = (set_for(world, About(case_id=case)) for case in cases)
    go_to(world, 7)
    service.note_absence(ctx, SECOND, absent, "当事人未到，电话未接")
    service.record_hearing(ctx, SECOND, silent, present=THERE, minutes=MINUTES)
    with pytest.raises(ConflictError) as early:
        service.close_unsigned(ctx, SECOND, silent, "当事人拒绝签字")
    assert early.value.code == "answer-open"
    go_to(world, 6)
    service.close_unsigned(ctx, SECOND, silent, "当事人逾期未核对")
    assert [show_hearing(ctx, CHIEF, each).state for each in (silent, absent)] == ["unsigned", "waived"]
    assert "依据听证笔录" in (approve(ctx, CHIEF, cases[0]).decision_note or "")
    assert approve(ctx, CHIEF, cases[1]).decision_note is None, "what was given up is no record to rest on"


def test_what_cannot_be_recorded(office: Office) -> None:
    world, ctx = office.world, office.world.ctx
    case = propose(ctx, ISSUER, world.certificates()[0].management_no, "false-materials", "查实提供虚假学历证明")
    number = set_for(world, About(case_id=case))
    go_to(world, 7)
    bad: list[dict[str, Any]] = [
        {"present": [], "minutes": MINUTES},
        {"present": [Present("friend", "某人")], "minutes": MINUTES},
        {"present": THERE, "minutes": "太短"},
        {"present": THERE, "minutes": MINUTES, "signed": True},
        {"present": THERE, "minutes": MINUTES, "scan": b"not a scan"},
        {"present": [Present("recorder", "记录员")], "minutes": MINUTES, "scan": PNG, "signed": True},
    ]
    for each in bad:
        with pytest.raises(InputError):
            service.record_hearing(ctx, SECOND, number, **each)
    assert show_hearing(ctx, CHIEF, number).state == "set"


def test_r1_nobody_acts_or_asks_for_others(office: Office) -> None:
    world, ctx = office.world, office.world.ctx
    own = defender(world)
    about = About(defence_of=own.id)
    stranger = Actor("stranger", frozenset({Role.REVIEW_BODY}), "cli", frozenset({"OTHER"}))
    starts = SimulatedClock.on(clock_of(world).today() + timedelta(days=8)).now()
    with pytest.raises(NotAllowedError):
        service.set_hearing(ctx, stranger, about, starts_at=starts, place=PLACE, chair="second")
    me = Actor("holder:0", frozenset(), "holder")
    with pytest.raises(NotFoundError):
        holder.ask_for_hearing(ctx, me, own.person_id + 1, about, WHY)
    number = holder.ask_for_hearing(ctx, me, own.person_id, about, WHY)
    with pytest.raises(NotFoundError):
        holder.take_back(ctx, me, own.person_id + 1, number)
    with pytest.raises(NotAllowedError):
        show_hearing(ctx, stranger, number)
    holder.take_back(ctx, me, own.person_id, number)
    assert show_hearing(ctx, CHIEF, number).state == "waived"


def test_over_the_api_and_nothing_personal_in_the_audit(office: Office) -> None:
    world = office.world
    own = defender(world)
    api = office.as_("issuer")
    day = clock_of(world).today() + timedelta(days=7)
    body = {
        "sitting": world.sitting,
        "admission_no": own.admission_no,
        "starts_at": f"{day}T10:00:00+08:00",
        "place": PLACE,
        "chair": "second",
    }
    first = api.post("/api/v1/hearings", json=body, headers={"Idempotency-Key": "k"})
    again = api.post("/api/v1/hearings", json=body, headers={"Idempotency-Key": "k"})
    assert first.status_code == 201 and again.json() == first.json(), first.text
    number = first.json()["id"]
    go_to(world, 7)
    form = {"minutes": MINUTES, "present": f"当事人：{own.name}", "signed": "true"}
    sent = office.as_("second").post(
        f"/api/v1/hearings/{number}/record", data=form, files={"scan": ("s.pdf", b"%PDF-1.7 scan", "application/pdf")}
    )
    assert sent.status_code == 200 and sent.json()["state"] == "confirmed", sent.text
    listed = office.as_("auditor").get("/api/v1/hearings").json()["items"]
    assert [row["id"] for row in listed] == [number] and listed[0]["minutes"] == MINUTES
    assert office.as_("stranger").get("/api/v1/hearings").json()["items"] == []
    assert office.as_("auditor").get(f"/api/v1/hearings/{number}/record.pdf").content.startswith(b"%PDF-")
    with world.ctx.database.read() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.act.startswith("hearing."))).all()
    acts = [event.act for event in events]
    assert {"hearing.notify", "hearing.record", "hearing.read"} <= set(acts)
    told = json.dumps([event.details for event in events], ensure_ascii=False)
    assert own.name not in told and "社保" not in told and own.admission_no not in told
