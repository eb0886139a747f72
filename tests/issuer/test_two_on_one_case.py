"""Two people on one case at the same moment, on both databases: one wins, the other is told, nothing is half-done.

Each pair is tried ten times. Never paper beside an electronic certificate is raced in `paper/test_paper_races.py`,
rejecting and overturning in `invalidation/test_invalidation_races.py`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuer.audit import verify_chain
from issuer.invalidation.service import approve, propose, withdraw
from issuer.paper import handouts, keeping, mail, making
from issuer.paper.handouts import Proof
from issuer.paper.replacing import decide, print_replacement
from issuer.paper.service import close_replacement, request_replacement
from issuer.records.certificates import ECertificate, Holding, Invalidation
from issuer.records.database import make_engine
from issuer.records.paper import PaperBlank, PaperCertificate, PaperReplacementRequest
from issuer.records.people import Person, Registration, Score
from issuer.records.reviews import DefenceStatement, EligibilityReview, Objection
from issuer.review.report import DecisionReport
from issuer.review.service import (
    Candidate,
    apply_decisions,
    decide_defence,
    file_defence,
    raise_objection,
    resolve_objection,
)
from issuer.rules.terms import InvalidationGround, ReviewOutcome, ReviewRound, Role
from tests.factories.paper_office import CLERK, DEPARTMENT, HOME, SECOND, WINDOW_OVER, PaperDesk, paper_desk
from tests.factories.small_world import SmallContext, SmallWorld, admission_no, race, small_context, staff
from tests.factories.two_people import ROUNDS, one_winner
from tests.services.postgres import postgres_url  # noqa: F401 - a fixture

CHIEFS = [staff(f"chief-{number}", Role.AUTHORITY_APPROVER) for number in range(2)]
BODIES = [staff(f"body-{number}", Role.REVIEW_BODY, programmes=frozenset({"EJJZ"})) for number in range(2)]
GROUND = InvalidationGround.INELIGIBLE_IN_SUPERVISION
BASIS = "经核实不符合报考条件"


@pytest.fixture(params=["sqlite", "postgresql"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallContext]:
    """An empty database of either kind, on 10 September 2025."""
    url = f"sqlite:///{tmp_path / 'issuer.sqlite3'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    engine = make_engine(url)
    yield small_context(engine, tmp_path)
    engine.dispose()


@pytest.fixture
def world(context: SmallContext) -> SmallWorld:
    """An electronic programme."""
    return SmallWorld(context).build()


@pytest.fixture
def desk(context: SmallContext) -> PaperDesk:
    """A paper programme with as many eligible people as there are rounds."""
    return paper_desk(context, people=ROUNDS)


def chain_is_whole(context: SmallContext) -> None:
    with context.database.read() as session:
        assert verify_chain(session).intact


def test_approve_and_approve(world: SmallWorld) -> None:
    for registration in world.register(ROUNDS, outcome=ReviewOutcome.ELIGIBLE):
        case = propose(world.context, CLERK, world.certificate(registration), GROUND, BASIS)
        winner = one_winner(*(lambda chief=chief, case=case: approve(world.context, chief, case) for chief in CHIEFS))
        with world.context.database.read() as session:
            assert session.get_one(Invalidation, case).decided_by == CHIEFS[winner].username
    chain_is_whole(world.context)


def test_approve_and_withdraw(world: SmallWorld) -> None:
    ctx = world.context
    for registration in world.register(ROUNDS, outcome=ReviewOutcome.ELIGIBLE):
        number = world.certificate(registration)
        case = propose(ctx, CLERK, number, GROUND, BASIS, suspend=True)
        acts: list[Callable[[], object]] = [
            lambda case=case: approve(ctx, CHIEFS[0], case),
            lambda case=case: withdraw(ctx, CLERK, case, "提议有误，撤回"),
        ]
        fell = one_winner(*acts) == 0
        with ctx.database.read() as session:
            status = session.scalar(select(ECertificate.status).where(ECertificate.management_no == number))
            void = session.get_one(Registration, registration).void_since is not None
            scores = session.scalars(select(Score.void_since).where(Score.registration_id == registration)).all()
            state = session.scalar(select(Invalidation.state).where(Invalidation.id == case))
        assert (status, void, all(day is not None for day in scores), state) == (
            ("invalid", True, True, "applied") if fell else ("valid", False, False, "withdrawn")
        )
    chain_is_whole(ctx)


def test_accept_and_reject_a_defence(world: SmallWorld) -> None:
    ctx = world.context
    ids = world.register(ROUNDS, outcome=ReviewOutcome.INELIGIBLE)
    for registration in ids:
        file_defence(ctx, BODIES[0], world.sitting, Candidate(registration), "从业年限证明已补齐")
        acts = [
            lambda body=body, yes=yes, who=registration: decide_defence(
                ctx, body, world.sitting, Candidate(who), accepted=yes, note="已核"
            )
            for body, yes in zip(BODIES, (True, False), strict=True)
        ]
        accepted = one_winner(*acts) == 0
        with ctx.database.read() as session:
            review = session.get_one(EligibilityReview, registration)
            statement = session.scalars(
                select(DefenceStatement).where(DefenceStatement.registration_id == registration)
            ).one()
        assert (review.round, review.version, statement.accepted) == (ReviewRound.SUPPLEMENTARY, 2, accepted)
        assert (review.outcome == ReviewOutcome.ELIGIBLE) == accepted
    chain_is_whole(ctx)


def test_uphold_and_dismiss_an_objection(world: SmallWorld) -> None:
    ctx = world.context
    for registration in world.register(ROUNDS, outcome=ReviewOutcome.ELIGIBLE):
        number = raise_objection(ctx, CLERK, world.sitting, Candidate(registration), "工作年限不符")
        acts = [
            lambda body=body, yes=yes, number=number: resolve_objection(
                ctx, body, number, upheld=yes, resolution="已核"
            )
            for body, yes in zip(BODIES, (True, False), strict=True)
        ]
        upheld = one_winner(*acts) == 0
        with ctx.database.read() as session:
            assert session.get_one(Objection, number).upheld == upheld
            outcome = session.scalar(
                select(EligibilityReview.outcome).where(EligibilityReview.registration_id == registration)
            )
        assert outcome == (ReviewOutcome.INELIGIBLE if upheld else ReviewOutcome.ELIGIBLE)
    chain_is_whole(ctx)


def test_print_and_print(desk: PaperDesk) -> None:
    """Two clerks print the same sitting: everybody gets one sheet, and no form is spent twice."""
    for _ in range(ROUNDS):
        reports = race(
            *(lambda who=who: making.print_sitting(desk.ctx, who, desk.sitting) for who in (CLERK, SECOND))
        )
        assert not [report for report in reports if isinstance(report, Exception)], reports
        with desk.ctx.database.read() as session:
            live = session.scalars(select(PaperCertificate).where(PaperCertificate.slot == "live")).all()
            used = session.scalar(select(func.count()).where(PaperBlank.state == "used"))
        assert len({sheet.person_id for sheet in live}) == len(live) == used == ROUNDS
    chain_is_whole(desk.ctx)


def test_print_and_find_ineligible(desk: PaperDesk, tmp_path: Path) -> None:
    """Found ineligible while the sheet is printed: there is a sheet and the finding is refused, or neither."""
    ctx = desk.ctx
    desk.printed()
    for number in range(ROUNDS + 1, 2 * ROUNDS):  # one form is left over for whoever would print twice
        (registration,) = desk.world.register(1, outcome=ReviewOutcome.ELIGIBLE)
        file = tmp_path / f"found-{number}.csv"
        file.write_text(f"准考证号,核查结果,原因代码\n{admission_no(number)},不合格,X\n", encoding="utf-8")
        printed, decided = race(
            lambda: making.print_sitting(ctx, CLERK, desk.sitting),
            lambda file=file: apply_decisions(ctx, BODIES[0], desk.sitting, ReviewRound.FIRST, content=file),
        )
        assert isinstance(printed, making.PrintReport) and isinstance(decided, DecisionReport), (printed, decided)
        with ctx.database.read() as session:
            outcome = session.scalar(
                select(EligibilityReview.outcome).where(EligibilityReview.registration_id == registration)
            )
            sheets = session.scalars(
                select(PaperCertificate.slot).where(PaperCertificate.registration_id == registration)
            ).all()
        if sheets:
            assert (outcome, [found.code for found in decided.findings]) == ("eligible", ["certificate-exists"])
        else:
            assert (outcome, decided.moved) == (ReviewOutcome.INELIGIBLE, {"不合格": 1})
            assert (registration, "not-eligible", "R4") in printed.refused
    chain_is_whole(ctx)


def test_replace_and_replace(desk: PaperDesk) -> None:
    ctx = desk.ctx
    desk.printed()
    for registration in desk.registrations:
        acts = [
            lambda who=who, one=registration: request_replacement(
                ctx, who, registration_id=one, reason="证书遗失", kind="lost"
            )
            for who in (CLERK, SECOND)
        ]
        one_winner(*acts)
    with ctx.database.read() as session:
        states = list(session.scalars(select(PaperReplacementRequest.state).order_by(PaperReplacementRequest.id)))
        holdings = session.scalars(select(Holding)).all()
    assert sorted(states) == ["accepted"] * ROUNDS + ["refused"] * ROUNDS
    assert all(holding.paper_replacement_open for holding in holdings)
    chain_is_whole(ctx)


def test_print_a_replacement_and_withdraw_it(desk: PaperDesk) -> None:
    ctx = desk.ctx
    desk.printed()
    for registration in desk.registrations:
        request = request_replacement(ctx, CLERK, registration_id=registration, reason="证书遗失", kind="lost")
        decide(ctx, DEPARTMENT, request, approve=True)
        acts: list[Callable[[], object]] = [
            lambda request=request: print_replacement(ctx, CLERK, request),
            lambda request=request: close_replacement(ctx, SECOND, request, "withdrawn"),
        ]
        printed = one_winner(*acts) == 0
        with ctx.database.read() as session:
            state = session.get_one(PaperReplacementRequest, request).state
            slots = session.scalars(
                select(PaperCertificate.slot)
                .where(PaperCertificate.registration_id == registration)
                .order_by(PaperCertificate.id)
            ).all()
        assert (state, slots) == (("fulfilled", ["ended", "live"]) if printed else ("withdrawn", ["live"]))
    chain_is_whole(ctx)


def test_book_the_mail_and_collect_at_the_counter(desk: PaperDesk) -> None:
    ctx = desk.ctx
    with ctx.database.read() as session:
        ids = {person.id: person.id_no for person in session.scalars(select(Person))}
    for serial in desk.printed():
        holder, person = desk.holder_of(serial)
        code, _ = handouts.make_pickup_code(ctx, holder, serial, person)
        acts: list[Callable[[], object]] = [
            lambda serial=serial, holder=holder, person=person: mail.book(
                ctx, holder, serial, HOME, person_id=person
            ),
            lambda serial=serial, person=person, code=code: handouts.hand_out(
                ctx, CLERK, serial, holder_id_no=ids[person], proof=Proof("code", code=code)
            ),
        ]
        booked = one_winner(*acts) == 0
        assert desk.sheet(serial).state == ("booked" if booked else "collected")
    chain_is_whole(ctx)


def test_put_into_two_boxes(desk: PaperDesk) -> None:
    ctx = desk.ctx
    serials = desk.printed()
    desk.clock.move_to(WINDOW_OVER)
    for serial in serials:
        one_winner(
            *(lambda box=box, serial=serial: keeping.store(ctx, CLERK, box, serial) for box in ("BOX-1", "BOX-2"))
        )
    assert sum(line.certificates for line in keeping.due_list(ctx, CLERK)) == ROUNDS
    chain_is_whole(ctx)
