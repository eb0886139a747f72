"""Passkeys (DevTools' virtual authenticator) and a real identity provider in Debian's Chromium."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from issuer.access import oidc_sign_in
from tests.factories.browsers import PATIENCE_MS, chromium_running, follow
from tests.factories.office import PASSWORD
from tests.factories.world import AUDITOR, World
from tests.issuer.console.test_console_in_chromium import require_sound, serving
from tests.services.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, openid_provider

USER = "operator"
KEY: dict[str, Any] = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


@pytest.fixture
def provider() -> Iterator[OpenIdProvider]:
    with openid_provider(time.time) as provider:
        yield provider


@pytest.fixture
def address(world_copy: World, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The console at a name browsers allow passkeys for, with a provider that knows `USER`."""
    monkeypatch.setenv("ECERT_OIDC_ISSUER", provider.issuer)
    monkeypatch.setenv("ECERT_OIDC_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("ECERT_OIDC_CLIENT_SECRET", CLIENT_SECRET)
    monkeypatch.setenv("ECERT_OIDC_LABEL", "省统一身份认证")
    for site in serving(world_copy):
        base = site.url.replace("127.0.0.1", "localhost")
        provider.redirect_uri = f"{base}/console/sign-in/oidc/back"
        yield base


@contextmanager
def phone(chromium: Browser, address: str) -> Iterator[Page]:
    """A phone's browser, in which no page may have an error of its own."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, base_url=address)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert errors == []


def authenticator(page: Page) -> tuple[CDPSession, str]:
    """A virtual authenticator of this page: the DevTools session and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})["authenticatorId"]


def by_password(page: Page) -> None:
    page.goto("/console/sign-in?next=/console/account")
    page.fill("#username", USER)
    page.fill("#password", PASSWORD)
    follow(page, "form[action='/console/sign-in'] button")


def sign_out(page: Page) -> None:
    follow(page, "header form button")
    assert page.url.endswith("/console/sign-in")


def test_a_passkey_is_registered_asked_for_and_enough_alone(chromium: Browser, address: str) -> None:
    with phone(chromium, address) as page:
        devtools, key = authenticator(page)
        by_password(page)
        require_sound(page)
        page.fill("#passkey-label", "办公室安全密钥")
        follow(page, "form[data-passkey=create] button")
        assert page.locator(".codes code").count() > 0
        require_sound(page)
        page.goto("/console/account")
        assert "办公室安全密钥" in page.locator(".keys").inner_text()
        require_sound(page)
        page.fill("#passkey-label", "同一个")
        page.click("form[data-passkey=create] button")
        page.wait_for_selector("[data-failed]:not([hidden])")  # the authenticator has one for this account
        page.goto("/console/account/sessions")
        assert "密码" in page.locator("tbody").inner_text()
        require_sound(page)
        sign_out(page)

        by_password(page)
        assert page.url.startswith(f"{address}/console/sign-in/code")
        require_sound(page)
        follow(page, "form[data-passkey=get] button")
        page.wait_for_url(f"{address}/console/account")
        sign_out(page)
        require_sound(page)

        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
        page.click("form[data-passkey=get] button")
        page.wait_for_selector("[data-failed]:not([hidden])")
        assert page.url.startswith(f"{address}/console/sign-in")
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": True})
        page.click("form[data-passkey=get] button")
        page.wait_for_url(f"{address}/console/")
        page.goto("/console/staff")
        require_sound(page)
        follow(page, f"main a:has-text('{USER}')")
        assert "通行密钥 1 个" in page.locator("main").inner_text()
        require_sound(page)
        page.goto("/console/account")
        follow(page, ".keys button")
        assert page.locator(".keys").count() == 0


def test_one_goes_to_the_provider_and_comes_back_signed_in(
    chromium: Browser, world_copy: World, provider: OpenIdProvider, address: str
) -> None:
    ctx = world_copy.ctx
    with ctx.database.write() as session:
        oidc_sign_in.link(session, ctx.clock, AUDITOR, username=USER, issuer=provider.issuer, subject=provider.person)
    world_copy.close()
    with phone(chromium, address) as page:
        page.goto("/console/account")  # leads to the sign-in page
        require_sound(page)
        page.click("text=省统一身份认证")
        page.wait_for_url(f"{address}/console/account")
        assert "已关联" in page.locator("main").inner_text()
        assert all("code=" not in entry for entry in (page.url, page.evaluate("document.referrer")))
        page.click("header form button")
        page.wait_for_url(f"{provider.issuer}/leave?*")
        follow(page, "#back")
        assert page.url.startswith(f"{address}/console/sign-in")
        provider.person = "nobody-here"
        page.click("text=省统一身份认证")
        page.wait_for_selector("[role=alert]")
        assert "nobody-here" in page.locator("main").inner_text()
        require_sound(page)
