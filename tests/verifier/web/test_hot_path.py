"""The short way answers as the long way does, and never with the past."""

import gzip
import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from tests.factories.public_register import PublicRegister, Published
from verifier.record.point_reads import PointRow
from verifier.web.app import app_over, open_desk
from verifier.web.hot import HotPath

NOW = datetime(2025, 11, 5, 3, 4, 5, 678901, tzinfo=UTC)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
STATES: dict[str, dict[str, Any]] = {
    "valid": {},
    "invalid": {"reason_class": "found-ineligible"},
    "suspended": {"reason_class": "case-open", "effective_on": None, "status_changed_at": None},
    "superseded": {"reason_class": "corrected", "superseded_by": "B" * 26},
}


class _Counting:
    """Counts what the short way leaves to the long one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.handed_on = app, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.handed_on += scope["type"] == "http"
        await self.app(scope, receive, send)


@pytest.fixture
def ways(register: PublicRegister) -> Iterator[tuple[TestClient, TestClient, _Counting]]:
    """The whole web, the same without the short way, and what the first hands on."""
    desk = open_desk(register.settings, lambda: NOW)
    app = app_over(desk, lambda: NOW)
    assert isinstance(app, HotPath)
    long_way = app._rest
    counting = _Counting(long_way)
    app._rest = counting
    with TestClient(app, raise_server_exceptions=False) as short:
        yield short, TestClient(long_way, raise_server_exceptions=False), counting


def paths_of(one: Published, register: PublicRegister) -> list[tuple[str, dict[str, str]]]:
    digest = hashlib.sha256(one.file).hexdigest()
    return [
        (f"/api/v1/certificates/{one.token}", {}),
        (f"/api/v1/certificates/{one.token.lower()}", {"Accept": "application/json"}),
        (f"/api/v1/files/{digest}", {}),
        (f"/api/v1/files/{digest.upper()}", {}),
        (f"/v/{one.token}", {"Accept": BROWSER}),
        (f"/V/{one.token}", {"Accept": BROWSER, "Accept-Encoding": "identity"}),
        (f"/v/{one.token.lower()}", {}),
    ]


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("specialty", ["", "<b>100%b %s</b>、“引号”\\"])
def test_both_ways_give_the_same_answer(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister, status: str, specialty: str
) -> None:
    short, long_way, counting = ways
    one, other = register.publish(specialty=specialty), register.publish(specialty=specialty)
    if status != "valid":
        register.change(one.token, status, **STATES[status])
        register.change(other.token, status, **STATES[status])
    for certificate in (one, other):
        for path, fields in paths_of(certificate, register):
            expected, answer = long_way.get(path, headers=fields), short.get(path, headers=fields)
            assert answer.status_code == expected.status_code == 200
            assert answer.content == expected.content, path
            assert _fields(answer.headers) == _fields(expected.headers), path
            assert certificate.token in answer.text
    assert counting.handed_on == 0


def test_what_is_not_plain_is_left_to_the_long_way(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, long_way, counting = ways
    one = register.publish()
    copy = register.publish(file_valid_until=date(2025, 11, 4))
    asked: list[tuple[str, dict[str, str]]] = [
        (f"/api/v1/certificates/{'A' * 26}", {}),
        (f"/api/v1/certificates/{one.token}%20", {}),
        (f"/api/v1/certificates/{one.token}/x", {}),
        (f"/api/v1/certificates/{one.token}", {"Accept": BROWSER}),
        (f"/api/v1/files/{'0' * 64}", {}),
        (f"/api/v1/files/{hashlib.sha256(copy.file).hexdigest()}", {}),
        (f"/v/{one.token}", {"Accept": "application/json"}),
        (f"/v/{one.token}", {"Host": "verify.example.com"}),
        ("/v/short", {}),
    ]
    for number, (path, fields) in enumerate(asked, 1):
        expected, answer = long_way.get(path, headers=fields), short.get(path, headers=fields)
        assert counting.handed_on == number, path
        assert (answer.status_code, answer.content) == (expected.status_code, expected.content)
        assert answer.headers == expected.headers
    assert short.get(asked[5][0]).json()["verdict"] == "expired_copy"
    assert "verify.example.com" in short.get(f"/v/{one.token}", headers={"Host": "verify.example.com"}).text


def test_other_spellings_never_make_another_answer(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, _, _ = ways
    one = register.publish(token="I" + "S" * 24 + "I")
    spellings = [one.token, one.token.lower(), one.token.title(), "%49" + one.token[1:]]
    for status in ("valid", "invalid", "valid"):
        register.change(one.token, status)
        assert {short.get(f"/api/v1/certificates/{text}").json()["verdict"] for text in spellings} == {status}
    for alias in ("ı" + one.token[1:], "Iſ" + one.token[2:]):
        assert short.get(f"/api/v1/certificates/{alias}").json()["verdict"] == "malformed"
        assert short.get(f"/v/{alias}", headers={"Accept": "application/json"}).json()["verdict"] == "malformed"


def test_every_change_is_in_the_very_next_answer(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, _, counting = ways
    one = register.publish()
    for status in ["invalid", "valid", "suspended", "superseded", "valid"] * 3:
        register.change(one.token, status, **({"superseded_by": None} | STATES[status]))
        for path, fields in paths_of(one, register):
            text = short.get(path, headers=fields).text
            said = re.search(r'"verdict":"(\w+)"', text)
            assert said is not None
            assert said[1] == status, path
    assert counting.handed_on == 0


def test_without_the_register_nothing_is_valid_and_afterwards_all_is_as_it_is(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, _, _ = ways
    one = register.publish()
    paths = paths_of(one, register)
    for path, fields in paths:
        assert short.get(path, headers=fields).status_code == 200
    register.take_away()
    for path, fields in paths:
        answer = short.get(path, headers=fields)
        assert answer.status_code == 503
        assert "status_unknown" in answer.text
    register.bring_back()
    register.change(one.token, "invalid")
    for path, fields in paths:
        answer = short.get(path, headers=fields)
        assert answer.status_code == 200
        assert '"verdict":"invalid"' in answer.text


@pytest.mark.parametrize("left", [0, 10_000])
def test_a_register_cut_short_in_place_is_unknown_not_a_crash(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister, left: int
) -> None:
    short, _, _ = ways
    one = register.publish()
    path = f"/api/v1/certificates/{one.token}"
    assert short.get(path).json()["verdict"] == "valid"
    file = register.folder / "register.sqlite3"
    file.write_bytes(file.read_bytes()[:left])
    assert short.get(path).json()["verdict"] == "status_unknown"


def test_a_register_replaced_by_another_is_followed(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister, tmp_path: Path
) -> None:
    short, _, _ = ways
    one = register.publish()
    path = f"/api/v1/certificates/{one.token}"
    file, fresh = register.folder / "register.sqlite3", tmp_path / "fresh.sqlite3"
    assert short.get(path).json()["verdict"] == "valid"
    fresh.write_bytes(file.read_bytes())
    with sqlite3.connect(fresh) as connection:
        connection.execute("UPDATE certificates SET status = 'invalid'")
    connection.close()
    fresh.replace(file)
    assert short.get(path).json()["verdict"] == "invalid"


def test_a_word_of_a_newer_program_is_not_guessed_at(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, _, _ = ways
    one = register.publish()
    register.change(one.token, "dormant")
    for path, fields in paths_of(one, register):
        assert short.get(path, headers=fields).status_code == 503


def test_a_row_that_could_carry_markup_goes_the_long_way(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, _, counting = ways
    one = register.publish()
    register.change(one.token, "valid", credential_sha256='"</script><script>alert(1)</script>'.ljust(64, "0"))
    text = short.get(f"/v/{one.token}").text
    assert counting.handed_on == 1
    assert "<script>alert" not in text


def test_a_page_is_packed_once_and_reads_back_whole(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, _, _ = ways
    one = register.publish()
    with short.stream("GET", f"/v/{one.token}", headers={"Accept-Encoding": "br, gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert len(raw) == int(answer.headers["content-length"]) < 14_000
    plain = short.get(f"/v/{one.token}", headers={"Accept-Encoding": "identity"}).content
    assert gzip.decompress(raw) == plain


def test_many_contents_do_not_fill_the_memory(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, _, _ = ways
    app = short.app
    assert isinstance(app, HotPath)
    app._texts._half = app._pages._half = 2
    certificates = [register.publish(specialty=f"专业{number}") for number in range(8)]
    for one in certificates * 2:
        assert f"专业{certificates.index(one)}" in short.get(f"/api/v1/certificates/{one.token}").text
        assert f"专业{certificates.index(one)}" in short.get(f"/v/{one.token}").text
    assert len(app._texts) <= 4
    assert len(app._pages) <= 4


def test_rows_carry_no_name() -> None:
    assert not {"name", "management_no", "holder_digest"} & set(PointRow._fields)


def _fields(headers: Any) -> dict[str, Any]:
    """Header fields but for those of the coding: the short way sends JSON, a kilobyte of it, as it is."""
    coding = ("content-length", "content-encoding", "vary")
    varies = {part.strip() for part in headers["vary"].split(",")} - {"Accept-Encoding"}
    return {name: value for name, value in headers.items() if name not in coding} | {"vary": varies}


def test_a_field_of_json_is_what_json_says(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    short, _, _ = ways
    one = register.publish()
    body = json.loads(short.get(f"/api/v1/certificates/{one.token}").content)
    assert body["as_of"] == "2025-11-05T03:04:05.678901Z"
    assert body["certificate"]["token"] == one.token


def test_a_register_of_an_earlier_version_is_answered_for_the_long_way(
    ways: tuple[TestClient, TestClient, _Counting], register: PublicRegister
) -> None:
    """Without the index that the short way needs, it gives way; it does not read the whole table."""
    short, _, counting = ways
    one = register.publish()
    with sqlite3.connect(register.folder / "register.sqlite3") as connection:
        connection.execute("DROP INDEX ix_certificates_file_head")
    connection.close()
    for path in (f"/api/v1/certificates/{one.token}", f"/api/v1/files/{hashlib.sha256(one.file).hexdigest()}"):
        assert short.get(path).json()["verdict"] == "valid"
    assert counting.handed_on == 2
