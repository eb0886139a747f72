"""The few DER forms (X.690) that signed data needs, written directly.

A general ASN.1 library takes 5 ms for a time-stamp token in which four fields change; this takes a twentieth of one.
"""

from datetime import UTC, datetime

from cryptography.x509 import ObjectIdentifier

INTEGER, OCTET_STRING, OBJECT_IDENTIFIER, GENERALIZED_TIME, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x18, 0x30, 0x31


def tagged(tag: int, *parts: bytes) -> bytes:
    """Tag, length, and the parts one after the other."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def sequence(*parts: bytes) -> bytes:
    """SEQUENCE of encoded parts."""
    return tagged(SEQUENCE, *parts)


def set_of(*parts: bytes, tag: int = SET) -> bytes:
    """SET OF, members in the order of their encodings (X.690, 11.6); `tag` for an implicit one."""
    return tagged(tag, *sorted(parts))


def explicit(number: int, *parts: bytes) -> bytes:
    """Constructed context tag `[number]`."""
    return tagged(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """INTEGER, not negative."""
    return tagged(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes) -> bytes:
    """OCTET STRING."""
    return tagged(OCTET_STRING, value)


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER; raises ValueError for a text that is none."""
    first, second, *rest = (int(arc) for arc in ObjectIdentifier(dotted).dotted_string.split("."))
    return tagged(OBJECT_IDENTIFIER, *(_base128(arc) for arc in (first * 40 + second, *rest)))


def generalized_time(instant: datetime) -> bytes:
    """GeneralizedTime in UTC, whole seconds (X.690, 11.7)."""
    return tagged(GENERALIZED_TIME, instant.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


def attribute(kind: str, value: bytes) -> bytes:
    """A CMS attribute with one value (RFC 5652, 5.3)."""
    return sequence(oid(kind), tagged(SET, value))


def _base128(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))
