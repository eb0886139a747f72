"""How much text a workbook's cells hold when each gets a copy of its shared string."""

import re
from array import array
from collections.abc import Iterable

from issuer.roster.limits import MAX_TEXT_BYTES, refuse_large

_REFERENCE = re.compile(rb'\bt="s"[^>]*>\s*<(?:[a-z]+:)?v>([0-9]{1,9})<', re.ASCII)
_END = re.compile(rb"</(?:[a-z]+:)?si>|<(?:[a-z]+:)?si\s*/>", re.ASCII)


class StringLengths:
    """Length in bytes (markup included) of every shared string, in order."""

    def __init__(self) -> None:
        self._lengths = array("L")
        self._open = 0
        self._tail = b""
        self._spent = 0

    @property
    def longest(self) -> int:
        """Length of the longest string."""
        return max(self._lengths, default=self._open)

    def feed(self, piece: bytes) -> None:
        """Take the next piece of `sharedStrings.xml`."""
        data = self._tail + piece
        at = 0
        for end in _END.finditer(data):
            self._lengths.append(self._open + end.end() - at)
            self._open, at = 0, end.end()
        # The last bytes may be the beginning of an end tag.
        keep = max(at, len(data) - 64)
        self._open += keep - at
        self._tail = data[keep:]

    def spend(self, pieces: Iterable[bytes]) -> None:
        """Add up the text of a sheet's cells; raises TooLargeError over MAX_TEXT_BYTES for all sheets together."""
        tail = b""
        for piece in pieces:
            data = tail + piece
            cut = data.rfind(b"</")
            part, tail = (data[:cut], data[cut:]) if cut > 0 else (b"", data)
            for reference in map(int, _REFERENCE.findall(part)):
                if reference < len(self._lengths):
                    self._spent += self._lengths[reference]
            if self._spent > MAX_TEXT_BYTES:
                refuse_large(
                    "roster-too-much-text",
                    f"单元格文字合计超过 {MAX_TEXT_BYTES >> 20} MB",
                    f"The cells hold more than {MAX_TEXT_BYTES >> 20} MB of text",
                )
