"""The strict reader of updates and values: one well-formed update, and every way to hide something in it."""

import pytest

from verifier.check.sections import read_update
from verifier.check.syntax import Name, PdfSyntaxError, Reference, Text, read_object, read_value, text_of

START = b"%PDF-1.7\nwhatever was sealed\n"
OBJECTS = (b"7 0 obj\n<< /A 1 >>\nendobj\n", b"8 0 obj\n<< /Length 3 >>\nstream\nabc\nendstream\nendobj\n")
TRAILER = b"trailer\n<< /Size 9 /Root 1 0 R /Prev 12 >>\n"


def update(
    *,
    objects: tuple[bytes, ...] = OBJECTS,
    numbers: tuple[int, ...] = (7, 8),
    shift: int = 0,
    kind: bytes = b"00000 n",
    trailer: bytes = TRAILER,
    between: bytes = b"",
    table_shift: int = 0,
    end: bytes = b"%%EOF\n",
) -> bytes:
    """An update behind START, well formed unless an argument spoils it."""
    body, table = START, b"xref\n0 1\n0000000000 65535 f \n"
    for number, written in zip(numbers, objects, strict=False):
        table += b"%d 1\n%010d %b \n" % (number, len(body) + shift, kind)
        body += written + between
    for written in objects[len(numbers) :]:
        body += written
    at = len(body) + table_shift
    return body + table + trailer + b"startxref\n%d\n" % at + end


def test_a_well_formed_update_is_read_to_its_end() -> None:
    data = update()
    found = read_update(data, len(START))
    assert set(found.objects) == {7, 8}
    assert found.objects[7] == {"A": 1}
    assert (found.end, found.trailer["Prev"]) == (len(data), 12)
    assert data[found.table_at :].startswith(b"xref")


SPOILT = {
    "an object twice": {"objects": (OBJECTS[0], OBJECTS[0], OBJECTS[1]), "numbers": (7, 7, 8)},
    "the same object unlisted": {"objects": (OBJECTS[0], OBJECTS[1], OBJECTS[0])},
    "an object not listed": {"numbers": (7,)},
    "entries beside their objects": {"shift": 1},
    "entries of another object": {"numbers": (8, 7)},
    "a freed object": {"kind": b"00001 f"},
    "another generation": {"kind": b"00001 n"},
    "a comment between objects": {"between": b"% hidden\n"},
    "blanks between objects": {"between": b"  "},
    "a hybrid table": {"trailer": TRAILER.replace(b"/Prev", b"/XRefStm 9 /Prev")},
    "encryption": {"trailer": TRAILER.replace(b"/Prev", b"/Encrypt 9 0 R /Prev")},
    "a key twice in the trailer": {"trailer": TRAILER.replace(b"/Prev", b"/Size 9 /Prev")},
    "a wrong startxref": {"table_shift": -1},
    "no end mark": {"end": b""},
    "something before the end mark": {"end": b"% x\n%%EOF\n"},
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_update_is_refused(name: str) -> None:
    with pytest.raises(PdfSyntaxError):
        read_update(update(**SPOILT[name]), len(START))  # type: ignore[arg-type]


def test_an_entry_without_its_object_is_refused() -> None:
    with pytest.raises(PdfSyntaxError):
        read_update(update().replace(OBJECTS[1], b"", 1), len(START))


def test_values() -> None:
    value, end = read_value(b"<< /A [ 1 -2.5 (a\\)b) <4142> 3 0 R /N#61me true null ] >>", 0)
    assert isinstance(value, dict)
    assert repr(value["A"]) == repr(
        [1, read_value(b"-2.5", 0)[0], Text(b"(a\\)b)"), Text(b"<4142>"), Reference(3), Name("Name"), True, None]
    )
    assert end == 57
    assert text_of(Text(b"(a\\)\\056b)")) == "a).b"
    assert text_of(Text(b"<FEFF738B>")) == "王"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<<",
        b"[",
        b"(",
        b"(()",
        b"<4G>",
        b"%c\n1",
        b"<< /A 1 /A 2 >>",
        b"<< /A 1 /#41 2 >>",
        b"[" * 60 + b"]" * 60,
        b"[" + b"1 " * 10_001 + b"]",
        b"truely",
        b">>",
        b"}",
    ],
)
def test_values_that_are_none(raw: bytes) -> None:
    with pytest.raises(PdfSyntaxError):
        read_value(raw, 0)


@pytest.mark.parametrize(
    "raw",
    [
        b"1 0 obj\n<< /Length 9 0 R >>\nstream\nabc\nendstream\nendobj\n",
        b"1 0 obj\n<< /Length 2 >>\nstream\nabc\nendstream\nendobj\n",
        b"1 0 obj\n<< /Length 99 >>\nstream\nabc\nendstream\nendobj\n",
        b"1 0 obj\n1 2\nendobj\n",
        b"1 0 obj\n1 1 R\nendobj\n",
        b"1 1 obj\n1\nendobj\n",
        b" 1 0 obj\n1\nendobj\n",
    ],
)
def test_objects_that_are_none(raw: bytes) -> None:
    with pytest.raises(PdfSyntaxError):
        read_object(raw, 0)
