"""The figures of a sitting: the funnel from passing to a certificate that counts, and why registrations fell."""

from issuer.invalidation import service as invalidation
from issuer.review.figures import sitting_figures
from issuer.rules.terms import InvalidationGround, Role
from tests.factories.office import Office
from tests.factories.small_world import staff
from tests.factories.world import APPROVER, AUDITOR, PROPOSER

GROUND = InvalidationGround.INELIGIBLE_IN_SUPERVISION


def counts(office: Office, actor: object = AUDITOR) -> list[int]:
    figures = sitting_figures(office.world.ctx, actor, office.world.sitting)  # type: ignore[arg-type]
    return [step.count for step in figures.funnel]


def test_each_step_counts_who_came_so_far_and_a_fall_is_seen_with_its_ground(office: Office) -> None:
    ctx, everybody = office.world.ctx, len(office.world.people)
    assert counts(office) == [everybody] * 4
    number = office.world.certificates()[0].management_no
    case = invalidation.propose(ctx, PROPOSER, number, GROUND, "示例依据")
    invalidation.approve(ctx, APPROVER, case)
    figures = sitting_figures(ctx, AUDITOR, office.world.sitting)
    assert [step.count for step in figures.funnel] == [everybody, everybody, everybody, everybody - 1]
    assert figures.fallen == ((GROUND.value, 1),)
    page = office.desk("auditor").get(f"/console/sittings/{office.world.sitting}").text
    assert f'aria-label="现行有效 {everybody - 1}"' in page
    assert "认定无效的事由" in page


def test_a_city_office_sees_the_figures_of_its_city(office: Office) -> None:
    world = office.world
    city = world.people[0].city
    actor = staff(
        "city", Role.REVIEW_BODY, programmes=frozenset({world.sitting.split("-")[0]}), cities=frozenset({city})
    )
    assert counts(office, actor) == [sum(person.city == city for person in world.people)] * 4
