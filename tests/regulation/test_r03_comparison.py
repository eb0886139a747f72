"""R3, 一（二）¶3: facts are compared before they count; who cannot be compared hands in materials."""

import pytest

from issuer.errors import ConflictError
from issuer.holders.sign_in import Holder
from issuer.records.people import Registration
from issuer.registration import materials
from issuer.registration.view import RegistrationFacts, facts_of
from issuer.review.moves import Moves, Step, move_reviews
from issuer.review.sitting import open_sitting
from issuer.rules.comparison import ComparisonOutcome, FactItem, compare, standing_result
from issuer.rules.identity import parse_identity
from issuer.rules.materials import asked_materials, judge_item, material_due_on, require_complete, require_upload_open
from issuer.rules.names import require_printable_name
from issuer.rules.review import ReviewAction
from issuer.rules.terms import ApplicationBasis, IdType
from issuer.rules.violation import RuleViolation
from tests.factories.registration_facts import BODY, FactsWorld, a_pdf, agreeing, answer
from tests.factories.roster_files import HEADS, RARE_NAMES, invent, write_csv
from tests.issuer.roster.conftest import RosterWorld, codes
from tests.regulation.clause import Clause

CLAUSE = Clause(
    "R3",
    "一（二）¶3",
    (
        "由网上报名系统自动对考生填报的学历信息、所学专业、工作年限等在线比对。"
        "对于无法通过在线比对或不符合告知承诺制要求等情形,考生须按网报系统提示,如实上传相关证明材料。",
    ),
    rules=(
        compare,
        standing_result,
        judge_item,
        asked_materials,
        material_due_on,
        require_upload_open,
        require_complete,
        parse_identity,
        require_printable_name,
    ),
    screens=(
        "/my/registrations/{registration_id}",
        "/console/registrations/{code}/comparisons",
        "/console/work/{kind}/{case_id}",
        "/console/materials/{material_id}",
        "/console/sittings/{code}/roster",
        "/my/registrations/{registration_id}/materials",
        "/api/v1/registrations/comparisons",
        "/api/v1/registrations/{registration_id}",
        "/api/v1/rosters",
    ),
    commands=("registration compare", "registration status", "registration show", "roster import"),
    events={
        "roster.import": "R5",
        "registration.compare": "R3",
        "material.give": "R3",
        "material.decline": "R3",
        "material.accept": "R3",
        "material.withdraw": "R3",
        "material.look": None,
    },
    more_tests=(
        "tests/issuer/rules/test_r3_identity.py",
        "tests/issuer/rules/test_r3_names.py",
        "tests/issuer/rules/test_r3_comparison.py",
        "tests/issuer/rules/test_r3_materials.py",
        "tests/issuer/registration/test_comparing.py",
        "tests/issuer/registration/test_materials.py",
        "tests/issuer/registration/test_faces.py",
        "tests/issuer/roster/test_roster_traps.py",
    ),
)


def test_r03_who_somebody_is_must_agree_with_their_own_number(roster_world: RosterWorld) -> None:
    good, wrong_digit, wrong_birth = invent(3)
    last = "0" if wrong_digit.id_no[-1] != "0" else "1"
    rows = [
        good.but(basis="材料审核"),
        wrong_digit.but(id_no=wrong_digit.id_no[:-1] + last),
        wrong_birth.but(birth_date="1950-01-01"),
    ]
    file = write_csv(roster_world.folder / "r.csv", [list(HEADS), *(row.cells() for row in rows)])
    report = roster_world.take(file)
    assert set(codes(report)) == {3, 4}
    assert {finding.clause for finding in report.findings if finding.level == "error" and finding.row == 3} == {"R3"}
    (kept,) = roster_world.registrations().values()
    assert kept.basis == ApplicationBasis.EVIDENCE
    CLAUSE.require(roster_world, "roster.import")


def test_r03_a_number_that_is_none_is_refused_citing_the_clause(roster_world: RosterWorld) -> None:
    with pytest.raises(RuleViolation) as refused:
        parse_identity(IdType.RESIDENT_ID, "990102199001011234", roster_world.clock.today())
    assert refused.value.clause == "R3"


def test_r03_the_name_as_registered_can_be_printed_or_is_refused() -> None:
    for name in RARE_NAMES:
        require_printable_name(name)
    with pytest.raises(RuleViolation) as refused:
        require_printable_name("王\ue000明")
    assert refused.value.clause == "R3"


def test_r03_each_item_is_compared_and_what_is_not_confirmed_is_asked_for(facts: FactsWorld) -> None:
    first, second = facts.declare(2)
    facts.compare([*agreeing([1]), answer(2, 学历="大专", 所学专业="土木工程", 工作年限="")])
    assert [each.judgement.state for each in shown(facts, first).items] == ["settled"] * 3
    found = {each.item: each.answers[0].outcome for each in shown(facts, second).items}
    assert found == {
        FactItem.EDUCATION: ComparisonOutcome.DIFFERS,
        FactItem.MAJOR: ComparisonOutcome.MATCH,
        FactItem.YEARS: ComparisonOutcome.NOT_FOUND,
    }
    assert [each.kind for each in shown(facts, second).missing] == ["education-certificate", "employment-proof"]
    CLAUSE.require(facts.context, "registration.compare")


def test_r03_who_handed_in_what_was_asked_is_reviewed_on_it(facts: FactsWorld) -> None:
    (number,) = facts.declare(1)
    facts.compare([answer(1, 学历="大专", 所学专业="土木工程", 工作年限="6")])
    refused = find_eligible(facts, number).refused[number]
    assert (refused.code, refused.clause) == ("materials-open", "R3")
    person = facts.person(number)
    actor = Holder(person, "csrf").actor

    def hand_in(name: str, pages: int) -> int:
        return materials.hand_in(facts.ctx, person, actor, number, "education-certificate", name, a_pdf(pages))

    materials.take_back(facts.ctx, person, actor, hand_in("错.pdf", 3))
    first = hand_in("证书.pdf", 1)
    materials.look(facts.ctx, BODY, first, 1)
    materials.judge(facts.ctx, BODY, first, accepted=False, note="缺少第二页，请重新提交。")
    hand_in("证书.pdf", 2)
    assert set(find_eligible(facts, number).moved) == {number}
    CLAUSE.require(
        facts.context, "material.give", "material.withdraw", "material.look", "material.decline", "material.accept"
    )


def test_r03_without_commitment_everything_no_register_confirms_is_proved_by_materials(facts: FactsWorld) -> None:
    (number,) = facts.declare(1)
    with facts.context.database.write() as session:
        session.get_one(Registration, number).basis = ApplicationBasis.EVIDENCE
    facts.compare([answer(1, 工作年限="8")])
    assert [each.kind for each in shown(facts, number).missing] == ["education-certificate"]


def test_r03_who_is_not_asked_cannot_be_made_to_hand_in(facts: FactsWorld) -> None:
    (number,) = facts.declare(1)
    facts.compare(agreeing([1]))
    person = facts.person(number)
    with pytest.raises(ConflictError) as refused:
        materials.hand_in(facts.ctx, person, Holder(person, "c").actor, number, "employment-proof", "x.pdf", a_pdf(1))
    assert refused.value.clause == "R15"


def shown(world: FactsWorld, number: int) -> RegistrationFacts:
    with world.context.database.read() as session:
        return facts_of(session, session.get_one(Registration, number), world.context.clock.today())


def find_eligible(world: FactsWorld, number: int) -> Moves:
    with world.context.database.write() as session:
        sitting = open_sitting(session, BODY, world.sitting)
        step = Step(number, ReviewAction.FIND_ELIGIBLE)
        return move_reviews(session, world.context.clock, BODY, sitting, [step])
