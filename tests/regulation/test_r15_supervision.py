"""R15, 三（一）: data before documents, nothing asked twice; the department supervises the review authorities."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from issuer.holders.objections import answer_objection, file_objection, objections_of
from issuer.holders.sign_in import Holder
from issuer.records.people import Registration
from issuer.registration import materials
from issuer.registration.view import facts_of
from issuer.review import sampling
from issuer.review.service import apply_decisions, sitting_progress
from issuer.rules.materials import asked_materials, judge_item
from issuer.rules.sampling import drawn, list_digest, sample_size
from issuer.rules.terms import ReviewOutcome, ReviewRound, Role
from tests.factories.registration_facts import FactsWorld, a_pdf, agreeing, answer
from tests.factories.small_world import SmallWorld, admission_no, staff
from tests.regulation.clause import Clause
from tests.regulation.conftest import Refusal
from tests.regulation.staff import BODY, SUPERVISOR, decide, move_to

CLAUSE = Clause(
    "R15",
    "三（一）",
    (
        "要依法依规开展资格核查，充分挖掘大数据资源，采取在线与现场核查、随机抽查、重点监管、智慧监管等现代化核查方式，"
        "尽量减少重复提交证明材料。",
        "人力资源社会保障部门对资格核查工作进行监督、检查和指导。",
    ),
    rules=(judge_item, asked_materials, drawn, sample_size, list_digest),
    screens=(
        "/my/registrations/{registration_id}",
        "/console/samples/{code}",
        "/console/late",
        "/console/objections",
        "/my/objections",
        "/console/audit",
    ),
    commands=("review sample fix", "review sample draw", "review sample recompute", "review status", "audit list"),
    events={
        "sampling.fix": "R15",
        "sampling.draw": "R15",
        "sampling.target": "R15",
        "sampling.result": "R15",
        "data.object": "R15",
        "data.answer": "R15",
    },
    more_tests=(
        "tests/issuer/registration/test_standing.py",
        "tests/issuer/rules/test_r3_materials.py",
        "tests/issuer/review/test_r15_sampling.py",
        "tests/issuer/holders/test_objections.py",
        "tests/issuer/audit/test_audit_chain.py",
    ),
)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR])
def test_r15_the_supervisor_sees_every_review_and_decides_none(
    small: SmallWorld, tmp_path: Path, refusal: Refusal, role: Role
) -> None:
    small.register(2)
    decide(small, tmp_path, {1: "合格"})
    watcher = staff("watcher", role)
    counts = sitting_progress(small.context, watcher, small.sitting).counts
    assert counts[ReviewRound.FIRST, ReviewOutcome.ELIGIBLE] == 1
    file = next(tmp_path.glob("decisions-*"))
    act = lambda: apply_decisions(small.context, watcher, small.sitting, ReviewRound.FIRST, content=file)  # noqa: E731
    assert refusal(act)[0] == "role-missing"


def test_r15_lateness_is_seen_on_the_day_after(small: SmallWorld) -> None:
    small.register(1)
    for day, left in ((date(2025, 9, 16), 0), (date(2025, 9, 17), -1)):
        move_to(small, day)
        due = [line.days for line in sitting_progress(small.context, SUPERVISOR, small.sitting).deadlines]
        assert left in due, f"{day}: the report was due on the 16th"


def test_r15_the_same_file_twice_asks_nobody_again(small: SmallWorld, tmp_path: Path) -> None:
    small.register(1)
    decide(small, tmp_path, {1: "合格"})
    again = decide(small, tmp_path, {1: "合格"})
    assert (again.moved, again.unchanged) == ({}, 1)


def test_r15_a_holder_says_once_what_is_wrong_and_is_answered(small: SmallWorld, refusal: Refusal) -> None:
    (registration,) = small.register(1)
    with small.context.database.read() as session:
        person = session.scalars(select(Registration.person_id)).one()
    holder = Holder(person, "csrf")
    ctx = small.context
    number = file_objection(ctx, holder, registration, "photo", "照片不是本人近照，请更换。")
    twice = lambda: file_objection(ctx, holder, registration, "photo", "照片不是本人近照，请更换。")  # noqa: E731
    assert refusal(twice)[0] == "objection-open"
    answer_objection(ctx, BODY, number, accepted=True, answer="属实，已转办。")
    assert [row.answer for row in objections_of(ctx, holder)] == ["属实，已转办。"]
    CLAUSE.require(ctx, "data.object", "data.answer")


def test_r15_a_random_sample_can_be_drawn_again_by_anybody(small: SmallWorld, refusal: Refusal) -> None:
    small.register(20)
    ctx, sitting = small.context, small.sitting
    assert refusal(lambda: sampling.draw_sample(ctx, SUPERVISOR, sitting))[0] == "no-seed"
    seed = sampling.fix_seed(ctx, SUPERVISOR, sitting, 150).seed
    sampling.draw_sample(ctx, SUPERVISOR, sitting)
    everybody = [admission_no(number) for number in range(1, 21)]
    picked = {check.admission_no for check in sampling.list_checks(ctx, BODY, sitting)}
    assert picked == set(drawn(seed, everybody, 150)) and len(picked) == sample_size(20, 150) == 3
    assert list_digest(everybody) == list_digest(reversed(everybody))
    CLAUSE.require(ctx, "sampling.fix", "sampling.draw")


def test_r15_one_person_may_be_looked_at_for_a_reason_and_the_result_is_kept(
    small: SmallWorld, refusal: Refusal
) -> None:
    small.register(2)
    ctx, sitting = small.context, small.sitting
    check = sampling.target_check(ctx, SUPERVISOR, sitting, admission_no(1), "工作年限存疑")
    twice = lambda: sampling.target_check(ctx, SUPERVISOR, sitting, admission_no(1), "再查")  # noqa: E731
    assert refusal(twice)[1] == "R15", "nobody is asked for the same twice"
    sampling.record_result(ctx, BODY, check, "in-order", "社保记录相符")
    again = lambda: sampling.record_result(ctx, BODY, check, "in-order", "社保记录相符")  # noqa: E731
    assert refusal(again)[0] == "result-recorded"
    CLAUSE.require(ctx, "sampling.target", "sampling.result")


def test_r15_what_a_register_or_a_paper_proved_once_is_not_asked_again(facts: FactsWorld) -> None:
    by_data, by_paper = facts.declare(2)
    facts.compare([*agreeing([1]), answer(2, 学历="大专", 所学专业="土木工程", 工作年限="6")])
    person = facts.person(by_paper)
    actor = Holder(person, "csrf").actor
    paper = materials.hand_in(facts.ctx, person, actor, by_paper, "education-certificate", "证书.pdf", a_pdf(1))
    materials.judge(facts.ctx, BODY, paper, accepted=True)
    later = {number: facts.again(number, "EJJZ-2026-1") for number in (by_data, by_paper)}
    move_to(facts, date(2026, 9, 10))
    assert whys(facts, later[by_data]) == ["known-compared"] * 3
    assert whys(facts, later[by_paper]) == ["known-material", "known-compared", "known-compared"]


def whys(world: FactsWorld, number: int) -> list[str]:
    with world.context.database.read() as session:
        facts = facts_of(session, session.get_one(Registration, number), world.context.clock.today())
    assert facts.asked == (), "nothing is asked at all"
    return [each.judgement.why.value for each in facts.items]
