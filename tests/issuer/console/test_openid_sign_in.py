"""Signing in by an identity provider: a real one over HTTP, and what a broken or hostile one gets."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pyotp
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from issuer.access import oidc, oidc_documents, oidc_sign_in, second_factor
from issuer.access.oidc import provider_of
from issuer.access.passwords import hashed
from issuer.api.access import SESSION_COOKIE
from issuer.console.oidc import ATTEMPT_COOKIE
from issuer.records.access import SpentChallenge, StaffAccount, StaffIdentity, StaffSession
from issuer.records.ledger import AuditEvent
from issuer.settings import Settings
from tests.factories.office import CSRF, PASSWORD, Office
from tests.factories.world import AUDITOR
from tests.services import openid_provider as provider_side
from tests.services.openid_provider import CLIENT_ID, CLIENT_SECRET, OpenIdProvider, openid_provider, parameters

CONSOLE = "https://console.test"
BACK = f"{CONSOLE}/console/sign-in/oidc/back"
USER = "auditor"
PATIENCE = 120.0
PLAIN = httpx.Client(verify=False, timeout=PATIENCE)
"""The browser's way to the provider, which is on this machine and speaks plain http."""


@dataclass
class House:
    """An office that signs in by a provider."""

    office: Office
    provider: OpenIdProvider
    app: Any

    def browser(self) -> TestClient:
        return TestClient(self.app, CONSOLE, follow_redirects=False, raise_server_exceptions=False)

    def link(self, username: str = USER) -> None:
        ctx = self.office.world.ctx
        issuer, person = self.provider.issuer, self.provider.person
        with ctx.database.write() as session:
            oidc_sign_in.link(session, ctx.clock, AUDITOR, username=username, issuer=issuer, subject=person)

    def rows(self, kind: Any) -> list[Any]:
        with self.office.world.ctx.database.read() as session:
            return list(session.scalars(select(kind)))

    def last_event(self) -> AuditEvent:
        with self.office.world.ctx.database.read() as session:
            return session.scalars(select(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)).one()


def house_over(office: Office, provider: OpenIdProvider, **settings: Any) -> House:
    ctx = office.world.ctx
    provider.redirect_uri = BACK
    update = {
        "console_url": CONSOLE,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": Settings(oidc_client_secret=CLIENT_SECRET).oidc_client_secret,
        **settings,
    }
    own = replace(ctx, settings=ctx.settings.model_copy(update=update))
    # As `create_issuer_app` has it; building all routes anew for each test takes longer than the tests.
    app: Any = office.app
    app.state.ctx, app.state.oidc = own, provider_of(own.settings, own.clock)
    return House(office, provider, app)


@pytest.fixture
def provider(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenIdProvider]:
    for module in (oidc, oidc_documents):  # five seconds are short for a busy machine
        monkeypatch.setattr(module, "TIMEOUT", PATIENCE)
    with openid_provider(lambda: office.world.ctx.clock.now().timestamp()) as provider:
        yield provider


@pytest.fixture
def house(office: Office, provider: OpenIdProvider) -> House:
    house = house_over(office, provider)
    house.link()
    return house


def at_provider(browser: TestClient, next: str = "/console/audit") -> str:
    """Go to the provider, be signed in there; the address it sends the browser back to."""
    away = browser.get("/console/sign-in/oidc", params={"next": next})
    assert away.status_code == 303, away.text
    answer = PLAIN.get(away.headers["location"])
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def refused(house: House, browser: TestClient | None = None, address: str | None = None) -> str:
    """Come back and be refused; the code, as the audit trail or the page has it."""
    browser = browser or house.browser()
    answer = browser.get(address or at_provider(browser))
    assert answer.status_code in (403, 503), answer.status_code
    assert SESSION_COOKIE not in browser.cookies
    assert house.rows(StaffSession) == []
    return answer.text


def test_a_linked_identity_opens_a_session_with_the_local_roles(house: House) -> None:
    browser = house.browser()
    assert "统一身份认证" in browser.get("/console/sign-in").text
    away = browser.get("/console/sign-in/oidc?next=/console/audit")
    asked = parameters(away.headers["location"])
    assert asked["code_challenge_method"] == "S256" and asked["response_type"] == "code"
    assert asked["scope"] == "openid" and asked["redirect_uri"] == BACK
    cookie = away.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" in cookie
    for secret in (asked["nonce"], asked["state"], CLIENT_SECRET):
        assert secret not in browser.cookies[ATTEMPT_COOKIE]
    back = browser.get(PLAIN.get(away.headers["location"]).headers["location"])
    assert back.status_code == 200 and 'content="0; url=/console/audit"' in back.text
    assert ATTEMPT_COOKIE not in browser.cookies
    assert browser.get("/console/audit").status_code == 200
    (opened,) = house.rows(StaffSession)
    assert (opened.username, opened.means) == (USER, "oidc")
    event = house.last_event()
    assert (event.act, event.subject, event.details["factor"]) == ("staff.sign-in", f"staff:{USER}", "oidc")


SPOILT: dict[str, dict[str, Any]] = {
    "wrong nonce": {"claims": lambda claims: claims | {"nonce": "another"}},
    "no nonce": {"claims": lambda claims: {key: value for key, value in claims.items() if key != "nonce"}},
    "for another client": {"claims": lambda claims: claims | {"aud": "another-client"}},
    "for us and others": {"claims": lambda claims: claims | {"aud": [CLIENT_ID, "another"], "azp": CLIENT_ID}},
    "by another party": {"claims": lambda claims: claims | {"azp": "another-client"}},
    "from another issuer": {"claims": lambda claims: claims | {"iss": "http://127.0.0.1:1"}},
    "expired": {"claims": lambda claims: claims | {"exp": claims["iat"] - 120, "iat": claims["iat"] - 600}},
    "not yet": {"claims": lambda claims: claims | {"nbf": claims["iat"] + 600}},
    "made in the future": {"claims": lambda claims: claims | {"iat": claims["iat"] + 600}},
    "without an end": {"claims": lambda claims: {key: value for key, value in claims.items() if key != "exp"}},
    "without a subject": {"claims": lambda claims: claims | {"sub": ""}},
    "of a number": {"claims": lambda claims: claims | {"sub": 7}},
    "of another access token": {"claims": lambda claims: claims | {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "unsigned": {"sign": provider_side.unsigned},
    "HMAC with the public key": {"sign": provider_side.signed_with_the_public_key},
    "HMAC with our secret": {"sign": provider_side.signed_with_the_client_secret},
    "a stranger's signature": {"sign": provider_side.signed_by_a_stranger},
    "its own key": {"sign": provider_side.signed_with_its_own_key},
    "no token at all": {"sign": lambda provider, claims: "not.a.token"},
}


def test_no_spoilt_token_opens_anything(house: House, caplog: pytest.LogCaptureFixture) -> None:
    honest_claims, caught = house.provider.claims, []
    for name, twist in SPOILT.items():
        house.provider.claims, house.provider.sign = twist.get("claims", honest_claims), twist.get("sign")
        with caplog.at_level(logging.DEBUG, logger="issuer"):
            if "没有通过核验" in refused(house):
                caught.append(name)
    assert caught == list(SPOILT)
    # What we wrote: the provider's own lines hold random values, any of which may look like the beginning of a token.
    told = str([record.getMessage() for record in caplog.records if record.name.startswith("issuer.")])
    assert "was refused" in told and house.provider.person not in told and "eyJ" not in told
    house.provider.claims, house.provider.sign = honest_claims, None
    browser = house.browser()
    assert browser.get(at_provider(browser)).status_code == 200, "the honest one still does"


def test_an_answer_counts_in_the_browser_that_began_and_once(house: House) -> None:
    browser, other = house.browser(), house.browser()
    address = at_provider(browser)
    at_provider(other)
    assert "不是从本浏览器发起的" in refused(house, other, address), "another browser's attempt"
    assert "不是从本浏览器发起的" in refused(house, house.browser(), address), "no attempt"
    state = parameters(address)["state"]
    assert "不是从本浏览器发起的" in refused(house, browser, address.replace(state, "A" * len(state)))


def test_a_replayed_answer_is_refused_by_us_even_if_the_provider_would_take_it(house: House) -> None:
    house.provider.replays = True
    browser = house.browser()
    address = at_provider(browser)
    attempt = browser.cookies[ATTEMPT_COOKIE]
    assert browser.get(address).status_code == 200
    assert len(house.rows(SpentChallenge)) == 1
    thief = house.browser()
    thief.cookies.set(ATTEMPT_COOKIE, attempt, domain="console.test", path="/console/sign-in/oidc")
    assert thief.get(address).status_code == 403
    assert SESSION_COOKIE not in thief.cookies and len(house.rows(StaffSession)) == 1


def test_a_spent_code_is_refused_by_the_provider(house: House) -> None:
    browser = house.browser()
    address = at_provider(browser)
    house.provider.codes.clear()
    assert "不是从本浏览器发起的" in refused(house, browser, address)


def test_answers_of_a_mixed_up_issuer_are_not_sent_on(house: House) -> None:
    for named in ("https://evil.example", None):
        browser = house.browser()
        given = parameters(at_provider(browser))
        del given["iss"]
        before = len(house.provider.requests)
        query = urlencode(given | ({"iss": named} if named else {}))
        assert "不是从本浏览器发起的" in refused(house, browser, f"{BACK}?{query}")
        assert "/token" not in house.provider.requests[before:], "the code went nowhere"


def test_keys_are_fetched_again_when_the_provider_has_new_ones(house: House) -> None:
    for _ in range(2):
        browser = house.browser()
        assert browser.get(at_provider(browser)).status_code == 200
    assert house.provider.requests.count("/keys") == 1
    house.provider.rotate()
    browser = house.browser()
    assert browser.get(at_provider(browser)).status_code == 200
    assert house.provider.requests.count("/keys") == 2


def test_keys_of_kinds_nobody_here_reads_do_no_harm(house: House) -> None:
    class Odd:
        def as_dict(self, private: bool) -> dict[str, Any]:
            return {"kty": "EC", "crv": "SM2", "kid": "sm2", "x": "AA", "y": "AA"}

    house.provider.published = [Odd(), *house.provider.keys]  # type: ignore[list-item]
    browser = house.browser()
    assert browser.get(at_provider(browser)).status_code == 200


def test_an_unlinked_identity_makes_no_account_and_is_told_what_to_do(house: House) -> None:
    house.provider.person = "somebody-else"
    before = len(house.rows(StaffAccount))
    shown = refused(house)
    assert "somebody-else" in shown and "link-oidc" in shown
    assert len(house.rows(StaffAccount)) == before
    assert all("somebody-else" not in str(event.details) + event.subject for event in house.rows(AuditEvent))


def test_a_closed_account_stays_closed(house: House) -> None:
    with house.office.world.ctx.database.write() as session:
        session.execute(update(StaffAccount).where(StaffAccount.username == USER).values(active=False))
    assert "已停用" in refused(house)
    event = house.last_event()
    assert (event.outcome, event.details["code"]) == ("refused", "oidc-account-closed")


def app_of(house: House) -> Callable[[int], str]:
    """Give the account an authenticator app; its code, `steps` on from now."""
    ctx = house.office.world.ctx
    with ctx.database.write() as session:
        app = pyotp.TOTP(second_factor.begin(session, ctx.clock, USER))
        assert second_factor.confirm(session, ctx.clock, USER, app.at(ctx.clock.now()))
    return lambda steps: app.at(ctx.clock.now() + timedelta(seconds=30 * steps))


def test_the_local_second_factor_is_asked_for_whatever_the_provider_says(house: House) -> None:
    code = app_of(house)
    house.provider.acr, house.provider.amr = "gold", ["mfa", "hwk"]
    browser = house.browser()
    back = browser.get(at_provider(browser))
    assert "url=/console/sign-in/code?next=/console/audit" in back.text
    assert browser.get("/console/audit").status_code == 303
    whole = browser.post("/console/sign-in/code", data={"code": code(1), "next": "/console/audit"})
    assert whole.headers["location"] == "/console/audit"
    assert house.rows(StaffSession)[0].means == "oidc+totp"


def test_only_named_values_stand_for_the_second_factor(office: Office, provider: OpenIdProvider) -> None:
    named = {"oidc_second_factor_acr": ("gold",), "oidc_second_factor_amr": ("mfa",), "second_factor": "required"}
    house = house_over(office, provider, **named)
    house.link()
    app_of(house)
    asks: list[tuple[str | None, list[str], bool]] = [
        ("gold", [], False),
        (None, ["pwd", "mfa"], False),
        ("silver", ["pwd"], True),
        (None, [], True),
    ]
    for acr, amr, asked in asks:
        provider.acr, provider.amr = acr, amr
        browser = house.browser()
        away = browser.get("/console/sign-in/oidc")
        assert parameters(away.headers["location"])["acr_values"] == "gold"
        back = browser.get(PLAIN.get(away.headers["location"]).headers["location"])
        assert ("/console/sign-in/code" in back.text) is asked, (acr, amr)
        assert (SESSION_COOKIE in browser.cookies) is not asked


def test_signing_out_leads_on_to_where_the_provider_ends_its_session(house: House) -> None:
    browser = house.browser()
    browser.get(at_provider(browser))
    (opened,) = house.rows(StaffSession)
    left = browser.post("/console/sign-out", data={"csrf": opened.csrf})
    assert left.status_code == 200 and "/leave?client_id=ecert-console&amp;post_logout_redirect_uri=" in left.text
    assert house.rows(StaffSession) == [] and "id_token" not in left.text
    local = house.office.desk("operator")
    assert local.post("/console/sign-out", data={"csrf": CSRF}).headers["location"] == "/console/sign-in"


def test_a_denied_sign_in_and_a_provider_that_is_down_are_told_apart(
    office: Office, provider: OpenIdProvider
) -> None:
    house = house_over(office, provider)
    house.link()
    provider.denies = True
    assert "没有通过本次登录" in refused(house)
    down = house_over(office, provider, oidc_issuer="http://127.0.0.1:1/gone")
    answer = down.browser().get("/console/sign-in/oidc")
    assert answer.status_code == 503 and "暂时无法使用" in answer.text and "retry-after" in answer.headers
    assert 'name="password"' in answer.text, "local accounts can still sign in"


@pytest.mark.parametrize(
    "twist",
    [
        {"issuer": "https://another.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": None},
    ],
)
def test_a_description_that_does_not_fit_is_not_followed(house: House, twist: dict[str, Any]) -> None:
    house.provider.describe = lambda document: document | twist
    assert house.browser().get("/console/sign-in/oidc").status_code == 503


def test_where_only_the_provider_counts_one_named_account_keeps_its_password(
    office: Office, provider: OpenIdProvider
) -> None:
    with office.world.ctx.database.write() as session:
        session.execute(update(StaffAccount).values(password_hash=hashed(PASSWORD)))
    house = house_over(office, provider, oidc_only=True, oidc_break_glass="operator")
    browser = house.browser()
    page = browser.get("/console/sign-in").text
    assert "应急账号" in page and "通行密钥" not in page
    for username, status in ((USER, 403), ("nobody", 403), ("operator", 303)):
        answer = browser.post("/console/sign-in", data={"username": username, "password": PASSWORD})
        assert answer.status_code == status, username
    assert browser.post("/console/sign-in/passkey", data={"ticket": "x", "answer": "{}"}).status_code == 403


def test_the_console_must_know_its_address_before_it_sends_anybody_away(
    office: Office, provider: OpenIdProvider
) -> None:
    house = house_over(office, provider, console_url=None)
    answer = house.browser().get("/console/sign-in/oidc")
    assert answer.status_code == 503 and "ECERT_CONSOLE_URL" in answer.text


def test_without_a_provider_there_is_nothing_to_press(office: Office) -> None:
    browser = office.anybody()
    assert "/console/sign-in/oidc" not in browser.get("/console/sign-in").text
    assert browser.get("/console/sign-in/oidc").status_code == 404


def test_one_subject_an_account_and_the_subject_rests_encrypted(house: House) -> None:
    ctx = house.office.world.ctx
    with pytest.raises(Exception, match="linked already"):
        house.link("operator")
    with ctx.database.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT * FROM staff_identities").one()
    assert house.provider.person.encode() not in b"".join(str(value).encode() for value in stored)
    with ctx.database.write() as session:
        assert oidc_sign_in.unlink(session, USER) == 1
    assert house.rows(StaffIdentity) == [] and "link-oidc" in refused(house)
