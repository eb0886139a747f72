"""The holder's and the staff's pages about personal data: who may, what they say, and how they look in Chromium."""

import io
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from issuer.access.actor import SYSTEM
from issuer.access.service import digest
from issuer.holders.sign_in import Holder
from issuer.holders.visiting import COOKIE
from issuer.personal_data.stock_take import take_portion
from issuer.personal_data.wording import FINDINGS
from issuer.records.access import HolderSession
from issuer.records.people import Registration
from tests.factories.browsers import PATIENCE_MS, chromium_running
from tests.factories.office import BASE, CSRF, Office

SERIOUS = ("serious", "critical")
STATIC = Path(__file__).parents[3] / "templates" / "static"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


def holder_at(office: Office, person_id: int) -> TestClient:
    """A browser in which that person is signed in."""
    ctx = office.world.ctx
    with ctx.database.write() as session:
        session.merge(
            HolderSession(
                secret_sha256=digest(f"holder-{person_id}"),
                person_id=person_id,
                csrf=CSRF,
                created_at=ctx.clock.now(),
                expires_at=ctx.clock.now() + timedelta(hours=1),
            )
        )
    client = office.anybody()
    client.cookies.set(COOKIE, f"holder-{person_id}")
    return client


def look_at(chromium: Browser, html: str, name: str, folder: Path) -> None:
    """No serious fault by axe, nothing wider than the screen; pictures in the test's folder."""
    for width in (1280, 390):
        page = chromium.new_page(viewport={"width": width, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.route("**/*", lambda route: _answer(route, html))
        page.goto(f"{BASE}/page")
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in SERIOUS] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        page.close()
    assert len(html.encode()) < 100_000


def _answer(route: object, html: str) -> None:
    path = route.request.url.removeprefix(BASE)  # type: ignore[attr-defined]
    if path == "/page":
        route.fulfill(body=html, content_type="text/html; charset=utf-8")  # type: ignore[attr-defined]
    elif path.startswith("/console/static/"):
        route.fulfill(path=STATIC / path.removeprefix("/console/static/"))  # type: ignore[attr-defined]
    else:
        route.abort()  # type: ignore[attr-defined]


def test_a_holder_fetches_a_copy_and_asks_for_erasure(office: Office, chromium: Browser, tmp_path: Path) -> None:
    world = office.world
    registration = world.registrations()[0]
    person_id = registration.person_id
    with world.ctx.database.write() as session:
        session.get_one(Registration, registration.id).mobile = "13800000000"
    me = holder_at(office, person_id)
    early = me.get("/my/data")
    assert "现在没有可以删除的内容" in early.text
    look_at(chromium, early.text, "holder-early", tmp_path)
    copy = me.post("/my/data/export", data={"csrf": CSRF})
    assert copy.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(copy.content)) as archive:
        html = archive.read("data.html").decode()
    assert world.people[0].name in html
    look_at(chromium, html, "export", tmp_path)
    assert me.post("/my/data/export", data={"csrf": "other"}).status_code == 403
    world.clock.move_to(world.clock.today() + timedelta(days=400), hour=0)  # type: ignore[attr-defined]
    me = holder_at(office, person_id)
    asked = {"csrf": CSRF, "reason": "purpose-reached", "note": "已经更换手机号"}
    assert me.post("/my/data/erase", data=asked).headers["location"] == "/my/data#erasures"
    page = me.get("/my/data").text
    assert "待决定" in page and "联系方式" in page
    look_at(chromium, page, "holder-asked", tmp_path)
    assert me.post("/my/data/erase", data=asked).status_code == 409
    approver = office.desk("approver")
    waiting = approver.get("/console/erasures").text
    look_at(chromium, waiting, "staff-list", tmp_path)
    page = approver.get(f"/console/people/{person_id}/data").text
    assert "批准并删除" in page
    look_at(chromium, page, "staff-person", tmp_path)
    decided = {"csrf": CSRF, "erasure": "1", "approve": "true"}
    assert approver.post(f"/console/people/{person_id}/data/decide", data=decided).status_code == 303
    assert "已删除" in me.get("/my/data").text
    assert world.registrations()[0].mobile is None


def test_only_those_who_may_see_or_do(office: Office) -> None:
    person_id = office.world.registrations()[0].person_id
    path = f"/console/people/{person_id}/data"
    for username in ("reviewer", "supervisor", "operator"):
        assert office.desk(username).get(path).status_code == 403
    auditor = office.desk("auditor")
    assert "导出副本" not in auditor.get(path).text
    assert auditor.post(f"{path}/export", data={"csrf": CSRF, "reason": "查"}).status_code == 403
    issuer = office.desk("issuer")
    assert "Say why" in issuer.post(f"{path}/export", data={"csrf": CSRF}).text
    assert issuer.post(f"{path}/export", data={"csrf": CSRF, "reason": "应本人要求"}).content[:2] == b"PK"
    assert "个人信息副本与删除" in issuer.get(f"/console/people/{person_id}").text
    assert office.anybody().get("/my/data").headers["location"] == "/my/"
    assert Holder(person_id, "").actor.roles == frozenset()


def test_the_dashboard_raises_the_alarm_of_a_stock_take(office: Office, chromium: Browser, tmp_path: Path) -> None:
    ctx = office.world.ctx
    assert "盘点发现" not in office.desk("issuer").get("/console/").text
    look_at(chromium, office.desk("auditor").get("/console/stock").text, "stock-none", tmp_path)
    ctx.storage.delete(office.world.certificates()[0].file_key or "")
    while not take_portion(ctx, SYSTEM).finished:
        continue
    dashboard = office.desk("issuer").get("/console/").text
    assert "盘点发现 1 处不符" in dashboard
    look_at(chromium, dashboard, "dashboard", tmp_path)
    page = office.desk("auditor").get("/console/stock").text
    assert FINDINGS["file-missing"][0] in page
    look_at(chromium, page, "stock", tmp_path)
    assert office.desk("reviewer").get("/console/stock").status_code == 403
