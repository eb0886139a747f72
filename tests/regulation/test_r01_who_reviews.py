"""R1, 一（一）: a review authority reviews its own programmes, a city office its own city, and nobody else's."""

from pathlib import Path

from issuer.access.actor import Actor
from issuer.paper import stock
from issuer.review.service import close_first_round, export_template, open_notice, sitting_progress
from issuer.review.sitting import require_whole_programme, within_reach
from issuer.rules.terms import ReviewRound
from tests.factories.small_world import SmallWorld
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import BODY, CITY, STRANGER, SUPERVISOR, decide

CLAUSE = Clause(
    "R1",
    "一（一）资格核查主体",
    (
        "资格核查工作由省级行业行政管理部门统筹安排,省或省、市两级行业行政管理部门负责资格核查;"
        "行业协会、学会管理的考试项目,由省级行业协会、学会负责资格核查",
    ),
    rules=(Actor.require_programme, require_whole_programme, within_reach),
    screens=("/console/sittings/{code}", "/api/v1/reviews/{sitting}/decisions"),
    commands=("staff add", "review decide"),
    events={"review.decide": "R4", "review.export": "R1"},
    more_tests=("tests/issuer/access/test_access_service.py", "tests/issuer/api/test_api_permissions.py"),
)


def test_r01_another_programmes_body_sees_and_decides_nothing(small: SmallWorld, refusal: Refusal) -> None:
    small.register(2)
    ctx, sitting = small.context, small.sitting
    assert refusal(lambda: sitting_progress(ctx, STRANGER, sitting)) == ("outside-own-programmes", "R1")
    assert refusal(lambda: open_notice(ctx, STRANGER, sitting)) == ("outside-own-programmes", "R1")
    assert refusal(lambda: close_first_round(ctx, STRANGER, sitting)) == ("outside-own-programmes", "R1")
    assert refusal(lambda: stock.receive(ctx, STRANGER, "EJJZ", "A1", "A2")) == ("outside-own-programmes", "R1")
    assert sitting_progress(ctx, BODY, sitting).total == 2


def test_r01_a_city_office_has_its_own_city_only(small: SmallWorld, tmp_path: Path, refusal: Refusal) -> None:
    small.register(2)
    small.register(3, city="另一市")
    ctx, sitting = small.context, small.sitting
    assert sitting_progress(ctx, CITY, sitting).total == 2
    assert sitting_progress(ctx, BODY, sitting).total == sitting_progress(ctx, SUPERVISOR, sitting).total == 5
    assert export_template(ctx, CITY, sitting, ReviewRound.FIRST, tmp_path / "own.xlsx") == 2
    CLAUSE.require(ctx, "review.export")
    assert refusal(lambda: open_notice(ctx, CITY, sitting))[1] == "R1"
    assert refusal(lambda: close_first_round(ctx, CITY, sitting))[1] == "R1"


def test_r01_the_body_decides_under_its_own_name(small: SmallWorld, tmp_path: Path) -> None:
    small.register(1)
    assert decide(small, tmp_path, {1: "合格"}).moved == {"合格": 1}
    CLAUSE.require(small.context, "review.decide")
