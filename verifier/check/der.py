"""A strict DER reader (X.690, clause 10) for the few values in signed data: shortest lengths, nothing left over."""

from typing import Final

INTEGER, OCTETS, NULL, OID, TIME, SEQUENCE, SET = 0x02, 0x04, 0x05, 0x06, 0x18, 0x30, 0x31
_MAX_LENGTH_BYTES: Final = 3


class DerError(ValueError):
    """Not DER, or not the value that must stand here."""


class Der:
    """A cursor over the content of one constructed value."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def peek(self) -> int:
        """The tag of the next value; -1 at the end."""
        return self._data[self._at] if self else -1

    def whole(self, tag: int | None = None) -> bytes:
        """The next value, tag and length included; of this tag when one is given."""
        start = self._at
        self.next(self.peek() if tag is None else tag)
        return self._data[start : self._at]

    def next(self, tag: int) -> bytes:
        """The content of the next value, which must have this tag."""
        data, at = self._data, self._at
        if at + 2 > len(data) or data[at] != tag:
            raise DerError(f"tag {tag:#x} expected")
        size, at = data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            raw = data[at : at + count]
            size, at = int.from_bytes(raw, "big"), at + count
            if not 1 <= count <= _MAX_LENGTH_BYTES or len(raw) != count or raw[0] == 0 or size < 0x80:
                raise DerError("a length is not in its shortest form")
        if at + size > len(data):
            raise DerError("a value is cut off")
        self._at = at + size
        return data[at : at + size]

    def enter(self, tag: int = SEQUENCE) -> "Der":
        """A cursor over the next value's content."""
        return Der(self.next(tag))

    def integer(self) -> int:
        """The next value as an integer."""
        raw = self.next(INTEGER)
        if not raw or (len(raw) > 1 and raw[0] in (0x00, 0xFF) and (raw[0] ^ raw[1]) & 0x80 == 0):
            raise DerError("an integer is not in its shortest form")
        return int.from_bytes(raw, "big", signed=True)

    def end(self) -> None:
        """Raise DerError if anything is left."""
        if self:
            raise DerError("something follows where nothing may")


def one(data: bytes, tag: int = SEQUENCE) -> Der:
    """A cursor over the content of `data`, which must be exactly one value of this tag."""
    outer = Der(data)
    inner = outer.enter(tag)
    outer.end()
    return inner
