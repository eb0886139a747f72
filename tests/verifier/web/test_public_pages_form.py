"""How the pages are made: small, old browsers included, nothing but what the policy names, usable by everybody."""

import gzip
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from verifier.web import assets

BUDGET = 14 * 1024
LONG_NAME = "阿卜杜拉·买买提艾力·" * 11
SCRIPTS = (
    "credential.js",
    "panel.js",
    "verdict.js",
    "log.js",
    "start.js",
    "judge.js",
    "scan.js",
    "keeping.js",
    "lists.js",
    "offline.js",
)
# Syntax and library younger than ES2018 (ECMA-262, 9th edition) or than Chrome 78 and Safari 13.
TOO_YOUNG = {
    "optional chaining": r"\?\.(?!\d)",
    "nullish": r"\?\?",
    "logical assignment": r"(\|\||&&)=",
    "catch without binding": r"catch\s*\{",
    "numeric separator": r"\b\d+_\d",
    "BigInt": r"\b\d+n\b|BigInt",
    "class fields and private names": r"\bstatic\s|#[a-z]+\s*[=(;]|this\.#",
    "top-level await": r"^\s{0,1}await\b",
    "young library": r"\.(flat|flatMap|fromEntries|matchAll|replaceAll|trimStart|trimEnd|at|hasOwn|replaceChildren"
    r"|allSettled|toSorted)\(|globalThis|structuredClone",
    "modules": r"^\s*(import|export)\b",
    "regular expression flags": r"/[gimuy]*[dsv][gimuy]*\.test",
}
TOO_YOUNG_CSS = {
    "nesting": r"\{[^{}@]*&",
    "young selectors": r":(has|is|where|focus-visible)\b",
    "young functions": r"\b(clamp|min|max|color-mix|oklch)\(",
    "young properties": r"(^|[;{\s])(inset|aspect-ratio|accent-color|text-wrap|row-gap|gap|column-gap)\s*:",
    "layers and containers": r"@(layer|container|property)",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_use_nothing_newer_than_es2018(name: str) -> None:
    source = "\n".join(line for line in assets.source(name).splitlines() if not line.strip().startswith("//"))
    without_text = re.sub(r"'(?:[^'\\\n]|\\.)*'", "''", source)
    found = [what for what, pattern in TOO_YOUNG.items() if re.search(pattern, without_text, re.MULTILINE)]
    assert found == []


@pytest.mark.parametrize("name", ["page.css", "start.css", "scan.css", "offline.css", "checks.css"])
def test_styles_use_nothing_that_a_browser_of_2019_would_drop(name: str) -> None:
    source = re.sub(r"/\*.*?\*/", "", assets.source(name), flags=re.DOTALL)
    assert [what for what, pattern in TOO_YOUNG_CSS.items() if re.search(pattern, source, re.MULTILINE)] == []


def test_the_guard_against_young_syntax_sees_it() -> None:
    for what, sample in {
        "optional chaining": "a?.b",
        "nullish": "a ?? b",
        "catch without binding": "try {} catch {}",
        "logical assignment": "a ||= b",
        "young library": "x.flat()",
        "class fields and private names": "class A { static x = 1 }",
    }.items():
        assert re.search(TOO_YOUNG[what], sample, re.MULTILINE), what
    assert not re.search(TOO_YOUNG["optional chaining"], "a?.5:1")


@pytest.mark.parametrize("status", ["valid", "invalid", "superseded"])
def test_the_qr_page_fits_the_budget(browser_client: TestClient, register: PublicRegister, status: str) -> None:
    one = register.publish()
    register.change(one.token, status, superseded_by=register.publish().token if status == "superseded" else None)
    answer = browser_client.get(f"/v/{one.token}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(answer.content, 6)) <= BUDGET
    assert int(answer.headers["content-length"]) <= BUDGET


def test_the_policy_names_every_inlined_text_and_nothing_else(
    browser_client: TestClient, register: PublicRegister
) -> None:
    for path in ("/", "/scan", "/offline", "/checks", f"/v/{register.publish().token}", "/help", "/none"):
        answer = browser_client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        inlined = re.findall(r"<style>(.*?)</style>|<script>(.*?)</script>", answer.text, re.DOTALL)
        assert len(inlined) == policy.count("sha256-")
        assert not re.search(r'\s(style|on[a-z]+)="', answer.text), path
        assert not re.search(r'(src|href)="(https?:)?//', answer.text), path
    answer = browser_client.get("/")
    for name, value in {
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
    }.items():
        assert answer.headers[name] == value
    assert "geolocation=()" in answer.headers["permissions-policy"]


def test_the_qr_page_may_talk_to_nobody_but_the_log(browser_client: TestClient, register: PublicRegister) -> None:
    policy = browser_client.get(f"/v/{register.publish().token}").headers["content-security-policy"]
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives["connect-src"] == f"{register.base_url}/log/proof/"
    assert [source for source in directives["script-src"].split() if not source.startswith("'sha256-")] == [
        f"{register.base_url}/log/check.js"
    ]
    assert directives["worker-src"] == "'self'"
    assert directives["form-action"] == directives["manifest-src"] == "'none'"


def test_only_the_scanners_worker_may_run_webassembly_and_only_its_page_the_camera(
    browser_client: TestClient, register: PublicRegister
) -> None:
    scan, worker = browser_client.get("/scan"), browser_client.get("/scan/reader.js")
    assert "camera=(self)" in scan.headers["permissions-policy"]
    assert "camera=()" in browser_client.get("/").headers["permissions-policy"]
    assert "wasm-unsafe-eval" not in scan.headers["content-security-policy"]
    assert worker.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'"
    )


def test_a_record_cannot_break_out_of_the_page(browser_client: TestClient, register: PublicRegister) -> None:
    nasty = "</script><b>&\"'"
    one = register.publish(specialty=nasty)
    text = browser_client.get(f"/v/{one.token}").text
    assert nasty not in text
    assert text.count("<script") == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_usable_by_everybody_and_fits_the_phone(
    chromium: Browser, site: PublicRegister, scheme: str
) -> None:
    wide, wider, widest = (f"{letter * 25}{'A' if scheme == 'light' else 'E'}" for letter in "MQW")
    one = site.publish(
        token=widest, name=LONG_NAME, specialty="房屋建筑工程与市政公用工程及其附属设施施工管理专业类别"
    )
    fallen = site.publish(token=wide)
    site.change(fallen.token, "invalid", reason_class="found-ineligible")
    old = site.publish(token=wider)
    site.change(old.token, "superseded", superseded_by=one.token)
    context = chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    addresses = {
        "start": "/",
        "scan": "/scan",
        "offline": "/offline",
        "valid": one.qr,
        "token": one.qr.split("#")[0],
        "invalid": fallen.qr,
        "superseded": old.qr,
        "altered": f"{one.qr.split('#')[0]}#{fallen.payload}",
        "not found": "/v/AAAAAAAAAAAAAAAAAAAAAAAAAA",
        "problem": "/none",
        "help": "/help",
        "history": f"/v/{fallen.token}/history",
        "receipts": "/receipts",
        "list": "/checks",
        "receipt of the widest": f"/receipts?token={widest}",
        "one kind of error": "/help/too-many-requests",
    }
    for name, address in addresses.items():
        page.goto("about:blank")
        page.goto(address if address.upper().startswith("HTTP") else site.base_url + address)
        if "#" in address:
            page.wait_for_selector("#verdict:not([data-verdict=pending])")
        serious = [
            (found["id"], [node["html"] for node in found["nodes"]])
            for found in Axe().run(page).response["violations"]
            if found["impact"] in ("serious", "critical")
        ]
        assert (name, serious) == (name, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    context.close()
