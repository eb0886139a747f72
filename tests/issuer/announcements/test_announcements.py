"""Announcements: one drafts, another publishes, nothing changes afterwards, names leave when their time is over."""

import io
import json
import re
from datetime import timedelta

import pypdfium2
import pytest
from sqlalchemy import select

from issuer.access.actor import Actor
from issuer.announcements import service
from issuer.announcements.reading import PAGE_LINES, show_to_staff
from issuer.announcements.wording import Text
from issuer.clock import SimulatedClock
from issuer.errors import ConflictError, InputError, NotAllowedError
from issuer.holders import limits
from issuer.records.announcements import Announcement
from issuer.records.ledger import AuditEvent
from issuer.records.people import Person, Registration
from issuer.records.sittings import Sitting
from issuer.rules.announcements import masked_admission_no
from issuer.rules.terms import Role
from tests.factories.office import CSRF, Office
from tests.factories.world import APPROVER, PROPOSER, World

TEXT = Text("标题", "Title", "一段。\n又一段。", "One paragraph.")


def published(world: World, kind: str = "results") -> tuple[int, str]:
    number = service.draft_announcement(world.ctx, PROPOSER, world.sitting, kind)
    return number, service.publish_announcement(world.ctx, APPROVER, number, version=0)


def test_r5_r7_an_announcement_goes_from_the_template_to_the_public_page_and_the_pdf(eligible_office: Office) -> None:
    office, world = eligible_office, eligible_office.world
    desk, approver = office.desk("issuer"), office.desk("approver")
    form = {"csrf": CSRF, "sitting": world.sitting, "kind": "results"}
    made = desk.post("/console/announcements", data=form)
    assert made.status_code == 303, made.text
    address = made.headers["location"]
    page = desk.get(address).text
    assert "核查合格 8 人" in page and "王小明" in page, "the draft begins with the template and previews its list"
    fields = {"csrf": CSRF, "version": "0", "title": "核查结果", "title_en": "Results"}
    assert desk.post(address, data={**fields, "body": "第一段。", "body_en": "One."}).status_code == 303
    assert office.anybody().get("/announcements").text.count("核查结果") == 0, "a draft is nobody's business"
    assert desk.post(f"{address}/publish", data={"csrf": CSRF, "version": "1"}).status_code == 403
    stale = approver.post(f"{address}/publish", data={"csrf": CSRF, "version": "0"})
    assert stale.status_code == 409 and "有改动" in stale.text, "what was not read is not published"
    assert approver.post(f"{address}/publish", data={"csrf": CSRF, "version": "1"}).status_code == 303
    number = f"{world.clock.today().year}-1"
    public = office.anybody().get(f"/announcements/{number}")
    assert public.status_code == 200 and "第一段。" in public.text
    for person in world.people:
        assert person.name in public.text and masked_admission_no(person.admission_no) in public.text
        assert person.admission_no not in public.text and person.id_no not in public.text
    pdf = office.anybody().get(f"/announcements/{number}.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    document = pypdfium2.PdfDocument(io.BytesIO(pdf.content))
    text = re.sub(r"\s", "", "".join(page.get_textpage().get_text_range() for page in document))
    for person in world.people:
        assert re.sub(r"\s", "", person.name) in text and person.id_no not in text
    assert number in text and "第一段。" in text
    assert office.anybody().get("/announcements/1999-1").status_code == 404


def test_one_person_cannot_publish_their_own_and_nothing_published_changes(eligible_world: World) -> None:
    world = eligible_world
    both = Actor("wang.issuer", frozenset({Role.AUTHORITY_ISSUER, Role.AUTHORITY_APPROVER}), "cli")
    draft = service.draft_announcement(world.ctx, PROPOSER, world.sitting, "results")
    with pytest.raises(NotAllowedError) as refusal:
        service.publish_announcement(world.ctx, both, draft, version=0)
    assert refusal.value.code == "same-person"
    other = Actor("sun.issuer", frozenset({Role.AUTHORITY_ISSUER}), "cli")
    with pytest.raises(NotAllowedError, match="起草人"):
        service.edit_announcement(world.ctx, other, draft, TEXT, version=0)
    with pytest.raises(InputError):
        service.edit_announcement(world.ctx, PROPOSER, draft, Text("", "T", "b", "b"), version=0)
    number = service.publish_announcement(world.ctx, APPROVER, draft, version=0)
    for act in (
        lambda: service.edit_announcement(world.ctx, PROPOSER, draft, TEXT, version=0),
        lambda: service.withdraw_announcement(world.ctx, PROPOSER, draft),
        lambda: service.publish_announcement(world.ctx, APPROVER, draft, version=0),
        lambda: service.draft_announcement(world.ctx, PROPOSER, world.sitting, "results"),
    ):
        with pytest.raises(ConflictError):
            act()
    correction = service.draft_announcement(world.ctx, PROPOSER, world.sitting, "results", corrects=draft)
    assert number in show_to_staff(world.ctx, PROPOSER, correction).text.body, "a correction names the old one"
    second = service.publish_announcement(world.ctx, APPROVER, correction, version=0)
    assert show_to_staff(world.ctx, PROPOSER, draft).heading.corrected_by == second
    with pytest.raises(ConflictError) as told:
        service.draft_announcement(world.ctx, PROPOSER, world.sitting, "results", corrects=draft)
    assert second in str(told.value.remedy), "it says which one counts now"


def test_r5_the_joint_announcement_opens_the_public_notice(eligible_world: World) -> None:
    world, day = eligible_world, eligible_world.clock.today()
    with world.ctx.database.write() as session:
        row = session.get_one(Sitting, world.sitting)
        row.extra = {key: value for key, value in row.extra.items() if key != "notice_opened_on"}
        row.review_report_due_on = row.supplementary_closes_on = day + timedelta(days=40)
    draft = service.draft_announcement(world.ctx, PROPOSER, world.sitting, "notice")
    until = day + timedelta(days=10)
    assert f"自 {day} 至 {until} 24:00" in show_to_staff(world.ctx, PROPOSER, draft).text.body
    service.publish_announcement(world.ctx, APPROVER, draft, version=0)
    with world.ctx.database.read() as session:
        sitting = session.get_one(Sitting, world.sitting)
        row = session.get_one(Announcement, draft)
        assert (sitting.notice_opens_on, sitting.notice_closes_on, row.names_until) == (day, until, until)
        assert sitting.extra["notice_opened_on"] == day.isoformat()
        acts = session.scalars(select(AuditEvent.act).order_by(AuditEvent.sequence.desc()).limit(2)).all()
    assert acts == ["announcement.publish", "review.open-notice"]


def test_names_leave_the_public_page_when_their_time_is_over(
    eligible_office: Office,
) -> None:
    world = eligible_office.world
    assert isinstance(world.clock, SimulatedClock)
    draft, number = published(world)
    with world.ctx.database.write() as session:
        row = session.get_one(Announcement, draft)
        row.lines = json.dumps([[f"某{place}", "4100****0000", "建筑工程"] for place in range(PAGE_LINES + 1)])
    anybody = eligible_office.anybody()
    first, second = (anybody.get(f"/announcements/{number}?page={page}") for page in (1, 2))
    assert len(first.content) < 100_000 and f"某{PAGE_LINES}<" not in first.text and f"某{PAGE_LINES}<" in second.text
    world.clock.move_to(world.clock.today() + timedelta(days=30))
    assert "某0<" in anybody.get(f"/announcements/{number}").text
    world.clock.move_to(world.clock.today() + timedelta(days=1))
    page = anybody.get(f"/announcements/{number}")
    assert page.status_code == 200 and "某0<" not in page.text and "资格核查已结束" in page.text
    assert anybody.get(f"/announcements/{number}.pdf").status_code == 404


def test_r11_the_list_of_certificates_leaves_out_who_lost_theirs(world_copy: World) -> None:
    world = world_copy
    with world.ctx.database.write() as session:
        registration = session.scalars(select(Registration).order_by(Registration.id)).first()
        assert registration is not None
        registration.void_since = world.clock.now()
        person = session.get_one(Person, registration.person_id)
    draft, _ = published(world, "issue")
    with world.ctx.database.read() as session:
        row = session.get_one(Announcement, draft)
        assert row.line_count == 7 and registration.name not in (row.lines or "")
        assert person.id_no not in (row.lines or "") + row.body


def test_a_review_body_drafts_for_its_own_programmes_only(eligible_office: Office) -> None:
    form = {"csrf": CSRF, "sitting": eligible_office.world.sitting, "kind": "results"}
    assert eligible_office.desk("stranger").post("/console/announcements", data=form).status_code == 403
    assert eligible_office.desk("reviewer").post("/console/announcements", data=form).status_code == 303
    assert eligible_office.desk("stranger").get("/console/announcements/1").status_code == 403
    assert "核查结果" not in eligible_office.desk("stranger").get("/console/announcements").text.partition("<main")[2]


@pytest.mark.parametrize(
    ("number", "shown"), [("410000000123", "410******123"), ("123456", "1***56"), ("12", "*2"), ("1", "*"), ("", "")]
)
def test_at_most_half_of_an_admission_number_is_shown(number: str, shown: str) -> None:
    assert masked_admission_no(number) == shown


def test_one_address_does_not_read_without_end(eligible_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PUBLIC_PAGES", "3/hour")
    anybody = eligible_office.anybody()
    found = [anybody.get(address).status_code for address in ("/announcements", "/announcements/1.pdf")]
    found += [anybody.get("/announcements/2099-1").status_code]
    over = anybody.get("/announcements")
    assert found == [200, 404, 404] and over.status_code == 429
    assert over.headers["retry-after"] and "尝试次数过多" in over.text and "<h1>" in over.text, "a page, for a reader"
