"""Signature wrapping, forged byte ranges and contents, and tricks with cross-reference data."""

import re

from tests.vectors.attacks import ALTERED, BROKEN, Target, attack, put, swap
from tests.vectors.update_attacks import QuietWriter, updated

_RANGE = re.compile(rb"/ByteRange \[[^\]]*\] *")


def _with_range(target: Target, text: bytes) -> bytes:
    """The seal's byte range written otherwise, in as many bytes where it fits."""
    found = _RANGE.search(target.sealed)
    assert found
    return target.sealed[: found.start()] + text.ljust(len(found[0])) + target.sealed[found.end() :]


def _numbers(target: Target) -> tuple[int, int, int]:
    found = re.search(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]", target.sealed)
    assert found
    return int(found[1]), int(found[2]), int(found[3])


_RANGES = {
    "missing": b"",
    "null": b"/ByteRange null",
    "empty": b"/ByteRange []",
    "zeros": b"/ByteRange [0 0 0 0]",
    "negative": b"/ByteRange [0 -1 -1 0]",
    "one-range": b"/ByteRange [0 100]",
    "three-ranges": b"/ByteRange [0 9 9 9 9 9]",
    "huge": b"/ByteRange [0 99999999 99999999 1]",
    "string": b"/ByteRange (0 1 2 3)",
    "real-numbers": b"/ByteRange [0 1.0 2.0 3.0]",
    "reference": b"/ByteRange 9 0 R",
    "not-from-zero": b"/ByteRange [1 9 90 9]",
}
for _name, _text in _RANGES.items():

    @attack(f"forged-range-{_name}", ALTERED)
    def _range(target: Target, text: bytes = _text) -> bytes:
        return _with_range(target, text)


@attack("forged-range-one-more", ALTERED)
def _one_more(target: Target) -> bytes:
    a, b, c = _numbers(target)
    return _with_range(target, b"/ByteRange [0 %d %d %d]" % (a, b, c + 1))


@attack("forged-range-wider-gap", ALTERED)
def _wider(target: Target) -> bytes:
    a, b, c = _numbers(target)
    return _with_range(target, b"/ByteRange [0 %d %d %d]" % (a - 40, b, c))


@attack("forged-range-whole-file", ALTERED)
def _whole(target: Target) -> bytes:
    a, b, _ = _numbers(target)
    return _with_range(target, b"/ByteRange [0 %d %d %d]" % (a, b, len(target.sealed) - b))


@attack("forged-range-leading-zeros", ALTERED)
def _zeros(target: Target) -> bytes:
    a, b, c = _numbers(target)
    return _with_range(target, b"/ByteRange [0 0%d %d %d]" % (a, b, c))


_CONTENTS = {
    "empty": b"",
    "zero": b"00",
    "null-object": None,
    "odd": b"308",
    "not-hex": b"zz",
    "indefinite-length": b"3080060000",
}
for _name, _digits in _CONTENTS.items():

    @attack(f"forged-contents-{_name}", ALTERED)
    def _contents(target: Target, digits: bytes | None = _digits) -> bytes:
        start, end = target.gap()
        if digits is None:
            return put(target.sealed, start - 1, b"null".ljust(end - start + 2))
        return put(target.sealed, start, digits.ljust(end - start, b"0"))


@attack("contents-of-another-certificate", ALTERED)
def _replayed(target: Target) -> bytes:
    found = re.search(rb"/Contents <([0-9a-fA-F]+)>", target.other)
    start, end = target.gap()
    assert found
    return put(target.sealed, start, found[1][: end - start].ljust(end - start, b"0"))


@attack("archive-contents-in-the-seal", ALTERED)
def _archive_as_seal(target: Target) -> bytes:
    digits = target.sealed[slice(*target.gap(1))]
    start, end = target.gap()
    return put(target.sealed, start, digits[: end - start].ljust(end - start, b"0"))


@attack("seal-contents-in-the-archive", ALTERED)
def _seal_as_archive(target: Target) -> bytes:
    digits = target.sealed[slice(*target.gap())]
    start, end = target.gap(1)
    return put(target.sealed, start, digits[: end - start].ljust(end - start, b"0"))


@attack("wrapping-moved-second-part", ALTERED)
def _wrapping(target: Target) -> bytes:
    """The signed second part is moved behind new content; the range is rewritten to fetch it from there."""
    a, b, c = _numbers(target)
    second = target.cut[b : b + c]
    evil = b"7 0 obj\n<< /Evil true >>\nendobj\n"
    moved = target.cut[:b] + evil + second
    text = b"/ByteRange [0 %d %d %d]" % (a, b + len(evil), c)
    found = _RANGE.search(moved)
    assert found
    return moved[: found.start()] + text.ljust(len(found[0])) + moved[found.end() :]


@attack("wrapping-second-range-in-front", ALTERED)
def _wrapping_front(target: Target) -> bytes:
    """A forged range of the same length stands before the true one."""
    a, b, c = _numbers(target)
    decoy = b"%%/ByteRange [0 %d %d %d]\n" % (a, b, c)
    at = target.sealed.index(b"\n") + 1
    return target.sealed[:at] + decoy + target.sealed[at:]


@attack("gap-moved", ALTERED)
def _gap_moved(target: Target) -> bytes:
    """The same signed bytes with the gap elsewhere: the digest still fits, the place does not."""
    start, end = target.gap()
    gap = target.sealed[start - 1 : end + 1]
    rest = target.sealed[: start - 1] + target.sealed[end + 1 :]
    at = start - 60
    return rest[:at] + gap + rest[at:]


@attack("gap-shortened", ALTERED)
def _gap_shortened(target: Target) -> bytes:
    _, end = target.gap()
    return target.sealed[: end - 40] + b">".ljust(41) + target.sealed[end + 1 :]


def _classic_update(pdf: bytes, objects: bytes, entries: bytes, extra: bytes = b"", prev: int | None = None) -> bytes:
    """A hand-written update: `objects`, a table of `entries` (with {} for the objects' offset), a trailer."""
    trailer = re.findall(rb"trailer\s*(<<.*?>>)\s*startxref", pdf, re.DOTALL)[-1]
    root = re.search(rb"/Root \d+ 0 R", trailer)
    size = re.search(rb"/Size (\d+)", trailer)
    last = re.findall(rb"startxref\s+(\d+)", pdf)[-1]
    assert root and size
    at = len(pdf)
    table = at + len(objects)
    previous = int(last) if prev is None else prev
    out = pdf + objects + b"xref\n0 1\n0000000000 65535 f \n" + entries.replace(b"{}", b"%010d" % at)
    out += b"trailer\n<< /Size %d %s /Prev %d %s >>\n" % (int(size[1]) + 5, root[0], previous, extra)
    return out + b"startxref\n%d\n%%%%EOF\n" % table


_PAGE_7 = b"7 0 obj\n<< /Evil true >>\nendobj\n"
_STRUCTURES = {
    "object-overridden": (_PAGE_7, b"7 1\n{} 00000 n \n", b"", None),
    "object-freed": (b"", b"7 1\n0000000000 00001 f \n", b"", None),
    "next-generation": (_PAGE_7.replace(b"7 0 obj", b"7 1 obj"), b"7 1\n{} 00001 n \n", b"", None),
    "duplicate-objects": (_PAGE_7 * 2, b"7 1\n{} 00000 n \n", b"", None),
    "unlisted-object": (_PAGE_7, b"", b"", None),
    "entry-into-a-stream": (b"", b"7 1\n0000000200 00000 n \n", b"", None),
    "hybrid-reference": (_PAGE_7, b"7 1\n{} 00000 n \n", b"/XRefStm 15", None),
    "encrypt": (_PAGE_7, b"7 1\n{} 00000 n \n", b"/Encrypt 7 0 R", None),
    "info-swapped": (_PAGE_7, b"7 1\n{} 00000 n \n", b"/Info 7 0 R", None),
    "prev-zero": (_PAGE_7, b"7 1\n{} 00000 n \n", b"", 0),
    "prev-skips-the-seal": (_PAGE_7, b"7 1\n{} 00000 n \n", b"", 116),
    "prev-beyond-the-end": (_PAGE_7, b"7 1\n{} 00000 n \n", b"", 99_999_999),
}
for _name, (_objects, _entries, _extra, _prev) in _STRUCTURES.items():

    @attack(f"structure-{_name}", ALTERED)
    def _structure(
        target: Target,
        objects: bytes = _objects,
        entries: bytes = _entries,
        extra: bytes = _extra,
        prev: int | None = _prev,
    ) -> bytes:
        return _classic_update(target.sealed, objects, entries, extra, prev)


@attack("structure-prev-loop", ALTERED)
def _loop(target: Target) -> bytes:
    return _classic_update(target.sealed, b"", b"", b"", len(target.sealed))


@attack("structure-two-startxref", ALTERED)
def _two_startxref(target: Target) -> bytes:
    first = re.search(rb"startxref\s+(\d+)", target.sealed)
    assert first
    return target.sealed + b"startxref\n" + first[1] + b"\n%%EOF\n"


class _StreamWriter(QuietWriter):
    """Writes cross-reference and object streams, which can override objects unseen by old readers."""

    def __init__(self, *arguments, **options) -> None:  # type: ignore[no-untyped-def]
        super().__init__(*arguments, **options)
        self.stream_xrefs = True


@attack("structure-reference-stream", ALTERED)
def _reference_stream(target: Target) -> bytes:
    return updated(target.sealed, lambda writer: writer.update_root(), _StreamWriter)


@attack("structure-object-stream-override", ALTERED)
def _object_stream(target: Target) -> bytes:
    def edit(writer: QuietWriter) -> None:
        page = writer.root["/Pages"]["/Kids"].raw_get(0)
        stream = writer.prepare_object_stream()
        writer.add_object(page.get_object(), obj_stream=stream)

    return updated(target.sealed, edit, _StreamWriter)


@attack("archive-table-reordered", ALTERED)
def _reordered(target: Target) -> bytes:
    return swap(target.sealed[: target.ends[1]], b"%%EOF", b"%%E0F") + target.sealed[target.ends[1] :]


@attack("between-the-revisions", ALTERED)
def _between(target: Target) -> bytes:
    return target.cut + b"% a comment\n" + target.sealed[target.ends[1] :]


@attack("revision-dropped-between", ALTERED)
def _dropped(target: Target) -> bytes:
    return target.page + target.sealed[target.ends[1] :]


@attack("archive-of-another-certificate", ALTERED)
def _other_archive(target: Target) -> bytes:
    ends = [found.end() for found in re.finditer(rb"%%EOF\n?", target.other)]
    return target.cut + target.other[ends[1] :]


@attack("page-of-another-certificate", BROKEN)
def _other_page(target: Target) -> bytes:
    ends = [found.end() for found in re.finditer(rb"%%EOF\n?", target.other)]
    return target.other[: ends[0]] + target.sealed[target.ends[0] :]
