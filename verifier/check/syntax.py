"""A strict reader for the little PDF syntax our own seals use (ISO 32000-2, 7.3).

It reads one value at a time and refuses what we never write: comments, duplicate keys, deep nesting, stream
lengths given elsewhere. Every byte it passes over is part of a value or plain white space, so a caller that
reads from A to B knows that nothing else hides between them.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 40
MAX_ITEMS: Final = 10_000
MAX_VALUES: Final = 60_000
"""Values of one reading, in all its objects: each costs a step of ours, however few bytes it has."""
_WHITE = re.compile(rb"[ \r\n\t\f\0]*")
_NAME = re.compile(rb"/([^\0-\x20()<>\[\]{}/%\x7f-\xff]*)")
_REFERENCE = re.compile(rb"([0-9]{1,7}) 0 R(?![A-Za-z0-9])")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]{1,10}(?:\.[0-9]{0,16})?|\.[0-9]{1,16})(?![0-9A-Za-z.])")
_WORD = re.compile(rb"(true|false|null)(?![A-Za-z0-9])")
_HEX = re.compile(rb"<([0-9A-Fa-f \r\n]*)>")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"\s*stream\r?\n")
_END_STREAM = re.compile(rb"\r?\n?endstream(?![A-Za-z0-9])")
_OBJECT = re.compile(rb"([0-9]{1,7}) 0 obj(?![A-Za-z0-9])")
_END_OBJECT = re.compile(rb"\s*endobj(?:\r?\n|(?=$))")
_LITERAL_PART = re.compile(rb"[^()\\]*(?:\\.[^()\\]*)*", re.DOTALL)


class PdfSyntaxError(ValueError):
    """The bytes are not the syntax we write."""


@dataclass(frozen=True, slots=True)
class Name:
    """A PDF name without its slash."""

    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """An indirect reference; generations other than 0 are refused."""

    number: int


@dataclass(frozen=True, slots=True)
class Real:
    """A number, kept as written so that equal means written equally."""

    text: bytes


@dataclass(frozen=True, slots=True)
class Text:
    """A string's bytes as written, brackets and escapes included: only compared, or decoded by `text_of`."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream: its dictionary and its data as stored."""

    header: "dict[str, Value]"
    data: bytes


Value = Name | Reference | Real | Text | Stream | int | bool | None | list["Value"] | dict[str, "Value"]


class Budget:
    """How many values may still be read. Not for several threads."""

    def __init__(self, values: int = MAX_VALUES) -> None:
        self._left = values

    def spend(self) -> None:
        """One value more; raises PdfSyntaxError when there were too many."""
        self._left -= 1
        if self._left < 0:
            raise PdfSyntaxError("there are more values than we ever write")


def skip_white(data: bytes, at: int) -> int:
    """The place after white space."""
    found = _WHITE.match(data, at)
    return found.end() if found else at


def read_value(data: bytes, at: int, depth: int = 0, budget: Budget | None = None) -> tuple[Value, int]:
    """One value starting at `at` (white space before it allowed) and the place after it; raises PdfSyntaxError."""
    budget = budget or Budget()
    budget.spend()
    if depth > MAX_DEPTH:
        raise PdfSyntaxError("nested too deeply")
    at = skip_white(data, at)
    head = data[at : at + 2]
    if head == b"<<":
        return _dictionary(data, at + 2, depth, budget)
    if head[:1] == b"[":
        return _array(data, at + 1, depth, budget)
    if head[:1] == b"(":
        end = _literal_end(data, at)
        return Text(data[at:end]), end
    if found := _NAME.match(data, at):
        return Name(_name(found[1])), found.end()
    if found := _REFERENCE.match(data, at):
        return Reference(int(found[1])), found.end()
    if found := _NUMBER.match(data, at):
        text = found[0]
        return (int(text) if text.isdigit() else Real(text)), found.end()
    if found := _HEX.match(data, at):
        return Text(found[0]), found.end()
    if found := _WORD.match(data, at):
        return {b"true": True, b"false": False, b"null": None}[found[1]], found.end()
    raise PdfSyntaxError(f"unexpected bytes at {at}")


def read_object(data: bytes, at: int, budget: Budget | None = None) -> tuple[int, Value, int]:
    """An indirect object `N 0 obj … endobj` beginning exactly at `at`: number, value, place after it."""
    found = _OBJECT.match(data, at)
    if found is None:
        raise PdfSyntaxError(f"no object at {at}")
    value, end = read_value(data, found.end(), 0, budget)
    if isinstance(value, dict) and (opening := _STREAM.match(data, end)):
        length = value.get("Length")
        if type(length) is not int or opening.end() + length > len(data):
            raise PdfSyntaxError("a stream's length is not given in its own dictionary")
        stop = opening.end() + length
        closing = _END_STREAM.match(data, stop)
        if closing is None:
            raise PdfSyntaxError("a stream does not end where its length says")
        value, end = Stream(value, data[opening.end() : stop]), closing.end()
    closing = _END_OBJECT.match(data, end)
    if closing is None:
        raise PdfSyntaxError("an object does not end")
    return int(found[1]), value, closing.end()


def text_of(value: Value) -> str:
    """A string value decoded (UTF-16BE with mark, or Latin-1 for plain ASCII); raises PdfSyntaxError."""
    if not isinstance(value, Text):
        raise PdfSyntaxError("not a string")
    raw = bytes.fromhex(value.raw[1:-1].decode()) if value.raw.startswith(b"<") else _unescape(value.raw[1:-1])
    try:
        return raw[2:].decode("utf-16-be") if raw.startswith(b"\xfe\xff") else raw.decode("latin-1")
    except UnicodeDecodeError as error:
        raise PdfSyntaxError("a string cannot be decoded") from error


def _dictionary(data: bytes, at: int, depth: int, budget: Budget) -> tuple[dict[str, Value], int]:
    out: dict[str, Value] = {}
    while True:
        at = skip_white(data, at)
        if data[at : at + 2] == b">>":
            return out, at + 2
        found = _NAME.match(data, at)
        if found is None or len(out) >= MAX_ITEMS:
            raise PdfSyntaxError("a dictionary key is not a name, or there are too many")
        key = _name(found[1])
        if key in out:
            raise PdfSyntaxError("a dictionary has a key twice")
        out[key], at = read_value(data, found.end(), depth + 1, budget)


def _array(data: bytes, at: int, depth: int, budget: Budget) -> tuple[list[Value], int]:
    out: list[Value] = []
    while True:
        at = skip_white(data, at)
        if data[at : at + 1] == b"]":
            return out, at + 1
        if len(out) >= MAX_ITEMS:
            raise PdfSyntaxError("an array is too long")
        item, at = read_value(data, at, depth + 1, budget)
        out.append(item)


def _name(raw: bytes) -> str:
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), raw).decode("latin-1")


def _literal_end(data: bytes, at: int) -> int:
    level = 0
    for _ in range(MAX_ITEMS):
        char = data[at : at + 1]
        if char == b"(":
            level += 1
            if level > MAX_DEPTH:
                raise PdfSyntaxError("a string nests too deeply")
        elif char == b")":
            level -= 1
            if level == 0:
                return at + 1
        else:
            break
        # What lies between two brackets, escaped ones included, in one step: a long string costs no loop.
        found = _LITERAL_PART.match(data, at + 1)
        at = found.end() if found else at + 1
    raise PdfSyntaxError("a string does not end, or holds too many brackets")


_ESCAPES: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)


def _unescape(raw: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        code: bytes = found[1]
        if code[:1].isdigit() and code[:1] < b"8":
            return bytes([int(code, 8) & 0xFF])
        return _ESCAPES.get(code, code)

    return _ESCAPED.sub(one, raw)
