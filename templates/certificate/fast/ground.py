"""The page's ground as an object of its own, and a file without it, for readers of text.

The ground is nine tenths of a page's drawing and shows no text, which is made sure of once, when it is learned.
Whoever reads a page's text may then leave exactly those bytes out: the text is the same, in a fifth of the time.
"""

import zlib

from templates.certificate.fast.bounded import Bounded
from templates.certificate.fast.objects import UnfitError, packed_object

KEPT_GROUNDS = 16
_TEXT_OPERATORS = (b" Tf", b"TJ", b"Tj", b" Do", b"BT\n")
_STORED_MOST = 65535
_STORED_EXTRA = 11

_grounds: Bounded[bytes, bytes] = Bounded(KEPT_GROUNDS)


def ground_object(number: int, drawing: bytes) -> bytes:
    """The ground as a stream object, remembered for `without_ground`; raises UnfitError when it could show text."""
    if any(operator in drawing for operator in _TEXT_OPERATORS):
        raise UnfitError("text in the ground")
    body = packed_object(number, drawing, 9)
    start, end = body.index(b"stream\n") + 7, body.rindex(b"\nendstream")
    room = end - start - _STORED_EXTRA
    if 0 < room <= _STORED_MOST:
        # White space, stored as it is, so that it fills the same room and no offset in the file changes.
        _grounds.get(body, lambda: body[:start] + zlib.compress(b" " * room, 0) + body[end:])
    return body


def without_ground(pdf: bytes) -> bytes:
    """`pdf` with a ground that this process learned replaced by nothing drawn; any other file as it is."""
    for body, blank in _grounds.entries():
        if body in pdf:
            return pdf.replace(body, blank)
    return pdf
