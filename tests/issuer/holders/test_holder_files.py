"""Ranges and file names of downloads."""

from urllib.parse import unquote

import pytest

from issuer.holders.files import content_disposition, pdf_response

CONTENT = bytes(range(256)) * 4


@pytest.mark.parametrize(
    ("header", "status", "body"),
    [
        (None, 200, CONTENT),
        ("bytes=0-9", 206, CONTENT[:10]),
        ("bytes=1000-", 206, CONTENT[1000:]),
        ("bytes=-24", 206, CONTENT[-24:]),
        ("bytes=1020-99999", 206, CONTENT[1020:]),
        ("bytes=-99999", 206, CONTENT),
        ("bytes=5-2", 416, b""),
        ("bytes=1024-", 416, b""),
        ("bytes=0-1,5-9", 200, CONTENT),  # several ranges may be answered whole
        ("lines=0-1", 200, CONTENT),
        ("bytes=-", 200, CONTENT),
    ],
)
def test_ranges(header: str | None, status: int, body: bytes) -> None:
    response = pdf_response(CONTENT, "a.pdf", "ab", header)
    assert (response.status_code, bytes(response.body)) == (status, body)
    assert response.headers["accept-ranges"] == "bytes"
    if status == 206:
        first = CONTENT.index(body[:24]) if len(body) < 1024 else 0
        span, _, size = response.headers["content-range"].removeprefix("bytes ").partition("/")
        assert int(size) == len(CONTENT)
        assert int(span.split("-")[1]) - int(span.split("-")[0]) + 1 == len(body)
        assert header != "bytes=0-9" or first == 0
    if status == 416:
        assert response.headers["content-range"] == f"bytes */{len(CONTENT)}"


@pytest.mark.parametrize("name", ["付怡-20251234.pdf", "王𠮷𣲗.pdf", "阿卜杜热依木·买买提明.pdf", "SMITH JOHN.pdf"])
def test_chinese_file_names_survive(name: str) -> None:
    header = content_disposition(name)
    header.encode("ascii")
    assert unquote(header.partition("filename*=UTF-8''")[2]) == name


def test_a_name_cannot_break_the_header() -> None:
    header = content_disposition('a"\r\nSet-Cookie: x=1; /../b.pdf')
    assert "\r" not in header
    assert "\n" not in header
    assert header.count('"') == 2
    assert "/" not in header
