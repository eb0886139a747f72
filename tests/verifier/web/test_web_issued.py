"""Certificates as they are really made, asked for over HTTP: the same answer by file, digest, token and number."""

import hashlib
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.factories.world import World
from verifier.settings import VerifierSettings
from verifier.web.app import create_app


@pytest.fixture
def issued_web(issued_world: World) -> Iterator[TestClient]:
    base_url = issued_world.settings.verify_base_url
    settings = VerifierSettings(data_dir=issued_world.folder, verify_base_url=base_url)
    with TestClient(create_app(settings, clock=issued_world.clock.now), raise_server_exceptions=False) as client:
        yield client


def test_a_sealed_file_is_valid_by_every_way_to_ask(issued_web: TestClient, issued_world: World) -> None:
    certificate = issued_world.certificates()[0]
    pdf = issued_world.pdf(certificate)
    answers = {
        "raw": issued_web.post("/api/v1/check", content=pdf, headers={"Content-Type": "application/pdf"}),
        "form": issued_web.post("/api/v1/check", files={"file": ("证书.pdf", pdf, "application/pdf")}),
        "digest": issued_web.get(f"/api/v1/files/{hashlib.sha256(pdf).hexdigest()}"),
        "token": issued_web.get(f"/api/v1/certificates/{certificate.token}"),
        "number": issued_web.post(
            "/api/v1/lookup", json={"management_no": certificate.management_no, "name": certificate.name}
        ),
    }
    assert {way: answer.json()["verdict"] for way, answer in answers.items()} == dict.fromkeys(answers, "valid")
    assert {way: answer.status_code for way, answer in answers.items()} == dict.fromkeys(answers, 200)
    assert answers["raw"].json()["certificate"]["name"] == certificate.name
    assert "name" not in answers["digest"].json()["certificate"]


def test_one_changed_byte_is_altered(issued_web: TestClient, issued_world: World) -> None:
    pdf = bytearray(issued_world.pdf(issued_world.certificates()[0]))
    pdf[len(pdf) // 2] ^= 1
    answer = issued_web.post("/api/v1/check", content=bytes(pdf), headers={"Content-Type": "application/pdf"})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "altered")
    page = issued_web.post(
        "/api/v1/check",
        content=bytes(pdf),
        headers={"Content-Type": "application/pdf", "Accept": "text/html"},
    )
    assert 'data-tone="bad"' in page.text
    assert "内容被改动过" in page.text


def test_the_page_for_a_sealed_file_shows_whose_it_is(issued_web: TestClient, issued_world: World) -> None:
    certificate = issued_world.certificates()[0]
    page = issued_web.post(
        "/api/v1/check",
        files={"file": ("x.pdf", issued_world.pdf(certificate), "application/pdf")},
        headers={"Accept": "text/html"},
    )
    assert 'data-tone="good"' in page.text
    assert certificate.name in page.text
    assert certificate.management_no in page.text
