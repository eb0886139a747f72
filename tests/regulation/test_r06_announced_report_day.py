"""R6, 一（二）¶6: for provincial examinations the announcement sets the day on which results are due."""

from datetime import date
from pathlib import Path

from issuer.records.sittings import Sitting
from issuer.review.service import close_first_round
from issuer.review.sitting import open_sitting
from issuer.roster.service import define_sitting
from issuer.roster.sittings import read_definition
from issuer.rules.deadlines import report_due_on
from issuer.rules.policy import Policy
from issuer.rules.review import transition
from tests.factories.roster_files import SITTING_TOML
from tests.factories.small_world import RESULT_DAY, SmallWorld
from tests.issuer.roster.conftest import RosterWorld
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import BODY, CLERK, decide, move_to

CLAUSE = Clause(
    "R6",
    "一（二）¶6",
    (
        "省人力资源社会保障厅与相关行业行政管理部门共同组织的省级专业技术人员职业资格考试，"
        "核查结果报送时限以考后资格核查公告为准。",
    ),
    rules=(open_sitting, transition),
    screens=("/console/sittings", "/api/v1/sittings"),
    commands=("sitting define",),
    events={"sitting.define": None},
    more_tests=("tests/issuer/roster/test_roster_sittings.py",),
)


def test_r06_the_announced_day_takes_the_place_of_fifteen_days(roster_world: RosterWorld) -> None:
    announced = read_definition(SITTING_TOML.encode())
    assert announced.announced_report_day
    assert announced.sitting["review_report_due_on"] == date(2025, 9, 10)
    silent = read_definition(SITTING_TOML.replace("review_report_due_on = 2025-09-10\n", "").encode())
    assert silent.sitting["review_report_due_on"] == report_due_on(date(2025, 8, 20), Policy()) == date(2025, 9, 4)
    later = SITTING_TOML.replace("review_report_due_on = 2025-09-10", "review_report_due_on = 2025-09-12")
    assert define_sitting(roster_world, CLERK, later.encode()).review_report_due_on == date(2025, 9, 12)
    CLAUSE.require(roster_world, "sitting.define")


def test_r06_staff_read_which_clause_set_the_day(small: SmallWorld, tmp_path: Path, refusal: Refusal) -> None:
    small.register(2)
    with small.context.database.write() as session:
        session.get_one(Sitting, small.sitting).review_report_due_on = date(2025, 9, 20)
    assert report_due_on(RESULT_DAY, Policy()) == date(2025, 9, 16)
    move_to(small, date(2025, 9, 18))
    early = lambda: close_first_round(small.context, BODY, small.sitting)  # noqa: E731
    assert refusal(early) == ("first-round-still-open", "R6")
    assert decide(small, tmp_path, {1: "合格"}).refused == 0, "two days after the fifteen, within the announced time"
    move_to(small, date(2025, 9, 21))
    late = decide(small, tmp_path, {2: "合格"})
    assert [(finding.code, finding.clause) for finding in late.findings] == [("first-round-closed", "R6")]
