"""R13, 二（三）: unclaimed paper is kept five years from the end of the examination, then entered and handed over."""

from datetime import date

from issuer.paper import keeping, registers
from issuer.rules.deadlines import safekeeping_ends_on
from issuer.rules.paper_keeping import (
    DueState,
    keeping_due,
    require_equal_count,
    require_keeping_over,
    require_unclaimed,
)
from issuer.rules.policy import Policy
from tests.factories.paper_office import CLERK, DEPARTMENT, KEPT_UNTIL, WINDOW_OVER, PaperDesk
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal

CLAUSE = Clause(
    "R13",
    "二（三）",
    (
        "未领取的证书，由资格核查部门代为保管，保管期限为自考试结束日起 5 年。"
        "保管期满后，由省级资格核查部门登记造册移交省人力资源社会保障厅。",
    ),
    rules=(safekeeping_ends_on, keeping_due, require_keeping_over, require_equal_count, require_unclaimed),
    screens=("/console/paper/keeping", "/console/paper/registers/{number}", "/api/v1/paper/due"),
    commands=(
        "paper store",
        "paper due",
        "paper register open",
        "paper register count",
        "paper register close",
        "paper register countersign",
    ),
    events={
        "paper.box.open": "R13",
        "paper.store": "R13",
        "paper.register.open": "R13",
        "paper.register.close": "R13",
        "paper.register.return": "R13",
    },
    more_tests=("tests/issuer/paper/test_handover_registers.py",),
)


def boxed(desk: PaperDesk) -> list[str]:
    """Four certificates nobody claimed, in a box."""
    serials = desk.printed()
    desk.clock.move_to(WINDOW_OVER)
    for serial in serials:
        keeping.store(desk.ctx, CLERK, "BOX-1", serial)
    return serials


def test_r13_five_years_by_calendar_from_the_end_of_the_examination() -> None:
    assert safekeeping_ends_on(date(2025, 6, 15), Policy()) == KEPT_UNTIL
    assert safekeeping_ends_on(date(2024, 2, 29), Policy()) == date(2029, 2, 28)
    assert keeping_due(date(2025, 6, 15), Policy(), date(2030, 6, 15)).state is DueState.THIS_MONTH
    assert keeping_due(date(2025, 6, 15), Policy(), date(2030, 6, 16)).state is DueState.OVERDUE


def test_r13_only_what_is_unclaimed_goes_into_a_box(desk: PaperDesk, refusal: Refusal) -> None:
    (serial, *_) = desk.printed()
    assert refusal(lambda: keeping.store(desk.ctx, CLERK, "BOX-1", serial)) == ("still-bookable", "R13")
    desk.clock.move_to(WINDOW_OVER)
    keeping.store(desk.ctx, CLERK, "BOX-1", serial)
    CLAUSE.require(desk.ctx, "paper.box.open", "paper.store")


def test_r13_the_register_waits_for_the_five_years_and_for_an_equal_count(desk: PaperDesk, refusal: Refusal) -> None:
    serials = boxed(desk)
    ctx = desk.ctx
    desk.clock.move_to(KEPT_UNTIL, hour=23)
    assert refusal(lambda: registers.open_register(ctx, CLERK, desk.sitting)) == ("safekeeping-not-over", "R13")
    desk.clock.move_to(date(2030, 6, 16), hour=0)
    (due,) = keeping.due_list(ctx, CLERK)
    assert (due.certificates, due.due.state) == (4, DueState.OVERDUE)
    register = registers.open_register(ctx, CLERK, desk.sitting)
    for serial in serials[:-1]:
        registers.count_one(ctx, CLERK, register.number, "BOX-1", serial)
    assert refusal(lambda: registers.close_count(ctx, CLERK, register.number)) == ("count-differs", "R13")
    registers.count_one(ctx, CLERK, register.number, "BOX-1", serials[-1])
    assert registers.close_count(ctx, CLERK, register.number).state == "counted"
    registers.send_back(ctx, DEPARTMENT, register.number)
    CLAUSE.require(ctx, "paper.register.open", "paper.register.close", "paper.register.return")
    assert {desk.sheet(serial).state for serial in serials} == {"safekeeping"}, "sent back, they are kept on"
