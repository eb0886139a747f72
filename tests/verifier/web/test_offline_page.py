"""Without a network: what was kept answers, says how old it is, and is never taken for more than it is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from issuer.clock import SHANGHAI
from issuer.sealing.credential import sign_credential
from tests.factories.claims import sample_claims
from tests.factories.public_register import PublicRegister, Published, base32_flip
from tests.factories.scan_page import qr_picture
from tests.factories.signing import Bench
from verifier.check.bundle import Bundle
from verifier.check.offline import OfflineChecker
from verifier.record.qr import b32
from verifier.record.register import SqlRegister
from verifier.record.status import CertificateStatus

SETTLED = "#verdict:not([data-verdict=pending])"
LIST = "/status-lists/1"
KEYS = "/.well-known/ecert-keys.json"
REPLACE = """async ([path, change]) => {
    const cache = await caches.open('ecert-data');
    const kept = await cache.match(path, {ignoreVary: true});
    if (change.gone) { await cache.delete(path); return; }
    const bytes = new Uint8Array(change.bytes || await kept.arrayBuffer());
    if (change.flip) bytes[bytes.length + change.flip] ^= 1;
    const at = Number(kept.headers.get('ecert-kept-at')) + (change.older || 0) * -1000;
    await cache.put(path, new Response(bytes, {headers: {'Content-Type': '', 'ecert-kept-at': String(at)}}));
}"""
READ = """async (path) => {
    const kept = await (await caches.open('ecert-data')).match(path, {ignoreVary: true});
    return [Array.from(new Uint8Array(await kept.arrayBuffer())), kept.headers.get('ecert-kept-at')];
}"""
WRITE = """async ([path, [bytes, at]]) => {
    const headers = {'Content-Type': '', 'ecert-kept-at': at};
    await (await caches.open('ecert-data')).put(path, new Response(new Uint8Array(bytes), {headers}));
}"""


@pytest.fixture(scope="module")
def fresh(site: PublicRegister) -> PublicRegister:
    """The register with a list signed just now."""
    site.sign_lists(datetime.now(UTC))
    return site


@pytest.fixture(scope="module")
def one(fresh: PublicRegister) -> Published:
    return fresh.publish()


@pytest.fixture
def kept(phone: Page, fresh: PublicRegister, one: Published) -> Iterator[Page]:
    """A phone that has looked at one certificate, and then lost its network."""
    phone.goto(one.qr)
    phone.wait_for_selector(SETTLED)
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.context.set_offline(True)
    yield phone
    phone.context.set_offline(False)


def look(page: Page, address: str) -> tuple[str, str, list[str]]:
    """Verdict, tone and reason codes of the page at an address."""
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector(SETTLED)
    hero = page.locator("#verdict")
    codes = [line.get_attribute("data-code") or "" for line in page.locator("#checks li").all()]
    return hero.get_attribute("data-verdict") or "", hero.get_attribute("data-tone") or "", codes


def change(page: Page, path: str, **how: Any) -> None:
    """Put something else in place of what the phone kept."""
    page.evaluate(REPLACE, [path, how])


def offline_checker(site: PublicRegister, now: datetime) -> OfflineChecker:
    """The command line's checker over the same keys and list."""
    stored = SqlRegister(site.settings.register_database).status_list("1")
    assert stored is not None
    bundle = Bundle(site.bench.key_set, (site.base_url,), now, {"1": stored.token_cwt})
    return OfflineChecker(bundle, lambda: now)


def test_after_one_visit_any_certificate_is_answered_with_the_age_of_the_answer(
    kept: Page, fresh: PublicRegister, one: Published
) -> None:
    never_seen = fresh.publish(name="从未见过", token="W" * 25 + "A")
    assert look(kept, never_seen.qr) == (
        "valid",
        "good",
        ["status-valid", "status-list-current", "credential-verified", "own-origin"],
    )
    assert kept.locator("#who").inner_text() == "从未见过"
    assert kept.locator("#headline").inner_text().startswith("截至 20")
    assert kept.locator("#headline-en").inner_text().startswith("Valid as of 20")
    said = kept.locator("#no-network").inner_text()
    assert "没有连上网络" in said
    assert "There is no network" in said
    # Kept some moments ago; by Beijing's calendar the year may be another one than by UTC's.
    years = {f"{datetime.now(SHANGHAI) - ago:%Y-}" for ago in (timedelta(), timedelta(hours=1))}
    for row in ("#list-age", "#keys-age"):
        assert any(year in kept.locator(row).inner_text() for year in years)
    serious = [found["id"] for found in Axe().run(kept).response["violations"] if found["impact"] != "minor"]
    assert serious == []
    assert kept.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_code_gets_the_verdict_of_the_command_line_without_a_network(
    phone: Page, fresh: PublicRegister, one: Published
) -> None:
    fallen = {status: fresh.publish() for status in ("invalid", "suspended", "superseded")}
    fresh.set_list_entries(
        {published.claims.list_index: CertificateStatus(status) for status, published in fallen.items()}
    )
    fresh.sign_lists(datetime.now(UTC))
    phone.goto(one.qr)
    phone.wait_for_selector(SETTLED)
    phone.evaluate("navigator.serviceWorker.ready.then(() => true)")
    phone.context.set_offline(True)
    address = one.qr.split("#")[0]
    elsewhere = sign_credential(fresh.bench, sample_claims(token=one.token, list_id="77"))
    outside = sign_credential(fresh.bench, sample_claims(token=one.token, list_index=1_000_000))
    texts = {
        "genuine": one.qr,
        **{status: published.qr for status, published in fallen.items()},
        "tampered": f"{address}#{base32_flip(one.payload)}",
        "spliced": f"{address}#{fallen['invalid'].payload}",
        "foreign key": f"{address}#{b32(sign_credential(Bench(), one.claims))}",
        "garbage": f"{address}#HELLOWORLD",
        "cut": f"{address}#{one.payload[:-20]}",
        "no payload": address,
        "list not at hand": f"{address}#{b32(elsewhere)}",
        "outside the list": f"{address}#{b32(outside)}",
    }
    checker = offline_checker(fresh, datetime.now(UTC))
    verdicts = {}
    for what, text in texts.items():
        verdict, tone, codes = look(phone, text)
        expected = checker.check_qr(text)
        assert (what, verdict) == (what, expected.verdict), codes
        # What is not base32 is to the command line no code of ours at all.
        reasons = {check.code for check in expected.checks if check.ok is not True}
        assert reasons <= {*codes, "qr-grammar"}, what
        assert (tone == "good") is (what == "genuine"), what
        verdicts[what] = verdict
    assert {"valid", "invalid", "suspended", "superseded", "altered", "untrusted", "malformed", "status_unknown"} == {
        *verdicts.values()
    }
    # With the network back the register answers again.
    phone.context.set_offline(False)
    fresh.change(one.token, "invalid", reason_class="misconduct")
    try:
        assert look(phone, one.qr)[0] == "invalid"
        assert phone.locator("#no-network").count() == 0
    finally:
        fresh.change(one.token, "valid")


DAY = 86_400


SPOILT: dict[str, tuple[str, dict[str, Any], str]] = {
    "no list": (LIST, {"gone": True}, "status-list-missing"),
    "the list's signature": (LIST, {"flip": -9}, "status-list-untrusted"),
    "the list's content": (LIST, {"flip": -90}, "status-list-untrusted"),
    "something else": (LIST, {"bytes": [1, 2, 3]}, "status-list-untrusted"),
    "no keys": (KEYS, {"gone": True}, "credential-key-unknown"),
    "empty keys": (KEYS, {"bytes": [123, 125]}, "credential-unverifiable"),
    "keys of last week": (KEYS, {"older": 8 * DAY}, "credential-key-unknown"),
    "keys from the future": (KEYS, {"older": -2 * DAY}, "credential-key-unknown"),
}


def test_what_is_missing_spoilt_or_stale_is_never_shown_as_valid(kept: Page, one: Published) -> None:
    sound = {path: kept.evaluate(READ, path) for path in (LIST, KEYS)}
    for what, (path, how, code) in SPOILT.items():
        change(kept, path, **how)
        verdict, tone, codes = look(kept, one.qr)
        assert (what, verdict, tone) == (what, "status_unknown", "caution")
        assert code in codes, what
        assert "status-valid" not in codes, what
        kept.evaluate(WRITE, [path, sound[path]])
    assert look(kept, one.qr)[0] == "valid"


@pytest.mark.parametrize("hours", [-24.1, 0.1], ids=["past its time", "from the future"])
def test_a_list_out_of_its_time_is_never_shown_as_valid(
    kept: Page, fresh: PublicRegister, one: Published, hours: float
) -> None:
    fresh.sign_lists(datetime.now(UTC) + timedelta(hours=hours))
    stored = SqlRegister(fresh.settings.register_database).status_list("1")
    assert stored is not None
    change(kept, LIST, bytes=list(stored.token_cwt))
    fresh.sign_lists(datetime.now(UTC))
    assert look(kept, one.qr)[::2] == (
        "status_unknown",
        ["status-list-expired", "credential-verified", "own-origin"],
    )
    assert one.claims.name in kept.locator("#who").inner_text()


def test_a_list_of_another_address_or_key_is_not_believed(
    kept: Page, fresh: PublicRegister, one: Published, tmp_path: Path
) -> None:
    for bench, base_url in ((fresh.bench, "http://127.0.0.1:1"), (Bench(), fresh.base_url)):
        other = PublicRegister(tmp_path / base_url[-5:] / "public", base_url=base_url, bench=bench)
        other.sign_lists(datetime.now(UTC))
        stored = SqlRegister(other.settings.register_database).status_list("1")
        assert stored is not None
        change(kept, LIST, bytes=list(stored.token_cwt))
        verdict, _, codes = look(kept, one.qr)
        assert (verdict, "status-list-untrusted" in codes) == ("status_unknown", True)


def test_nothing_about_a_certificate_is_kept(kept: Page, one: Published) -> None:
    held = kept.evaluate(
        """async () => {
            const found = [];
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const request of await cache.keys()) {
                    found.push(request.url + ' ' + await (await cache.match(request)).text());
                }
            }
            return found;
        }"""
    )
    assert len(held) >= 8
    for entry in held:
        for secret in (one.token, one.payload[:40], one.claims.name, one.claims.management_no):
            assert secret.lower() not in entry.lower()


def test_without_a_visit_before_there_is_no_page_of_ours(phone: Page, one: Published) -> None:
    phone.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        phone.goto(one.qr)


def test_scanning_goes_on_without_a_network_and_says_what_is_kept(
    phone: Page, fresh: PublicRegister, one: Published
) -> None:
    phone.goto(f"{fresh.base_url}/scan")
    phone.wait_for_selector("#keeping:not([hidden])")
    assert "没有网络也能查验" in phone.locator("#keeping").inner_text()
    phone.wait_for_function(
        "async () => (await caches.keys()).some((name) => name.startsWith('ecert-scanner-'))"
        " && (await caches.match('/scan/zxing/zxing_reader.wasm', {ignoreVary: true})) !== undefined"
    )
    phone.context.set_offline(True)
    phone.goto("about:blank")
    phone.goto(f"{fresh.base_url}/scan")
    with phone.expect_navigation():
        phone.set_input_files("#picture", {"name": "x", "mimeType": "image/png", "buffer": qr_picture(one.qr)})
    phone.wait_for_selector(SETTLED)
    assert phone.locator("#verdict").get_attribute("data-verdict") == "valid"
    assert phone.locator("#no-network").is_visible()
    phone.goto(f"{fresh.base_url}/scan")
    forged = qr_picture(one.qr.replace("127.0.0.1", "127.0.0.2"))
    phone.set_input_files("#picture", {"name": "x", "mimeType": "image/png", "buffer": forged})
    phone.wait_for_selector("#refusal:not([hidden])")
    # The first page comes too, and says that a look-up needs the network.
    phone.goto(f"{fresh.base_url}/")
    assert "查验一份电子证书" in phone.locator("#headline").inner_text()


def test_the_page_can_be_installed(chromium: Browser, fresh: PublicRegister) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{fresh.base_url}/scan")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    tools = context.new_cdp_session(page)
    manifest = tools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert '"start_url": "/scan"' in manifest["data"]
    faults = tools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [fault["errorId"] for fault in faults if fault["errorId"] != "in-incognito"] == []
    context.close()
