"""Open sessions: seeing one's own, ending one and all, ending others' by who may; passwords and resets end them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from issuer.access import passkeys, second_factor, service, sessions
from issuer.access.passwords import hashed
from issuer.access.seen import Seen, seen
from issuer.api.access import SESSION_COOKIE
from issuer.clock import SimulatedClock
from issuer.records.access import Passkey, SecondFactor, StaffAccount, StaffSession
from issuer.records.ledger import AuditEvent
from tests.factories.office import CSRF, PASSWORD, USERNAMES, Office

USER = "auditor"
OTHERS = "/console/staff"


def rows(office: Office, username: str = USER) -> list[StaffSession]:
    with office.world.ctx.database.read() as session:
        return list(session.scalars(select(StaffSession).where(StaffSession.username == username)))


def opened(office: Office, username: str = USER, where: Seen = Seen("10.1.2.0/24", "Firefox · Windows")) -> str:
    """Another open session; its name."""
    ctx = office.world.ctx
    with ctx.database.write() as session:
        secret, _ = service.open_session(session, ctx.clock, username, "password+totp", where)
    return service.digest(secret)[: sessions.NAME_LENGTH]


def last_event(office: Office) -> AuditEvent:
    with office.world.ctx.database.read() as session:
        found = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc())).first()
        assert found is not None
        return found


def on(office: Office, **ahead: float) -> None:
    """Set the clock on."""
    clock = office.world.ctx.clock
    assert isinstance(clock, SimulatedClock)
    clock._now += timedelta(**ahead)


@pytest.mark.parametrize(
    ("address", "agent", "kept"),
    [
        (
            "203.0.113.77",
            "Mozilla/5.0 (Windows NT 10.0) Chrome/131 Safari/537.36 Edg/131",
            "203.0.113.0/24 Edge · Windows",
        ),
        ("2001:db8:7:9::/64", "Mozilla/5.0 (iPhone; CPU) Version/18 Safari/604", "2001:db8:7::/48 Safari · iOS"),
        ("unknown", "curl/8", "None None"),
    ],
)
def test_what_is_kept_of_a_browser_is_coarse(address: str, agent: str, kept: str) -> None:
    found = seen(address, agent)
    assert f"{found.network} {found.program}" == kept


def test_one_sees_and_ends_ones_own_sessions(office: Office) -> None:
    desk = office.desk(USER)
    name, foreign = opened(office), opened(office, "operator")
    shown = desk.get("/console/account/sessions").text
    assert (
        "Firefox · Windows" in shown and "10.1.2.0/24" in shown and "密码 + 验证器应用" in shown and "本次" in shown
    )
    refused = desk.post(f"/console/account/sessions/{foreign}/end", data={"csrf": CSRF})
    assert refused.status_code == 404 and len(rows(office, "operator")) == 1, "somebody else's is not one's own"
    assert desk.post(f"/console/account/sessions/{name}/end", data={"csrf": "wrong"}).status_code == 403
    assert desk.post(f"/console/account/sessions/{name}/end", data={"csrf": CSRF}).status_code == 303
    assert len(rows(office)) == 1
    event = last_event(office)
    assert (event.act, event.subject, event.details["session"]) == ("staff.end-session", f"staff:{USER}", name)
    assert desk.post(f"/console/account/sessions/{name[:8]}/end", data={"csrf": CSRF}).status_code == 422


def test_signing_out_everywhere_ends_this_one_too(office: Office) -> None:
    desk = office.desk(USER)
    opened(office)
    foreign = opened(office, "operator")
    left = desk.post("/console/account/sessions/end-all", data={"csrf": CSRF})
    assert left.headers["location"] == "/console/sign-in"
    assert f'{SESSION_COOKIE}=""; ' in left.headers["set-cookie"] and "Max-Age=0" in left.headers["set-cookie"]
    assert rows(office) == []
    assert [row.secret_sha256[:16] for row in rows(office, "operator")] == [foreign]
    assert last_event(office).details["sessions"] == 2


def test_where_a_session_was_opened_rests_encrypted(office: Office) -> None:
    opened(office)
    with office.world.ctx.database.engine.connect() as connection:
        (stored,) = connection.exec_driver_sql(
            f"SELECT network FROM staff_sessions WHERE username = '{USER}' AND network IS NOT NULL"
        ).one()
    assert isinstance(stored, bytes) and b"10.1.2" not in stored


def test_use_is_noticed_to_five_minutes(office: Office) -> None:
    desk = office.desk(USER)
    desk.get("/console/")
    (before,) = rows(office)
    on(office, minutes=4)
    desk.get("/console/")
    assert rows(office)[0].seen_at == before.seen_at
    on(office, minutes=2)
    desk.get("/console/")
    assert rows(office)[0].seen_at > before.seen_at  # type: ignore[operator]


def test_only_operators_and_supervisors_end_others(office: Office) -> None:
    for username in USERNAMES:
        desk = office.desk(username)
        may = username in ("operator", "supervisor")
        name = opened(office)
        assert (desk.get(OTHERS).status_code == 200) is may
        assert (desk.get(f"{OTHERS}/{USER}").status_code == 200) is may
        ended = desk.post(f"{OTHERS}/{USER}/sessions/{name}/end", data={"csrf": CSRF})
        assert (ended.status_code == 303) is may
        assert any(row.secret_sha256.startswith(name) for row in rows(office)) is not may
        event = last_event(office)
        if may:
            assert (event.act, event.actor, event.subject) == ("staff.end-session", username, f"staff:{USER}")
    supervisor = office.desk("supervisor")
    assert supervisor.post(f"{OTHERS}/{USER}/sessions/end-all", data={"csrf": CSRF}).status_code == 303
    assert rows(office) == []
    assert supervisor.get(f"{OTHERS}/nobody").status_code == 404
    assert supervisor.post(f"{OTHERS}/nobody/sessions/end-all", data={"csrf": CSRF}).status_code == 404


@pytest.fixture
def protected(office: Office) -> Iterator[Office]:
    """An account with an app and a passkey."""
    ctx = office.world.ctx
    with ctx.database.write() as session:
        app = pyotp.TOTP(second_factor.begin(session, ctx.clock, USER))
        assert second_factor.confirm(session, ctx.clock, USER, app.at(ctx.clock.now()))
        key: dict[str, Any] = {"credential_id": "AA", "public_key": "AA", "created_at": ctx.clock.now()}
        session.add(Passkey(username=USER, credential_sha256="0" * 64, label="钥匙", **key))
    yield office


def test_an_operator_resets_a_lost_second_factor_with_a_reason(protected: Office) -> None:
    address = f"{OTHERS}/{USER}/reset-second-factor"
    opened(protected)
    supervisor, operator = protected.desk("supervisor"), protected.desk("operator")
    assert "重置第二验证" not in supervisor.get(f"{OTHERS}/{USER}").text
    assert "重置第二验证" in operator.get(f"{OTHERS}/{USER}").text
    assert supervisor.post(address, data={"csrf": CSRF, "reason": "lost"}).status_code == 403
    for reason in ({}, {"reason": ""}, {"reason": "because"}):
        assert operator.post(address, data={"csrf": CSRF, **reason}).status_code == 422
    with protected.world.ctx.database.read() as session:
        assert second_factor.ways(session, USER) == {"totp", "passkey"}
    assert operator.post(address, data={"csrf": CSRF, "reason": "suspected"}).status_code == 303
    with protected.world.ctx.database.read() as session:
        assert second_factor.ways(session, USER) == frozenset()
        assert session.get(SecondFactor, USER) is None and second_factor.codes_left(session, USER) == 0
    assert rows(protected) == []
    event = last_event(protected)
    assert (event.act, event.actor, event.subject) == ("staff.reset-second-factor", "operator", f"staff:{USER}")
    assert event.details["reason"] == "suspected" and event.details["removed"] is True
    own = operator.post(f"{OTHERS}/operator/reset-second-factor", data={"csrf": CSRF, "reason": "lost"})
    assert own.status_code == 403 and "不能重置自己" in own.text


def test_changing_the_password_asks_for_the_old_one_and_ends_all_sessions(office: Office) -> None:
    with office.world.ctx.database.write() as session:
        session.get_one(StaffAccount, USER).password_hash = hashed(PASSWORD)
    desk = office.desk(USER)
    opened(office)
    new = "another long password"
    forms = [
        ({"old": "wrong", "new": new, "again": new}, 403, "原密码不正确"),
        ({"old": PASSWORD, "new": new, "again": new + "!"}, 422, "两次输入"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, 422, "至少需要"),
    ]
    for form, status, words in forms:
        answer = desk.post("/console/account/password", data={"csrf": CSRF, **form})
        assert (answer.status_code, words in answer.text) == (status, True)
        assert PASSWORD not in answer.text and new not in answer.text
    with office.world.ctx.database.read() as session:
        assert session.get_one(StaffAccount, USER).failed_attempts == 1
    assert len(rows(office)) == 2
    done = desk.post("/console/account/password", data={"csrf": CSRF, "old": PASSWORD, "new": new, "again": new})
    assert done.headers["location"] == "/console/sign-in" and rows(office) == []
    browser = office.anybody()
    for password, status in ((PASSWORD, 403), (new, 303)):
        answer = browser.post("/console/sign-in", data={"username": USER, "password": password})
        assert answer.status_code == status


def test_ways_to_sign_in_change_only_soon_after_signing_in(protected: Office) -> None:
    desk = protected.desk(USER)
    with protected.world.ctx.database.read() as session:
        (key,) = passkeys.listing(session, USER)
    on(protected, minutes=16)
    assert f"/console/account/passkeys/{key.id}/remove" not in desk.get("/console/account").text
    for address, form in ((f"{key.id}/remove", {}), ("", {"ticket": "x", "answer": "{}", "label": "x"})):
        late = desk.post(f"/console/account/passkeys/{address}".rstrip("/"), data={"csrf": CSRF, **form})
        assert late.status_code == 403 and "须重新登录" in late.text
    fresh = protected.desk(USER)
    assert fresh.post("/console/account/passkeys/999/remove", data={"csrf": CSRF}).status_code == 404
    assert fresh.post(f"/console/account/passkeys/{key.id}/remove", data={"csrf": CSRF}).status_code == 303
    assert last_event(protected).act == "staff.passkey-removed"


def test_closing_an_account_ends_its_sessions(office: Office) -> None:
    desk = office.desk(USER)
    assert desk.get("/console/").status_code == 200
    with office.world.ctx.database.write() as session:
        service.set_active(session, USER, False)
    assert rows(office) == [] and desk.get("/console/").status_code == 303
