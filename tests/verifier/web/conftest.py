"""One register and one application per test; a served one per module for the browser."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from limits import strategies
from limits.storage import memory, redis
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from tests.factories.signing import Bench
from tests.factories.web_server import CHROMIUM, free_port, served
from verifier.web import rates
from verifier.web.app import create_app

BUSY_MS = 150_000
"""How long a page may take on a machine that has other things to do."""


@pytest.fixture(autouse=True)
def _counted_in_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits' clock stands: a test that counts to twenty while a minute ends would else be let in once more."""
    midnight = time.time() // 86_400 * 86_400 + 1
    stopped = SimpleNamespace(time=lambda: midnight, monotonic=time.monotonic)
    for module in (memory, redis, strategies, rates):
        monkeypatch.setattr(module, "time", stopped)


@pytest.fixture(autouse=True)
def _redis_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that answers after a second counts as away; on a busy machine it would be so by chance."""
    patient = {"socket_timeout": 60, "socket_connect_timeout": 60}
    storage = rates.storage_from_string
    monkeypatch.setattr(rates, "storage_from_string", lambda url, **options: storage(url, **options | patient))


@pytest.fixture(scope="session")
def web_bench() -> Bench:
    """Keys made once: a ceremony takes longer than all the rest."""
    return Bench()


@pytest.fixture
def register(tmp_path: Path, web_bench: Bench) -> PublicRegister:
    """An empty public record on disk."""
    return PublicRegister(tmp_path / "public", base_url="http://testserver", bench=web_bench)


@pytest.fixture
def client(register: PublicRegister) -> Iterator[TestClient]:
    """A program asking a verifier over `register`."""
    with TestClient(create_app(register.settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def browser_client(register: PublicRegister) -> Iterator[TestClient]:
    """A browser's Accept field over the same register, without a browser."""
    accept = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    with TestClient(create_app(register.settings), headers=accept, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, web_bench: Bench) -> Iterator[PublicRegister]:
    """A register behind a real server; `site.base_url` is its address."""
    folder = tmp_path_factory.mktemp("site") / "public"
    register = PublicRegister(folder, base_url=f"http://127.0.0.1:{free_port()}", bench=web_bench)
    with served(register.folder, register.base_url):
        yield register


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Closed with the module: while it runs, no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=BUSY_MS)
        plain = browser.new_context

        def patient(**options: Any) -> BrowserContext:
            context = plain(**options)
            context.set_default_timeout(BUSY_MS)
            return context

        browser.new_context = patient  # type: ignore[method-assign]
        yield browser
        browser.close()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """A page on a phone's screen, 390 by 844."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    yield context.new_page()
    context.close()
