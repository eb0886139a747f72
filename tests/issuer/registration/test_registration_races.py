"""Many hands at once, on both databases: one promise, one paper, one answer of a register; and nothing lost."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from issuer.errors import ConflictError
from issuer.holders.sign_in import Holder
from issuer.records.database import make_engine
from issuer.records.people import Registration
from issuer.records.registration import CommitmentAcceptance, ComparisonResultRow, ComparisonRun, Material
from issuer.records.reviews import EligibilityReview
from issuer.registration import commitments, materials
from issuer.registration.report import compare_file
from issuer.registration.view import facts_of
from issuer.review.moves import Step, move_reviews
from issuer.review.sitting import open_sitting
from issuer.rules.review import ReviewAction
from tests.factories.registration_facts import (
    BODY,
    ISSUER,
    TEXT,
    FactsWorld,
    a_picture,
    agreeing,
    answer,
    facts_world,
    source_csv,
)
from tests.factories.small_world import race
from tests.services.postgres import postgres_url  # noqa: F401 - a fixture

HANDS = 4


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> FactsWorld:
    url = f"sqlite:///{tmp_path / 'issuer.sqlite3'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    return facts_world(make_engine(url), tmp_path)


def test_one_of_each_whatever_the_hands(world: FactsWorld) -> None:
    first, second = world.declare(2)
    ctx, person = world.ctx, world.person(first)
    actor = Holder(person, "csrf").actor
    day = ctx.clock.today()
    text = commitments.publish_text(ctx, ISSUER, world.programme, version="1", in_force_from=day, **TEXT)
    file = source_csv(
        world.folder / "r.csv", [answer(1, 学历="大专", 所学专业="土木工程", 工作年限="6"), *agreeing([2])]
    )
    compared = race(*[lambda: compare_file(ctx, ISSUER, world.sitting, "education", file)] * HANDS)
    assert Counter(each.comparison.run_id for each in compared) == {1: 1, None: HANDS - 1}  # type: ignore[attr-defined]
    promise = lambda: commitments.accept(ctx, person, actor, first, text.version, text.digest)  # noqa: E731
    assert race(*[promise] * HANDS) == [None] * HANDS
    paper = a_picture()
    give = lambda: materials.hand_in(ctx, person, actor, first, "education-certificate", "a.jpg", paper)  # noqa: E731
    assert len(set(race(*[give] * HANDS))) == 1
    with ctx.database.read() as session:
        assert session.scalar(select(func.count(CommitmentAcceptance.id))) == 1
        assert session.scalar(select(func.count(Material.id))) == 1
        assert session.scalar(select(func.count(ComparisonRun.id))) == 1
        assert session.scalar(select(func.count(ComparisonResultRow.id))) == 6
    judged = race(*[lambda: materials.judge(ctx, BODY, 1, accepted=True)] * HANDS)
    assert Counter(type(each) for each in judged) == {int: 1, ConflictError: HANDS - 1}
    world.compare([answer(1, 学历="本科")], version="later")
    with ctx.database.read() as session:
        row = session.get_one(Registration, first)
        facts = facts_of(session, row, day)
    assert facts.missing == ()
    assert [each.judgement.why for each in facts.items][:1] == ["compared"]
    assert second


def test_a_paper_handed_in_while_the_review_is_decided(world: FactsWorld) -> None:
    """Whoever is first: nobody is found eligible with the paper missing, none stays undecided beside a finding."""
    (number,) = world.declare(1)
    world.compare([answer(1, 学历="大专", 所学专业="土木工程", 工作年限="6")])
    ctx, person = world.ctx, world.person(number)
    actor = Holder(person, "csrf").actor

    def decide() -> object:
        with ctx.database.write() as session:
            sitting = open_sitting(session, BODY, world.sitting)
            return move_reviews(session, ctx.clock, BODY, sitting, [Step(number, ReviewAction.FIND_ELIGIBLE)])

    given, moved = race(
        lambda: materials.hand_in(ctx, person, actor, number, "education-certificate", "a.jpg", a_picture()), decide
    )
    assert isinstance(given, int)
    with ctx.database.read() as session:
        state = session.get_one(Material, given).state
    assert state == ("accepted" if moved.moved else "given")  # type: ignore[attr-defined]


def test_on_postgresql_a_paper_and_a_decision_do_not_wait_for_each_other(
    tmp_path: Path,
    postgres_url: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The paper has the registration and waits for the review; the decision has the review and records its event."""
    world = facts_world(make_engine(postgres_url), tmp_path)
    (number,) = world.declare(1)
    world.compare([answer(1, 学历="大专", 所学专业="土木工程", 工作年限="6")])
    ctx, person = world.ctx, world.person(number)
    registration_held, review_held, real = threading.Event(), threading.Event(), materials._proves

    def proves(*asked: Any) -> Any:
        registration_held.set()
        assert review_held.wait(120)
        return real(*asked)

    def give() -> object:
        actor = Holder(person, "csrf").actor
        return materials.hand_in(ctx, person, actor, number, "education-certificate", "a.jpg", a_picture())

    def decide() -> object:
        with ctx.database.write() as session:
            session.get_one(EligibilityReview, number, with_for_update=True)
            review_held.set()
            assert registration_held.wait(120)
            sitting = open_sitting(session, BODY, world.sitting)
            step = Step(number, ReviewAction.FIND_INELIGIBLE, "education-not-met")
            return move_reviews(session, ctx.clock, BODY, sitting, [step])

    monkeypatch.setattr(materials, "_proves", proves)
    given, moved = race(give, decide)
    assert list(moved.moved) == [number], moved  # type: ignore[attr-defined]
    assert isinstance(given, int | ConflictError), given
