"""R14, 二（四）: once an electronic certificate was made, no application for paper re-issue is accepted."""

from datetime import date

import pytest
from sqlalchemy import select

from issuer.paper import making
from issuer.paper.service import request_replacement
from issuer.records.paper import PaperReplacementRequest
from issuer.rules.paper import may_replace_paper
from issuer.rules.paper_making import may_print
from issuer.rules.terms import ReviewOutcome
from tests.factories.paper_office import PaperDesk
from tests.factories.small_world import SmallWorld
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import CLERK, move_to

CLAUSE = Clause(
    "R14",
    "二（四）",
    ("已制发电子证书的，不再受理纸质证书补发申请。",),
    rules=(may_replace_paper, may_print),
    screens=("/console/paper/replacements", "/my/paper-replacements", "/api/v1/paper/replacements"),
    commands=("paper replace", "paper list"),
    events={"paper.replacement.refuse": "R14", "paper.replacement.accept": "R11"},
    more_tests=(
        "tests/issuer/paper/test_paper_replacement.py",
        "tests/issuer/paper/test_paper_races.py",
        "tests/issuer/rules/test_r14_r11_paper.py",
    ),
)


@pytest.mark.parametrize(("status", "slot"), [("valid", "live"), ("invalid", "ended"), ("superseded", "ended")])
def test_r14_made_means_made_whatever_became_of_it(
    small: SmallWorld, refusal: Refusal, status: str, slot: str
) -> None:
    (registration,) = small.register(1, outcome=ReviewOutcome.ELIGIBLE)
    number = small.certificate(registration, status=status, slot=slot)
    move_to(small, date(2025, 11, 20))
    ask = lambda: request_replacement(small.context, CLERK, management_no=number, reason="证书遗失")  # noqa: E731
    assert refusal(ask) == ("e-certificate-already-made", "R14")
    with small.context.database.read() as session:
        (row,) = session.scalars(select(PaperReplacementRequest))
    assert (row.state, row.clause) == ("refused", "R14"), "the refusal stays on record"
    CLAUSE.require(small.context, "paper.replacement.refuse")


def test_r14_paper_never_stands_beside_electronic(desk: PaperDesk) -> None:
    desk.world.certificate(desk.registrations[0], status="invalid", slot="ended")
    report = making.print_sitting(desk.ctx, CLERK, desk.sitting)
    assert report.refused == ((desk.registrations[0], "e-certificate-already-made", "R14"),)
    assert len(report.printed) == 3


def test_r14_a_paper_holder_may_still_ask(desk: PaperDesk) -> None:
    desk.printed()
    request_replacement(desk.ctx, CLERK, registration_id=desk.registrations[0], reason="证书遗失", kind="lost")
    CLAUSE.require(desk.ctx, "paper.replacement.accept")
