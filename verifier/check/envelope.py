"""Where a signature stands in a file, found without parsing the file (ISO 32000-2, 12.8.1).

The byte range is `[0 a b c]`; the gap between `a` and `b` is exactly the hex string of /Contents; and
`b + c` is the end of the revision. Because the range itself is signed, the gap cannot be moved.
"""

import re
from dataclasses import dataclass
from typing import Final

_KEY: Final = b"/ByteRange"
_RANGE = re.compile(rb"/ByteRange \[0 ([1-9][0-9]{0,8}) ([1-9][0-9]{0,8}) ([1-9][0-9]{0,8})\] *\r?\n")
# One spelling only: nothing covers the last gap, and a file rewritten in any byte is not the one we made.
_HEX = re.compile(rb"<([0-9A-F]+)>")
_ENDINGS: Final = (b"%%EOF\n", b"%%EOF\r\n", b"%%EOF")
MAX_CONTENTS: Final = 64 * 1024


class EnvelopeError(ValueError):
    """There is no signature here with a byte range of our form."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One signature's place: `before` and `after` bound the gap, `end` the bytes it covers, `cms` the DER inside."""

    before: int
    after: int
    end: int
    cms: bytes

    @property
    def byte_range(self) -> list[int]:
        """The range as the file writes it."""
        return [0, self.before, self.after, self.end - self.after]

    def covered(self, pdf: bytes) -> bytes:
        """The signed bytes."""
        return pdf[: self.before] + pdf[self.after : self.end]


def find_seal(pdf: bytes) -> Envelope:
    """The first signature of the file; raises EnvelopeError unless it covers a whole revision from byte 0."""
    return find_signature(pdf, 0, None)


def find_signature(pdf: bytes, start: int, end: int | None) -> Envelope:
    """The one signature whose dictionary stands between `start` and the end of what it covers.

    With `end` the covered bytes must end there. Raises EnvelopeError.
    """
    found = _RANGE.search(pdf, start)
    if found is None:
        raise EnvelopeError("no byte range")
    before, after, length = (int(group) for group in found.groups())
    stop = after + length
    if not start < before < after < stop <= len(pdf) or (end is not None and stop != end):
        raise EnvelopeError("the byte range does not fit the file")
    if after - before > MAX_CONTENTS or not (start <= found.start() < before or after <= found.end() <= stop):
        raise EnvelopeError("the byte range lies outside what it covers")
    if pdf.count(_KEY, start, stop) != 1:
        raise EnvelopeError("a revision has more than one byte range")
    gap = _HEX.fullmatch(pdf, before, after)
    if gap is None or not pdf.endswith(b"/Contents ", start, before):
        raise EnvelopeError("the gap is not the signature")
    if not pdf.endswith(_ENDINGS, after, stop):
        raise EnvelopeError("the covered bytes do not end where a revision ends")
    return Envelope(before, after, stop, _der(gap[1]))


def _der(digits: bytes) -> bytes:
    """The DER value at the start of the hex digits; the rest must be zeros."""
    if len(digits) % 2:
        raise EnvelopeError("the signature has half a byte")
    raw = bytes.fromhex(digits.decode())
    if len(raw) < 4 or raw[0] != 0x30 or raw[1] not in (0x82, 0x83):
        raise EnvelopeError("the signature is not DER")
    size = raw[1] & 0x7F
    total = 2 + size + int.from_bytes(raw[2 : 2 + size], "big")
    if total > len(raw) or any(raw[total:]):
        raise EnvelopeError("the signature is followed by something")
    return raw[:total]
