"""The first page in a real browser: digests are computed there, and a file goes out only when its owner agrees."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.factories.public_register import PublicRegister, Published

SETTLED = "#verdict"


@pytest.fixture
def start(phone: Page, site: PublicRegister) -> Page:
    phone.goto(site.base_url + "/")
    return phone


def sent(page: Page) -> list[Request]:
    """Every request from now on."""
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    return requests


def test_a_known_file_is_answered_by_its_digest_and_never_uploaded(
    start: Page, site: PublicRegister, tmp_path: Path
) -> None:
    one = site.publish()
    path = tmp_path / "证书.pdf"
    path.write_bytes(one.file)
    requests = sent(start)
    start.set_input_files("#file", path)
    start.wait_for_selector(SETTLED)
    assert start.locator("#verdict").get_attribute("data-tone") == "good"
    assert "原件逐字节一致" in start.locator("main").inner_text()
    assert [request.method for request in requests] == ["GET"]
    assert all(request.post_data_buffer is None for request in requests)


def test_a_dropped_file_is_taken_like_a_chosen_one(start: Page, site: PublicRegister) -> None:
    one = site.publish()
    site.change(one.token, "invalid", reason_class="misconduct")
    transfer = start.evaluate_handle(
        """encoded => {
            const bytes = Uint8Array.from(atob(encoded), char => char.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], 'x.pdf', {type: 'application/pdf'}));
            return transfer;
        }""",
        base64.b64encode(one.file).decode(),
    )
    requests = sent(start)
    start.dispatch_event("#drop", "dragover", {"dataTransfer": transfer})
    start.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    start.wait_for_selector(SETTLED)
    assert start.locator("#verdict").get_attribute("data-verdict") == "invalid"
    assert [request.method for request in requests] == ["GET"]


def test_an_unknown_file_is_uploaded_only_after_consent(start: Page, tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(b"%PDF-1.7 nothing we ever made")
    requests = sent(start)
    start.set_input_files("#file", path)
    start.wait_for_selector("[data-act=upload]")
    assert [request.method for request in requests] == ["GET"]
    start.click("[data-act=upload]")
    start.wait_for_selector(SETTLED)
    assert [request.method for request in requests] == ["GET", "POST"]
    assert start.locator("#verdict").get_attribute("data-verdict") in ("malformed", "untrusted")


def test_declining_keeps_the_file_where_it_is(start: Page, tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(b"%PDF-1.7 private")
    requests = sent(start)
    start.set_input_files("#file", path)
    start.click("[data-act=stay]")
    assert "没有上传" in start.locator("#file-state").inner_text()
    assert [request.method for request in requests] == ["GET"]


def test_a_file_over_the_limit_is_not_even_read(start: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.pdf"
    path.write_bytes(b"0" * 10_000_001)
    requests = sent(start)
    start.set_input_files("#file", path)
    start.wait_for_selector("#file-state p")
    assert "10 MB" in start.locator("#file-state").inner_text()
    assert requests == []


def look_up(page: Page, one: Published, name: str) -> None:
    page.fill("#management_no", one.claims.management_no)
    page.fill("#name", name)
    with page.expect_navigation():
        page.click("#number-form button")


def test_number_and_name_are_posted_and_stand_in_no_address(start: Page, site: PublicRegister) -> None:
    one = site.publish()
    requests = sent(start)
    look_up(start, one, one.claims.name)
    assert start.locator("#verdict").get_attribute("data-tone") == "good"
    assert start.locator("#who").inner_text() == one.claims.name
    assert start.url == f"{site.base_url}/api/v1/lookup"
    assert [request.method for request in requests] == ["POST"]


def test_the_start_page_works_without_script(chromium: Browser, site: PublicRegister, tmp_path: Path) -> None:
    one = site.publish()
    path = tmp_path / "x.pdf"
    path.write_bytes(b"hello")
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(site.base_url + "/")
    look_up(page, one, "别人")
    assert page.locator("#verdict").get_attribute("data-verdict") == "not_found"
    page.goto(site.base_url + "/")
    page.set_input_files("#file", path)
    with page.expect_navigation():
        page.click("#file-send")
    assert page.locator("#verdict").get_attribute("data-verdict") == "malformed"
    context.close()
