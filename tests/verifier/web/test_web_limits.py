"""Look-ups are counted by address and by number; nothing that is counted names anybody."""

import logging
from datetime import UTC, datetime, timedelta

import pytest
from httpx import Response
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from tests.services.redis_server import RedisServer
from verifier.settings import VerifierSettings
from verifier.web.app import app_over, open_desk
from verifier.web.clients import Clients
from verifier.web.proof_of_work import ProofOfWork, SpentChallenges, solve, zero_bits
from verifier.web.rates import RateLimits


def ask(client: TestClient, number: str = "1", **headers: str) -> int:
    return client.post("/api/v1/lookup", json={"management_no": number, "name": "某人"}, headers=headers).status_code


def test_one_address_may_not_try_many_numbers(client: TestClient) -> None:
    statuses = [ask(client, str(number)) for number in range(21)]
    assert statuses[:20] == [404] * 20
    assert statuses[20] == 429
    answer = client.post("/api/v1/lookup", json={"management_no": "x", "name": "某人"})
    assert answer.json()["type"].endswith("/help/proof-needed")
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


def worked(client: TestClient, number: str, **more: str) -> Response:
    """A look-up that does the work it is asked for."""
    body = {"management_no": number, "name": "某人", **more}
    first = client.post("/api/v1/lookup", json=body)
    challenge = first.json()["challenge"]
    proof = solve(challenge["challenge"], challenge["bits"])
    return client.post("/api/v1/lookup", json={**body, "proof": proof})


@pytest.fixture
def cheap(register: PublicRegister) -> VerifierSettings:
    """Settings under which the work is small."""
    return register.settings.model_copy(update={"proof_bits": 8})


def test_whoever_asks_too_often_may_go_on_by_working(cheap: VerifierSettings, register: PublicRegister) -> None:
    one = register.publish()
    with TestClient(app_over(open_desk(cheap))) as client:
        assert [ask(client, str(number)) for number in range(20)] == [404] * 20
        right = {"name": one.claims.name}
        answer = worked(client, one.claims.management_no, **right)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "valid")
        assert worked(client, "21").status_code == 404
        statuses = [worked(client, str(number)).status_code for number in range(100, 160)]
        assert statuses[:58] == [404] * 58
        assert statuses[-1] == 429


def test_a_proof_is_good_once_for_one_question_of_one_asker(cheap: VerifierSettings) -> None:
    app = app_over(open_desk(cheap))
    with TestClient(app, client=("192.0.2.1", 1)) as client, TestClient(app, client=("192.0.2.2", 1)) as other:
        for number in range(20):
            ask(client, str(number))
            ask(other, str(number))
        body = {"management_no": "77", "name": "某人"}
        challenge = client.post("/api/v1/lookup", json=body).json()["challenge"]
        proof = solve(challenge["challenge"], challenge["bits"])
        for who, changes in ((other, {}), (client, {"name": "别人"}), (client, {"management_no": "78"})):
            assert who.post("/api/v1/lookup", json={**body, **changes, "proof": proof}).status_code == 429
        assert client.post("/api/v1/lookup", json={**body, "proof": proof}).status_code == 404
        assert client.post("/api/v1/lookup", json={**body, "proof": proof}).status_code == 429
        for wrong in (
            "x",
            challenge["challenge"] + ":1x",
            challenge["challenge"] + ":-1",
            "1.0.99999999999." + "a" * 22,
        ):
            assert client.post("/api/v1/lookup", json={**body, "proof": wrong}).status_code == 429


def test_a_challenge_expires_and_cannot_be_made_cheaper() -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    work = ProofOfWork(b"secret", 8, lambda: now[0], SpentChallenges(None, lambda: now[0]))
    first, second = work.challenge("who"), work.challenge("who")
    assert not work.accepts(solve(first.text.replace("1.8.", "1.1."), 1), "who")
    lazy = next(f"{first.text}:{n}" for n in range(1000) if zero_bits(f"{first.text}:{n}") < 8)
    assert not work.accepts(lazy, "who")
    assert work.accepts(solve(first.text, 8), "who")
    now[0] += timedelta(seconds=301)
    assert not work.accepts(solve(second.text, 8), "who")
    assert not ProofOfWork(b"another", 8, lambda: now[0], SpentChallenges(None, lambda: now[0])).accepts(
        solve(second.text, 8), "who"
    )


def test_a_person_gets_a_page_that_works(cheap: VerifierSettings) -> None:
    page = {"Accept": "text/html"}
    with TestClient(app_over(open_desk(cheap))) as client:
        for number in range(20):
            ask(client, str(number))
        answer = client.post("/api/v1/lookup", data={"management_no": '"><b>', "name": "某人"}, headers=page)
        assert answer.status_code == 429
        assert 'data-bits="8"' in answer.text
        assert "<b>" not in answer.text


def test_limits_are_shared_through_redis_and_hold_when_it_stops_and_comes_back(
    cheap: VerifierSettings, register: PublicRegister
) -> None:
    one = register.publish()
    right = {"management_no": one.claims.management_no, "name": one.claims.name}
    with RedisServer() as server:
        settings = cheap.model_copy(update={"redis_url": server.url})
        first, second = (TestClient(app_over(open_desk(settings))) for _ in range(2))
        with first, second:
            assert [ask(first, str(n)) for n in range(12)] + [ask(second, str(n)) for n in range(8)] == [404] * 20
            assert ask(first, "x") == ask(second, "x") == 429, "both workers see one count"
            body = {"management_no": "x", "name": "某人"}
            challenge = first.post("/api/v1/lookup", json=body).json()["challenge"]
            proof = {**body, "proof": solve(challenge["challenge"], challenge["bits"])}
            assert first.post("/api/v1/lookup", json=proof).status_code == 404
            assert second.post("/api/v1/lookup", json=proof).status_code == 429, "spent at the other worker too"
            server.stop()
            # Neither starts from nothing: each goes on from its own count, and answers are right.
            assert second.post("/api/v1/lookup", json=right).json()["verdict"] == "valid"
            after = [ask(first, f"after {n}") for n in range(12)]
            assert after.count(404) <= 8
            assert after[-1] == 429
            register.change(one.token, "invalid")
            answer = second.post("/api/v1/lookup", json=right)
            assert (answer.status_code, answer.json().get("verdict")) == (200, "invalid")
            server.start()
            assert ask(first, "back again") == 429


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
