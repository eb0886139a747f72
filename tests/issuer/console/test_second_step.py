"""The second factor at the console: setting it up, signing in with it, losing the phone."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from issuer.access.passwords import hashed
from issuer.access.sign_in import FREE_ATTEMPTS
from issuer.api.access import SESSION_COOKIE
from issuer.app import create_issuer_app
from issuer.cli import run
from issuer.console.sign_in import STEP_COOKIE
from issuer.records.access import RecoveryCode, SecondFactor, StaffAccount, StaffSession
from issuer.records.ledger import AuditEvent
from tests.factories.browsers import PATIENCE_MS, chromium_running, follow
from tests.factories.office import CSRF, PASSWORD, Office
from tests.factories.one_time_codes import telling_secret
from tests.factories.world import World
from tests.issuer.console.test_console_in_chromium import require_sound, serving

USER = "auditor"
CODE = re.compile(r"<code>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})</code>")


@pytest.fixture
def own_office(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The office, in which one account has a password, and apps are given a secret that tells codes apart."""
    secret = telling_secret(office.world.ctx.clock.now())
    monkeypatch.setattr(pyotp, "random_base32", lambda: secret)
    with office.world.ctx.database.write() as session:
        session.get_one(StaffAccount, USER).password_hash = hashed(PASSWORD)
    return office


def app_of(office: Office) -> pyotp.TOTP:
    with office.world.ctx.database.read() as session:
        return pyotp.TOTP(session.get_one(SecondFactor, USER).secret)


def code_now(office: Office, steps: int = 0) -> str:
    """A code of the present, `steps` further on (a code is spent once)."""
    return app_of(office).at(office.world.ctx.clock.now() + timedelta(seconds=30 * steps))


def set_up(office: Office) -> list[str]:
    """Set the app up on the account page; the recovery codes."""
    desk = office.desk(USER)
    shown = desk.post("/console/account/second-factor", data={"csrf": CSRF})
    assert shown.status_code == 200 and "<svg" in shown.text and "style=" not in shown.text
    wrong = desk.post("/console/account/second-factor/confirm", data={"csrf": CSRF, "code": "000000"})
    assert wrong.status_code == 403 and not CODE.findall(wrong.text)
    done = desk.post("/console/account/second-factor/confirm", data={"csrf": CSRF, "code": code_now(office, -1)})
    codes = CODE.findall(done.text)
    assert len(codes) == 10 and "已启用" in desk.get("/console/account").text
    return codes


def password_step(browser: TestClient, next: str = "/console/audit") -> Any:
    return browser.post("/console/sign-in", data={"username": USER, "password": PASSWORD, "next": next})


def test_signing_in_takes_the_code_and_leads_on(own_office: Office) -> None:
    codes = set_up(own_office)
    browser = own_office.anybody()
    half = password_step(browser)
    assert half.headers["location"] == "/console/sign-in/code?next=/console/audit"
    assert SESSION_COOKIE not in browser.cookies and "samesite=strict" in half.headers["set-cookie"].lower()
    assert browser.get("/console/audit").status_code == 303, "the password alone opens no page"
    form = {"code": code_now(own_office), "next": "/console/audit"}
    assert browser.get(half.headers["location"]).status_code == 200
    away = browser.post("/console/sign-in/code", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert away.status_code == 403
    whole = browser.post("/console/sign-in/code", data=form)
    assert (whole.status_code, whole.headers["location"]) == (303, "/console/audit")
    assert STEP_COOKIE not in browser.cookies and browser.get("/console/audit").status_code == 200
    other = own_office.anybody()
    password_step(other)
    again = other.post("/console/sign-in/code", data=form)
    assert again.status_code == 403 and "已经使用过" in again.text and SESSION_COOKIE not in other.cookies
    assert other.post("/console/sign-in/code", data={"code": codes[0]}).status_code == 303


def test_without_a_waiting_sign_in_one_starts_again(own_office: Office) -> None:
    browser = own_office.anybody()
    for answer in (
        browser.get("/console/sign-in/code"),
        browser.post("/console/sign-in/code", data={"code": "123456"}),
        browser.post("/console/sign-in/enrol", data={"code": "123456"}),
    ):
        assert answer.status_code == 403 and 'name="password"' in answer.text


def test_guessing_codes_locks_the_account_on_every_page(own_office: Office) -> None:
    set_up(own_office)
    desk = own_office.desk(USER)
    for _ in range(FREE_ATTEMPTS):
        answer = desk.post("/console/account/second-factor/codes", data={"csrf": CSRF, "code": "000000"})
        assert answer.status_code == 403
    locked = desk.post("/console/account/second-factor/off", data={"csrf": CSRF, "code": code_now(own_office)})
    assert locked.status_code == 429
    assert password_step(own_office.anybody()).status_code == 429


def test_the_owner_renews_codes_and_turns_it_off_with_a_code(own_office: Office) -> None:
    old = set_up(own_office)
    desk = own_office.desk(USER)
    renewed = desk.post("/console/account/second-factor/codes", data={"csrf": CSRF, "code": old[0]})
    fresh = CODE.findall(renewed.text)
    assert len(fresh) == 10 and not set(fresh) & set(old)
    off = "/console/account/second-factor/off"
    assert desk.post(off, data={"csrf": CSRF, "code": old[1]}).status_code == 403, "the old ones ended"
    assert desk.post(off, data={"csrf": CSRF, "code": fresh[0]}).status_code == 303
    with own_office.world.ctx.database.read() as session:
        assert session.get(SecondFactor, USER) is None
        assert session.scalars(select(RecoveryCode)).all() == []
    assert password_step(own_office.anybody()).headers["location"] == "/console/audit"


def test_where_it_is_required_the_first_sign_in_sets_it_up_and_it_stays_on(own_office: Office) -> None:
    ctx = own_office.world.ctx
    strict = replace(ctx, settings=ctx.settings.model_copy(update={"second_factor": "required"}))
    browser = TestClient(create_issuer_app(strict), "http://testserver", follow_redirects=False)
    half = password_step(browser)
    page = browser.get(half.headers["location"])
    assert "<svg" in page.text and SESSION_COOKIE not in browser.cookies
    assert browser.post("/console/sign-in/code", data={"code": "123456"}).status_code == 403
    done = browser.post("/console/sign-in/enrol", data={"code": code_now(own_office), "next": "/console/audit"})
    assert len(CODE.findall(done.text)) == 10 and browser.get("/console/audit").status_code == 200
    with ctx.database.read() as session:
        csrf = session.scalars(select(StaffSession.csrf).where(StaffSession.username == USER)).one()
    off = browser.post("/console/account/second-factor/off", data={"csrf": csrf, "code": code_now(own_office, 1)})
    assert off.status_code == 409 and "不能停用" in off.text


def test_a_lost_phone_is_reset_by_somebody_else_and_that_is_on_record(
    own_office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(own_office)
    ctx = own_office.world.ctx
    command = ["staff", "reset-second-factor", USER, "--reason", "lost"]
    command += ["--data-dir", str(own_office.world.folder), "--json"]
    with ctx.database.write() as session:
        session.get_one(StaffAccount, USER).roles = ["auditor", "operator"]
    assert run([*command, "--as", USER]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "second-factor-own"
    assert run([*command, "--as", "operator"]) == 0
    assert json.loads(capsys.readouterr().out) == {"username": USER, "removed": True}
    with ctx.database.read() as session:
        assert session.scalars(select(StaffSession).where(StaffSession.username == USER)).all() == []
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc())).first()
        assert event is not None
        assert (event.act, event.actor, event.subject) == ("staff.reset-second-factor", "operator", f"staff:{USER}")
    assert password_step(own_office.anybody()).headers["location"] == "/console/audit"


@pytest.fixture
def served(world_copy: World) -> Iterator[str]:
    """The console, served."""
    for site in serving(world_copy):
        yield site.url


def test_in_chromium_an_app_is_set_up_and_asked_for(served: str) -> None:
    with chromium_running() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.set_default_timeout(PATIENCE_MS)
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(f"{served}/console/sign-in?next=/console/account")
        page.fill("#username", USER)
        page.fill("#password", PASSWORD)
        follow(page, "main button[type=submit]")
        follow(page, "text=开始设置")
        page.click("summary")
        app = pyotp.TOTP("".join((page.text_content("p.hash") or "").split()))
        require_sound(page)
        page.fill("#code", app.now())
        follow(page, "main button[type=submit]")
        spare = page.text_content(".codes code") or ""
        require_sound(page)
        page.goto(f"{served}/console/account")
        require_sound(page)
        follow(page, "header form button")
        page.fill("#username", USER)
        page.fill("#password", PASSWORD)
        follow(page, "main button[type=submit]")
        require_sound(page)
        page.fill("#code", spare)
        follow(page, "main button[type=submit]")
        assert page.url == f"{served}/console/"
        assert faults == []
