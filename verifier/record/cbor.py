"""Deterministic CBOR (RFC 8949, 4.2.1), read strictly: every value has exactly one accepted spelling.

Accepted: unsigned and negative integers, byte strings, text strings, arrays, maps with integer or text
keys, and tags where a caller asks for one. Refused: floats, booleans, null, indefinite lengths, heads
longer than needed, unsorted or repeated map keys, text that is not UTF-8, bytes left over. So two
different byte strings never decode to the same value, and nothing can be hidden in a spelling.
"""

from typing import Any

import cbor2

MAX_DEPTH = 6


class CborError(ValueError):
    """The bytes are not deterministic CBOR of the kinds accepted here."""


def encode(value: Any) -> bytes:
    """Deterministic encoding of ints (64 bits), bytes, str, lists and dicts."""
    # Not `canonical=True`: that is the older order of RFC 7049, shorter keys first.
    return cbor2.dumps(_ordered(value))


def decode(data: bytes) -> Any:
    """The one value `data` encodes; raises CborError."""
    value, end = _value(data, 0, 0)
    if end != len(data):
        raise CborError("bytes are left over after the value")
    return value


def untag(data: bytes, tag: int) -> bytes:
    """What follows the tag `tag` (0..23) at the start of `data`; raises CborError when it is not there."""
    if data[:1] != bytes((0xC0 | tag,)):
        raise CborError(f"tag {tag} is missing")
    return data[1:]


def _ordered(value: Any) -> Any:
    """The same value, map keys in the order of their encoded bytes."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=cbor2.dumps)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _value(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > MAX_DEPTH:
        raise CborError("nested too deeply")
    kind, number, at = _head(data, at)
    if kind == 0:
        return number, at
    if kind == 1:
        return -1 - number, at
    if kind in (2, 3):
        end = at + number
        if end > len(data):
            raise CborError("a string is cut off")
        return (data[at:end] if kind == 2 else _text(data[at:end])), end
    if kind == 4:
        items = []
        for _ in range(_count(data, at, number)):
            item, at = _value(data, at, depth + 1)
            items.append(item)
        return items, at
    if kind == 5:
        return _map(data, at, _count(data, at, 2 * number) // 2, depth)
    raise CborError("a kind of value that is not accepted")


def _map(data: bytes, at: int, pairs: int, depth: int) -> tuple[dict[int | str, Any], int]:
    found: dict[int | str, Any] = {}
    previous = b""
    for _ in range(pairs):
        start = at
        key, at = _value(data, at, depth + 1)
        if not isinstance(key, int | str):
            raise CborError("a map key is neither an integer nor text")
        spelling = data[start:at]
        if spelling <= previous:
            raise CborError("map keys are repeated or out of order")
        previous = spelling
        found[key], at = _value(data, at, depth + 1)
    return found, at


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Major type, argument, position after the head."""
    if at >= len(data):
        raise CborError("the value is cut off")
    kind, short = data[at] >> 5, data[at] & 0x1F
    at += 1
    if short < 24:
        return kind, short, at
    if short > 27:
        raise CborError("an indefinite or reserved length")
    size = 1 << (short - 24)
    raw = data[at : at + size]
    if len(raw) != size:
        raise CborError("the value is cut off")
    number = int.from_bytes(raw, "big")
    if number < (24 if size == 1 else 1 << (4 * size)):
        raise CborError("a head is longer than needed")
    return kind, number, at + size


def _count(data: bytes, at: int, number: int) -> int:
    # Every item takes at least one byte: a larger count is a lie and must not reserve memory.
    if number > len(data) - at:
        raise CborError("the value is cut off")
    return number


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        raise CborError("text is not UTF-8") from exc
