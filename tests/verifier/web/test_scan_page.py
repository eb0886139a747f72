"""The scan page in a real browser: it reads our codes from bad pictures, and refuses everything else aloud."""

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page
from starlette.testclient import TestClient

from issuer.sealing.credential import sign_credential
from tests.factories.claims import TOKEN, sample_claims
from tests.factories.hard_pictures import pictures
from tests.factories.public_register import PublicRegister, Published
from tests.factories.scan_page import ScanPage, qr_picture
from tests.factories.signing import Bench
from tests.factories.web_server import CHROMIUM, free_port, served
from tests.verifier.web.conftest import BUSY_MS
from verifier.record.qr import b32, qr_segments
from verifier.web import parts

ALWAYS = "http://127.0.0.1:8000"
SAMPLE_EVERY = 17
SAMPLE_READ = 9
"""Of 10. The whole set is for `make scan-pictures`; there 153 of 170 were read when this was written."""
SETTLED = "#verdict:not([data-verdict=pending])"
"""To be waited for in a page that is there whole: before its script runs it shows what the register says alone."""


@pytest.fixture(scope="module")
def one(site: PublicRegister) -> Published:
    return site.publish()


@pytest.fixture(scope="module")
def scan(chromium: Browser, site: PublicRegister) -> Iterator[ScanPage]:
    """The page with both decoders; without the service worker, so that every address is seen."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, service_workers="block")
    opened = ScanPage(context.new_page(), site.base_url)
    opened.both_decoders()
    yield opened
    context.close()


def hostile(site: PublicRegister, one: Published) -> dict[str, tuple[str, str]]:
    """Texts that lead elsewhere, or nowhere, or pretend: what it is → text, and why it must be refused."""
    host = site.base_url.removeprefix("http://")
    name, port = host.split(":")
    path = f"V/{one.token}#{one.payload}"
    other = site.publish(name="另一人")
    flipped = one.payload[:40] + ("A" if one.payload[40] != "A" else "B") + one.payload[41:]
    foreign = "foreign-host"
    page = "not-our-page"
    none = "not-ours"
    return {
        "another host": (f"https://verify.example.net/{path}", foreign),
        "another host, upper case": (f"HTTPS://VERIFY.EXAMPLE.NET/{path}", foreign),
        "homoglyph: Cyrillic a": (f"https://verify.ex\u0430mple.cn/{path}", foreign),
        "homoglyph: full-width": (f"https://\uff36erify.evil.cn/{path}", foreign),
        "homoglyph: rn for m": (f"https://verify.exarnple.cn/{path}", foreign),
        "homoglyph: 1 for l": (f"https://verify.examp1e.cn/{path}", foreign),
        "homoglyph: Greek omicron": (f"https://g\u03bfv.cn/{path}", foreign),
        "punycode": (f"https://xn--verify-9za.cn/{path}", foreign),
        "punycode of a Chinese name": (f"https://xn--fiqs8s.cn/{path}", foreign),
        "Chinese name": (f"https://查验.中国/{path}", foreign),
        "ideographic full stop": (f"https://verify。evil。cn/{path}", foreign),
        "soft hyphen in the name": (f"https://veri\u00adfy.evil.cn/{path}", foreign),
        "userinfo looks like us": (f"http://{name}@evil.example/{path}", foreign),
        "userinfo with our port": (f"http://{host}@evil.example/{path}", foreign),
        "userinfo with a slash": (f"http://{name}%2F@evil.example/{path}", foreign),
        "userinfo before our name": (f"http://evil@{host}/{path}", page),
        "we as subdomain": (f"http://{name}.evil.example/{path}", foreign),
        "a subdomain of ours": (f"http://www.{name}.example/{path}", foreign),
        "our name as path": (f"https://evil.example/{host}/{path}", foreign),
        "our name as query": (f"https://evil.example/?u=http://{host}/{path}", foreign),
        "our name as fragment": (f"https://evil.example/#http://{host}/{path}", foreign),
        "another port": (f"http://{name}:8443/{path}", foreign),
        "no port": (f"http://{name}/{path}", foreign),
        "port out of range": (f"http://{name}:0{port}9/{path}", none),
        "backslash": (f"http://evil.example\\@{host}/{path}", foreign),
        "three slashes": (f"http:///evil.example/{path}", foreign),
        "no slashes": (f"http:evil.example/{path}", foreign),
        "tab inside": (f"ht\ttp://evil.example/{path}", foreign),
        "short link": ("https://t.cn/A6abcde", foreign),
        "name without scheme": (f"verify.exarnple.cn/{path}", foreign),
        "number as address": (f"http://2130706434:{port}/{path}", foreign),
        "our host, other path": (f"http://{host}/x/{one.token}#{one.payload}", page),
        "our host, path climbs": (f"http://{host}/v/../v/{one.token}#{one.payload}", page),
        "our host, doubled slash": (f"http://{host}//v/{one.token}#{one.payload}", page),
        "our host, percent path": (f"http://{host}/%76/{one.token}#{one.payload}", page),
        "our host, query": (f"http://{host}/v/{one.token}?next=evil#{one.payload}", page),
        "our host, long token": (f"http://{host}/v/{one.token}A#{one.payload}", page),
        "our host, redirect": (f"http://{host}/login?to=https://evil.example", page),
        "unsigned": (f"HTTP://{host}/V/{one.token}", "unsigned"),
        "empty fragment": (f"HTTP://{host}/V/{one.token}#", page),
        "damaged payload": (f"HTTP://{host}/V/{one.token}#{one.payload[:-16]}", "damaged"),
        "payload of words": (f"HTTP://{host}/V/{one.token}#VALIDVALIDVALID", "damaged"),
        "damaged header": (f"HTTP://{host}/V/{one.token}#A{flipped[1:]}", "damaged"),
        "spliced": (f"HTTP://{host}/V/{one.token}#{other.payload}", "spliced"),
        "javascript": ("javascript:alert(document.domain)//v/", none),
        "javascript with our address": (f"JavaScript://{host}/{path}%0aalert(1)", none),
        "data": ("data:text/html,<script>alert(1)</script>", none),
        "view-source": (f"view-source:http://{host}/{path}", none),
        "Wi-Fi": ("WIFI:T:WPA;S:certificates;P:12345678;;", none),
        "vCard": (f"BEGIN:VCARD\nVERSION:3.0\nN:查验\nURL:http://{host}/{path}\nEND:VCARD", none),
        "SMS": ("SMSTO:10690000:CX 2025410000000001", none),
        "telephone": ("tel:+8610690000", none),
        "payment": ("weixin://wxpay/bizpayurl?pr=abcdefg", none),
        "intent": ("intent://evil.example/#Intent;scheme=https;end", none),
        "plain text": ("证书有效 VALID 2025410000000001", none),
        "long": ("A" * 1100, none),
    }


def test_hostile_codes_are_all_refused_and_none_is_opened(
    scan: ScanPage, site: PublicRegister, one: Published
) -> None:
    cases = hostile(site, one)
    assert len(cases) >= 50
    for what, (text, code) in cases.items():
        outcome = scan.choose(qr_picture(text, scale=4))
        assert (what, outcome.code) == (what, code)
        assert outcome.refused, what
        assert scan.opened == [], what
        assert scan.page.locator("#refused").inner_text(), what
    # The address is shown as the browser reads it, so that similar letters stand out.
    assert "xn--" in scan.choose(qr_picture(cases["homoglyph: Cyrillic a"][0])).text
    assert "evil.example" in scan.choose(qr_picture(cases["userinfo looks like us"][0])).text


def test_two_codes_in_view_are_refused_even_when_one_is_genuine(scan: ScanPage, one: Published) -> None:
    for other in ("https://evil.example/", "WIFI:T:WPA;S:x;P:12345678;;", one.qr.split("#")[0]):
        outcome = scan.choose(qr_picture(one.qr, other, scale=3))
        assert (outcome.code, outcome.address) == ("two-codes", None)
    assert scan.choose(qr_picture(one.qr, one.qr, scale=3)).address is not None


@pytest.fixture(scope="module")
def behind_proxy(chromium: Browser, tmp_path_factory: pytest.TempPathFactory, web_bench: Bench) -> Iterator[ScanPage]:
    """The page of a register whose address is always the same, so that its codes can be."""
    folder, port = tmp_path_factory.mktemp("proxied") / "public", free_port()
    register = PublicRegister(folder, base_url=ALWAYS, bench=web_bench)
    context = chromium.new_context(viewport={"width": 390, "height": 844}, service_workers="block")
    with served(folder, register.base_url, port=port):
        opened = ScanPage(context.new_page(), f"http://127.0.0.1:{port}")
        opened.both_decoders()
        yield opened
    context.close()


def the_same_code_in_every_run() -> tuple[str, ...]:
    """A well-formed code drawn from no chance: how many hard pictures of it are read is not luck. (Unsigned.)"""
    signer = SimpleNamespace(kid="0123456789abcdef", sign_raw=lambda _: bytes(range(1, 65)))
    credential = sign_credential(SimpleNamespace(signer=lambda _: signer), sample_claims())  # type: ignore[arg-type]
    return qr_segments(ALWAYS, TOKEN, credential)


def test_hard_pictures_are_read_and_never_as_something_else(behind_proxy: ScanPage) -> None:
    segments = the_same_code_in_every_run()
    read = 0
    for shot, jpeg in pictures(segments, SAMPLE_EVERY):
        outcome = behind_proxy.choose(jpeg, kind="image/jpeg")
        if outcome.code != "nothing-found":
            assert (outcome.address or "").upper() == segments[0], shot
            read += 1
    assert read >= SAMPLE_READ


def test_a_large_photograph_is_read_at_its_own_size(behind_proxy: ScanPage) -> None:
    code = Image.open(io.BytesIO(qr_picture("".join(the_same_code_in_every_run()), scale=2)))
    photograph = Image.new("L", (4000, 3000), 235)
    photograph.paste(code, (2900, 2300))
    out = io.BytesIO()
    photograph.save(out, "JPEG", quality=85)
    assert behind_proxy.choose(out.getvalue(), kind="image/jpeg").code == "found"


def test_what_is_no_picture_or_holds_no_code_is_said(scan: ScanPage) -> None:
    assert scan.choose(b"not a picture").code == "not-a-picture"
    blank = io.BytesIO()
    Image.new("L", (640, 480), 200).save(blank, "PNG")
    assert scan.choose(blank.getvalue()).code == "nothing-found"
    scan.page.set_input_files("#picture", {"name": "证书.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    scan.page.wait_for_selector("#scan-state[data-state=is-pdf]")


def test_a_forged_signature_is_refused_where_the_code_leads(
    phone: Page, site: PublicRegister, one: Published
) -> None:
    forged = f"{one.qr.split('#')[0]}#{b32(sign_credential(Bench(), one.claims))}"
    for text, verdict, tone in ((forged, "untrusted", "bad"), (one.qr, "valid", "good")):
        phone.goto(f"{site.base_url}/scan")
        with phone.expect_navigation():
            phone.set_input_files("#picture", {"name": "x", "mimeType": "image/png", "buffer": qr_picture(text)})
        phone.wait_for_selector(SETTLED)
        hero = phone.locator("#verdict")
        assert (hero.get_attribute("data-verdict"), hero.get_attribute("data-tone")) == (verdict, tone)
    assert phone.url.split("#")[1] == one.payload


def test_number_and_name_give_the_same_answer_without_a_code(phone: Page, site: PublicRegister) -> None:
    for status in ("valid", "invalid"):
        certificate = site.publish()
        if status != "valid":
            site.change(certificate.token, status, reason_class="found-ineligible")
        phone.goto(certificate.qr)
        phone.wait_for_selector(SETTLED)
        by_code = phone.locator("#verdict").get_attribute("data-verdict")
        phone.goto(f"{site.base_url}/scan")
        phone.fill("#management_no", certificate.claims.management_no)
        phone.fill("#name", certificate.claims.name)
        with phone.expect_navigation():
            phone.click("#number-form button")
        assert phone.locator("#verdict").get_attribute("data-verdict") == by_code == status
        assert certificate.claims.management_no not in phone.url


def film(path: Path, picture: bytes) -> Path:
    """A film for Chromium's camera: the picture, a little nearer and farther, as JPEG frames one after the other."""
    code = Image.open(io.BytesIO(picture)).convert("L")
    frames = []
    for side in (430, 450, 470):
        frame = Image.new("L", (1280, 720), 190)
        shown = code.resize((side, round(side * code.height / code.width)), Image.Resampling.BICUBIC)
        frame.paste(shown, (400, 120))
        out = io.BytesIO()
        frame.convert("RGB").save(out, "JPEG", quality=90)
        frames.append(out.getvalue())
    path.write_bytes(b"".join(frames))
    return path


@pytest.mark.parametrize("which", ["genuine", "look-alike"])
def test_the_camera_reads_a_code(
    chromium: Browser, tmp_path: Path, site: PublicRegister, one: Published, which: str
) -> None:
    text = one.qr if which == "genuine" else f"https://verify.exarnple.cn/V/{one.token}#{one.payload}"
    video = film(tmp_path / "camera.mjpeg", qr_picture(text))
    camera = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={video}"]
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera], timeout=BUSY_MS)
    context = browser.new_context(viewport={"width": 390, "height": 844}, permissions=["camera"])
    context.set_default_timeout(BUSY_MS)
    page = context.new_page()
    page.goto(f"{site.base_url}/scan")
    if which == "genuine":
        with page.expect_navigation():
            page.click("#open")
        page.wait_for_selector(SETTLED)
        assert page.locator("#verdict").get_attribute("data-tone") == "good"
        assert page.locator("#who").inner_text() == one.claims.name
    else:
        page.click("#open")
        page.wait_for_selector("#refusal:not([hidden])")
        assert page.locator("#seen-host").inner_text() == "verify.exarnple.cn"
        assert page.evaluate("document.getElementById('video').srcObject") is None
        assert page.url == f"{site.base_url}/scan"
    browser.close()


def test_a_camera_that_is_not_allowed_is_said_with_what_else_to_do(phone: Page, site: PublicRegister) -> None:
    phone.goto(f"{site.base_url}/scan")
    phone.click("#open")
    phone.wait_for_selector("#scan-state:is([data-state=camera-refused], [data-state=no-camera])")
    said = phone.locator("#scan-state").inner_text()
    assert "管理号" in said
    assert "number and name" in said


def test_without_the_decoders_only_scanning_is_missing(
    browser_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in list(parts.SCAN_PARTS):
        if path != "reader.js":
            monkeypatch.setitem(parts.SCAN_PARTS, path, ("static/nowhere", path, "text/javascript"))
    page = browser_client.get("/scan")
    assert page.status_code == 200
    assert 'id="no-decoders"' in page.text
    assert "没有装上扫码部件" in page.text
    assert 'id="number-form"' in page.text
    assert 'id="open"' not in page.text
    assert "<script" not in page.text
    assert browser_client.get("/scan/qr/decode.js").status_code == 404
    assert "/scan/qr/decode.js" not in browser_client.get("/sw.js").text
    assert browser_client.get("/").status_code == 200


@pytest.mark.parametrize(("width", "height", "scheme"), [(390, 844, "light"), (1280, 900, "dark")])
def test_a_refusal_is_loud_in_both_languages_and_usable_by_everybody(
    chromium: Browser, site: PublicRegister, one: Published, width: int, height: int, scheme: str
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto(f"{site.base_url}/scan")
    text = page.locator("#look-alikes").inner_text()
    for fact in ("19,200", "21 个仿冒查询网页", "21 cloned query pages", "5,051", "fake records"):
        assert fact in text
    code = qr_picture(f"https://verify.exarnple.cn/V/{'W' * 26}")
    page.set_input_files("#picture", {"name": "x", "mimeType": "image/png", "buffer": code})
    page.wait_for_selector("#refusal:not([hidden])")
    said = page.locator("#refusal").inner_text()
    assert "已拒绝打开" in said
    assert "refused" in said
    assert page.evaluate("document.activeElement.id") == "refused"
    box = page.locator("#refusal").bounding_box()
    assert box is not None
    assert box["y"] < 120
    serious = [found["id"] for found in Axe().run(page).response["violations"] if found["impact"] != "minor"]
    assert serious == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.click("#close-refusal")
    page.wait_for_selector("#refusal", state="hidden")
    context.close()
