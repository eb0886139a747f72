"""A day's work in Chromium: reviews by keyboard within a budget of keys, a take-over, the auditor's pack.

What belongs to others is refused on page and API.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.factories.browsers import chromium_running, follow
from tests.factories.review_desk import reopen_review
from tests.factories.world import World
from tests.issuer.console.test_console_in_chromium import Site, require_sound, serving, sign_in, watched

KEYS_WITHOUT_A_REASON = 2
KEYS_WITH_A_REASON = 3
"""The budget for a whole case: finding and Enter; finding, reason and Enter. The next case comes by itself."""


@dataclass(frozen=True)
class Desk:
    """A served world whose first round is under way, and browsers to work in it."""

    site: Site
    chromium: Browser

    @contextmanager
    def browser(self, username: str, width: int = 1280) -> Iterator[Page]:
        with watched(self.chromium, self.site, width) as page:
            sign_in(page, username)
            yield page


@pytest.fixture(scope="module")
def desk(issued_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    world = issued_world.copy(tmp_path_factory.mktemp("work") / "data")
    reopen_review(world)
    with chromium_running() as browser:
        for site in serving(world):
            yield Desk(site, browser)


def press(page: Page, *keys: str) -> int:
    """Press keys, the last of which leads to another page; how many they were."""
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press(keys[-1])
    return len(keys)


def test_a_day_of_reviews_by_keyboard_a_take_over_and_a_pack(desk: Desk, tmp_path: Path) -> None:
    with desk.browser("reviewer") as page:
        require_sound(page)
        follow(page, "text=待资格核查")
        require_sound(page)
        press(page, "Enter")  # the button that takes the next case has the focus
        assert page.url.endswith("/console/work/review/1")
        require_sound(page)
        assert press(page, "1", "Enter") <= KEYS_WITHOUT_A_REASON
        assert page.url.endswith("/console/work/review/2")
        page.keyboard.press("2")
        page.keyboard.press("c")
        assert "从事相关工作年限不足" in page.locator("#told").inner_text()
        require_sound(page)
        page.keyboard.press("n")
        page.keyboard.type("差两个月")
        assert page.locator("#told").inner_text().endswith("差两个月")
        page.keyboard.press("Escape")
        press(page, "Enter")
        assert page.url.endswith("/console/work/review/3")
        assert press(page, "3", "a", "Enter") <= KEYS_WITH_A_REASON
        page.keyboard.press("n")
        page.keyboard.type("已电话核实")
        page.keyboard.press("Escape")
        press(page, "s")
        case = page.url
        assert page.input_value("#note") == "已电话核实"

    with desk.browser("issuer") as other:
        other.goto(case)
        assert "reviewer" in other.locator(".hold").inner_text()
        assert other.locator("#decision").count() == 0

    with desk.browser("supervisor") as page:
        page.goto(case)
        page.click("summary:has-text('接管')")
        page.fill("#to", "issuer")
        page.fill("#why", "经办人请假")
        follow(page, "button:has-text('接管')")
        assert "经办人请假" in page.locator("main").inner_text()
        require_sound(page)

    with desk.browser("issuer", 390) as phone:
        phone.goto(case)
        assert phone.input_value("#note") == "已电话核实"
        require_sound(phone)
        for address in ("/console/", "/console/queues", "/console/queues/first-round", "/console/people"):
            phone.goto(address)
            require_sound(phone)

    with desk.browser("auditor") as page:
        page.goto("/console/people")
        page.fill("#name", desk.site.people[1].name)
        follow(page, "main button[type=submit]")
        follow(page, f"td >> text={desk.site.people[1].name}")
        require_sound(page)
        assert "差两个月" in page.locator(".happenings").inner_text()
        assert "reviewer" in page.locator("section:has(#looks)").inner_text()
        with page.expect_download() as waiting:
            page.click("text=审计材料包")
        waiting.value.save_as(tmp_path / "pack.zip")
        assert "SHA256SUMS" in zipfile.ZipFile(tmp_path / "pack.zip").namelist()
        page.set_viewport_size({"width": 390, "height": 844})
        require_sound(page)


TRIES = {
    "reviewer": ("/console/work/review/4/take-over", "/console/cases/1/approve", "/api/v1/batches"),
    "approver": ("/console/work/review/4/decide", "/console/work/review/4/take-over", "/api/v1/batches"),
    "supervisor": ("/console/work/review/4/decide", "/console/work/review/4/claim", "/api/v1/invalidations"),
    "auditor": ("/console/work/review/4/take-over", "/console/queues/first-round/next", "/api/v1/invalidations"),
}
"""What each tries that belongs to others: two forms of the console, one call of the API."""


@pytest.mark.parametrize("username", sorted(TRIES))
def test_what_belongs_to_others_is_refused_on_page_and_api(desk: Desk, username: str) -> None:
    with desk.browser(username) as page:
        csrf = page.get_attribute("header input[name=csrf]", "value") or ""
        for address in TRIES[username]:
            headers = {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "same-origin"}
            if address.startswith("/api/"):
                answer = page.request.post(address, headers=headers, data={})
            else:
                answer = page.request.post(address, headers=headers, form={"csrf": csrf, "reason": "试试看能否"})
            assert answer.status == 403, (address, answer.status)
            assert "没有办理此事项的权限" in answer.text() or "role-missing" in answer.text(), address
