"""Look-ups are counted by address and by number; nothing that is counted names anybody."""

import logging

import pytest
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from verifier.web.app import app_over, open_desk
from verifier.web.clients import Clients
from verifier.web.rates import RateLimits


def ask(client: TestClient, number: str = "1", **headers: str) -> int:
    return client.post("/api/v1/lookup", json={"management_no": number, "name": "某人"}, headers=headers).status_code


def test_one_address_may_not_try_many_numbers(client: TestClient) -> None:
    statuses = [ask(client, str(number)) for number in range(21)]
    assert statuses[:20] == [404] * 20
    assert statuses[20] == 429
    answer = client.post("/api/v1/lookup", json={"management_no": "x", "name": "某人"})
    assert answer.json()["type"].endswith("/help/too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_one_number_may_not_be_tried_from_many_addresses(register: PublicRegister) -> None:
    app = app_over(open_desk(register.settings))
    statuses = []
    for last in range(12):
        with TestClient(app, client=(f"192.0.2.{last}", 1)) as client:
            statuses.append(ask(client, "2025 4100 1"))
    assert statuses == [404] * 10 + [429] * 2
    with TestClient(app, client=("198.51.100.1", 1)) as client:
        assert ask(client, "another") == 404


def test_what_is_counted_holds_no_number(register: PublicRegister) -> None:
    desk = open_desk(register.settings)
    with TestClient(app_over(desk), client=("192.0.2.9", 1)) as client:
        ask(client, "20254100001234")
    kept = str(vars(desk.rates._here.storage))
    assert "20254100001234" not in kept
    assert "某人" not in kept


def test_scanning_and_digests_are_not_limited(client: TestClient, register: PublicRegister) -> None:
    one = register.publish()
    assert {client.get(f"/api/v1/certificates/{one.token}").status_code for _ in range(60)} == {200}
    assert {client.get(f"/api/v1/files/{'0' * 64}").status_code for _ in range(60)} == {404}


def test_without_redis_each_worker_counts_for_itself() -> None:
    rates = RateLimits("redis://127.0.0.1:1/0")
    assert [rates.retry_after("2/minute", "who") is None for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("192.0.2.1", "203.0.113.5", "192.0.2.1"),
        ("10.0.0.2", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.2", "198.51.100.7, 203.0.113.5, 10.0.0.3", "203.0.113.5"),
        ("10.0.0.2", "garbage", "10.0.0.2"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("::ffff:10.0.0.2", "203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3::9", "", "2001:db8:1:2::/64"),
        ("testclient", "", "unknown"),
    ],
)
def test_a_forwarded_address_counts_only_from_our_own_proxy(peer: str, forwarded: str, counted: str) -> None:
    scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    assert Clients(["10.0.0.0/8"]).address(scope) == counted


def test_nothing_that_was_asked_is_logged(
    client: TestClient, register: PublicRegister, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    one = register.publish()
    name, number = one.claims.name, one.claims.management_no
    with caplog.at_level(logging.DEBUG):
        for body in ({"management_no": number, "name": name}, {"management_no": number, "name": name + "x" * 500}):
            client.post("/api/v1/lookup", json=body)
            client.post("/api/v1/lookup", data=body)
        register.take_away()
        client.post("/api/v1/lookup", json={"management_no": number, "name": name})
    said = "".join(capfd.readouterr())
    kept = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    for text in (said, *kept):
        assert name not in text
        assert number not in text
