"""R2, 一（二）¶2: registration runs on notice and commitment; what each candidate promised is kept with the row."""

from datetime import date, datetime

import pytest
from sqlalchemy import select

from issuer.clock import SHANGHAI
from issuer.errors import ConflictError
from issuer.holders.sign_in import Holder
from issuer.records.people import Registration
from issuer.records.registration import CommitmentAcceptance
from issuer.registration import commitments
from issuer.registration.view import facts_of
from issuer.roster.vocabulary import BASES
from issuer.rules.commitment import CommitmentStanding, commitment_standing, require_new_text, require_text_in_force
from issuer.rules.materials import judge_item
from issuer.rules.terms import ApplicationBasis
from tests.factories.registration_facts import ISSUER, TEXT, FactsWorld
from tests.factories.roster_files import HEADS, invent, write_csv, write_roster
from tests.issuer.roster.conftest import RosterWorld, codes
from tests.regulation.clause import Clause

CLAUSE = Clause(
    "R2",
    "一（二）¶2",
    (
        "推行专业技术人员职业资格考试报名证明事项告知承诺制(简称“告知承诺制”);"
        "省人力资源社会保障厅与相关行业行政管理部门共同组织的省级专业技术人员职业资格考试参照执行。",
    ),
    rules=(ApplicationBasis, commitment_standing, require_text_in_force, require_new_text, judge_item),
    screens=(
        "/my/registrations/{registration_id}/commitment",
        "/console/registrations/{code}/texts",
        "/console/sittings/{code}/roster",
        "/api/v1/registrations/texts/{programme}",
        "/api/v1/rosters",
    ),
    commands=("registration publish-text", "registration texts", "roster import"),
    events={
        "roster.import": "R5",
        "commitment.publish": "R2",
        "commitment.accept": "R2",
        "commitment.withdraw": "R2",
    },
    more_tests=(
        "tests/issuer/rules/test_r2_commitment.py",
        "tests/issuer/registration/test_commitments.py",
        "tests/issuer/registration/test_from_roster.py",
    ),
)


def test_r02_the_basis_of_each_application_is_kept(roster_world: RosterWorld) -> None:
    first, second, third = invent(3)
    people = [first.but(basis="告知承诺"), second.but(basis="材料审核"), third.but(basis="")]
    files = write_roster(roster_world.folder / "in", people)
    report = roster_world.take(files.xlsx, files.photos_zip)
    assert codes(report) == {}
    kept = {number: row.basis for number, row in roster_world.registrations().items()}
    assert kept == {
        first.admission_no: ApplicationBasis.COMMITMENT,
        second.admission_no: ApplicationBasis.EVIDENCE,
        third.admission_no: ApplicationBasis.COMMITMENT,
    }, "commitment is the rule, so an empty cell means it"
    CLAUSE.require(roster_world, "roster.import")


def test_r02_an_unknown_basis_keeps_the_row_out(roster_world: RosterWorld) -> None:
    (person,) = invent(1)
    file = write_csv(roster_world.folder / "r.csv", [list(HEADS), person.but(basis="口头保证").cells()])
    assert codes(roster_world.take(file)) == {2: {"basis_unknown"}}
    assert roster_world.registrations() == {}
    assert set(BASES.values()) == set(ApplicationBasis)


def test_r02_the_version_the_day_and_the_way_of_acceptance_are_kept(roster_world: RosterWorld) -> None:
    (person,) = invent(1)
    heads = [*HEADS, "承诺书版本", "承诺时间"]
    file = write_csv(roster_world.folder / "r.csv", [heads, [*person.cells(), "2025-1", "2025-03-02 09:30"]])
    assert codes(roster_world.take(file)) == {}
    with roster_world.database.read() as session:
        kept = session.scalars(select(CommitmentAcceptance)).one()
    assert (kept.version, kept.channel, kept.own) == ("2025-1", "registration", True)
    assert kept.accepted_at == datetime(2025, 3, 2, 9, 30, tzinfo=SHANGHAI)


def test_r02_only_the_text_in_force_that_day_counts_and_it_may_be_taken_back(facts: FactsWorld) -> None:
    (number,) = facts.register(1)
    ctx, person = facts.context, facts.person(number)
    holder = Holder(person, "csrf").actor
    text = commitments.publish_text(
        ctx, ISSUER, facts.programme, version="2025-1", in_force_from=date(2025, 9, 1), **TEXT
    )
    with pytest.raises(ConflictError) as refused:
        commitments.accept(ctx, person, holder, number, "2024-1", text.digest)
    assert refused.value.clause == "R2"
    commitments.accept(ctx, person, holder, number, text.version, text.digest)
    assert standing(facts, number) is CommitmentStanding.STANDS
    with pytest.raises(ConflictError) as rewritten:
        commitments.publish_text(
            ctx, ISSUER, facts.programme, version="2025-2", in_force_from=date(2025, 9, 5), **TEXT
        )
    assert rewritten.value.clause == "R2", "a new text reaches back to no promise"
    commitments.withdraw(ctx, person, holder, number)
    assert standing(facts, number) is CommitmentStanding.WITHDRAWN
    CLAUSE.require(ctx, "commitment.publish", "commitment.accept", "commitment.withdraw")


def test_r02_without_a_commitment_that_counts_materials_are_asked_where_the_policy_says_so(
    facts: FactsWorld,
) -> None:
    (number,) = facts.declare(1)
    assert asked(facts, number) == []
    facts.policy(comparison_items=["education"], commitment_required=True)
    assert asked(facts, number) == ["education-certificate"]


def standing(world: FactsWorld, number: int) -> CommitmentStanding:
    with world.context.database.read() as session:
        return facts_of(session, session.get_one(Registration, number), world.context.clock.today()).commitment


def asked(world: FactsWorld, number: int) -> list[str]:
    with world.context.database.read() as session:
        facts = facts_of(session, session.get_one(Registration, number), world.context.clock.today())
    return [each.kind.value for each in facts.missing]
