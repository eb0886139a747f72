"""Whether bytes are DER (X.690, 10 and 11), looked at byte by byte: one spelling for one message.

asn1crypto can re-encode a message for comparison, but takes time exponential in its depth for that.
"""

from typing import Final

MAX_DEPTH: Final = 40
_BOOLEAN, _INTEGER, _SET = 0x01, 0x02, 0x31
_CONSTRUCTED_UNIVERSAL: Final = frozenset({0x10, 0x11})  # SEQUENCE and SET; strings are never in parts


def is_der(data: bytes) -> bool:
    """Whether `data` is exactly one DER value: definite shortest lengths, no parts of strings, sorted SETs."""
    try:
        return _value(data, 0, len(data), 0) == len(data)
    except (IndexError, ValueError):
        return False


def _value(data: bytes, at: int, end: int, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    tag = data[at]
    if tag & 0x1F == 0x1F:
        raise ValueError("no tag above 30 belongs into these messages")
    universal, constructed = tag & 0xC0 == 0, bool(tag & 0x20)
    if universal and constructed != (tag & 0x1F in _CONSTRUCTED_UNIVERSAL):
        raise ValueError("a string in parts, or a sequence that is none")
    start, stop = _length(data, at + 1)
    if stop > end:
        raise ValueError("longer than what holds it")
    if constructed:
        _children(data, start, stop, depth, in_order=tag == _SET)
    elif tag == _BOOLEAN and data[start:stop] not in (b"\x00", b"\xff"):
        raise ValueError("a truth value has one spelling")
    elif tag == _INTEGER and not _shortest_integer(data[start:stop]):
        raise ValueError("a number with needless leading bytes")
    return stop


def _children(data: bytes, start: int, stop: int, depth: int, *, in_order: bool) -> None:
    before = b""
    while start < stop:
        after = _value(data, start, stop, depth + 1)
        if in_order and data[start:after] < before:
            raise ValueError("a SET that is not sorted")
        before, start = data[start:after], after


def _length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 0x80:
        return at + 1, at + 1 + first
    count = first & 0x7F
    digits = data[at + 1 : at + 1 + count]
    length = int.from_bytes(digits, "big")
    if not 1 <= count <= 4 or len(digits) != count or length < 0x80 or digits[0] == 0:
        raise ValueError("not the shortest form of a length")
    return at + 1 + count, at + 1 + count + length


def _shortest_integer(content: bytes) -> bool:
    if not content:
        return False
    return len(content) == 1 or not (
        (content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80)
    )
