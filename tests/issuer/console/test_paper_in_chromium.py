"""A clerk's day with paper in Chromium: booking, scanning, a wrong envelope, a return, a box, a handover; /my/."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page
from sqlalchemy import update

from issuer.clock import SimulatedClock
from issuer.paper import keeping
from issuer.records.paper_post import PaperBookingWindow
from issuer.records.sittings import Sitting
from tests.factories.browsers import chromium_running, follow
from tests.factories.candidates import Candidate
from tests.factories.paper_office import CLERK, make_paper, serial_of
from tests.factories.world import World
from tests.issuer.console.test_console_in_chromium import Site, require_sound, serving, sign_in, watched


@dataclass(frozen=True)
class Desk:
    """The served world, the serials of its people in order, and browsers."""

    site: Site
    serials: tuple[str, ...]
    people: tuple[Candidate, ...]
    chromium: object

    @contextmanager
    def browser(self, username: str | None, width: int = 1280) -> Iterator[Page]:
        with watched(self.chromium, self.site, width) as page:  # type: ignore[arg-type]
            if username:
                sign_in(page, username)
            yield page


@pytest.fixture(scope="module")
def desk(eligible_template: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Eight paper certificates: the last two in a box, five years after the examination."""
    world = eligible_template.copy(tmp_path_factory.mktemp("paper") / "data")
    make_paper(world)
    ctx = world.ctx
    serials = tuple(serial_of(world, person.admission_no) for person in world.people)
    later = SimulatedClock.on(ctx.clock.today() + timedelta(days=31))
    for serial in serials[6:]:
        keeping.store(ctx.at(later), CLERK, "BOX-1", serial)
    with ctx.database.write() as session:
        today = ctx.clock.today()
        session.execute(
            update(Sitting).values(exam_ended_on=today.replace(year=today.year - 5, day=1) - timedelta(40))
        )
        session.execute(update(PaperBookingWindow).values(closes_on=today + timedelta(days=30)))
    with chromium_running() as browser:
        for site in serving(world):
            yield Desk(site, serials, world.people, browser)


def scan(page: Page, *codes: str) -> str:
    """What a keyboard wedge does: each code and Enter, wherever the cursor waits; the verdict afterwards."""
    for code in codes:
        page.keyboard.type(code)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    return page.get_attribute("[data-verdict]", "data-verdict") or ""


def test_a_holder_books_and_a_clerk_packs_the_right_envelope(desk: Desk, tmp_path: Path) -> None:
    first, second = desk.serials[:2]
    with desk.browser(None, 390) as phone:
        person = desk.people[0]
        phone.goto("/my/")
        phone.fill("#id_no", person.id_no)
        phone.fill("#name", person.name)
        phone.fill("#admission_no", person.admission_no)
        follow(phone, "main button[type=submit]")
        follow(phone, "a:has-text('纸质证书')")
        require_sound(phone)
        follow(phone, "button:has-text('取得提货码')")
        assert phone.locator(".pick-code").count() == 1
        phone.fill("#phone", "13800000000")
        phone.fill("#address", "示例省示例市示例路 1 号")
        follow(phone, "button:has-text('预约邮寄')")
        assert "已预约邮寄" in phone.locator("main").inner_text()
        require_sound(phone)
        assert "13800000000" not in phone.url
    with desk.browser("reviewer") as page:
        page.goto(f"/console/paper/certificates/{second}")
        page.click("summary:has-text('预约邮寄')")
        for name, value in (("mr", "李四"), ("mp", "0371-60000000"), ("ma", "示例省另一市另一路 2 号")):
            page.fill(f"#{name}", value)
        follow(page, "button:has-text('保存')")
        assert "已预约邮寄" in page.locator("main").inner_text()
        page.goto(f"/console/paper/sittings/{desk.site.sitting}")
        with page.expect_download() as waiting:
            page.click("text=导出邮寄清单")
        book = load_workbook(io.BytesIO(Path(waiting.value.path()).read_bytes()))
        sheet = book.active
        assert sheet is not None
        for row, waybill in ((2, "SF0000000001"), (3, "SF0000000002")):
            sheet.cell(row, 7, waybill)
        file = tmp_path / "courier.xlsx"
        book.save(file)
        page.set_input_files("#wf", file)
        follow(page, "button:has-text('导入')")
        assert "可登记 2 条" in page.locator("main").inner_text()
        require_sound(page)

        page.goto("/console/paper/scan/pack")
        assert scan(page, first, "SF0000000002") == "bad"
        assert "证书与信封不符" in page.locator("[role=alert]").inner_text()
        require_sound(page)
        assert scan(page, first, "SF0000000001") == "good"
        page.goto("/console/paper/scan/post")
        assert scan(page, "SF0000000001") == "good"
        page.goto("/console/paper/scan/return")
        assert scan(page, "SF0000000001") == "good"
        page.goto(f"/console/paper/certificates/{first}")
        assert "退件柜" in page.locator("main").inner_text()
        follow(page, "button:has-text('保存')")
        follow(page, "button:has-text('重新邮寄')")
        assert "已预约邮寄" in page.locator("main").inner_text()


def test_the_register_is_counted_by_one_and_countersigned_by_another(desk: Desk) -> None:
    with desk.browser("reviewer") as page:
        page.goto("/console/paper/keeping")
        require_sound(page)
        follow(page, "button:has-text('登记造册 2 份')")
        assert "/registers/" in page.url
        address = page.url
        assert scan(page, "BOX-1", desk.serials[6]) == "good"
        follow(page, "button:has-text('办结清点')")
        assert "清点不符" in page.locator("main").inner_text()
        require_sound(page)
        page.focus("#rb")
        assert scan(page, "BOX-1", desk.serials[0]) == "bad"
        assert scan(page, desk.serials[7]) == "good"
        follow(page, "button:has-text('办结清点')")
        assert "须由省厅另一名审批人员会签" in page.locator("main").inner_text()
    with desk.browser("approver") as page:
        page.goto(address)
        require_sound(page)
        follow(page, "button:has-text('会签并盖章')")
        with page.expect_download() as waiting:
            page.click("text=盖章清册 PDF")
        assert Path(waiting.value.path()).read_bytes().startswith(b"%PDF-")
        page.goto(f"/console/paper/certificates/{desk.serials[7]}")
        assert "已移交省厅" in page.locator("main").inner_text()


def test_every_paper_page_is_sound_on_a_desk_and_a_phone(desk: Desk) -> None:
    pages = ["", "/list", "/stock", "/scan/store", "/keeping", "/replacements"]
    pages += [f"/sittings/{desk.site.sitting}", f"/certificates/{desk.serials[3]}"]
    for width in (1280, 390):
        with desk.browser("issuer", width) as page:
            for path in pages:
                page.goto(f"/console/paper{path}")
                require_sound(page)
