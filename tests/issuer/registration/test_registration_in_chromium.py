"""A candidate on a phone, a reviewer at the desk, in Chromium: asked, handed in, looked at, decided by keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.factories.browsers import chromium_running, follow
from tests.factories.candidates import Candidate
from tests.factories.registration_desk import compared_world
from tests.factories.registration_facts import a_picture
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
    with chromium_running() as browser:
        yield browser


def go_in(page: Page, person: Candidate) -> None:
    """A candidate signs in and opens their facts."""
    page.goto("/my/")
    for name in ("id_no", "name", "admission_no"):
        page.fill(f"[name={name}]", getattr(person, name))
    follow(page, "main button[type=submit]")
    require_sound(page)
    follow(page, "text=承诺、比对与材料")
    assert "/my/registrations/" in page.url
    require_sound(page)


def require_pictures(page: Page) -> None:
    """Wait until every picture of the page has come; those further down are asked for when they are scrolled to."""
    for picture in page.locator("img").all():
        picture.scroll_into_view_if_needed()
    ended = "[...document.images].map((image) => image.complete || new Promise((done) => {"
    ended += " image.onload = image.onerror = done; }))"
    page.evaluate(f"Promise.all({ended}).then(() => null)")
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 100)")


def test_asked_on_the_phone_handed_in_seen_at_the_desk_and_decided(
    chromium: Browser, site: tuple[Site, list[Candidate]], tmp_path: Path
) -> None:
    served, people = site
    paper = tmp_path / "工作证明.jpg"
    paper.write_bytes(a_picture(text="EMPLOYED"))
    with watched(chromium, served, 390) as phone:
        go_in(phone, people[2])
        assert "需要提交：工作年限证明" in phone.locator("[role=status]").inner_text()
        follow(phone, "text=我已阅读，本人承诺")
        assert "已承诺" in phone.locator("#commitment").inner_text()
        phone.set_input_files("#f-employment-proof", paper)
        follow(phone, "button:has-text('上传')")
        assert "材料已提交" in phone.locator("[role=status]").inner_text()
        require_sound(phone)

    with watched(chromium, served, 1280) as desk:
        sign_in(desk, "reviewer")
        desk.goto(f"/console/registrations/{served.sitting}")
        require_sound(desk)
        desk.goto("/console/work/review/3")
        follow(desk, "[data-take]")
        assert desk.locator("#decision").count() == 1
        assert desk.locator(".papers img").count() > 0
        require_pictures(desk)
        require_sound(desk)
        follow(desk, "text=逐页查看")
        require_pictures(desk)
        require_sound(desk)
        desk.fill("#note", "没有盖章，请补盖后重新提交。")
        follow(desk, "text=不予采用，请重新提交")
        assert "/console/work/review/3" in desk.url
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
            require_pictures(page)
            require_sound(page)
