"""Whatever is sent over HTTP: a verdict other than valid or a 4xx problem, and every row stays as it was."""

import json
from pathlib import Path

import httpx

from tests.factories.bad_input_target import LONG, SITTING, Target

PDF = {"Content-Type": "application/pdf", "Accept": "application/json"}
PROBLEM = "application/problem+json"


def assert_problem(name: str, answer: httpx.Response, *statuses: int) -> None:
    """A 4xx problem document that says what and what next, and repeats nothing of what was sent."""
    assert answer.status_code in (statuses or range(400, 500)), (name, answer.status_code, answer.text[:300])
    assert answer.headers["content-type"].split(";")[0] == PROBLEM, (name, answer.headers)
    body = answer.json()
    assert body["status"] == answer.status_code and body["title"] and body["type"], name
    assert body["detail"] and len(answer.content) < 20_000 and LONG[:50] not in answer.text, name


def test_http_check_refuses_or_tells_what_it_is(target: Target, pdfs: dict[str, Path]) -> None:
    # One address may hand in thirty files a minute: the foreign ones come from another.
    elsewhere = httpx.Client(
        base_url=target.ecert.base_url, timeout=200, transport=httpx.HTTPTransport(local_address="127.0.0.2")
    )
    for name, path in pdfs.items():
        web = elsewhere if name.startswith("foreign") else target.web
        answer = web.post("/api/v1/check", content=path.read_bytes(), headers=PDF)
        if answer.status_code == 200:
            assert answer.json()["verdict"] in ("altered", "untrusted"), name
        else:
            assert_problem(name, answer, 400, 413, 422)
    elsewhere.close()
    for name, sent in {
        "no body": target.web.post("/api/v1/check", headers=PDF),
        "wrong type": target.web.post("/api/v1/check", content=b"x", headers={"Content-Type": "text/plain"}),
        "form without a file": target.web.post("/api/v1/check", data={"a": "b"}),
        "form that breaks off": target.web.post(
            "/api/v1/check", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"}
        ),
    }.items():
        assert_problem(name, sent, 400, 415)
    target.assert_as_before()


def test_http_lookup_and_token_refuse(target: Target) -> None:
    number = target.line["management_no"]
    web = target.web
    for name, answer in {
        "10 kB name": web.post("/api/v1/lookup", json={"management_no": number, "name": LONG}),
        "10 kB number": web.post("/api/v1/lookup", json={"management_no": LONG, "name": "王"}),
        "no name": web.post("/api/v1/lookup", json={"management_no": number}),
        "list": web.post("/api/v1/lookup", json=[1, 2]),
        "number as a number": web.post("/api/v1/lookup", json={"management_no": 1, "name": {}}),
        "broken json": web.post("/api/v1/lookup", content=b"{", headers={"Content-Type": "application/json"}),
        "deep json": web.post("/api/v1/lookup", content=b"[" * 60_000, headers={"Content-Type": "application/json"}),
        "1 MB": web.post("/api/v1/lookup", content=b"[" * 1_000_000, headers={"Content-Type": "application/json"}),
        "wrong name": web.post("/api/v1/lookup", json={"management_no": number, "name": "别人"}),
    }.items():
        assert_problem(name, answer)
    token = target.line["verify_url"].rsplit("/", 1)[1]
    for bad in (token[:-1], token + "A", "A" * 26, "1" * 26, "A" * 5000, "%00", "%ff%fe", "王", "%2e%2e", "a/b", "*"):
        for path in ("/v/", "/V/", "/api/v1/certificates/", "/api/v1/files/"):
            answer = web.get(path + bad, headers={"Accept": "application/json"})
            assert 400 <= answer.status_code < 500, (path + bad[:40], answer.status_code)
            if path.lower() == "/v/" and bad.isascii() and len(bad) < 100 and "/" not in bad:
                page = web.get(path + bad, headers={"Accept": "text/html"})
                assert 400 <= page.status_code < 500 and 'data-tone="good"' not in page.text, bad
    target.assert_as_before()


def test_a_refusal_spoils_no_later_request_on_the_connection(target: Target) -> None:
    """What was not read to its end must not stand in the way of what comes next from the same program."""
    token = target.line["verify_url"].rsplit("/", 1)[1]
    for _ in range(10):
        refused = target.web.post("/api/v1/check", content=b"x" * 1_000_000, headers={"Content-Type": "text/plain"})
        assert refused.status_code in (415, 429) and refused.headers["connection"] == "close"
        assert target.web.get(f"/api/v1/certificates/{token}").json()["verdict"] == "valid"


def test_http_rosters_and_decisions_refuse(target: Target, workbooks: dict[str, Path]) -> None:
    web, bearer = target.web, target.bearer
    for name, path in workbooks.items():
        if not path.is_file():
            continue
        with path.open("rb") as content:
            answer = web.post("/api/v1/rosters", data={"sitting": SITTING}, files={"file": content}, headers=bearer)
        assert_problem(name, answer, 413, 422)
    small = {"file": ("a.xlsx", b"x")}
    for name, answer, status in (
        ("no token", web.post("/api/v1/rosters", data={"sitting": SITTING}, files=small), 401),
        (
            "false token",
            web.post(
                "/api/v1/rosters", data={"sitting": SITTING}, files=small, headers={"Authorization": "Bearer x"}
            ),
            401,
        ),
        ("no such sitting", web.post("/api/v1/rosters", data={"sitting": "X"}, files=small, headers=bearer), 404),
        ("no file", web.post("/api/v1/rosters", data={"sitting": SITTING}, headers=bearer), 422),
        ("json", web.post("/api/v1/rosters", json={"sitting": LONG}, headers=bearer), 422),
        ("no such case", web.post("/api/v1/invalidations/99/approve", headers=bearer), 403),
        ("wrong ground", web.post("/api/v1/invalidations", json={"ground": LONG}, headers=bearer), 422),
        ("10 kB number", web.post("/api/v1/paper/replacements", json={"management_no": LONG}, headers=bearer), 422),
    ):
        assert_problem(name, answer, status)
    target.assert_as_before()


def test_the_holders_door_says_the_same_to_everybody(target: Target) -> None:
    """10 kB, nothing, and a real name with a false number: no answer tells which fact was wrong, none opens."""
    web, seen = target.web, set()
    for facts in (
        {"id_no": "110101199001011234", "name": target.line["name"], "admission_no": "1"},
        {"id_no": "示例号码", "name": "示例姓名", "admission_no": "示例考号"},
    ):
        answer = web.post("/my/sign-in", data=facts)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers
        assert facts["id_no"] not in answer.text
        seen.add(answer.text)
    assert len(seen) == 1
    for facts in ({"id_no": LONG, "name": LONG, "admission_no": LONG}, {}):
        answer = web.post("/my/sign-in", data=facts)
        assert 400 <= answer.status_code < 500 and LONG[:50] not in answer.text
    target.assert_as_before()
    assert json.loads((target.ecert.folder / "summary.json").read_text(encoding="utf-8"))["issued"] == 3
