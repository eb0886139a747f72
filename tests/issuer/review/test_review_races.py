"""The same decisions sent by many hands at once: every review moves exactly once, on both databases."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuer.audit import verify_chain
from issuer.records.database import make_engine
from issuer.records.ledger import AuditEvent
from issuer.records.reviews import EligibilityReview, ReviewEvent
from issuer.review.service import DecisionReport, apply_decisions
from issuer.rules.terms import Role
from tests.factories.small_world import SmallWorld, admission_no, race, small_context, staff
from tests.services.postgres import postgres_url  # noqa: F401 - a fixture

BODY = staff("body", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"}))
PEOPLE, HANDS = 60, 6


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_one_file_from_many_hands(request: pytest.FixtureRequest, tmp_path: Path, backend: str) -> None:
    url = f"sqlite:///{tmp_path / 'issuer.sqlite3'}"
    if backend == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    world = SmallWorld(small_context(make_engine(url), tmp_path)).build()
    world.register(PEOPLE)
    numbers = [admission_no(number) for number in range(1, PEOPLE + 1)]
    files = []
    for hand in range(HANDS):  # each in another order: locks are taken in one order all the same
        rows = numbers[hand * 10 :] + numbers[: hand * 10]
        files.append(tmp_path / f"hand-{hand}.csv")
        files[-1].write_text("准考证号,结论\n" + "".join(f"{number},合格\n" for number in rows), encoding="utf-8")
    acts = [
        lambda file=file: apply_decisions(world.context, BODY, world.sitting, "first", content=file) for file in files
    ]
    reports = race(*acts)
    assert all(isinstance(report, DecisionReport) for report in reports), reports
    done = [report for report in reports if isinstance(report, DecisionReport)]
    assert sum(report.moved.get("合格", 0) for report in done) == PEOPLE
    assert all(report.findings == () and report.rows == PEOPLE for report in done)
    with world.context.database.read() as session:
        assert verify_chain(session).intact
        assert set(session.scalars(select(EligibilityReview.version))) == {1}
        assert session.scalar(select(func.count()).select_from(ReviewEvent)) == PEOPLE
        decided = select(func.count()).where(AuditEvent.act == "review.decide")
        assert session.scalar(decided) == PEOPLE
