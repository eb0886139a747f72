"""Revisions of a PDF as we write them: objects, a classical cross-reference table, a trailer (ISO 32000-2, 7.5).

Two readers. `read_update` reads an update forward, byte by byte, so nothing can hide in it.
`SealedRevision` looks objects up in a revision whose bytes are already known to be ours.
"""

import re
from dataclasses import dataclass

from verifier.check.syntax import Budget, PdfSyntaxError, Reference, Stream, Value, read_object, read_value

_TABLE = re.compile(rb"xref\r?\n")
_SUBSECTION = re.compile(rb"([0-9]{1,7}) ([0-9]{1,7})[ ]?\r?\n")
_ENTRY = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])(?: \r|\r\n| \n)")
_TRAILER = re.compile(rb"trailer\s*(?=<<)")
_END = re.compile(rb"\s*startxref\r?\n([0-9]{1,10})\r?\n%%EOF(?:\r?\n|$)")
_LAST_START = re.compile(rb"startxref\r?\n([0-9]{1,10})\r?\n%%EOF(?:\r?\n)?$")
_MAX_SECTIONS = 12


@dataclass(frozen=True)
class Update:
    """One incremental update: the objects it writes, its trailer, and where it stands."""

    objects: dict[int, Value]
    trailer: dict[str, Value]
    start: int
    table_at: int
    end: int


def read_update(data: bytes, start: int, budget: Budget | None = None) -> Update:
    """The update that begins at `start`; raises PdfSyntaxError unless every byte of it is accounted for.

    Its table must list exactly the objects written here, each at its true place.
    """
    budget = budget or Budget()
    objects: dict[int, Value] = {}
    places: dict[int, int] = {}
    at = start
    while not data.startswith(b"xref", at):
        number, value, end = read_object(data, at, budget)
        if number in objects:
            raise PdfSyntaxError("an update writes an object twice")
        objects[number], places[number] = value, at
        at = end
    entries, trailer, after = read_table(data, at)
    if entries != places:
        raise PdfSyntaxError("the cross-reference table does not list exactly what was written")
    closing = _END.match(data, after)
    if closing is None or int(closing[1]) != at:
        raise PdfSyntaxError("an update does not end with its own cross-reference offset")
    return Update(objects, trailer, start, at, closing.end())


def read_table(data: bytes, at: int) -> tuple[dict[int, int], dict[str, Value], int]:
    """A cross-reference table at `at`: offsets by object number, trailer, place after the trailer."""
    opening = _TABLE.match(data, at)
    if opening is None:
        raise PdfSyntaxError("no cross-reference table where one must be")
    entries: dict[int, int] = {}
    seen: set[int] = set()
    at = opening.end()
    while head := _SUBSECTION.match(data, at):
        at = head.end()
        for number in range(int(head[1]), int(head[1]) + int(head[2])):
            entry = _ENTRY.match(data, at)
            if entry is None or number in seen:
                raise PdfSyntaxError("a cross-reference entry is not well formed or given twice")
            seen.add(number)
            if entry[3] == b"n":
                if int(entry[2]) != 0:
                    raise PdfSyntaxError("an object has a generation other than 0")
                entries[number] = int(entry[1])
            elif number != 0:
                raise PdfSyntaxError("an object is freed")
            at = entry.end()
    keyword = _TRAILER.match(data, at)
    if keyword is None:
        raise PdfSyntaxError("no trailer after the cross-reference table")
    trailer, after = read_value(data, keyword.end())
    if not isinstance(trailer, dict) or "XRefStm" in trailer or "Encrypt" in trailer:
        raise PdfSyntaxError("the trailer holds what we never write")
    return entries, trailer, after


class SealedRevision:
    """The sealed revision, once its signature holds: objects by number. Raises PdfSyntaxError throughout."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        last = _LAST_START.search(data, max(0, len(data) - 64))
        if last is None:
            raise PdfSyntaxError("the sealed revision does not end as a PDF does")
        self.table_at = int(last[1])
        self._places: dict[int, int] = {}
        self.trailer: dict[str, Value] = {}
        at: Value = self.table_at
        for _ in range(_MAX_SECTIONS):
            if type(at) is not int or at >= len(data):
                raise PdfSyntaxError("a cross-reference offset is not a place in the file")
            entries, trailer, _after = read_table(data, at)
            self._places = entries | self._places
            self.trailer = self.trailer or trailer
            if "Prev" not in trailer:
                break
            at = trailer["Prev"]
        else:
            raise PdfSyntaxError("too many cross-reference sections")
        self.root = self._reference(self.trailer.get("Root"))

    def object(self, number: int) -> Value:
        """The newest object of that number."""
        place = self._places.get(number)
        if place is None:
            raise PdfSyntaxError(f"object {number} is missing")
        found, value, _ = read_object(self._data, place)
        if found != number:
            raise PdfSyntaxError("the cross-reference table points to another object")
        return value

    def has(self, number: int) -> bool:
        """Whether the revision has an object of that number."""
        return number in self._places

    def resolve(self, value: Value) -> Value:
        """`value`, or what it refers to."""
        return self.object(value.number) if isinstance(value, Reference) else value

    def dictionary(self, value: Value) -> dict[str, Value]:
        """`value` resolved, as a dictionary (of a stream, its header)."""
        found = self.resolve(value)
        if isinstance(found, Stream):
            return found.header
        if not isinstance(found, dict):
            raise PdfSyntaxError("a dictionary was expected")
        return found

    def array(self, value: Value) -> list[Value]:
        """`value` resolved, as an array."""
        found = self.resolve(value)
        if not isinstance(found, list):
            raise PdfSyntaxError("an array was expected")
        return found

    @property
    def catalog(self) -> dict[str, Value]:
        """The document catalog."""
        return self.dictionary(Reference(self.root))

    @staticmethod
    def _reference(value: Value) -> int:
        if not isinstance(value, Reference):
            raise PdfSyntaxError("a reference was expected")
        return value.number
