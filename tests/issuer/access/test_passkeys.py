"""Passkeys against a software authenticator: what a browser would refuse to send is sent all the same."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from issuer.access import passkey_sign_in, passkeys, second_factor, service, sign_in
from issuer.access.seen import seen
from issuer.errors import ConflictError, DomainError, InputError, NotAllowedError
from issuer.records.access import Passkey, RecoveryCode, SpentChallenge, StaffSession
from issuer.records.database import Database, make_engine
from issuer.records.encryption import DataKey, use_data_key
from issuer.records.ledger import AuditEvent
from issuer.rules.terms import Role
from tests.factories.authenticator import PRESENT, SoftwareKey, text
from tests.issuer.access.test_second_factor import PASSWORD, Watch, later, prepared
from tests.services.postgres import postgres_url  # noqa: F401 (a fixture)

HOST = "console.example.gov"
ORIGIN = f"https://{HOST}"


@pytest.fixture
def clock() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two accounts, made once and copied for each test."""
    file = tmp_path_factory.mktemp("made") / "issuer.sqlite3"
    clock = Watch()
    database = prepared(f"sqlite:///{file}", clock)
    with database.write() as session:
        service.create_account(
            session, clock, username="li", display_name="李", password=PASSWORD, roles=[Role.AUDITOR]
        )
    database.engine.dispose()  # the last connection carries the write-ahead log into the file
    return file


@pytest.fixture
def database(made: Path, tmp_path: Path) -> Iterator[Database]:
    use_data_key(DataKey(bytes(range(32))))
    database = Database(make_engine(f"sqlite:///{shutil.copy(made, tmp_path)}"))
    yield database
    database.engine.dispose()


def ask_new(database: Database, clock: Watch, username: str = "wang", bound: str = "s") -> passkeys.Ask:
    with database.read() as session:
        ask = passkeys.ask_new(session, clock, ORIGIN, username, bound)
    assert ask is not None
    return ask


def registered(database: Database, clock: Watch, username: str = "wang", **made: Any) -> SoftwareKey:
    key = SoftwareKey(ORIGIN, HOST, **made)
    register(database, clock, ask_new(database, clock, username), key, username)
    return key


def register(
    database: Database, clock: Watch, ask: passkeys.Ask, key: SoftwareKey, username: str = "wang", **spoil: Any
) -> list[str]:
    answer = spoil.pop("answer", None) or key.create(json.loads(ask.options), **spoil)
    with database.write() as session:
        return passkeys.register(
            session, clock, ORIGIN, username, ticket=ask.ticket, answer=answer, label=" 钥匙 一 ", bound="s"
        )


def anybody(clock: Watch) -> passkeys.Ask:
    ask = passkeys.ask_anybody(clock, ORIGIN)
    assert ask is not None
    return ask


def alone(database: Database, clock: Watch, key: SoftwareKey, ask: passkeys.Ask | None = None, **spoil: Any) -> str:
    """Sign in by passkey alone: the user name, or the code of the refusal."""
    ask = ask or anybody(clock)
    answer = key.get(json.loads(ask.options), **spoil)
    try:
        return passkey_sign_in.sign_in(database, clock, ORIGIN, ticket=ask.ticket, answer=answer).username
    except NotAllowedError as refusal:
        return refusal.code


def test_a_verified_passkey_is_both_factors_and_is_on_record(database: Database, clock: Watch) -> None:
    key = registered(database, clock)
    where = seen("10.20.30.40", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36")
    ask = anybody(clock)
    answer = key.get(json.loads(ask.options))
    opened = passkey_sign_in.sign_in(database, clock, ORIGIN, ticket=ask.ticket, answer=answer, seen=where)
    with database.read() as session:
        (row,) = session.scalars(select(StaffSession))
        assert (opened.username, row.means) == ("wang", "passkey")
        assert (row.network, row.program) == ("10.20.30.0/24", "Chrome · Linux")
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc())).first()
        assert event is not None and event.details["factor"] == "passkey" and event.actor == "wang"
        stored = session.scalars(select(Passkey)).one()
        assert (stored.label, stored.sign_count) == ("钥匙 一", 2)


def test_the_same_answer_never_counts_twice(database: Database, clock: Watch) -> None:
    key = registered(database, clock, count=0)  # without a counter, as synchronised passkeys are
    ask = anybody(clock)
    answer = key.get(json.loads(ask.options))
    passkey_sign_in.sign_in(database, clock, ORIGIN, ticket=ask.ticket, answer=answer)
    with pytest.raises(NotAllowedError) as replayed:
        passkey_sign_in.sign_in(database, clock, ORIGIN, ticket=ask.ticket, answer=answer)
    assert replayed.value.code == "passkey-not-accepted"
    fresh = anybody(clock)
    with pytest.raises(NotAllowedError):  # the old answer under a new ticket
        passkey_sign_in.sign_in(database, clock, ORIGIN, ticket=fresh.ticket, answer=answer)
    assert alone(database, clock, key) == "wang"
    later(clock, passkeys.MINUTES * 60 + 1)
    assert alone(database, clock, key) == "wang"
    with database.read() as session:
        assert len(session.scalars(select(SpentChallenge)).all()) == 1, "what is over is swept"


SPOILT: dict[str, dict[str, Any]] = {
    "another site": {"origin": "https://console.example.gov.evil.example"},
    "the same site without TLS": {"origin": f"http://{HOST}"},
    "another port": {"origin": f"{ORIGIN}:8443"},
    "another host name signed": {"rp_id": "evil.example"},
    "another challenge": {"challenge": text(bytes(64))},
    "an answer to a registration": {"type": "webauthn.create"},
    "nobody present": {"flags": 0x04},
    "nobody verified": {"flags": PRESENT},
    "another account's handle": {"handle": bytes(32)},
    "no handle": {"handle": b""},
}


def test_hostile_answers_open_nothing(database: Database, clock: Watch) -> None:
    key = registered(database, clock)
    found = {name: alone(database, clock, key, **spoil) for name, spoil in SPOILT.items()}
    assert found == dict.fromkeys(SPOILT, "passkey-not-accepted")
    stranger = SoftwareKey(ORIGIN, HOST, credential_id=key.credential_id, handle=key.handle, count=50)
    assert alone(database, clock, stranger) == "passkey-not-accepted", "another key under the same id"
    unknown = SoftwareKey(ORIGIN, HOST, handle=key.handle)
    assert alone(database, clock, unknown) == "passkey-not-accepted"
    assert alone(database, clock, key) == "wang", "the honest one still does"


def test_a_counter_that_goes_back_is_a_copy(database: Database, clock: Watch) -> None:
    key = registered(database, clock, count=7)
    key.count = 9
    assert alone(database, clock, key) == "wang"
    for count in (9, 3, 0):
        key.count = count
        assert alone(database, clock, key) == "passkey-copied"
    with database.read() as session:
        refusals = session.scalars(select(AuditEvent).where(AuditEvent.outcome == "refused")).all()
        assert {(event.subject, event.details["code"]) for event in refusals} == {("staff:wang", "passkey-copied")}


def test_rubbish_is_refused_and_not_stumbled_over(database: Database, clock: Watch) -> None:
    key = registered(database, clock)
    ask = anybody(clock)
    good = json.loads(key.get(json.loads(ask.options)))
    rubbish = ["", "null", "[]", "{}", '{"id": 7}', '{"id": "a"}', "\ud800", "1" * 20_000, "[" * 10_000]
    for name in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        for value in (None, 7, "", "!", "AAAA", [], {}):
            rubbish.append(json.dumps(good | {"response": good["response"] | {name: value}}))
    for answer in rubbish:
        with pytest.raises(NotAllowedError) as refusal:
            passkey_sign_in.sign_in(database, clock, ORIGIN, ticket=ask.ticket, answer=answer)
        assert refusal.value.code == "passkey-not-accepted"
    for ticket in ("", "AAAA", "é", ask.ticket[:-4], ask_new(database, clock).ticket):
        with pytest.raises(NotAllowedError):
            passkey_sign_in.sign_in(database, clock, ORIGIN, ticket=ticket, answer=json.dumps(good))


def second_step(database: Database, clock: Watch, key: SoftwareKey, *, ticket_of: str | None = None) -> str:
    """Sign `wang` in by password, then `key`; the means, or the code of the refusal."""
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    assert half.waits_for == "code"
    bound = service.digest(ticket_of or half.secret)
    with database.read() as session:
        ask = passkeys.ask_account(session, clock, ORIGIN, "wang", bound)
    assert ask is not None
    answer = key.get(json.loads(ask.options), flags=PRESENT)
    try:
        opened = passkey_sign_in.finish(database, clock, half.secret, ORIGIN, ticket=ask.ticket, answer=answer)
    except NotAllowedError as refusal:
        return refusal.code
    with database.read() as session:
        return str(session.get_one(StaffSession, service.digest(opened.secret)).means)


def test_after_a_password_a_touch_is_enough_and_it_must_be_ones_own(database: Database, clock: Watch) -> None:
    own, others = registered(database, clock), registered(database, clock, "li")
    assert second_step(database, clock, own) == "password+passkey"
    assert second_step(database, clock, others) == "passkey-not-accepted"
    assert second_step(database, clock, own, ticket_of="another sign-in") == "passkey-not-accepted"
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    ask = anybody(clock)
    with pytest.raises(NotAllowedError):  # a ticket for anybody is not one for this step
        passkey_sign_in.finish(
            database, clock, half.secret, ORIGIN, ticket=ask.ticket, answer=own.get(json.loads(ask.options))
        )
    with pytest.raises(NotAllowedError):  # nor can who has one make another way in
        sign_in.enrol_and_finish(database, clock, half.secret, "123456")


def test_a_closed_account_stays_closed_and_a_locked_one_opens_to_its_key(database: Database, clock: Watch) -> None:
    key = registered(database, clock)
    for _ in range(sign_in.FREE_ATTEMPTS):
        with pytest.raises(NotAllowedError):
            sign_in.sign_in(database, clock, "wang", "wrong password!")
    assert alone(database, clock, key) == "wang", "strangers' guesses do not lock out who holds the key"
    with database.write() as session:
        service.set_active(session, "wang", False)
    assert alone(database, clock, key) == "passkey-not-accepted"


def test_registering_is_bound_to_session_site_and_account(database: Database, clock: Watch) -> None:
    key = SoftwareKey(ORIGIN, HOST)
    for spoil in ({"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"challenge": text(bytes(64))}):
        with pytest.raises(NotAllowedError):
            register(database, clock, ask_new(database, clock), key, **spoil)
    for ask in (ask_new(database, clock, "li"), ask_new(database, clock, bound="another session")):
        with pytest.raises(NotAllowedError):
            register(database, clock, ask, key)
    ask = ask_new(database, clock)
    answer = key.create(json.loads(ask.options))
    codes = register(database, clock, ask, key, answer=answer)
    assert len(codes) == second_factor.RECOVERY_CODES, "the first second factor comes with recovery codes"
    with pytest.raises(NotAllowedError):
        register(database, clock, ask, key, answer=answer)
    with pytest.raises(ConflictError):
        register(database, clock, ask_new(database, clock, "li"), key, "li")
    assert register(database, clock, ask_new(database, clock), SoftwareKey(ORIGIN, HOST)) == []
    late = ask_new(database, clock)
    later(clock, passkeys.MINUTES * 60)
    with pytest.raises(NotAllowedError):
        register(database, clock, late, SoftwareKey(ORIGIN, HOST))


def test_a_name_is_needed_and_ten_are_enough(database: Database, clock: Watch) -> None:
    with database.write() as session, pytest.raises(InputError):
        passkeys.register(
            session, clock, ORIGIN, "wang", ticket=ask_new(database, clock).ticket, answer="{}", label=" ", bound="s"
        )
    for _ in range(passkeys.MOST):
        registered(database, clock)
    with pytest.raises(ConflictError):
        registered(database, clock)


def test_the_last_second_factor_stays_where_the_house_wants_one(database: Database, clock: Watch) -> None:
    registered(database, clock)
    registered(database, clock)
    with database.write() as session:
        first, second = passkeys.listing(session, "wang")
        passkeys.remove(session, "wang", first.id, required=True)
        with pytest.raises(ConflictError):
            passkeys.remove(session, "wang", second.id, required=True)
        with pytest.raises(DomainError, match="no such passkey"):
            passkeys.remove(session, "li", second.id, required=False)
        assert session.scalars(select(RecoveryCode)).all() != []
        passkeys.remove(session, "wang", second.id, required=False)
        assert session.scalars(select(RecoveryCode)).all() == [], "recovery codes end with what they stand in for"
    assert sign_in.sign_in(database, clock, "wang", PASSWORD).waits_for is None


def test_recovery_codes_stand_in_for_a_lost_key(database: Database, clock: Watch) -> None:
    codes = register(database, clock, ask_new(database, clock), SoftwareKey(ORIGIN, HOST))
    half = sign_in.sign_in(database, clock, "wang", PASSWORD)
    assert sign_in.finish(database, clock, half.secret, codes[0]).username == "wang"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (ORIGIN, HOST),
        ("http://localhost:8000", "localhost"),
        ("http://127.0.0.1:8000", None),
        ("http://[::1]:8000", None),
        (None, None),
    ],
)
def test_browsers_bind_passkeys_to_names_only(origin: str | None, host: str | None) -> None:
    assert passkeys.relying_party(origin) == host


def test_tickets_end(clock: Watch) -> None:
    use_data_key(DataKey(bytes(range(32))))
    ask = anybody(clock)
    assert passkeys.tickets.read("passkey-anybody", ask.ticket, clock.now() + timedelta(minutes=9)) is not None
    assert passkeys.tickets.read("passkey-anybody", ask.ticket, clock.now() + timedelta(minutes=10)) is None
    assert passkeys.tickets.read("passkey-new", ask.ticket, clock.now()) is None


def test_on_postgresql_one_answer_sent_several_times_at_once_opens_once(
    postgres_url: str,  # noqa: F811
    clock: Watch,
) -> None:
    database = prepared(postgres_url, clock)
    key = registered(database, clock, count=0)
    ask = anybody(clock)
    answer = key.get(json.loads(ask.options))
    opened: list[str] = []

    def send() -> None:
        try:
            opened.append(passkey_sign_in.sign_in(database, clock, ORIGIN, ticket=ask.ticket, answer=answer).secret)
        except NotAllowedError:
            return

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1
    database.engine.dispose()
