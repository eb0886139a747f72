"""R10, 一（三）¶2: false materials or improper means fall the same way and are handled under Order 31."""

from datetime import date

import pytest
from sqlalchemy import select

from issuer.invalidation.grounds import reason_class
from issuer.invalidation.misconduct import list_records
from issuer.invalidation.service import approve, overturn, propose
from issuer.invalidation.transfer import Evidence, transfer
from issuer.records.certificates import Invalidation, StatusEvent
from issuer.rules.invalidation import consequences
from issuer.rules.misconduct import RecordFacts, Term, ends_on, require_no_record, term_for
from issuer.rules.terms import InvalidationGround, ReviewOutcome, Role
from issuer.rules.violation import RuleViolation
from tests.factories.small_world import SmallWorld, staff
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import CHIEF, CLERK, move_to
from verifier.record.status import ReasonClass

CLAUSE = Clause(
    "R10",
    "一（三）¶2",
    (
        "提供虚假证明材料或者以其他不正当手段取得相应资格证书或者成绩证明等严重违纪违规行为的，"
        "按照《专业技术人员资格考试违纪违规行为处理规定》（人社部令第 31 号）第十条、第十二条处理。"
        "涉嫌违法犯罪的，依法移送司法机关。",
    ),
    rules=(consequences, reason_class, term_for, ends_on, require_no_record),
    screens=("/console/certificates/{management_no}/invalidate", "/console/cases/{case_id}"),
    commands=(
        "revoke",
        "invalidation approve",
        "misconduct list",
        "misconduct consider",
        "misconduct transfer",
    ),
    events={
        "invalidation.propose": "R10",
        "invalidation.apply": "R10",
        "misconduct.enter": "R10",
        "misconduct.read": "R10",
        "misconduct.lift": "R10",
        "misconduct.transfer": "R10",
    },
    more_tests=("tests/issuer/invalidation/test_misconduct.py", "tests/issuer/rules/test_r9_r10_invalidation.py"),
)
MISCONDUCT = (InvalidationGround.FALSE_MATERIALS, InvalidationGround.IMPROPER_MEANS)


@pytest.mark.parametrize("ground", MISCONDUCT)
def test_r10_misconduct_falls_whole_and_is_told_apart(small: SmallWorld, ground: InvalidationGround) -> None:
    (registration,) = small.register(1, outcome=ReviewOutcome.ELIGIBLE)
    number = small.certificate(registration)
    move_to(small, date(2025, 11, 20))
    approve(small.context, CHIEF, propose(small.context, CLERK, number, ground, "经查证明材料系伪造"))
    with small.context.database.read() as session:
        case = session.scalars(select(Invalidation)).one()
        last = session.scalars(select(StatusEvent).order_by(StatusEvent.sequence.desc())).first()
    assert (case.clause, case.ground) == ("R10", ground)
    assert last is not None and (last.status, last.reason_class) == ("invalid", ReasonClass.MISCONDUCT)
    CLAUSE.require(small.context, "invalidation.propose", "invalidation.apply")


def test_r10_order_31_applies_to_misconduct_and_to_nothing_else() -> None:
    for ground in InvalidationGround:
        follows = consequences(ground)
        assert follows.handled_under_order_31 == (ground in MISCONDUCT) == (follows.clause == "R10")
        assert follows.registration_void and follows.all_scores_of_sitting_void and follows.certificate_invalid


def test_r10_the_record_runs_five_years_or_for_good_and_holds_a_certificate() -> None:
    assert term_for(InvalidationGround.FALSE_MATERIALS, None) is Term.FIVE_YEARS
    assert term_for(InvalidationGround.INELIGIBLE_IN_REVIEW, None) is None, "R9 is no misconduct"
    last = ends_on(Term.FIVE_YEARS, date(2025, 11, 20))
    assert (last, ends_on(Term.LONG_TERM, date(2025, 11, 20))) == (date(2030, 11, 20), None)
    require_no_record((RecordFacts(last),), date(2030, 11, 21))
    for facts in (RecordFacts(last), RecordFacts(None)):
        with pytest.raises(RuleViolation) as refused:
            require_no_record((facts,), date(2030, 11, 20))
        assert refused.value.clause == "R10"


def test_r10_entered_and_lifted_with_its_case_and_crime_transferred(small: SmallWorld, refusal: Refusal) -> None:
    (registration,) = small.register(1, outcome=ReviewOutcome.ELIGIBLE)
    ctx, number = small.context, small.certificate(registration)
    move_to(small, date(2025, 11, 20))
    case = propose(ctx, CLERK, number, InvalidationGround.FALSE_MATERIALS, "经查证明材料系伪造")
    proof = [Evidence("学历证明扫描件.pdf", "0" * 64)]
    hand_over = lambda: transfer(ctx, CHIEF, case, to="示例市公安局", facts="涉嫌伪造证件", evidence=proof)  # noqa: E731
    assert refusal(hand_over)[0] == "not-transferable", "nothing is transferred on a proposal"
    approve(ctx, CHIEF, case)
    assert [record.state for record in list_records(ctx, CHIEF)] == ["running"]
    hand_over()
    second = staff("second-chief", Role.AUTHORITY_APPROVER)
    approve(ctx, second, overturn(ctx, CLERK, number, "行政复议决定撤销原认定"))
    assert [record.state for record in list_records(ctx, CHIEF)] == ["lifted"]
    CLAUSE.require(ctx, "misconduct.enter", "misconduct.read", "misconduct.lift", "misconduct.transfer")
