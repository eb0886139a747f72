"""A day in the past over HTTP: the same answer by every way to ask; the page of a certificate's history."""

import hashlib
from datetime import UTC, date, datetime

import pytest
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister, Published

LATER = datetime(2025, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def void(register: PublicRegister) -> Published:
    """A certificate that was shown as valid for weeks and then found void from the beginning."""
    one = register.publish()
    register.change(
        one.token,
        "invalid",
        reason_class="found-ineligible",
        effective_on=date(2025, 11, 20),
        status_changed_at=LATER,
        from_beginning=True,
    )
    return one


def test_every_way_to_ask_gives_the_same_answer_for_a_day(client: TestClient, void: Published) -> None:
    day = {"on": "2025-11-01"}
    answers = [
        client.get(f"/api/v1/certificates/{void.token}", params=day),
        client.get(f"/v/{void.token}", params=day, headers={"Accept": "application/json"}),
        client.get(f"/api/v1/files/{hashlib.sha256(void.file).hexdigest()}", params=day),
        client.post(
            "/api/v1/lookup", json={"management_no": void.claims.management_no, "name": void.claims.name, **day}
        ),
    ]
    for answer in answers:
        body = answer.json()
        assert (answer.status_code, body["verdict"]) == (200, "invalid")
        assert (body["on"]["shown"], body["on"]["known"]) == ("valid", "invalid")
        assert body["on"]["void_from_beginning"] is True
        assert body["now"]["verdict"] == "invalid"
        assert [line["status"] for line in body["on"]["history"]] == ["valid", "invalid"]
        assert answer.headers["cache-control"] == "no-store"


def test_valid_on_a_day_before_it_fell(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    register.change(one.token, "invalid", effective_on=date(2025, 11, 20), status_changed_at=LATER)
    before = client.get(f"/api/v1/certificates/{one.token}?on=2025-11-19").json()
    assert (before["verdict"], before["now"]["verdict"]) == ("valid", "invalid")
    assert client.get(f"/api/v1/certificates/{one.token}?on=2025-11-20").json()["verdict"] == "invalid"
    assert client.get(f"/api/v1/certificates/{one.token}").json()["verdict"] == "invalid"
    early = client.get(f"/api/v1/certificates/{one.token}?on=2025-10-01")
    assert (early.status_code, early.json()["verdict"]) == (404, "not_found")


def test_a_moment_that_is_none_is_told_so(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    for text in ("2999-01-01", "soon", "2025-02-30"):
        answer = client.get(f"/api/v1/certificates/{one.token}", params={"on": text})
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (422, "bad-moment")


def test_without_the_register_a_day_is_unknown(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    register.take_away()
    answer = client.get(f"/api/v1/certificates/{one.token}?on=2025-11-01")
    assert (answer.status_code, answer.json()["verdict"]) == (503, "status_unknown")


def test_the_page_is_never_green_and_names_nobody(browser_client: TestClient, void: Published) -> None:
    page = browser_client.get(f"/v/{void.token}?on=2025-11-01")
    assert page.status_code == 200
    assert 'data-tone="bad"' in page.text
    assert "自始" in page.text
    assert void.claims.name not in page.text
    plain = browser_client.get(f"/v/{void.token}/history")
    assert "公布为有效" in plain.text
    assert "form-action 'self'" in plain.headers["content-security-policy"]


def test_a_good_day_is_not_green_either(browser_client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    page = browser_client.get(f"/v/{one.token}/history?on=2025-11-01")
    assert 'data-verdict="valid"' in page.text
    assert 'data-tone="none"' in page.text
    by_file = browser_client.get(f"/api/v1/files/{hashlib.sha256(one.file).hexdigest()}?on=2025-11-01")
    assert 'data-tone="none"' in by_file.text


@pytest.mark.parametrize("token", ["nonsense", "A" * 26])
def test_a_history_of_nothing_is_a_plain_refusal(browser_client: TestClient, token: str) -> None:
    assert browser_client.get(f"/v/{token}/history").status_code in (404, 422)
