"""The console and the holder's pages in Debian's Chromium, served by `ecert serve all`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.factories.browsers import PATIENCE_MS, chromium_running, follow
from tests.factories.candidates import Candidate
from tests.factories.office import PASSWORD, staff_up
from tests.factories.web_server import free_port, until_it_answers
from tests.factories.world import World

SERIOUS = ("serious", "critical")


@dataclass(frozen=True)
class Site:
    """A served world: its address, and what the tests ask about."""

    url: str
    sitting: str
    numbers: tuple[str, ...]
    people: tuple[Candidate, ...]


@pytest.fixture(scope="module")
def site(issued_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Eight certificates, everything on one port."""
    yield from serving(issued_world.copy(tmp_path_factory.mktemp("served") / "data"))


@pytest.fixture
def unissued(eligible_world: World) -> Iterator[Site]:
    """Eight people found eligible, nothing issued yet."""
    yield from serving(eligible_world)


def serving(world: World) -> Iterator[Site]:
    """`ecert serve all` over a world of one's own, with staff who can sign in."""
    staff_up(world, signs_in=True)
    numbers = tuple(row.management_no for row in world.certificates())
    world.close()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from issuer.cli import main; main()", "serve", "all"]
    command += ["--data-dir", str(world.folder), "--port", str(port)]
    environment = {**os.environ, "ECERT_VERIFY_BASE_URL": url}
    process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[3], stdout=subprocess.DEVNULL)
    try:
        until_it_answers(f"{url}/healthz", process, 120)
        yield Site(url, world.sitting, numbers, world.people)
    finally:
        process.terminate()
        process.wait(120)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def desk(chromium: Browser, site: Site) -> Iterator[Page]:
    """A browser on a desk, in which nothing may go wrong in the page itself."""
    with watched(chromium, site, 1280) as page:
        yield page


@pytest.fixture
def phone(chromium: Browser, site: Site) -> Iterator[Page]:
    """The same on a phone."""
    with watched(chromium, site, 390) as page:
        yield page


@contextmanager
def watched(chromium: Browser, site: Site, width: int) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": width, "height": 844}, base_url=site.url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert errors == []


def sign_in(page: Page, username: str) -> None:
    page.goto("/console/sign-in")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/console/")


def require_sound(page: Page) -> None:
    """No serious fault for assistive technology, and nothing wider than the screen."""
    page.wait_for_load_state()  # a page without its style would be measured as it never looks
    found = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found if fault["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, page.url


def addresses(site: Site) -> list[str]:
    number = site.numbers[1]
    return [
        "/console/",
        f"/console/sittings/{site.sitting}",
        f"/console/sittings/{site.sitting}/issue",
        "/console/batches/1",
        "/console/lists",
        "/console/templates",
        "/console/certificates",
        f"/console/certificates/{number}",
        f"/console/certificates/{number}/invalidate?ground=false-materials",
        "/console/cases",
        "/console/hearings",
        "/console/announcements",
        "/console/paper",
        "/console/audit?check=true",
    ]


def test_one_proposes_another_approves_and_the_public_page_turns(chromium: Browser, desk: Page, site: Site) -> None:
    number = site.numbers[0]
    sign_in(desk, "issuer")
    follow(desk, "nav >> text=证书")
    desk.fill("#management_no", number)
    follow(desk, "button:has-text('查找')")
    assert desk.url.endswith(f"/{number}")
    public = desk.get_attribute("text=公开核验页", "href")
    assert public is not None
    assert public.startswith(site.url)
    follow(desk, "text=提议认定无效")
    desk.check("input[value=ineligible-in-supervision]")
    follow(desk, "text=查看将受影响的内容")
    assert "科无效" in desk.locator("main").inner_text()
    desk.fill("#basis", "示例：日常监管发现不符合报考条件")
    follow(desk, "button:has-text('提议认定无效')")
    case = desk.url
    assert "/console/cases/" in case
    assert "须由另一人审批" in desk.locator("main").inner_text()
    assert desk.locator("text=批准后立即生效").count() == 0
    require_sound(desk)
    assert verdict(desk, public) == "valid"

    with watched(chromium, site, 1280) as other:
        sign_in(other, "approver")
        follow(other, f"text={number}")
        assert other.url == case
        require_sound(other)
        follow(other, "button:has-text('批准')")
        assert "已生效" in other.locator("main").inner_text()
        assert verdict(other, public) == "invalid"


def verdict(page: Page, address: str) -> str:
    """What the public page of a certificate says, in a tab of its own."""
    tab = page.context.new_page()
    tab.goto(address)
    tab.wait_for_selector("[data-verdict]")
    said = tab.locator("[data-verdict]").first.get_attribute("data-verdict") or ""
    tab.close()
    return said


def test_every_page_of_the_console_is_sound_on_a_desk(desk: Page, site: Site) -> None:
    desk.goto("/console/sign-in")
    require_sound(desk)
    sign_in(desk, "issuer")
    for address in addresses(site):
        desk.goto(address)
        require_sound(desk)


def test_every_page_of_the_console_fits_a_phone(phone: Page, site: Site) -> None:
    sign_in(phone, "issuer")
    for address in addresses(site):
        phone.goto(address)
        require_sound(phone)


def test_holder_pages_fit_a_phone_and_hand_out_the_file(phone: Page, site: Site, tmp_path: Path) -> None:
    person = site.people[3]
    phone.goto("/my/")
    require_sound(phone)
    phone.fill("#id_no", person.id_no)
    phone.fill("#name", person.name)
    phone.fill("#admission_no", person.admission_no)
    follow(phone, "main button[type=submit]")
    assert phone.locator(".certificate").count() > 0
    assert person.id_no not in phone.url
    require_sound(phone)
    with phone.expect_download() as waiting:
        phone.click("text=下载 PDF")
    file = tmp_path / "certificate.pdf"
    waiting.value.save_as(file)
    assert person.name in waiting.value.suggested_filename
    assert file.read_bytes().startswith(b"%PDF-")
    phone.click("summary:has-text('申请补发纸质证书')")
    phone.fill("textarea[name=reason]", "遗失")
    follow(phone, "button:has-text('提交申请')")
    assert "R14" in phone.locator("[role=alert]").inner_text()
    require_sound(phone)


def test_a_batch_is_issued_and_watched_without_reloading(chromium: Browser, unissued: Site) -> None:
    loaded: list[str] = []
    with watched(chromium, unissued, 1280) as page:
        sign_in(page, "issuer")
        page.goto(f"/console/sittings/{unissued.sitting}/issue")
        follow(page, "button:has-text('按此计划制发 8 份')")
        assert "/console/batches/" in page.url
        page.on("request", lambda request: loaded.append(request.url) if request.is_navigation_request() else None)
        page.wait_for_selector("#batch:not([data-watch]) .mark:has-text('已完成')")
        assert loaded == []
        assert "8 / 8" in page.locator("#batch").inner_text()
        follow(page, "text=查看证书")
        assert page.locator("tbody tr").count() == 8
