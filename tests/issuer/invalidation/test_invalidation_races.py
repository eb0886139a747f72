"""Two people acting on one case at the same moment: exactly one wins, on both databases."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuer.audit import verify_chain
from issuer.errors import ConflictError
from issuer.invalidation.service import approve, overturn, propose, reject, withdraw
from issuer.records.certificates import ECertificate, Invalidation, StatusEvent
from issuer.records.database import make_engine
from issuer.records.ledger import OutboxEvent
from issuer.rules.terms import InvalidationGround, ReviewOutcome, Role
from tests.factories.small_world import SmallContext, SmallWorld, race, small_context, staff
from tests.services.postgres import postgres_url  # noqa: F401 - a fixture

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
CHIEFS = [staff(f"chief-{n}", Role.AUTHORITY_APPROVER) for n in range(4)]
BASIS = "经核实不符合报考条件"
R9 = InvalidationGround.INELIGIBLE_IN_SUPERVISION


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> SmallWorld:
    url = (
        f"sqlite:///{tmp_path / 'issuer.sqlite3'}"
        if request.param == "sqlite"
        else str(request.getfixturevalue("postgres_url"))
    )
    return SmallWorld(small_context(make_engine(url), tmp_path, today=date(2025, 11, 20))).build()


def certificate(world: SmallWorld) -> str:
    (registration,) = world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    return world.certificate(registration)


def one_winner(results: list[object]) -> int:
    winners = [index for index, result in enumerate(results) if not isinstance(result, Exception)]
    losers = [result for result in results if isinstance(result, Exception)]
    assert len(winners) == 1, results
    assert all(isinstance(loser, ConflictError) for loser in losers), losers
    return winners[0]


def count_events(context: SmallContext) -> tuple[int, int]:
    with context.database.read() as session:
        assert verify_chain(session).intact
        status = session.scalar(select(func.count()).select_from(StatusEvent)) or 0
        return status, session.scalar(select(func.count()).select_from(OutboxEvent)) or 0


def test_many_approvers_at_once(world: SmallWorld) -> None:
    case = propose(world.context, CLERK, certificate(world), R9, BASIS)
    one_winner(race(*(lambda chief=chief: approve(world.context, chief, case) for chief in CHIEFS)))
    assert count_events(world.context) == (2, 1)


def test_approve_against_withdraw_and_reject(world: SmallWorld) -> None:
    for _ in range(4):
        number = certificate(world)
        case = propose(world.context, CLERK, number, R9, BASIS)
        acts: list[Callable[[], object]] = [
            lambda case=case: approve(world.context, CHIEFS[0], case),
            lambda case=case: withdraw(world.context, CLERK, case, "提议有误，撤回"),
            lambda case=case: reject(world.context, CHIEFS[1], case, "证据不足，不予批准"),
        ]
        winner = one_winner(race(*acts))
        with world.context.database.read() as session:
            status = session.scalar(select(ECertificate.status).where(ECertificate.management_no == number))
            state = session.scalar(select(Invalidation.state).where(Invalidation.id == case))
        assert (status, state) == [("invalid", "applied"), ("valid", "withdrawn"), ("valid", "rejected")][winner]


def test_one_proposal_at_a_time(world: SmallWorld) -> None:
    number = certificate(world)
    clerks = [staff(f"clerk-{n}", Role.AUTHORITY_ISSUER) for n in range(6)]
    one_winner(race(*(lambda clerk=clerk: propose(world.context, clerk, number, R9, BASIS) for clerk in clerks)))


def test_one_reinstatement(world: SmallWorld) -> None:
    number = certificate(world)
    approve(world.context, CHIEFS[0], propose(world.context, CLERK, number, R9, BASIS))
    case = overturn(world.context, CLERK, number, "申诉成立，撤销原决定")
    one_winner(race(*(lambda chief=chief: approve(world.context, chief, case) for chief in CHIEFS[1:])))
    assert count_events(world.context) == (3, 2)
