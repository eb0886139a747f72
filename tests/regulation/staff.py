"""Who acts in these tests, and small helpers to move a small world along."""

from datetime import date
from pathlib import Path

from issuer.clock import SimulatedClock
from issuer.review.report import DecisionReport
from issuer.review.service import apply_decisions
from issuer.rules.terms import ReviewRound, Role
from tests.factories.small_world import SmallWorld, admission_no, staff

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
CHIEF = staff("chief", Role.AUTHORITY_APPROVER)
BODY = staff("body", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}))
CITY = staff("city", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}), cities=frozenset({"示例市"}))
STRANGER = staff("stranger", Role.REVIEW_BODY, programmes=frozenset({"OTHER"}))
SUPERVISOR = staff("supervisor", Role.SUPERVISOR)


def move_to(world: SmallWorld, day: date, hour: int = 12) -> None:
    """Set the world's clock to an hour of a day in Asia/Shanghai."""
    assert isinstance(world.context.clock, SimulatedClock)
    world.context.clock.move_to(day, hour=hour)


def decide(
    world: SmallWorld, folder: Path, found: dict[int, str], round: ReviewRound = ReviewRound.FIRST
) -> DecisionReport:
    """Send a decision file: person's number → 合格, 不合格 or 待核查."""
    file = folder / f"decisions-{len(list(folder.glob('decisions-*')))}.csv"
    rows = [f"{admission_no(number)},{what},{'X' if what == '不合格' else ''}" for number, what in found.items()]
    file.write_text("\n".join(["准考证号,核查结果,原因代码", *rows]) + "\n", encoding="utf-8")
    return apply_decisions(world.context, BODY, world.sitting, round, content=file)
