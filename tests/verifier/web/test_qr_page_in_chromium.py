"""The QR page in a real browser on a phone's screen: what it shows, and what it never shows in green."""

import base64
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page

from issuer.sealing.credential import sign_credential
from tests.factories.claims import sample_claims
from tests.factories.public_register import LOOKUP_KEY, PublicRegister, Published, base32_flip
from tests.factories.signing import NOW, Bench
from verifier.check.checker import Checker
from verifier.record.qr import b32, new_token
from verifier.record.register import SqlRegister
from verifier.web.view import rare_note

NO_WEBCRYPTO = "Object.defineProperty(crypto, 'subtle', {value: undefined})"
BROKEN_WEBCRYPTO = "crypto.subtle.verify = () => Promise.reject(new Error('broken'))"
SETTLED = "#verdict:not([data-verdict=pending])"


@dataclass
class Seen:
    """What the page shows once it has settled."""

    verdict: str
    tone: str
    headline: str
    codes: list[str]
    text: str


def look(page: Page, address: str) -> Seen:
    """Open an address and read the answer."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(SETTLED)
    hero = page.locator("#verdict")
    return Seen(
        hero.get_attribute("data-verdict") or "",
        hero.get_attribute("data-tone") or "",
        page.locator("#headline").inner_text(),
        [line.get_attribute("data-code") or "" for line in page.locator("#checks li").all()],
        page.locator("main").inner_text(),
    )


@pytest.fixture(scope="module")
def one(site: PublicRegister) -> Published:
    return site.publish()


def test_a_valid_certificate_shows_the_signed_name_in_green(
    phone: Page, site: PublicRegister, one: Published
) -> None:
    seen = look(phone, one.qr)
    assert (seen.verdict, seen.tone, seen.headline) == ("valid", "good", "此证书有效")
    assert seen.codes[:4] == ["credential-verified", "credential-bound", "registered", "status-valid"]
    assert phone.locator("#who").inner_text() == one.claims.name
    for shown in (one.claims.management_no, "二级建造师", "水利水电工程", "2025年6月8日"):
        assert shown in seen.text
    assert "官方查验地址只有" in seen.text
    assert site.base_url in seen.text
    assert "北京时间" in seen.text


def test_rare_characters_are_named_by_code_point(phone: Page, site: PublicRegister) -> None:
    rare = site.publish(name="王𠮷㐂·买")
    look(phone, rare.qr)
    shown = phone.locator("#rare").inner_text()
    assert "𠮷 U+20BB7、㐂 U+3402。" in shown
    assert shown == rare_note(rare.claims.name)
    assert rare_note("欧阳·SMITH") == ""


def test_what_stands_behind_the_hash_never_leaves_the_phone(phone: Page, one: Published) -> None:
    asked: list[str] = []
    phone.context.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    own: list[str] = []
    phone.on("request", lambda request: own.append(request.url))
    look(phone, one.qr)
    phone.wait_for_selector("[data-code^=log-]")
    # One request until the answer stands there; two more for the log.
    assert len(own) == 3
    site = one.qr.split("/V/")[0].lower()
    page, *more = (url.split("#")[0] for url in asked)
    assert page == one.qr.split("#")[0].replace("HTTP://", "http://")
    assert [url for url in more if "/log/" in url] == [f"{site}/log/check.js", f"{site}/log/proof/{one.token}"]
    assert not [url for url in more if one.payload[:24].lower() in url.lower()]


@pytest.mark.parametrize(
    ("status", "tone", "headline"),
    [
        ("invalid", "bad", "此证书无效"),
        ("suspended", "caution", "此证书暂停使用"),
        ("superseded", "caution", "此证书已被新证书取代"),
    ],
)
def test_a_fallen_certificate_shows_its_status_and_its_name(
    phone: Page, site: PublicRegister, status: str, tone: str, headline: str
) -> None:
    fallen = site.publish()
    successor = site.publish()
    extra = {"superseded_by": successor.token} if status == "superseded" else {}
    site.change(fallen.token, status, **extra)
    seen = look(phone, fallen.qr)
    assert (seen.verdict, seen.tone, seen.headline) == (status, tone, headline)
    assert fallen.claims.name in seen.text
    assert seen.codes[0] == f"status-{status}"
    assert "2025年11月3日" in seen.text
    if extra:
        assert phone.locator("[data-f=superseded_by] a").get_attribute("href") == f"/v/{successor.token}"


def bad_codes(site: PublicRegister, one: Published) -> dict[str, tuple[str, str, str]]:
    """QR texts that are wrong in one way each: text, expected verdict, expected reason."""
    address = one.qr.split("#")[0]
    other = site.publish(name="另一人")
    foreign = sign_credential(Bench(), one.claims)
    renamed = sign_credential(
        site.bench, sample_claims(token=one.token, name="冒名者", list_index=one.claims.list_index)
    )
    other_job = sign_credential(
        site.bench, sample_claims(token=one.token, programme_name="一级建造师", list_index=one.claims.list_index)
    )
    unregistered = new_token()
    genuine = sign_credential(site.bench, sample_claims(token=unregistered))
    return {
        "tampered": (f"{address}#{base32_flip(one.payload)}", "altered", "credential-altered"),
        "spliced": (f"{address}#{other.payload}", "altered", "credential-other-certificate"),
        "foreign key": (f"{address}#{b32(foreign)}", "untrusted", "credential-untrusted"),
        "re-signed": (f"{address}#{b32(renamed)}", "altered", "credential-not-registered"),
        "other qualification": (f"{address}#{b32(other_job)}", "altered", "credential-not-registered"),
        "garbage": (f"{address}#HELLOWORLD", "malformed", "credential-malformed"),
        "cut": (f"{address}#{one.payload[:-20]}", "malformed", "credential-malformed"),
        "unregistered": (f"{site.base_url}/v/{unregistered}#{b32(genuine)}", "not_found", "not-registered"),
    }


def test_no_wrong_code_is_green_and_the_checker_agrees_on_each(
    phone: Page, site: PublicRegister, one: Published
) -> None:
    checker = Checker(
        SqlRegister(site.settings.register_database),
        lambda: site.bench.key_set,
        LOOKUP_KEY,
        lambda: NOW,
        (site.base_url,),
    )
    for name, (text, verdict, code) in bad_codes(site, one).items():
        seen = look(phone, text)
        assert (name, seen.verdict) == (name, verdict)
        assert code in seen.codes, name
        assert seen.tone in ("bad", "none"), name
        assert "status-valid" not in seen.codes, name
        assert "另一人" not in seen.text, name
        assert checker.check_qr(text).verdict == verdict, name


def test_what_differs_from_the_register_is_shown_beside_it(phone: Page, site: PublicRegister, one: Published) -> None:
    look(phone, bad_codes(site, one)["other qualification"][0])
    both = phone.locator("[data-f=programme_name] .differs").all_inner_texts()
    assert both == ["二级建造师", "一级建造师"]


@pytest.mark.parametrize("fragment", ["rd", "wechat_redirect", ":~:text=x", "%3Cscript%3E", "0", "A" * 2000])
def test_foreign_fragments_are_never_green(phone: Page, one: Published, fragment: str) -> None:
    seen = look(phone, f"{one.qr.split('#')[0]}#{fragment}")
    assert seen.tone != "good"
    assert seen.verdict in ("malformed", "valid")


def test_by_token_alone_the_name_is_said_to_be_unchecked(phone: Page, one: Published) -> None:
    seen = look(phone, one.qr.split("#")[0])
    assert (seen.verdict, seen.tone) == ("valid", "caution")
    assert "姓名未核对" in seen.headline
    assert "credential-not-checked" in seen.codes
    assert one.claims.name not in seen.text


def test_without_script_the_register_answers_and_says_what_was_not_checked(
    chromium: Browser, site: PublicRegister, one: Published
) -> None:
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    seen = look(page, one.qr)
    assert (seen.verdict, seen.tone) == ("valid", "caution")
    assert "没有核对姓名和签名" in seen.text
    fallen = site.publish()
    site.change(fallen.token, "invalid", reason_class="found-ineligible")
    assert look(page, fallen.qr).tone == "bad"
    context.close()


@pytest.mark.parametrize("script", [NO_WEBCRYPTO, BROKEN_WEBCRYPTO])
def test_a_browser_that_cannot_check_signatures_says_so(
    phone: Page, site: PublicRegister, one: Published, script: str
) -> None:
    phone.add_init_script(script)
    seen = look(phone, one.qr)
    assert (seen.verdict, seen.tone) == ("status_unknown", "caution")
    assert "credential-unverifiable" in seen.codes
    assert "姓名未经核实" in seen.text
    assert one.claims.name not in seen.text
    fallen = site.publish()
    site.change(fallen.token, "invalid")
    assert look(phone, fallen.qr).verdict == "invalid"


def test_a_register_out_of_reach_is_never_green_though_the_signature_holds(
    phone: Page, site: PublicRegister, one: Published
) -> None:
    site.take_away()
    try:
        seen = look(phone, one.qr)
    finally:
        site.bring_back()
    assert (seen.verdict, seen.tone) == ("status_unknown", "caution")
    assert "credential-verified" in seen.codes
    assert "register-unreachable" in seen.codes
    assert one.claims.name in seen.text


def test_the_browser_accepts_no_credential_with_a_flipped_bit(
    phone: Page, site: PublicRegister, one: Published
) -> None:
    look(phone, one.qr)
    accepted = phone.evaluate(
        """async ([encoded, keys]) => {
            const bytes = unbase32(encoded), accepted = [];
            for (let bit = 0; bit < bytes.length * 8; bit++) {
                const changed = bytes.slice();
                changed[bit >> 3] ^= 1 << (bit & 7);
                try {
                    if (await verifyCredential(readCredential(changed), keys) === '') accepted.push(bit);
                } catch (error) {}
            }
            return [accepted, await verifyCredential(readCredential(bytes), keys)];
        }""",
        [one.payload, phone.evaluate("JSON.parse(document.getElementById('page').textContent).keys")],
    )
    assert accepted == [[], ""]


def test_base64_of_a_credential_is_not_taken_for_base32(phone: Page, one: Published) -> None:
    encoded = base64.urlsafe_b64encode(one.credential).decode().rstrip("=")
    assert look(phone, f"{one.qr.split('#')[0]}#{encoded}").verdict == "malformed"
