"""Debian's Chromium for tests, with time enough on a machine that does other things as well."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tests.factories.web_server import CHROMIUM

PATIENCE_MS = 120_000
"""Playwright's own limit is 30 s, which a start or a page may take where nothing is wrong but the load."""


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """A browser without a window, until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE_MS)
        yield browser
        browser.close()


def follow(page: Page, what: str) -> None:
    """Click on what leads to another page; returns when that one is there whole, so that no old page is looked at."""
    with page.expect_navigation():
        page.click(what)
