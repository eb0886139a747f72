"""Many checks in one call: the verdict of each is that of the single way; no loophole for guessing names."""

import hashlib
import json

import pytest
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister


def bulk(client: TestClient, *entries: object) -> list[dict[str, object]]:
    answer = client.post("/api/v1/checks", json={"checks": list(entries)})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["results"])


def test_each_answer_is_the_single_one(client: TestClient, register: PublicRegister) -> None:
    good, fallen = register.publish(), register.publish()
    register.change(fallen.token, "invalid", reason_class="misconduct")
    results = bulk(
        client,
        {"ref": "a", "token": good.token},
        {"sha256": hashlib.sha256(fallen.file).hexdigest()},
        {"management_no": fallen.claims.management_no, "name": fallen.claims.name},
        {"management_no": good.claims.management_no, "name": "别人"},
        {"token": "short"},
        {"token": good.token, "sha256": "0" * 64},
        "nonsense",
        {"management_no": "1"},
        {"token": "A" * 26},
    )
    verdicts = [result["verdict"] for result in results]
    assert verdicts == ["valid", "invalid", "invalid", "not_found"] + ["malformed"] * 4 + ["not_found"]
    assert [result["index"] for result in results] == list(range(9))
    assert results[0]["ref"] == "a"
    single = client.get(f"/api/v1/certificates/{good.token}").json()
    assert {key: value for key, value in results[0].items() if key not in ("index", "ref", "as_of")} == {
        key: value for key, value in single.items() if key != "as_of"
    }


def test_line_by_line(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    body = json.dumps({"token": one.token}) + "\n\n" + "{broken\n" + json.dumps({"token": "A" * 26}) + "\n"
    kind = "application/x-ndjson"
    answer = client.post("/api/v1/checks", content=body, headers={"Content-Type": kind, "Accept": kind})
    assert answer.headers["content-type"].startswith(kind)
    assert [json.loads(line)["verdict"] for line in answer.text.splitlines()] == ["valid", "malformed", "not_found"]


def test_a_thousand_and_no_more(client: TestClient) -> None:
    entry = {"token": "A" * 26}
    assert len(bulk(client, *[entry] * 1000)) == 1000
    for entries in ([], [entry] * 1001, {"a": 1}, None):
        answer = client.post("/api/v1/checks", json={"checks": entries})
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (422, "bad-bulk-request")
    assert (
        client.post(
            "/api/v1/checks", content=b"x" * 1_000_001, headers={"Content-Type": "application/json"}
        ).status_code
        == 413
    )
    assert client.post("/api/v1/checks", data={"checks": "x"}).status_code == 415


def test_names_cannot_be_tried_in_bulk(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    number = one.claims.management_no
    guesses = [{"management_no": number, "name": f"某{n}"} for n in range(30)]
    results = bulk(client, *guesses, {"management_no": number, "name": one.claims.name})
    assert [result["verdict"] for result in results] == ["not_found"] * 10 + ["status_unknown"] * 21
    assert client.post("/api/v1/lookup", json=guesses[0]).status_code == 429, "the single way counts on"
    many = [{"management_no": str(n), "name": "某人"} for n in range(900)]
    assert bulk(client, *many[:900])
    assert client.post("/api/v1/checks", json={"checks": many}).status_code == 429


def test_without_the_register_nothing_is_valid(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    register.take_away()
    assert [result["verdict"] for result in bulk(client, {"token": one.token})] == ["status_unknown"]


@pytest.mark.parametrize("ref", ["x" * 81, 7, None, ["a"]])
def test_a_mark_of_ones_own_that_is_none(client: TestClient, ref: object) -> None:
    (result,) = bulk(client, {"token": "A" * 26, "ref": ref})
    assert "ref" not in result
