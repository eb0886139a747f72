"""Over RSGI, as served in production, every answer is the one over ASGI."""

import asyncio
import gc
import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.factories.public_register import PublicRegister
from tests.factories.web_server import free_port, served
from verifier.web.rsgi import from_environment

TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)|\d{4}\S+ \d\d:\d\d:\d\d|\b[0-9A-Z]{26}\b")
"""What differs between two askings of the same: the time, and a problem's own name."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PublicRegister, int, int]]:
    """One register served over both interfaces: the ports of ASGI and RSGI."""
    one, other = free_port(), free_port()
    register = PublicRegister(tmp_path_factory.mktemp("rsgi"), f"http://127.0.0.1:{one}")
    with ExitStack() as stack:
        stack.enter_context(served(register.folder, register.base_url, interface="asgi"))
        stack.enter_context(served(register.folder, register.base_url, interface="rsgi", port=other))
        yield register, one, other


def test_what_is_loaded_at_the_start_is_not_walked_through_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full collections of it would stop every answer for a tenth of a second and more."""
    register = PublicRegister(tmp_path, "http://127.0.0.1:9")
    monkeypatch.setenv("ECERT_DATA_DIR", str(register.folder))
    monkeypatch.setenv("ECERT_VERIFY_BASE_URL", register.base_url)
    try:
        web = from_environment()
        assert gc.get_freeze_count() > 50_000
    finally:
        gc.unfreeze()
    asyncio.run(web._hot.close())


def _ask(
    port: int, official: str, method: str, path: str, body: bytes | Iterator[bytes] | None, fields: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": official, **fields}.items():
            connection.putheader(name, value)
        connection.endheaders(body, encode_chunked="Transfer-Encoding" in fields)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, named, answer.read()
    finally:
        connection.close()


def test_every_answer_is_the_same_over_both(site: tuple[PublicRegister, int, int]) -> None:
    register, asgi, rsgi = site
    one, fallen = register.publish(), register.publish(specialty="“引号”%b")
    register.change(fallen.token, "invalid", reason_class="found-ineligible")
    page = {"Accept": "text/html"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    upload = {"Content-Type": "application/pdf"}
    questions = [
        ("GET", f"/api/v1/certificates/{one.token}", None, {}),
        ("GET", f"/api/v1/certificates/{fallen.token}", None, {}),
        ("GET", f"/api/v1/certificates/{one.token}?on=2025-12-01", None, {}),
        ("GET", f"/api/v1/certificates/%{ord(one.token[0]):x}{one.token[1:]}", None, {}),
        ("GET", "/api/v1/certificates/" + "A" * 26, None, {}),
        ("GET", f"/v/{one.token}", None, page),
        ("GET", f"/v/{one.token}", None, page | {"Accept-Encoding": "gzip"}),
        ("HEAD", f"/v/{one.token}", None, page),
        ("HEAD", f"/api/v1/certificates/{one.token}", None, {}),
        ("GET", "/", None, page | {"Accept-Encoding": "gzip"}),
        ("GET", "/no/%E4%B8%AD/such?x=%E4%B8%AD", None, page),
        ("GET", "/help", None, page),
        ("GET", "/healthz", None, {}),
        ("DELETE", "/", None, {}),
        ("OPTIONS", "/api/v1/checks", None, {}),
        ("POST", "/api/v1/checks", json.dumps({"items": [{"token": one.token}]}).encode(), {
            "Content-Type": "application/json"}),
        ("POST", "/api/v1/checks", b"{", {"Content-Type": "application/json"}),
        ("POST", "/verify", b"number=1&name=%E7%8E%8B", form),
        ("POST", "/api/v1/check", one.file, upload),
        ("POST", "/api/v1/check", one.file[:-1], upload),
        ("GET", f"/v/{one.token}", None, {"Host": "other.example"}),
        ("GET", f"/v/{one.token}", None, {"Accept": "text/html;q=é"}),
        ("GET", "/", None, {"X-Forwarded-For": "no address"}),
    ]  # fmt: skip
    official = register.base_url.removeprefix("http://")
    for method, path, body, fields in questions:
        answers = []
        for port in (asgi, rsgi):
            length = {"Content-Length": str(len(body))} if body is not None else {}
            status, named, text = _ask(port, official, method, path, body, fields | length)
            assert status < 500, (method, path)
            del named["date"]
            # Whether an unread body had arrived whole decides about it.
            named.pop("connection", None)
            if named.get("content-encoding") is None:
                named.pop("content-length", None)
                text = TIME.sub(b"*", text)
            else:
                text = b"" if "/v/" in path else text
                named.pop("content-length", None)
            answers.append((status, named, text))
        assert answers[0] == answers[1], (method, path)


def test_a_body_in_pieces_is_read_to_its_end(site: tuple[PublicRegister, int, int]) -> None:
    register, _, port = site
    official = register.base_url.removeprefix("http://")
    junk = b"%PDF-1.7\n" + bytes(range(256)) * 400
    pieces = iter([junk[start : start + 10_000] for start in range(0, len(junk), 10_000)])
    media = {"Content-Type": "application/pdf"}
    status, _, text = _ask(port, official, "POST", "/api/v1/check", pieces, media | {"Transfer-Encoding": "chunked"})
    whole = _ask(port, official, "POST", "/api/v1/check", junk, media | {"Content-Length": str(len(junk))})
    assert (status, TIME.sub(b"*", text)) == (whole[0], TIME.sub(b"*", whole[2]))
    assert json.loads(text)["verdict"] == "untrusted" or status == 422


def test_those_who_leave_in_the_middle_leave_the_server_well(site: tuple[PublicRegister, int, int]) -> None:
    register, _, port = site
    one = register.publish()
    head = (
        b"POST /api/v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\nContent-Length: 500000\r\n\r\n"
    )
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as leaving:
            leaving.sendall(head + one.file[:5_000])
    official = register.base_url.removeprefix("http://")
    status, _, text = _ask(port, official, "GET", f"/api/v1/certificates/{one.token}", None, {})
    assert (status, json.loads(text)["verdict"]) == (200, "valid")


def test_production_serves_what_is_tested_here() -> None:
    recipe = (Path(__file__).parents[3] / "docker" / "verifier.Dockerfile").read_text()
    assert '"--interface", "rsgi"' in recipe
    assert '"verifier.web.rsgi:from_environment"' in recipe
