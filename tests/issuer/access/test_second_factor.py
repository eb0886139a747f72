"""The second factor: codes are spent once, guesses are counted with wrong passwords, nothing half-done opens."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread

import pyotp
import pytest
from sqlalchemy import select, text

from issuer.access import second_factor, service, sign_in
from issuer.clock import SHANGHAI
from issuer.errors import ConflictError, NotAllowedError
from issuer.migrations.runner import migrate
from issuer.records.access import RecoveryCode, StaffSession
from issuer.records.database import Database, make_engine
from issuer.records.encryption import DataKey, use_data_key
from issuer.records.ledger import AuditEvent
from issuer.rules.terms import Role
from tests.factories.one_time_codes import telling_secret
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)

PASSWORD = "correct horse battery"


@dataclass
class Watch:
    """A clock that stands until it is set on."""

    moment: datetime = datetime(2026, 1, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def today(self) -> date:
        return self.moment.astimezone(SHANGHAI).date()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Watch:
    clock = Watch()
    secret = telling_secret(clock.now())
    monkeypatch.setattr(pyotp, "random_base32", lambda: secret)
    return clock


@pytest.fixture
def database(tmp_path: Path, clock: Watch) -> Iterator[Database]:
    database = prepared(f"sqlite:///{tmp_path / 'issuer.sqlite3'}", clock)
    yield database
    database.engine.dispose()


def prepared(url: str, clock: Watch) -> Database:
    """A migrated database with one account."""
    use_data_key(DataKey(bytes(range(32))))
    database = Database(make_engine(url))
    migrate(database.engine, "issuer")
    with database.write() as session:
        service.create_account(
            session, clock, username="wang", display_name="王", password=PASSWORD, roles=[Role.AUTHORITY_ISSUER]
        )
    return database


def enrolled(database: Database, clock: Watch) -> tuple[pyotp.TOTP, list[str]]:
    """The app of an account that has set it up, and its recovery codes."""
    with database.write() as session:
        app = pyotp.TOTP(second_factor.begin(session, clock, "wang"))
        codes = second_factor.confirm(session, clock, "wang", app.at(clock.now()))
    assert codes is not None
    return app, codes


def later(clock: Watch, seconds: int = 60) -> None:
    clock.moment += timedelta(seconds=seconds)


def refused(database: Database, clock: Watch, secret: str, code: str) -> str:
    with pytest.raises(NotAllowedError) as refusal:
        sign_in.finish(database, clock, secret, code)
    return refusal.value.code


def test_a_password_alone_opens_nothing_once_an_app_is_set_up(database: Database, clock: Watch) -> None:
    app, _ = enrolled(database, clock)
    later(clock)
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    assert half.waits_for == "code"
    with database.read() as session:
        assert service.session_of(session, clock, half.secret) is None
        assert session.scalars(select(StaffSession)).all() == []
    whole = sign_in.finish(database, clock, half.secret, app.at(clock.now()))
    assert whole.waits_for is None and whole.secret != half.secret
    with database.read() as session:
        found = service.session_of(session, clock, whole.secret)
        assert found is not None and found[1] == whole.csrf
    assert refused(database, clock, half.secret, app.at(clock.now())) == "sign-in-ended"


def test_a_code_is_accepted_once_and_older_ones_never_again(database: Database, clock: Watch) -> None:
    app, _ = enrolled(database, clock)
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    assert refused(database, clock, half.secret, app.at(clock.now())) == "code-not-accepted", "spent at set-up"
    later(clock)
    now = clock.now()
    sign_in.finish(database, clock, half.secret, app.at(now))
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    for earlier in (0, 30):
        code = app.at(now - timedelta(seconds=earlier))
        assert refused(database, clock, half.secret, code) == "code-not-accepted"
    sign_in.finish(database, clock, half.secret, app.at(now + timedelta(seconds=30)))  # a fast clock's code


def test_a_recovery_code_opens_once_however_it_is_typed(database: Database, clock: Watch) -> None:
    _, codes = enrolled(database, clock)
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    sign_in.finish(database, clock, half.secret, codes[3].lower().replace("-", " "))
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    assert refused(database, clock, half.secret, codes[3]) == "code-not-accepted"
    with database.read() as session:
        assert second_factor.codes_left(session, "wang") == second_factor.RECOVERY_CODES - 1
        assert not {row.code_sha256 for row in session.scalars(select(RecoveryCode))} & set(codes)


def test_wrong_codes_and_wrong_passwords_count_together(database: Database, clock: Watch) -> None:
    app, _ = enrolled(database, clock)
    later(clock)
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    for _ in range(3):
        assert refused(database, clock, half.secret, "000 000") == "code-not-accepted"
        half = sign_in.sign_in(database, clock, "wang", PASSWORD)  # a known password sets nothing back
    for _ in range(2):
        with pytest.raises(NotAllowedError):
            sign_in.sign_in(database, clock, "wang", "wrong password!")
    assert refused(database, clock, half.secret, app.at(clock.now())) == "account-locked"
    later(clock, 61)
    assert sign_in.finish(database, clock, half.secret, app.at(clock.now())).username == "wang"


def test_a_waiting_sign_in_ends(database: Database, clock: Watch) -> None:
    app, _ = enrolled(database, clock)
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    later(clock, sign_in.WAITING_MINUTES * 60)
    assert refused(database, clock, half.secret, app.at(clock.now())) == "sign-in-ended"


def test_where_it_is_required_nobody_enters_without_setting_it_up(database: Database, clock: Watch) -> None:
    half = sign_in.sign_in(database, clock, "wang", PASSWORD, "required")
    assert half.waits_for == "enrol"
    assert refused(database, clock, half.secret, "123456") == "code-not-accepted"
    username, key = sign_in.begin_enrolment(database, clock, half.secret)
    assert sign_in.begin_enrolment(database, clock, half.secret) == (username, key), "reloading keeps the secret"
    whole = sign_in.enrol_and_finish(database, clock, half.secret, pyotp.TOTP(key).at(clock.now()))
    assert len(whole.recovery_codes) == second_factor.RECOVERY_CODES
    with database.read() as session:
        assert service.session_of(session, clock, whole.secret) is not None
    assert sign_in.sign_in(database, clock, "wang", PASSWORD, "required").waits_for == "code"
    assert sign_in.sign_in(database, clock, "wang", PASSWORD, "off").waits_for is None


def test_an_app_in_use_is_not_replaced_by_a_half_sign_in(database: Database, clock: Watch) -> None:
    enrolled(database, clock)
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    with pytest.raises(ConflictError):
        sign_in.begin_enrolment(database, clock, half.secret)
    with pytest.raises(NotAllowedError):
        sign_in.enrol_and_finish(database, clock, half.secret, "123456")


def test_the_secret_rests_encrypted(database: Database, clock: Watch) -> None:
    app, _ = enrolled(database, clock)
    with database.read() as session:
        stored = session.execute(text("SELECT secret FROM staff_second_factors")).scalar_one()
    assert app.secret.encode() not in stored and stored[:1] == b"\x01"


def test_the_trail_has_every_sign_in_and_refusal_and_nothing_typed(database: Database, clock: Watch) -> None:
    app, codes = enrolled(database, clock)
    with pytest.raises(NotAllowedError):
        sign_in.sign_in(database, clock, "my-password-in-the-wrong-field", PASSWORD)
    with pytest.raises(NotAllowedError):
        sign_in.sign_in(database, clock, "wang", "wrong password!")
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    refused(database, clock, half.secret, "000000")
    sign_in.finish(database, clock, half.secret, codes[0])
    with database.read() as session:
        events = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
    told = [(event.actor, event.subject, event.outcome, event.details.get("factor")) for event in events]
    assert told == [
        ("anonymous", "staff:unknown", "refused", None),
        ("anonymous", "staff:wang", "refused", None),
        ("anonymous", "staff:wang", "refused", None),
        ("wang", "staff:wang", "done", "recovery"),
    ]
    trail = str([(event.details, event.subject) for event in events])
    for typed in ("wrong", PASSWORD, "000000", codes[0], app.secret):
        assert typed not in trail


def test_on_postgresql_one_code_sent_twice_at_once_opens_once(
    postgres_url: str,  # noqa: F811
    clock: Watch,
) -> None:
    database = prepared(postgres_url, clock)
    app, _ = enrolled(database, clock)
    later(clock)
    halves = [sign_in.sign_in(database, clock, "wang", PASSWORD) for _ in range(4)]
    opened: list[str] = []

    def send(secret: str) -> None:
        try:
            opened.append(sign_in.finish(database, clock, secret, app.at(clock.now())).secret)
        except NotAllowedError:
            return

    threads = [Thread(target=send, args=(half.secret,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1
    database.engine.dispose()
