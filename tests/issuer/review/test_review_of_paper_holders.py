"""Once a paper certificate is printed the review is closed for its holder, as with an electronic one (R9)."""

from pathlib import Path

from issuer.paper import making
from issuer.records.database import make_engine
from issuer.review.service import apply_decisions
from issuer.rules.terms import ReviewRound
from tests.factories.paper_office import CLERK, paper_desk
from tests.factories.small_world import admission_no, small_context


def test_a_printed_certificate_closes_the_review(tmp_path: Path) -> None:
    desk = paper_desk(small_context(make_engine(f"sqlite:///{tmp_path / 'issuer.sqlite3'}"), tmp_path), people=1)
    making.print_sitting(desk.ctx, CLERK, desk.sitting)
    file = tmp_path / "decisions.csv"
    file.write_text(f"准考证号,核查结果,原因代码,说明\n{admission_no(1)},不合格,X,说明\n", encoding="utf-8")
    report = apply_decisions(desk.ctx, CLERK, desk.sitting, ReviewRound.FIRST, content=file)
    assert (report.moved, [finding.code for finding in report.findings]) == ({}, ["certificate-exists"])
