"""What is written to the log when a part is away: a line when it goes, a line when it comes back, none between."""

import logging

import pytest
from starlette.testclient import TestClient

from tests.factories.public_register import PublicRegister
from tests.services.redis_server import RedisServer
from verifier.web import rates
from verifier.web.rates import RateLimits


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    """Warnings and worse of the verifier's web: text, and whether a traceback hangs on it."""
    return [
        (record.getMessage(), record.exc_info is not None)
        for record in caplog.records
        if record.name.startswith("verifier.web") and record.levelno >= logging.WARNING
    ]


def test_a_missing_key_file_is_one_line_however_many_ask(
    client: TestClient, browser_client: TestClient, register: PublicRegister, caplog: pytest.LogCaptureFixture
) -> None:
    token = register.publish().token
    file = register.folder / "keys" / "public" / "ecert-keys.json"
    away = file.with_suffix(".away")
    file.rename(away)
    for _ in range(5):
        assert browser_client.get(f"/v/{token}").status_code == 503
        assert browser_client.get("/.well-known/ecert-keys.json").status_code == 503
    assert lines(caplog) == [("the published key set cannot be read (FileNotFoundError)", False)]
    file.write_text("{}")
    assert browser_client.get(f"/v/{token}").status_code == 503
    assert len(lines(caplog)) == 2, "another reason is another line"
    away.rename(file)
    caplog.clear()
    for _ in range(3):
        assert browser_client.get(f"/v/{token}").status_code == 200
    assert lines(caplog) == [("the published key set can be read again", False)]
    assert str(register.folder) not in caplog.text


def test_a_shared_counter_that_goes_and_comes_back_is_two_lines(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "_REST_SECONDS", 0.0)
    with RedisServer() as server:
        limits = RateLimits(server.url)
        assert limits.retry_after("100/minute", "test", "a") is None
        assert lines(caplog) == []
        server.stop()
        for _ in range(5):
            assert limits.retry_after("100/minute", "test", "a") is None
        (gone,) = lines(caplog)
        assert gone[0].startswith("rate limits: shared counter unreachable") and not gone[1]
        caplog.clear()
        server.start()
        for _ in range(5):
            assert limits.retry_after("100/minute", "test", "a") is None
        assert lines(caplog) == [("rate limits: shared counter reachable again", False)]
