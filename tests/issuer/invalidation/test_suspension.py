"""R9, R10: what a case holds back until it is decided, where there is no electronic certificate to suspend."""

from sqlalchemy import select

from issuer.invalidation.service import approve, propose, reject, withdraw
from issuer.paper import mail, making
from issuer.records.paper import PaperCertificate, PaperEvent
from tests.factories.paper_office import HOME, PaperDesk
from tests.factories.world import World
from tests.issuer.invalidation.test_without_certificate import (
    BASIS,
    CHIEF,
    CLERK,
    R9,
    code_of,
    desk,  # noqa: F401 (a fixture)
    paper,
    seat,
)


def test_r9_a_suspended_sheet_stays_where_it_is_until_the_case_is_decided(desk: PaperDesk) -> None:  # noqa: F811
    ctx = desk.ctx
    serial, other, *_ = desk.printed()
    case = propose(ctx, CLERK, seat(desk), R9, BASIS, suspend=True)
    assert code_of(lambda: mail.book(ctx, CLERK, serial, HOME)) == "case-suspends"
    mail.book(ctx, CLERK, other, HOME)
    assert paper(desk, serial)[0] == "available", "it is not void either"
    reject(ctx, CHIEF, case, "证据不足，不予批准")
    with ctx.database.read() as session:
        events = session.scalars(
            select(PaperEvent.action)
            .join(PaperCertificate, PaperCertificate.id == PaperEvent.paper_id)
            .where(PaperCertificate.serial == serial)
            .order_by(PaperEvent.version)
        ).all()
    assert events[-2:] == ["suspend", "unsuspend"]
    mail.book(ctx, CLERK, serial, HOME)
    case = propose(ctx, CLERK, seat(desk), R9, BASIS, suspend=True)
    approve(ctx, CHIEF, case)
    assert paper(desk, serial)[0] == "void"


def test_r9_r11_nothing_is_made_for_a_suspended_registration(desk: PaperDesk) -> None:  # noqa: F811
    case = propose(desk.ctx, CLERK, seat(desk), R9, BASIS, suspend=True)
    report = making.print_sitting(desk.ctx, CLERK, desk.sitting)
    assert [(who, code, clause) for who, code, clause in report.refused] == [
        (desk.registrations[0], "case-suspends", "R9")
    ]
    withdraw(desk.ctx, CLERK, case, "提议有误，撤回")
    assert len(making.print_sitting(desk.ctx, CLERK, desk.sitting).printed) == 1


def test_r9_r11_no_electronic_certificate_either(eligible_world: World) -> None:
    ctx, world = eligible_world.ctx, eligible_world
    held = world.registrations()[0]
    case = propose(ctx, CLERK, held.id, R9, BASIS, suspend=True)
    first = world.issue()
    assert (first.published, [(each.registration, each.code) for each in first.refused]) == (
        7,
        [(held.id, "case-suspends")],
    )
    reject(ctx, CHIEF, case, "证据不足，不予批准")
    assert world.issue().published == 1
