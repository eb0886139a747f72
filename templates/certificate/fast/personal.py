"""The objects of a file that say who and when: credential, portrait, Info, XMP and the file's identifiers."""

import base64
import hashlib
from datetime import UTC, datetime

from templates.certificate.data import CertificatePage
from templates.certificate.fast.objects import Slots, UnfitError, header_of, stream_object, stream_of
from templates.certificate.fast.parts import Drawn
from templates.certificate.photo import prepare_photo


class PersonalObjects:
    """Templates of these objects, learned from one file and proven to give another's."""

    def __init__(self, first: Drawn, one: CertificatePage, second: Drawn, other: CertificatePage) -> None:
        """Raises UnfitError when the second file's objects are not the first's with the other person's values."""
        self._parts = first.parts
        self._info_number = first.file.info
        values, others = _values(one, first), _values(other, second)
        bodies, proof = first.file.bodies, second.file.bodies
        self._info = Slots(bodies[first.file.info], _longer(values))
        self._metadata = Slots(stream_of(bodies[first.parts.metadata]), _longer(values))
        self._metadata_header = _inside(header_of(bodies[first.parts.metadata]))
        self._credential = Slots(_inside(header_of(bodies[first.parts.credential])), values)
        self._photo_header = b""
        if first.parts.photo is not None:
            self._photo_header = _inside(header_of(bodies[first.parts.photo]))
        if b"/Filter" in header_of(bodies[first.parts.credential]):
            raise UnfitError("a packed attachment")
        right = (
            self._info.fill(others) == proof[first.file.info]
            and self._metadata.fill(others) == stream_of(proof[first.parts.metadata])
            and self._metadata_header == _inside(header_of(proof[first.parts.metadata]))
            and self._credential.fill(others) == _inside(header_of(proof[first.parts.credential]))
            and stream_of(proof[first.parts.credential]) == other.credential
            and self._photo_is(proof, other.photo)
        )
        if not right:
            raise UnfitError("the personal objects")

    def _photo_is(self, bodies: dict[int, bytes], photo: bytes | None) -> bool:
        if self._parts.photo is None or photo is None:
            return self._parts.photo is None and photo is None
        body = bodies[self._parts.photo]
        return self._photo_header == _inside(header_of(body)) and stream_of(body) == prepare_photo(photo)

    def make(self, page: CertificatePage, drawing: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
        """The objects of `page`, each with its number, and the file's two identifiers for the trailer.

        `drawing` is everything else that is personal in the file, from which the identifiers are made.
        """
        out = []
        photo = b"" if page.photo is None else prepare_photo(page.photo)
        digest = hashlib.sha256(drawing + photo + page.credential + repr(page.made_at).encode())
        values = {
            **_dates(page.made_at),
            "document": page.document_id.encode("ascii"),
            "size": b"%d" % len(page.credential),
            "id": _identifier(hashlib.sha256(page.document_id.encode("ascii")).digest()),
            "instance": _identifier(digest.digest()),
        }
        if self._parts.photo is not None:
            out.append((self._parts.photo, stream_object(self._parts.photo, self._photo_header, photo)))
        credential = stream_object(self._parts.credential, self._credential.fill(values), page.credential)
        metadata = stream_object(self._parts.metadata, self._metadata_header, self._metadata.fill(values))
        out += [
            (self._parts.credential, credential),
            (self._info_number, self._info.fill(values)),
            (self._parts.metadata, metadata),
        ]
        return out, b"/ID[(%b)(%b)]" % (values["id"], values["instance"])


def _values(page: CertificatePage, drawn: Drawn) -> dict[str, bytes]:
    return {
        **_dates(page.made_at),
        "document": page.document_id.encode("ascii"),
        "size": b"%d" % len(page.credential),
        "id": drawn.file.document_id,
        "instance": drawn.file.instance_id,
    }


def _longer(values: dict[str, bytes]) -> dict[str, bytes]:
    """Without the size: digits that may stand in any text."""
    return {name: value for name, value in values.items() if name != "size"}


def _dates(at: datetime) -> dict[str, bytes]:
    utc = at.astimezone(UTC)
    return {
        "date": utc.strftime("D:%Y%m%d%H%M%SZ").encode(),
        "time": utc.strftime("%Y-%m-%dT%H:%M:%S+00:00").encode(),
    }


def _identifier(digest: bytes) -> bytes:
    return base64.b64encode(digest[:16])


def _inside(header: bytes) -> bytes:
    """A stream dictionary's entries without the length, which stands first."""
    if not header.startswith(b"<</Length ") or not header.endswith(b">>"):
        raise UnfitError("a stream's dictionary")
    entries = header[len(b"<</Length ") : -2]
    return entries.lstrip(b"0123456789")
