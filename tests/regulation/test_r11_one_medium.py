"""R11, 二（一）: paper comes from the review authorities; a provincial examination ends in an electronic one."""

from datetime import date

from sqlalchemy import select

from issuer.issuance.plan import plan_issue
from issuer.paper import making, stock
from issuer.records.certificates import ECertificate
from issuer.records.paper import PaperCertificate
from issuer.rules.eligibility import may_issue
from issuer.rules.paper_making import may_print
from issuer.rules.terms import Medium, ReviewOutcome
from tests.factories.paper_office import PaperDesk
from tests.factories.small_world import SmallWorld
from tests.factories.world import World
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import BODY, CLERK, move_to

CLAUSE = Clause(
    "R11",
    "二（一）",
    (
        "按照豫人社〔2019〕8号文规定，纸质证书发放由省或省、市两级资格核查部门负责。"
        "省人力资源社会保障厅与相关行业部门共同组织的二级建造师、二级造价工程师等专业技术人员职业资格考试，"
        "由省人力资源社会保障厅制发“河南省专业技术人员职业资格证书（电子证书）”，不再发放纸质证书。",
    ),
    rules=(Medium, may_issue, may_print),
    screens=("/console/sittings/{code}/issue", "/console/paper/sittings/{code}/act"),
    commands=("issue", "paper print", "certificate correct"),
    events={"paper.print": "R11", "certificate.publish": "R11"},
    more_tests=(
        "tests/issuer/issuance/test_issue_sitting.py",
        "tests/issuer/paper/test_paper_life.py",
        "tests/issuer/rules/test_r11_r12_r13_r16_paper.py",
    ),
)


def test_r11_an_electronic_programme_gets_no_paper(small: SmallWorld, refusal: Refusal) -> None:
    small.register(2, outcome=ReviewOutcome.ELIGIBLE)
    move_to(small, date(2025, 10, 8))
    assert refusal(lambda: stock.receive(small.context, CLERK, "EJJZ", "A0001", "A0002"))[1] == "R11"
    report = making.print_sitting(small.context, CLERK, small.sitting)
    assert {(code, clause) for _, code, clause in report.refused} == {("electronic-programme", "R11")}
    with small.context.database.read() as session:
        assert session.scalars(select(PaperCertificate)).all() == []


def test_r11_a_paper_programme_gets_no_electronic_certificate(desk: PaperDesk) -> None:
    with desk.ctx.database.read() as session:
        plan = plan_issue(session, desk.ctx.clock, desk.sitting, "https://v.example")
    assert (plan.new, {(row.code, row.clause) for row in plan.refused}) == ((), {("paper-programme", "R11")})


def test_r11_the_review_body_makes_the_paper_one_sheet_each(desk: PaperDesk) -> None:
    assert len(making.print_sitting(desk.ctx, BODY, desk.sitting).printed) == 4
    again = making.print_sitting(desk.ctx, BODY, desk.sitting)
    assert (again.printed, again.already) == ((), 4)
    CLAUSE.require(desk.ctx, "paper.print")


def test_r11_the_department_makes_the_electronic_certificate_once(issued_world: World) -> None:
    with issued_world.ctx.database.read() as session:
        plan = plan_issue(session, issued_world.clock, issued_world.sitting, "https://v.example")
        rows = session.scalars(select(ECertificate)).all()
    assert (plan.new, plan.resumed, len(plan.done)) == ((), (), 8)
    assert len({row.person_id for row in rows}) == len(rows) == 8
    CLAUSE.require(issued_world.ctx, "certificate.publish")
