"""Files sent in: the two ways to send them, the limits, and what is no certificate."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from verifier.web.app import app_over, open_desk
from verifier.web.desk import MAX_UPLOADS_AT_ONCE
from verifier.web.uploads import MAX_UPLOAD_BYTES

PDF = {"Content-Type": "application/pdf"}


@pytest.mark.parametrize("junk", [b"hello", b"%PDF-1.7\n", bytes(range(256)) * 40, b"PK\x03\x04" + b"\0" * 100])
def test_what_is_no_certificate_gets_a_verdict_not_an_error(client: TestClient, junk: bytes) -> None:
    raw = client.post("/api/v1/check", content=junk, headers=PDF)
    form = client.post("/api/v1/check", files={"file": ("x.pdf", junk, "application/pdf")})
    for answer in (raw, form):
        body = answer.json()
        assert body["verdict"] in ("malformed", "untrusted")
        assert answer.status_code == (422 if body["verdict"] == "malformed" else 200)
        assert any(check["remedy"] for check in body["checks"])


def test_no_file_is_said_so(client: TestClient) -> None:
    for answer in (
        client.post("/api/v1/check", content=b"", headers=PDF),
        client.post("/api/v1/check"),
        client.post("/api/v1/check", files={"file": ("x.pdf", b"", "application/pdf")}),
        client.post("/api/v1/check", files={"other": ("x.pdf", b"x", "application/pdf")}),
    ):
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("/help/no-file")


def test_another_media_type_is_refused(client: TestClient) -> None:
    answer = client.post("/api/v1/check", content=b"{}", headers={"Content-Type": "application/json"})
    assert answer.status_code == 415
    assert answer.json()["type"].endswith("/help/unsupported-media-type")


def test_a_broken_form_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/api/v1/check", content=b"not a form", headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_announced_large_file_is_refused_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/api/v1/check", content=b"0" * (MAX_UPLOAD_BYTES + 1), headers=PDF)
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("/help/too-large")
    assert answer.headers["connection"] == "close", "the rest of the body is still on this connection"
    form = client.post("/api/v1/check", files={"file": ("x.pdf", b"0" * (MAX_UPLOAD_BYTES + 1), "application/pdf")})
    assert form.status_code == 413


def test_a_large_file_of_unstated_length_is_refused_while_it_arrives(client: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(50):
            sent += 1_000_000
            yield b"0" * 1_000_000

    assert client.post("/api/v1/check", content=endless(), headers=PDF).status_code == 413


def test_the_page_for_an_upload_is_drawn_by_the_same_renderer(
    browser_client: TestClient, register: PublicRegister
) -> None:
    page = browser_client.post("/api/v1/check", files={"file": ("x.pdf", b"hello", "application/pdf")})
    assert page.status_code == 422
    assert 'data-verdict="malformed"' in page.text
    assert "无法识别" in page.text
    assert "<script" not in page.text


def test_too_many_files_at_once_are_told_to_come_back(register: PublicRegister) -> None:
    desk = open_desk(register.settings)
    with TestClient(app_over(desk)) as client, ExitStack() as places:
        for _ in range(MAX_UPLOADS_AT_ONCE):
            places.enter_context(desk.uploads.place())
        answer = client.post("/api/v1/check", content=b"%PDF-1.7", headers=PDF)
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("/help/busy")
        assert int(answer.headers["retry-after"]) > 0
        places.close()
        assert client.post("/api/v1/check", content=b"%PDF-1.7", headers=PDF).status_code == 422


def test_a_busy_sandbox_is_told_like_a_full_house(register: PublicRegister) -> None:
    settings = register.settings.model_copy(update={"check_workers": 1})
    desk = open_desk(settings)
    taken = 0
    while desk.sandbox._places.acquire(blocking=False):
        taken += 1
    with TestClient(app_over(desk)) as client:
        answer = client.post("/api/v1/check", content=b"%PDF-1.7", headers=PDF)
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("/help/busy")
        for _ in range(taken):
            desk.sandbox._places.release()
        assert client.post("/api/v1/check", content=b"%PDF-1.7", headers=PDF).status_code == 422
