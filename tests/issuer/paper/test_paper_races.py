"""R14 under pressure: fifty requests race with the making of an e-certificate on one holding; never both."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from issuer.audit import verify_chain
from issuer.errors import ConflictError, ECertificateAlreadyIssued
from issuer.paper.service import request_replacement
from issuer.records.certificates import Holding
from issuer.records.database import make_engine
from issuer.records.holdings import lock_holding, qualification_key
from issuer.records.paper import PaperReplacementRequest
from issuer.records.people import Registration
from issuer.rules.terms import Medium, ReviewOutcome, Role
from tests.factories.small_world import SmallContext, SmallWorld, race, small_context, staff
from tests.services.postgres import postgres_url  # noqa: F401 - a fixture

CLERK = staff("clerk", Role.AUTHORITY_ISSUER)
REQUESTS = 50


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> SmallWorld:
    url = (
        f"sqlite:///{tmp_path / 'issuer.sqlite3'}"
        if request.param == "sqlite"
        else str(request.getfixturevalue("postgres_url"))
    )
    # Only a paper programme can accept a request at all, so that is where the door must hold.
    return SmallWorld(small_context(make_engine(url), tmp_path)).build(medium=Medium.PAPER)


def intend(context: SmallContext, registration_id: int, sitting: str) -> str:
    """What issuing does before any key is used: under the holding's lock, unless paper is under way."""
    with context.database.write() as session:
        registration = session.get_one(Registration, registration_id)
        key = qualification_key("EJJZ", registration.level, registration.specialty, sitting)
        holding = lock_holding(session, registration.person_id, key)
        if holding.paper_replacement_open:
            return "refused"
        holding.e_certificate_made_at = context.clock.now()
        return "made"


@pytest.mark.parametrize("issue_at", [0, 25])
def test_never_a_paper_replacement_beside_an_e_certificate(world: SmallWorld, issue_at: int) -> None:
    context = world.context
    (registration,) = world.register(1, outcome=ReviewOutcome.ELIGIBLE)
    with context.database.write() as session:  # the row is there already, so only its lock can help
        person = session.get_one(Registration, registration).person_id
        lock_holding(session, person, qualification_key("EJJZ", "二级", "建筑工程", world.sitting))
    acts = [
        lambda: request_replacement(context, CLERK, registration_id=registration, reason="证书遗失")
        for _ in range(REQUESTS)
    ]
    results = race(*acts[:issue_at], lambda: intend(context, registration, world.sitting), *acts[issue_at:])
    issued = results.pop(issue_at)
    accepted = [result for result in results if not isinstance(result, Exception)]
    refused = [result for result in results if isinstance(result, ConflictError)]
    assert len(accepted) + len(refused) == REQUESTS, results
    with context.database.write() as session:
        holding = session.scalars(select(Holding)).one()
        made = holding.e_certificate_made_at is not None
        states = dict(
            session.execute(
                select(PaperReplacementRequest.state, func.count()).group_by(PaperReplacementRequest.state)
            ).all()
        )
        assert verify_chain(session).intact
    assert made == (issued == "made") == (len(accepted) == 0)
    assert holding.paper_replacement_open == (len(accepted) == 1) == (not made)
    assert states.get("refused", 0) == len(refused) and states.get("accepted", 0) == len(accepted)
    if made:
        assert all(isinstance(result, ECertificateAlreadyIssued) for result in refused)
        assert {result.clause for result in refused} == {"R14"}
