"""A candidate on a phone, a reviewer at the desk, in Chromium: asked, handed in, looked at, decided by keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.factories.candidates import Candidate
from tests.factories.registration_desk import compared_world
from tests.factories.registration_facts import a_picture
from tests.factories.web_server import CHROMIUM
from tests.factories.world import World
from tests.issuer.console.test_console_in_chromium import Site, require_sound, serving, sign_in, watched


@pytest.fixture(scope="module")
def site(
    eligible_template: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Site, list[Candidate]]]:
    """A served world in the first round, and its people in the order of their registrations."""
    world = eligible_template.copy(tmp_path_factory.mktemp("facts") / "data")
    by_number = {person.admission_no: person for person in world.people}
    people = [by_number[row.admission_no] for row in compared_world(world)]
    for served in serving(world):
        yield served, people


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def go_in(page: Page, person: Candidate) -> None:
    """A candidate signs in and opens their facts."""
    page.goto("/my/")
    for name in ("id_no", "name", "admission_no"):
        page.fill(f"[name={name}]", getattr(person, name))
    page.click("main button[type=submit]")
    require_sound(page)
    page.click("text=承诺、比对与材料")
    page.wait_for_url("**/my/registrations/*")
    require_sound(page)


def painted(page: Page) -> bool:
    """Whether every picture that is asked for came."""
    return bool(page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 100)"))


def test_asked_on_the_phone_handed_in_seen_at_the_desk_and_decided(
    chromium: Browser, site: tuple[Site, list[Candidate]], tmp_path: Path
) -> None:
    served, people = site
    paper = tmp_path / "工作证明.jpg"
    paper.write_bytes(a_picture(text="EMPLOYED"))
    with watched(chromium, served, 390) as phone:
        go_in(phone, people[2])
        assert "需要提交：工作年限证明" in phone.locator("[role=status]").inner_text()
        with phone.expect_navigation():
            phone.click("text=我已阅读，本人承诺")
        assert "已承诺" in phone.locator("#commitment").inner_text()
        phone.set_input_files("#f-employment-proof", paper)
        with phone.expect_navigation():
            phone.click("button:has-text('上传')")
        assert "材料已提交" in phone.locator("[role=status]").inner_text()
        require_sound(phone)

    with watched(chromium, served, 1280) as desk:
        sign_in(desk, "reviewer")
        desk.goto(f"/console/registrations/{served.sitting}")
        require_sound(desk)
        desk.goto("/console/work/review/3")
        desk.click("[data-take]")
        desk.wait_for_selector("#decision")
        desk.locator(".papers img").first.scroll_into_view_if_needed()
        desk.wait_for_load_state("networkidle")
        assert painted(desk)
        require_sound(desk)
        desk.click("text=逐页查看")
        desk.wait_for_load_state("networkidle")
        assert painted(desk)
        require_sound(desk)
        desk.fill("#note", "没有盖章，请补盖后重新提交。")
        desk.click("text=不予采用，请重新提交")
        desk.wait_for_url("**/console/work/review/3*")
        assert "尚未提交：工作年限证明" in desk.locator("#materials").inner_text()
        desk.keyboard.press("1")
        desk.keyboard.press("b")
        told = desk.locator(".told").inner_text()
        for words in ("核查合格", "found eligible", "已现场查验证件原件", "The originals were seen", "第3段〔R3〕"):
            assert words in told, words
        require_sound(desk)
        with desk.expect_navigation():
            desk.keyboard.press("Enter")  # three keys with a reason, as ever
        assert re.search(r"/console/work/review/\d+$", desk.url), "the next one came by itself"
        assert not desk.url.endswith("/3")

    with watched(chromium, served, 390) as phone:
        go_in(phone, people[2])
        assert "没有盖章，请补盖后重新提交。" in phone.locator("#materials").inner_text()
        phone.goto("/my/")
        assert "The originals were seen on site" in phone.locator("main").inner_text()

    with watched(chromium, served, 390) as page:
        sign_in(page, "issuer")
        for address in (f"/console/registrations/{served.sitting}", "/console/materials/2", "/console/work/review/2"):
            page.goto(address)
            page.wait_for_load_state("networkidle")
            require_sound(page)
