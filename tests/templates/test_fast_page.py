"""The quick way gives the page Typst gives: the same picture, the same text, a file every judge accepts."""

import io
import string
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from templates.certificate.data import CertificatePage
from templates.certificate.fast import assemble
from templates.certificate.fast.assemble import quick_page
from templates.certificate.fast.content import Piece
from templates.certificate.fast.edition import Edition
from templates.certificate.fast.glyphs import glyph
from templates.certificate.fast.ground import ground_object, without_ground
from templates.certificate.fast.objects import UnfitError
from templates.certificate.fast.parts import read
from templates.certificate.fast.shapes import shape
from templates.certificate.fast.symbol import symbol
from templates.certificate.page import lint_page, render, template_names, typeset
from templates.certificate.qr import qr_matrix
from templates.certificate.specimen import payload

IDEOGRAPHS = [
    char
    for first, last in ((0x4E00, 0x9FEF), (0x3400, 0x4DB5), (0x20000, 0x2A6D6))
    for char in map(chr, range(first, last + 1))
    if glyph(char) is not None
]
CHINESE = st.text(st.sampled_from(IDEOGRAPHS), min_size=1, max_size=5)
DOTTED = st.lists(CHINESE, min_size=2, max_size=3).map("·".join)
LATIN = st.text(string.ascii_letters + " .-", min_size=2, max_size=28).map(str.strip).filter(bool)
DIGITS = st.text(string.digits, min_size=15, max_size=18)


def picture(pdf: bytes) -> np.ndarray[Any, Any]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return np.asarray(document[0].render(scale=150 / 72).to_pil().convert("RGB")).astype(int)
    finally:
        document.close()


def text(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return str(document[0].get_textpage().get_text_range())
    finally:
        document.close()


def quick(page: CertificatePage) -> bytes:
    made = quick_page(page, typeset)
    assert made is not None
    return made


def test_an_ordinary_page_is_made_the_quick_way_and_looks_the_same(page: CertificatePage) -> None:
    made, drawn = quick(page), typeset(page)
    assert made != drawn
    assert np.array_equal(picture(made), picture(drawn))
    assert text(made) == text(drawn)
    assert lint_page(made, page) == ()
    assert render(page) == made


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    name=st.one_of(CHINESE, DOTTED, LATIN),
    gender=st.sampled_from("男女"),
    id_number=st.one_of(
        DIGITS, DIGITS.map(lambda digits: digits[:-1] + "X"), DIGITS.map(lambda digits: f"E{digits[:8]}")
    ),
    management_no=st.one_of(DIGITS, DIGITS.map(lambda digits: f"{digits}X")),
    id_type=st.sampled_from(["居民身份证", "护照", "港澳居民来往内地通行证", "外国人永久居留身份证"]),
)
def test_any_person_looks_as_typst_draws_them(page: CertificatePage, **person: str) -> None:
    one = replace(page, **person)  # type: ignore[arg-type]
    drawn = typeset(one)
    made = quick_page(one, typeset)
    if made is None:
        assert render(one) == drawn
        return
    difference = np.abs(picture(made) - picture(drawn))
    assert difference.max() <= 2
    assert text(made) == text(drawn)
    assert lint_page(made, one) == lint_page(drawn, one)


@pytest.mark.parametrize("name", ["王伟", "欧阳㛃", "古丽娜尔·买买提", "阿依努尔", "〇一"])
def test_common_names_are_never_left_to_typst(page: CertificatePage, name: str) -> None:
    assert lint_page(quick(replace(page, name=name)), replace(page, name=name)) == ()


@pytest.mark.parametrize("template", template_names())
@pytest.mark.parametrize("specialty", ["建筑工程", "机电工程"])
def test_every_template_has_an_edition(page: CertificatePage, template: str, specialty: str) -> None:
    quick(replace(page, template=template, specialty=specialty))


def test_glyph_codes_that_are_a_pair_of_parentheses_are_read() -> None:
    codes = {0x0028: "三", 0x0029: "四", 0x2828: "五", 0x2929: "六"}
    raw = rb"/Span<</MCID 6>>BDC BT /f0 30 Tf [(\000(\000))(\(\(\051\051)] TJ ET EMC"
    piece = Piece(raw, codes)
    assert piece.shown == ("三四", "五六")
    assert piece.fixed[0] + rb"(\000(\000))" + piece.fixed[1] + rb"(\(\(\051\051)" + piece.fixed[2] == raw


def test_what_cannot_be_set_exactly_is_left_to_typst(page: CertificatePage) -> None:
    for name in ("Maria-Antonia Fernández de la Vega", "𬱖" + chr(0x2B740), "长" * 40):
        one = replace(page, name=name)
        assert quick_page(one, typeset) is None or lint_page(quick(one), one) == lint_page(typeset(one), one)
    assert quick_page(replace(page, document_id="(\\)"), typeset) is None


def test_the_file_passes_the_judges(page: CertificatePage, tmp_path: Path) -> None:
    file = tmp_path / "page.pdf"
    file.write_bytes(quick(replace(page, name="欧阳䶮龘")))
    checked = subprocess.run(["qpdf", "--check", file], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    judged = subprocess.run(
        [Path(sys.executable).parent / "outloud", file], capture_output=True, text=True, check=False
    )
    assert judged.returncode == 0, judged.stdout


def test_every_font_program_holds_what_its_dictionary_says(page: CertificatePage) -> None:
    """PDF/A-3, 6.2.11.4: a foreign reader finds every glyph, and CIDSet names them all."""
    from fontTools.cffLib import CFFFontSet

    with pikepdf.open(io.BytesIO(quick(replace(page, name="欧阳䶮龘")))) as pdf:
        fonts = pdf.pages[0].Resources.Font
        assert len(fonts) == 2
        for font in fonts.values():
            inner = font.DescendantFonts[0]
            program = CFFFontSet()
            program.decompile(io.BytesIO(inner.FontDescriptor.FontFile3.read_bytes()), None)
            strings = program[0].CharStrings
            count = len(strings)
            bits = np.unpackbits(np.frombuffer(inner.FontDescriptor.CIDSet.read_bytes(), np.uint8))
            assert bits[:count].all() and not bits[count:].any()
            for name in strings.keys():  # noqa: SIM118 - not a dictionary
                string = strings[name]
                string.decompile()
                assert string.program[-1] == "endchar"


def test_dates_identifiers_and_attachment_are_the_persons(page: CertificatePage) -> None:
    one = replace(
        page, document_id="A1", made_at=datetime(2026, 1, 31, 16, 0, 5, tzinfo=UTC), credential=b"\xd2\x84CREDENTIAL"
    )
    with pikepdf.open(io.BytesIO(quick(one))) as pdf:
        assert str(pdf.docinfo.CreationDate) == str(pdf.docinfo.ModDate) == "D:20260131160005Z"
        assert str(pdf.docinfo.Keywords) == "A1"
        xmp = pdf.Root.Metadata.read_bytes().decode()
        assert xmp.count("2026-01-31T16:00:05+00:00") == 4 and "<pdf:Keywords>A1<" in xmp
        assert bytes(pdf.trailer.ID[1]).decode() in xmp
        assert pdf.attachments["credential.cbor"].get_file().read_bytes() == one.credential
    assert b"INVENTED" not in quick(one)


def test_the_same_page_gives_the_same_bytes_whatever_came_before(page: CertificatePage) -> None:
    first = quick(page)
    assemble.forget()
    quick(replace(page, name="张三丰", id_number="E12345678", management_no="1"))
    assert quick(page) == first


def test_a_page_that_shows_more_of_a_person_makes_the_edition_unfit(page: CertificatePage) -> None:
    def showing_the_name_twice(one: CertificatePage) -> bytes:
        return typeset(replace(one, title=f"{one.name}证书"))

    with pytest.raises(UnfitError):
        Edition(page, showing_the_name_twice)
    assemble.forget()
    assert quick_page(page, showing_the_name_twice) is None
    assemble.forget()


def test_without_its_ground_a_file_has_the_same_text_and_nothing_else_changes(page: CertificatePage) -> None:
    made = quick(page)
    bare = without_ground(made)
    assert len(bare) == len(made) and bare != made
    assert text(bare) == text(made)
    assert not np.array_equal(picture(bare), picture(made))
    assert lint_page(made, replace(page, name="王伟")) != ()
    assert without_ground(typeset(page)) == typeset(page)


def test_a_ground_that_shows_text_is_refused() -> None:
    with pytest.raises(UnfitError):
        ground_object(1, b"BT\n/f0 9 Tf (x) Tj ET")


def test_symbols_are_those_of_the_library() -> None:
    for length in range(0, 330, 3):
        segments = ("HTTPS://ZS.EXAMPLE.ORG.CN/V/K7QWERTYUIOPASDFGHJKLZXCVB", "#", payload(length))
        assert np.array_equal(symbol(segments), np.array(qr_matrix(segments))), length


def test_digits_are_never_kerned(page: CertificatePage) -> None:
    """On this rests that the widest and the narrowest digit prove all others: a kerned run is cut."""
    for digit in string.digits:
        for others in ("0123456789", "XEHK"):
            name = "".join(digit + other for other in others)
            drawn = read(typeset(replace(page, name=name)))
            assert [piece.shown for piece in drawn.pieces if piece.text == name] == [(name,)]


@pytest.mark.parametrize(
    ("value", "form"), [("王伟", "字字"), ("11X", "00X"), ("买·买", "字·字"), ("Li Lei", None), ("", None)]
)
def test_shapes(value: str, form: str | None) -> None:
    assert shape(value) == form
