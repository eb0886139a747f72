"""Accounts, sessions, tokens."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from issuer.access import service, sign_in
from issuer.clock import SimulatedClock
from issuer.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from issuer.migrations.runner import migrate
from issuer.records import access
from issuer.records.database import Database, make_engine
from issuer.rules.terms import Role

PASSWORD = "correct horse battery"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(datetime(2026, 1, 5, 1, tzinfo=UTC))


@pytest.fixture
def database(tmp_path: Path, clock: SimulatedClock) -> Iterator[Database]:
    database = Database(make_engine(f"sqlite:///{tmp_path / 'a.sqlite3'}"))
    migrate(database.engine, "issuer")
    with database.write() as session:
        service.create_account(
            session,
            clock,
            username="approver",
            display_name="复核人",
            password=PASSWORD,
            roles=[Role.AUTHORITY_APPROVER, Role.AUDITOR],
        )
    yield database
    database.engine.dispose()


def test_password_opens_a_session_that_ends(database: Database, clock: SimulatedClock) -> None:
    signed_in = sign_in.sign_in(database, clock, "approver", PASSWORD)
    with database.read() as session:
        found = service.session_of(session, clock, signed_in.secret)
        assert found is not None
        actor, csrf = found
        assert actor.roles == {Role.AUTHORITY_APPROVER, Role.AUDITOR}
        assert csrf == signed_in.csrf
        assert session.get(access.StaffSession, signed_in.secret) is None, "the secret itself is not stored"
        later = SimulatedClock(clock.now() + timedelta(hours=service.SESSION_HOURS, minutes=1))
        assert service.session_of(session, later, signed_in.secret) is None
    with database.write() as session:
        service.sign_out(session, signed_in.secret)
    with database.read() as session:
        assert service.session_of(session, clock, signed_in.secret) is None


def test_unknown_account_and_wrong_password_look_alike(database: Database, clock: SimulatedClock) -> None:
    refusals = []
    for username in ("approver", "nobody"):
        with pytest.raises(NotAllowedError) as refused:
            sign_in.sign_in(database, clock, username, "wrong password!")
        refusals.append((refused.value.code, str(refused.value)))
    assert refusals[0] == refusals[1]


def test_repeated_failures_lock_even_the_right_password(database: Database, clock: SimulatedClock) -> None:
    for _ in range(sign_in.FREE_ATTEMPTS):
        with pytest.raises(NotAllowedError):
            sign_in.sign_in(database, clock, "approver", "wrong password!")
    with pytest.raises(NotAllowedError) as refused:
        sign_in.sign_in(database, clock, "approver", PASSWORD)
    assert refused.value.code == "account-locked"
    later = SimulatedClock(clock.now() + timedelta(minutes=2))
    assert sign_in.sign_in(database, later, "approver", PASSWORD).username == "approver"


def test_closed_account_loses_sessions_and_tokens(database: Database, clock: SimulatedClock) -> None:
    signed_in = sign_in.sign_in(database, clock, "approver", PASSWORD)
    with database.write() as session:
        token = service.issue_api_token(session, clock, username="approver", label="x", days=1)
    with database.write() as session:
        service.set_active(session, "approver", False)
    with database.read() as session:
        assert service.session_of(session, clock, signed_in.secret) is None
        assert service.actor_of_token(session, clock, token) is None
        with pytest.raises(NotAllowedError):
            service.actor_for(session, "approver", "cli")
        with pytest.raises(NotFoundError):
            service.actor_for(session, "nobody", "cli")


def test_token_is_narrowed_expires_and_can_be_revoked(database: Database, clock: SimulatedClock) -> None:
    with database.write() as session:
        token = service.issue_api_token(
            session, clock, username="approver", label="x", days=1, scopes=[Role.AUDITOR, Role.OPERATOR]
        )
    with database.read() as session:
        actor = service.actor_of_token(session, clock, token)
        assert actor is not None
        assert actor.roles == {Role.AUDITOR}, "a scope never widens the account"
        assert service.actor_of_token(session, clock, token + "x") is None
        later = SimulatedClock(clock.now() + timedelta(days=1, minutes=1))
        assert service.actor_of_token(session, later, token) is None
    with database.write() as session:
        assert service.revoke_api_token(session, clock, service.digest(token))
        assert not service.revoke_api_token(session, clock, service.digest(token))
    with database.read() as session:
        assert service.actor_of_token(session, clock, token) is None


def test_account_rules(database: Database, clock: SimulatedClock) -> None:
    def create(**changes: object) -> None:
        values = {"username": "n", "display_name": "n", "password": PASSWORD, "roles": [Role.AUDITOR], **changes}
        with database.write() as session:
            service.create_account(session, clock, **values)  # type: ignore[arg-type]

    with pytest.raises(ConflictError):
        create(username="approver")
    with pytest.raises(InputError):
        create(password="short")
    with pytest.raises(InputError) as refused:
        create(roles=[Role.REVIEW_BODY])
    assert refused.value.clause == "R1"
