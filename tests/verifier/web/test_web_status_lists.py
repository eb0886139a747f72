"""Status lists over HTTP: as they were at an earlier instant, all of them, compressed, and never stale."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import brotli
import httpx
import pytest
from starlette.testclient import TestClient

from tests.factories.feed import BASE_URL, Feed, open_feed, sample_record
from tests.factories.public_register import PublicRegister
from verifier.record.status import CertificateStatus
from verifier.record.status_list import LIST_ENTRIES, StatusListExpiredError, verify_status_list
from verifier.web.app import app_over, open_desk

CWT = "application/statuslist+cwt"


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """An issuer's relay and the register it writes."""
    opened = open_feed(f"sqlite:///{tmp_path / 'issuer.sqlite3'}", f"sqlite:///{tmp_path / 'public.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def asking(feed: Feed, register: PublicRegister) -> Iterator[Callable[..., httpx.Response]]:
    """A client of a verifier over that register."""
    desk = open_desk(register.settings.model_copy(update={"register_url": feed.register_url}))
    with TestClient(app_over(desk)) as client:
        yield lambda path, **headers: client.get(path, headers=headers)


def _status(answer: httpx.Response, feed: Feed, n: int, at: datetime) -> CertificateStatus:
    assert answer.status_code == 200, answer.text
    record = sample_record(n)
    listed = verify_status_list(answer.content, feed.bench.key_set, list_id=record.list_id, now=at, base_url=BASE_URL)
    return CertificateStatus.from_list_value(listed.statuses.get(record.list_index))


def test_a_list_is_answered_as_it_was_signed_for_then(feed: Feed, asking: Callable[..., httpx.Response]) -> None:
    """draft-ietf-oauth-status-list, Historical Resolution."""
    begun = feed.clock.now()
    feed.publish(1, 2)
    feed.relay.flush()
    feed.clock.move_to(date(2025, 10, 28), hour=3)
    feed.relay.refresh_lists()
    suspended = feed.clock.now()
    feed.change(1, 1, CertificateStatus.SUSPENDED)
    feed.relay.flush()
    feed.clock.move_to(date(2025, 10, 28), hour=9)
    invalid = feed.clock.now()
    feed.change(1, 2, CertificateStatus.INVALID)
    feed.relay.flush()
    feed.clock.move_to(date(2025, 11, 3), hour=0)
    feed.relay.refresh_lists()

    def then(instant: datetime) -> httpx.Response:
        return asking(f"/status-lists/1?time={int(instant.timestamp())}", Accept=CWT)

    steps = [
        (begun, CertificateStatus.VALID),
        (suspended - timedelta(seconds=1), CertificateStatus.VALID),
        (suspended, CertificateStatus.SUSPENDED),
        (invalid - timedelta(seconds=1), CertificateStatus.SUSPENDED),
        (invalid, CertificateStatus.INVALID),
        (invalid + timedelta(hours=23), CertificateStatus.INVALID),
        (feed.clock.now(), CertificateStatus.INVALID),
    ]
    for instant, status in steps:
        assert _status(then(instant), feed, 1, instant) is status, instant
        assert _status(then(instant), feed, 2, instant) is CertificateStatus.VALID
    for instant in (
        begun - timedelta(seconds=1),
        invalid + timedelta(hours=25),
        feed.clock.now() + timedelta(days=2),
    ):
        answer = then(instant)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), instant
    with pytest.raises(StatusListExpiredError):
        _status(then(begun), feed, 1, invalid + timedelta(days=3))
    for text in ("yesterday", "-1", "1.5", "99999999999999", "", "٣"):
        assert asking(f"/status-lists/1?time={text}").status_code == 422, text
    assert asking(f"/status-lists/2?time={int(invalid.timestamp())}").status_code == 404


def test_history_grows_with_changes_and_days_not_with_batches(feed: Feed) -> None:
    def kept() -> int:
        with feed.relay._register.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM status_list_history").scalar_one())

    for n in range(20):
        feed.publish(n)
        feed.relay.flush()
    assert kept() == 1
    feed.change(3, 1, CertificateStatus.INVALID)
    feed.relay.flush()
    assert kept() == 2
    for day in range(1, 11):
        feed.clock.move_to(date(2025, 10, 28) + timedelta(days=day), hour=0)
        feed.relay.refresh_lists()
        feed.clock.move_to(date(2025, 10, 28) + timedelta(days=day), hour=13)
        feed.relay.refresh_lists()
        feed.publish(100 + day)
        feed.relay.flush()
    assert 2 + 10 <= kept() <= 2 + 2 * 10


def test_the_register_covers_every_instant_while_it_is_kept_fresh(feed: Feed) -> None:
    feed.publish(1)
    feed.relay.flush()
    begun = feed.clock.now()
    for hour in range(11, 100):
        feed.clock.move_to(date(2025, 10, 27) + timedelta(days=hour // 24), hour=hour % 24)
        feed.relay.refresh_lists()
    half_hours = int((feed.clock.now() - begun) / timedelta(minutes=30))
    for turn in range(half_hours):
        instant = begun + timedelta(minutes=30) * turn
        assert feed.register.status_list_then("1", instant) is not None, instant


def test_all_lists_are_named(client: TestClient, register: PublicRegister) -> None:
    for number in range(2, 13):
        register.begin_list(str(number))
    answer = client.get("/status-lists")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"status_lists": [f"{register.base_url}/status-lists/{n}" for n in range(1, 13)]}
    for address in answer.json()["status_lists"]:
        assert client.get(address).status_code == 200


def test_compression_is_what_the_asker_likes_best(client: TestClient, register: PublicRegister) -> None:
    register.set_list_entries({index * index * 31 % LIST_ENTRIES: CertificateStatus.INVALID for index in range(400)})
    plain = client.get("/status-lists/1", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    for wishes, coding in (
        ("br", "br"),
        ("gzip, br", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("gzip, br;q=0", "gzip"),
        ("gzip", "gzip"),
        ("*", "br"),
    ):
        with client.stream("GET", "/status-lists/1", headers={"Accept-Encoding": wishes}) as answer:
            raw = b"".join(answer.iter_raw())
        assert answer.headers.get("content-encoding") == coding, wishes
        assert {part.strip() for part in answer.headers["vary"].split(",")} == {"Accept", "Accept-Encoding"}
        assert answer.headers["etag"] == plain.headers["etag"]
        assert len(raw) < len(plain.content)
        if coding == "br":
            assert brotli.decompress(raw) == plain.content
    same = client.get("/status-lists/1", headers={"Accept-Encoding": "br", "If-None-Match": plain.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


def test_what_is_neither_form_is_not_acceptable(client: TestClient) -> None:
    answer = client.get("/status-lists/1", headers={"Accept": "application/xml"})
    assert (answer.status_code, answer.json()["status"]) == (406, 406)
    assert client.get("/status-lists/1", headers={"Accept": "text/html,*/*;q=0.8"}).status_code == 200
