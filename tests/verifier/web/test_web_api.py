"""What programs get: every verdict and every error, by the routes that give them."""

import hashlib
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from verifier.web.problems import PROBLEM_TYPES
from verifier.web.schemas import ProblemModel, ProblemResultModel, ResultModel

UNKNOWN = "UNKNOWNTOKENAAAAAAAAAAAAAA"
STATUSES = ("valid", "invalid", "suspended", "superseded")
REASONS = {"invalid": "found-ineligible", "suspended": "case-open", "superseded": "corrected"}


@pytest.mark.parametrize("status", STATUSES)
def test_every_path_gives_the_same_verdict(client: TestClient, register: PublicRegister, status: str) -> None:
    one = register.publish()
    if status != "valid":
        register.change(one.token, status, reason_class=REASONS[status])
    json = {"Accept": "application/json"}
    answers = [
        client.get(f"/v/{one.token}", headers=json),
        client.get(f"/V/{one.token}", headers=json),
        client.get(f"/v/{one.token.lower()}", headers=json),
        client.get(f"/api/v1/certificates/{one.token}"),
        client.get(f"/api/v1/files/{hashlib.sha256(one.file).hexdigest()}"),
        client.post("/api/v1/lookup", json={"management_no": one.claims.management_no, "name": one.claims.name}),
        client.post("/api/v1/lookup", data={"management_no": one.claims.management_no, "name": one.claims.name}),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert ResultModel.model_validate(answer.json()).verdict == status
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-type"] == "application/json"


def test_a_status_change_is_seen_by_the_next_answer(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    assert client.get(f"/api/v1/certificates/{one.token}").json()["verdict"] == "valid"
    register.change(one.token, "invalid")
    assert client.get(f"/api/v1/certificates/{one.token}").json()["verdict"] == "invalid"
    register.change(one.token, "valid", reason_class="reinstated")
    assert client.get(f"/api/v1/certificates/{one.token}").json()["verdict"] == "valid"


def test_an_answer_by_token_names_nobody(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    for path in (f"/v/{one.token}", f"/api/v1/certificates/{one.token}"):
        text = client.get(path).text
        assert one.claims.name not in text
        assert one.claims.management_no not in text


def test_a_look_up_answers_wrong_name_and_unknown_number_alike(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    wrong_name = client.post("/api/v1/lookup", json={"management_no": one.claims.management_no, "name": "别人"})
    no_number = client.post("/api/v1/lookup", json={"management_no": "2025999999999999", "name": one.claims.name})
    assert wrong_name.status_code == no_number.status_code == 404
    first, second = wrong_name.json(), no_number.json()
    first.pop("as_of"), second.pop("as_of")
    assert first == second


@pytest.mark.parametrize(
    ("path", "status", "verdict", "slug"),
    [
        (f"/api/v1/certificates/{UNKNOWN}", 404, "not_found", "not-found"),
        (f"/v/{UNKNOWN}", 404, "not_found", "not-found"),
        ("/api/v1/certificates/short", 422, "malformed", "malformed"),
        ("/v/short", 422, "malformed", "malformed"),
        (f"/api/v1/files/{'0' * 64}", 404, "not_found", "not-found"),
        ("/api/v1/files/xyz", 422, "malformed", "malformed"),
    ],
)
def test_nothing_to_judge_is_a_problem_with_the_whole_result(
    client: TestClient, path: str, status: int, verdict: str, slug: str
) -> None:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == status
    _is_problem(answer, slug)
    body = ProblemResultModel.model_validate(answer.json())
    assert body.verdict == verdict
    assert body.certificate is None
    assert body.instance == path


def test_a_register_out_of_reach_is_status_unknown_and_says_when_to_come_back(
    client: TestClient, register: PublicRegister
) -> None:
    one = register.publish()
    register.take_away()
    lookup = {"management_no": one.claims.management_no, "name": one.claims.name}
    answers = [
        client.get(f"/v/{one.token}", headers={"Accept": "application/json"}),
        client.get(f"/api/v1/certificates/{one.token}"),
        client.get(f"/api/v1/files/{hashlib.sha256(one.file).hexdigest()}"),
        client.post("/api/v1/lookup", json=lookup),
    ]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.json()["verdict"] == "status_unknown"
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["cache-control"] == "no-store"
    for path in ("/status-lists/1", "/log/checkpoint", "/healthz"):
        answer = client.get(path)
        assert answer.status_code == 503
        _is_problem(answer, "status-unknown")
        assert int(answer.headers["retry-after"]) > 0
    register.bring_back()
    assert client.get(f"/api/v1/certificates/{one.token}").json()["verdict"] == "valid"


def test_a_missing_key_set_is_no_reason_to_say_valid_on_the_qr_page(
    client: TestClient, register: PublicRegister
) -> None:
    one = register.publish()
    (register.folder / "keys" / "public" / "ecert-keys.json").unlink()
    page = client.get(f"/v/{one.token}", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert 'data-verdict="status_unknown"' in page.text
    assert client.get("/.well-known/ecert-keys.json").status_code == 503


@pytest.mark.parametrize(
    ("body", "content_type", "status", "slug"),
    [
        (b"{}", "application/json", 422, "bad-request"),
        (b'{"management_no": "1"}', "application/json", 422, "bad-request"),
        (b'{"management_no": 1, "name": []}', "application/json", 422, "bad-request"),
        (b"[1]", "application/json", 422, "bad-request"),
        (b"not json", "application/json", 422, "bad-request"),
        (b"[" * 60_000, "application/json", 422, "bad-request"),
        (b"", "application/json", 422, "bad-request"),
        (b"name=x", "application/x-www-form-urlencoded", 422, "bad-request"),
        (b"<a/>", "text/xml", 415, "unsupported-media-type"),
        ("管".encode() * 40_000, "application/json", 422, "bad-request"),
    ],
)
def test_a_look_up_that_cannot_be_read_is_refused(
    client: TestClient, body: bytes, content_type: str, status: int, slug: str
) -> None:
    answer = client.post("/api/v1/lookup", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    _is_problem(answer, slug)


def test_a_ten_kilobyte_name_is_refused_and_not_repeated(client: TestClient) -> None:
    name = "长" * 10_000
    answer = client.post("/api/v1/lookup", json={"management_no": "1", "name": name})
    assert answer.status_code == 422
    assert "长长" not in answer.text
    assert client.post("/api/v1/lookup", data={"management_no": "1", "name": name}).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status", "slug"),
    [
        ("GET", "/no/such/page", 404, "no-such-page"),
        ("GET", "/status-lists/none", 404, "no-such-page"),
        ("GET", "/status-lists/..%2f..%2fkeys", 404, "no-such-page"),
        ("GET", "/log/checkpoint", 404, "no-such-page"),
        ("GET", "/log/tile/0/000", 404, "no-such-page"),
        ("GET", "/log/tile/../../x", 404, "no-such-page"),
        ("GET", "/help/none", 404, "no-such-page"),
        ("DELETE", "/api/v1/lookup", 405, "method-not-allowed"),
        ("GET", "/api/v1/lookup?name=x", 405, "method-not-allowed"),
        ("GET", "/api/v1/check", 405, "method-not-allowed"),
    ],
)
def test_errors_are_problem_documents(client: TestClient, method: str, path: str, status: int, slug: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    _is_problem(answer, slug)


def test_every_problem_type_is_a_page_that_says_how_to_mend_it(browser_client: TestClient) -> None:
    for slug, kind in PROBLEM_TYPES.items():
        page = browser_client.get(f"/help/{slug}")
        assert page.status_code == 200
        assert kind.zh in page.text
        for zh, _ in kind.mend:
            assert zh in page.text
        assert f'href="/help/{slug}"' in browser_client.get("/help").text


def test_browsers_get_pages_for_errors_and_programs_do_not(browser_client: TestClient, client: TestClient) -> None:
    page = browser_client.get("/no/such/page")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "没有这个页面" in page.text
    assert client.get("/no/such/page").headers["content-type"] == "application/problem+json"


def test_head_is_get_without_the_body(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    for path in (f"/api/v1/certificates/{one.token}", f"/v/{one.token}", "/", "/status-lists/1"):
        answer = client.head(path)
        assert answer.status_code == 200
        assert answer.content == b""


def test_the_interface_description_is_complete(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    paths = described["paths"]
    assert set(paths) == {
        "/v/{token}",
        "/api/v1/certificates/{token}",
        "/api/v1/files/{sha256}",
        "/api/v1/check",
        "/api/v1/lookup",
        "/api/v1/checks",
        "/api/v1/receipts",
        "/api/v1/receipts/check",
        "/status-lists",
        "/status-lists/{list_id}",
        "/log/checkpoint",
        "/log/proof/{token}",
        "/log/tile/{path}",
        "/.well-known/ecert-keys.json",
        "/healthz",
    }
    assert _dangling_references(described) == set()
    assert described["components"]["schemas"]["ResultModel"]["examples"]
    for operations in paths.values():
        for operation in operations.values():
            assert operation["summary"]
            assert any(code.startswith("2") for code in operation["responses"])


def _dangling_references(described: dict[str, Any]) -> set[str]:
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found.add(node["$ref"].removeprefix("#/components/schemas/"))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(described)
    return found - set(described["components"]["schemas"])


def _is_problem(answer: Any, slug: str) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    body = ProblemModel.model_validate(answer.json())
    assert body.type == f"http://testserver/help/{slug}"
    assert body.status == answer.status_code
    assert " / " in body.title
    assert body.detail
