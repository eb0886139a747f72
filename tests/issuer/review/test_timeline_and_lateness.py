"""One timeline for the candidate and for staff; what is late is seen by the supervisor across sittings."""

import re
from datetime import timedelta

from issuer.access.actor import Actor
from issuer.clock import SimulatedClock
from issuer.records.reviews import EligibilityReview
from issuer.records.sittings import Sitting
from issuer.review import service as review
from issuer.review.late import late_items
from issuer.rules.terms import Role
from tests.factories.office import Office
from tests.factories.world import PROPOSER

SUPERVISOR = Actor("sun.supervisor", frozenset({Role.SUPERVISOR}), "console")


def days_on(page: str) -> list[str]:
    """The days a page lists, without today's."""
    listed = page.partition('<ol class="days">')[2].partition("</ol>")[0]
    lines = re.findall(r'<li class="(?:past|ahead)"><span class="number">([0-9-]+)</span>\s*([^\s〔]+)', listed)
    return [f"{day} {words}" for day, words in lines]


def test_r5_r7_the_candidate_and_staff_read_the_same_days(eligible_office: Office) -> None:
    world = eligible_office.world
    person = world.people[0]
    holder = eligible_office.anybody()
    facts = {"id_no": person.id_no, "name": person.name, "admission_no": person.admission_no}
    cookie = holder.post("/my/sign-in", data=facts).headers["set-cookie"].partition(";")[0]
    own = days_on(holder.get("/my/", headers={"Cookie": cookie}).text)
    staff = days_on(eligible_office.desk("reviewer").get(f"/console/sittings/{world.sitting}").text)
    assert len(own) >= 7 and own == staff
    with world.ctx.database.read() as session:
        closes = session.get_one(Sitting, world.sitting).supplementary_closes_on
    assert any(closes.isoformat() in line for line in own)


def test_lateness_is_listed_with_its_days_and_only_when_it_is_late(eligible_office: Office) -> None:
    world = eligible_office.world
    today = world.clock.today()
    assert isinstance(world.clock, SimulatedClock)
    assert [item.name for item in late_items(world.ctx, SUPERVISOR)] == ["results-not-announced"]
    with world.ctx.database.write() as session:
        sitting = session.get_one(Sitting, world.sitting)
        sitting.review_report_due_on, sitting.notice_closes_on = today, today
        first = world.registrations()[0].id
        session.get_one(EligibilityReview, first).outcome = "awaiting"
    assert late_items(world.ctx, SUPERVISOR) == [], "the last day is not late"
    review.raise_objection(
        world.ctx, PROPOSER, world.sitting, review.Candidate(admission_no=world.people[1].admission_no), "年限不足"
    )
    world.clock.move_to(today + timedelta(days=21))
    late = {item.name: item for item in late_items(world.ctx, SUPERVISOR)}
    assert (late["first-round-open"].count, late["first-round-open"].days) == (1, 21)
    objection = late["objection-open"]
    assert objection.kind.en == "working days" and (objection.last_day is None or 4 <= objection.days <= 16)
    page = eligible_office.desk("supervisor").get("/console/late").text
    assert "首轮核查未报送" in page and "21 天" in page
    assert "项逾期" in eligible_office.desk("supervisor").get("/console/").text
    nothing = late_items(world.ctx, Actor("other", frozenset({Role.REVIEW_BODY}), "console"))
    assert nothing == [], "a review body sees its own programmes only (R1)"
