"""R12, 二（二）: mail booked within thirty days of the announcement, the addressee pays; otherwise at the counter."""

from datetime import timedelta

from sqlalchemy import select

from issuer.paper import handouts, mail, parcels
from issuer.paper.handouts import Proof
from issuer.records.paper_post import MailBooking
from issuer.records.people import Person
from issuer.rules.deadlines import booking_closes_on
from issuer.rules.paper_mail import (
    FreightTerms,
    booking_window,
    require_address_changeable,
    require_open_window,
    require_right_envelope,
)
from issuer.rules.policy import Policy
from tests.factories.paper_office import ANNOUNCED, CLERK, HOME, WINDOW_OVER, PaperDesk
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal

CLAUSE = Clause(
    "R12",
    "二（二）",
    (
        "全面推广纸质证书预约邮寄领取服务，统一在省专业技术人员职业资格证书预约邮寄平台受理邮寄申请。"
        "证书预约期一般为考后核查结果发布后 30 天内。",
        "邮政公司负责证书投递。邮寄费用由证书邮寄申请人承担，采取到付模式。"
        "未预约邮寄的证书仍由省级资格核查部门统筹安排现场发放。",
    ),
    rules=(
        booking_window,
        booking_closes_on,
        require_open_window,
        require_address_changeable,
        require_right_envelope,
        FreightTerms,
    ),
    screens=(
        "/console/paper/sittings/{code}/window",
        "/console/paper/scan/{name}",
        "/console/paper/certificates/{number}/collect",
        "/my/paper/{registration_id}/address",
    ),
    commands=("paper open-booking", "paper waybills", "paper pack", "paper post", "paper delivered"),
    events={
        "paper.booking.open": "R12",
        "paper.book": "R12",
        "paper.pack": "R12",
        "paper.post": "R12",
        "paper.deliver": "R12",
        "paper.code": "R12",
        "paper.collect": "R12",
    },
    more_tests=("tests/issuer/paper/test_paper_life.py", "tests/issuer/console/test_paper_in_chromium.py"),
)


def test_r12_the_window_is_thirty_days_and_ends_at_midnight(desk: PaperDesk, refusal: Refusal) -> None:
    assert Policy().booking_days == 30
    assert booking_window(ANNOUNCED, Policy()).closes_on == ANNOUNCED + timedelta(days=30)
    first, second, *_ = desk.printed()
    desk.clock.move_to(ANNOUNCED + timedelta(days=30), hour=23)
    holder, person = desk.holder_of(first)
    mail.book(desk.ctx, holder, first, HOME, person_id=person)
    desk.clock.move_to(WINDOW_OVER, hour=0)
    assert refusal(lambda: mail.book(desk.ctx, CLERK, second, HOME)) == ("booking-closed", "R12")
    CLAUSE.require(desk.ctx, "paper.booking.open", "paper.book")


def test_r12_the_addressee_pays(desk: PaperDesk) -> None:
    (serial, *_) = desk.printed()
    mail.book(desk.ctx, CLERK, serial, HOME)
    with desk.ctx.database.read() as session:
        assert session.scalars(select(MailBooking)).one().freight == FreightTerms.COLLECT
    assert list(FreightTerms) == [FreightTerms.COLLECT]


def test_r12_the_right_sheet_goes_into_the_right_envelope_and_out(desk: PaperDesk, refusal: Refusal) -> None:
    first, second, *_ = desk.printed()
    desk.booked(first, "SF0000000001")
    desk.booked(second, "SF0000000002")
    assert refusal(lambda: parcels.pack(desk.ctx, CLERK, first, "SF0000000002")) == ("wrong-envelope", "R12")
    parcels.pack(desk.ctx, CLERK, first, "SF0000000001")
    parcels.post(desk.ctx, CLERK, "SF0000000001")
    assert refusal(lambda: mail.change_address(desk.ctx, CLERK, first, HOME)) == ("courier-has-it", "R12")
    assert parcels.deliver(desk.ctx, CLERK, "SF0000000001").state == "delivered"
    CLAUSE.require(desk.ctx, "paper.pack", "paper.post", "paper.deliver")


def test_r12_who_booked_nothing_collects_it_at_the_counter_once(desk: PaperDesk, refusal: Refusal) -> None:
    (serial, *_) = desk.printed()
    holder, person = desk.holder_of(serial)
    code, _ = handouts.make_pickup_code(desk.ctx, holder, serial, person)
    with desk.ctx.database.read() as session:
        id_no = session.get_one(Person, person).id_no
    collect = lambda: handouts.hand_out(  # noqa: E731
        desk.ctx, CLERK, serial, holder_id_no=id_no, proof=Proof("code", code=code)
    )
    collect()
    assert desk.sheet(serial).state == "collected"
    assert refusal(collect) == ("paper-state", "R12")
    CLAUSE.require(desk.ctx, "paper.code", "paper.collect")
