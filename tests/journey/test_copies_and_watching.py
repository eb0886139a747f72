"""A holder makes a purpose-bound copy on a phone, an employer watches; the certificate falls, and both are told.

Through the real server, in Chromium: the sister of `test_eight_paths_agree`, for copies.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.factories.browsers import PATIENCE_MS, chromium_running, follow
from tests.factories.candidates import Candidate
from tests.factories.command_line import CommandLine
from tests.factories.eight_paths import EightPaths, InHand
from tests.factories.office import staff_up
from tests.factories.scanning import scanned
from tests.factories.world import World
from tests.services.mail_server import MailServer, mail_server

ORGANISATION = "示例建设有限公司人事部"
PURPOSE = "示例建设有限公司2026年度市政工程项目投标资格审查"
SERIOUS = ("serious", "critical")
SHOTS = os.environ.get("ECERT_SHOTS")
"""A folder to keep pictures of the pages in, for whoever wants to look at them."""


class MailingCommandLine(CommandLine):
    """Commands with a mail server configured."""

    smtp_url = ""

    @property
    def environment(self) -> dict[str, str]:
        """As usual, and where mail goes."""
        return super().environment | {"ECERT_SMTP_URL": self.smtp_url, "ECERT_MAIL_FROM": "no-reply@zs.example.cn"}


@dataclass(frozen=True)
class Stage:
    """The served world and who acts in it."""

    paths: EightPaths
    browser: Browser
    mails: MailServer
    person: Candidate
    management_no: str


@pytest.fixture(scope="module")
def stage(issued_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Eight certificates, everything on one port, a mail server, a phone."""
    world = issued_world.copy(tmp_path_factory.mktemp("copies") / "data")
    staff_up(world, signs_in=True)
    number, person = world.certificates()[0].management_no, world.people[0]
    world.close()
    ecert = MailingCommandLine(world.folder)
    with mail_server() as mails:
        MailingCommandLine.smtp_url = mails.url
        with (
            ecert.serving("all") as base_url,
            chromium_running() as browser,
            httpx.Client(base_url=base_url, timeout=200) as web,
        ):
            yield Stage(EightPaths(ecert, web, on_a_phone(browser)), browser, mails, person, number)


def on_a_phone(browser: Browser) -> Page:
    """A page on a phone's screen."""
    page = browser.new_page(viewport={"width": 390, "height": 844}, accept_downloads=True)
    page.set_default_timeout(PATIENCE_MS)
    return page


def looked_at(page: Page, name: str) -> None:
    """No serious accessibility violation, nothing wider than the screen; a picture where one is asked for."""
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in SERIOUS] == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def signed_in(stage: Stage) -> Page:
    """The holder's phone on `/my/`."""
    page = on_a_phone(stage.browser)
    page.goto(stage.paths.ecert.base_url + "/my/")
    page.fill("#id_no", stage.person.id_no)
    page.fill("#name", stage.person.name)
    page.fill("#admission_no", stage.person.admission_no)
    follow(page, "button[type=submit]")
    return page


def copy_from(page: Page, folder: Path) -> InHand:
    """Make a copy in the page and download it."""
    page.fill("#purpose", PURPOSE)
    follow(page, "text=制作加注件")
    page.wait_for_selector(".good-edge")
    with page.expect_download() as loading:
        page.click(".good-edge >> text=下载 PDF")
    file = folder / "copy.pdf"
    loading.value.save_as(file)
    number = page.locator(".good-edge .number").first.inner_text()
    return InHand(file, scanned(file, folder), number, "")


def arrived(mails: MailServer, count: int) -> None:
    """Wait until so many letters have come."""
    until = time.monotonic() + 200
    while len(mails.letters) < count:
        assert time.monotonic() < until, "not told"
        time.sleep(0.05)


def test_a_copy_and_a_watch_from_making_to_falling(stage: Stage, tmp_path: Path) -> None:
    holder = signed_in(stage)
    looked_at(holder, "my-home")
    follow(holder, "text=加注件与关注")
    looked_at(holder, "my-certificate-empty")
    made = copy_from(holder, tmp_path)
    held = InHand(made.pdf, made.qr_text, made.management_no, stage.person.name)
    found = stage.paths.verdicts(held)
    assert (len(found), set(found.values())) == (11, {"valid"}), found
    assert stage.paths.phone.locator("[data-f=copy_valid_until]").is_visible()
    assert stage.paths.phone.locator("#headline").inner_text() == "此加注件有效"
    stage.paths.phone.wait_for_selector("[data-code=log-included]")
    looked_at(stage.paths.phone, "copy-verdict")

    employer = on_a_phone(stage.browser)
    token = stage.paths.ecert.look("certificate", "show", stage.management_no)["token"]
    employer.goto(f"{stage.paths.ecert.base_url}/v/{token}")
    follow(employer, "text=状态变化时通知我")
    looked_at(employer, "watch-ask")
    employer.fill("#organisation", ORGANISATION)
    employer.fill("#email", "hr@example.com")
    employer.fill("#label", "工号0042")
    follow(employer, "button[type=submit]")
    looked_at(employer, "watch-asked")
    arrived(stage.mails, 1)
    employer.goto(str(stage.mails.last().get_content()).split("打开下面的页面并确认：\n")[1].split()[0])
    looked_at(employer, "watch-confirm")
    follow(employer, "text=确认接收通知")
    employer.wait_for_selector("text=按名单关注")
    looked_at(employer, "watch-manage")

    holder.reload()
    assert ORGANISATION in holder.locator("#watches").inner_text()
    looked_at(holder, "my-certificate")
    revoke = ("revoke", stage.management_no, "--ground", "R9", "--basis", "示例：监管发现不符合报考条件。")
    people = ("--proposed-by", "issuer", "--approved-by", "approver")
    stage.paths.ecert.ask(*revoke, *people)
    found = stage.paths.verdicts(held)
    assert set(found.values()) == {"invalid"}, found
    arrived(stage.mails, 2)
    assert "无效" in stage.mails.last()["Subject"]
    assert stage.person.name not in str(stage.mails.last())

    holder.reload()
    looked_at(holder, "my-certificate-fallen")
    follow(holder, "#watches button")
    holder.wait_for_selector("#watches >> text=已终止")
    arrived(stage.mails, 3)
    assert "关注已终止" in stage.mails.last()["Subject"]


def test_what_is_wrong_is_said_and_answered_on_the_page(stage: Stage) -> None:
    holder = signed_in(stage)
    holder.click("text=信息有误？")
    holder.select_option("select[name=matter]", "photo")
    holder.fill("textarea[name=text]:visible", "照片不是本人近照，请更换。")
    follow(holder, "text=提交 >> visible=true")
    holder.wait_for_selector("#objections")
    assert "办理中" in holder.locator("#objections").inner_text()
    looked_at(holder, "my-objection")
    follow(holder, "#objections >> text=撤回")
    holder.wait_for_selector("#objections >> text=已撤回")
