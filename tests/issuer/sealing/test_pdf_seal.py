"""A sealed page before its judges, at every level."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdfium2
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import ModificationLevel, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from issuer.errors import InputError
from issuer.sealing.room import SealingRoom
from tests.factories import pdf_judges as judges
from verifier.check.document import inspect_document

LEVELS = ["B-B", "B-T", "B-LT", "B-LTA"]


@pytest.fixture(scope="module", params=LEVELS)
def at_level(request: pytest.FixtureRequest, room: SealingRoom, page: bytes) -> bytes:
    return room.seal_pdf(page, level=request.param)


def test_every_level_passes_poppler_openssl_qpdf(at_level: bytes, room: SealingRoom, tmp_path: Path) -> None:
    file = tmp_path / "sealed.pdf"
    file.write_bytes(at_level)
    assert judges.poppler(file).count("Signature is Valid.") == 1
    openssl = judges.openssl(at_level, room.key_set, tmp_path)
    assert openssl.returncode == 0, openssl.stderr
    qpdf = judges.run("qpdf", "--check", file)
    assert qpdf.returncode == 0, qpdf.stdout
    assert "No syntax or stream encoding errors found" in qpdf.stdout


def test_openssl_notices_a_change(sealed: bytes, room: SealingRoom, tmp_path: Path) -> None:
    changed = sealed.replace(b"/StructTreeRoot", b"/StructTreeR00t", 1)
    assert judges.openssl(changed, room.key_set, tmp_path).returncode != 0


@pytest.mark.parametrize("level", ["B-T", "B-LTA"])
def test_the_page_stays_accessible(room: SealingRoom, page: bytes, tmp_path: Path, level: str) -> None:
    file = tmp_path / "sealed.pdf"
    file.write_bytes(room.seal_pdf(page, level=level))
    result = judges.outloud(file)
    assert result.returncode == 0, result.stdout
    assert "0 error(s)" in result.stdout


def test_each_widget_and_its_form_element_point_at_each_other(sealed: bytes) -> None:
    """A reader finds the element of a widget by the parent tree, the widget by its OBJR (ISO 32000-1, 14.7.4.4)."""
    root = PdfFileReader(io.BytesIO(sealed)).root
    structure, document = root["/StructTreeRoot"], root["/StructTreeRoot"]["/K"][0]
    numbers = structure["/ParentTree"]["/Nums"]
    parents = {int(numbers[index]): numbers[index + 1] for index in range(0, len(numbers), 2)}
    assert structure["/ParentTreeNextKey"] == max(parents) + 1
    annotations = root["/Pages"]["/Kids"][0]["/Annots"]
    assert len(annotations) == 2
    for position, widget in enumerate(annotations):
        element = parents[int(widget.get_object()["/StructParent"])]
        assert (element["/S"], element["/K"]["/Type"]) == ("/Form", "/OBJR")
        assert element["/K"].raw_get("/Obj") == annotations.raw_get(position)
        assert element["/P"] == document
        assert any(child.get_object() is element for child in document["/K"])
        assert widget.get_object()["/TU"]


def test_the_page_stays_archival(sealed: bytes, page: bytes) -> None:
    """What ISO 19005-3 asks of a signed file: metadata, intents and attachments as they were, quiet widgets."""
    before, after = PdfFileReader(io.BytesIO(page)), PdfFileReader(io.BytesIO(sealed))
    for key in ("/Metadata", "/OutputIntents", "/AF", "/Names", "/Lang", "/MarkInfo"):
        assert after.root.raw_get(key) == before.root.raw_get(key)
    assert after.root["/Metadata"].data == before.root["/Metadata"].data
    assert dict(after.trailer["/Info"]) == dict(before.trailer["/Info"])
    assert after.trailer["/ID"][0] == before.trailer["/ID"][0]
    assert re.search(rb"%%EOF[^\r\n]", sealed) is None
    assert all(
        sealed[start - 1 : start] == b"\n"
        for start in (found.start() for found in re.finditer(rb"\d+ 0 obj\b", sealed))
    )
    assert "/NeedAppearances" not in after.root["/AcroForm"]
    assert set(after.root["/Perms"]) == {"/DocMDP"}
    for reference in after.root["/Pages"]["/Kids"][0]["/Annots"]:
        widget = reference.get_object()
        printed_not_hidden = widget["/F"] & 0b1_0010_0111
        assert printed_not_hidden == 0b100
        left, bottom, right, top = widget["/Rect"]
        assert (left, bottom) == (right, top) or set(widget["/AP"]) == {"/N"}


def test_the_seal_itself_draws_nothing(sealed: bytes, page: bytes) -> None:
    def picture(pdf: bytes) -> bytes:
        with pypdfium2.PdfDocument(pdf) as document:
            document.init_forms()
            return document[0].render(scale=1, may_draw_forms=True).to_pil().tobytes()

    assert picture(sealed) == picture(page)


def test_the_seal_certifies_and_forbids_changes(sealed: bytes, room: SealingRoom) -> None:
    reader = PdfFileReader(io.BytesIO(sealed))
    (seal,) = reader.embedded_regular_signatures
    (archive,) = reader.embedded_timestamp_signatures
    assert (seal.field_name, archive.field_name) == ("Seal", "Archive")
    assert reader.root["/Perms"]["/DocMDP"] == seal.sig_object
    (reference,) = (item.get_object() for item in seal.sig_object["/Reference"])
    assert (reference["/TransformMethod"], reference["/TransformParams"]["/P"]) == ("/DocMDP", 1)
    assert seal.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    roots = [
        judges.asn1_x509.Certificate.load(anchor.public_bytes(judges.Encoding.DER)) for anchor in room.key_set.anchors
    ]
    status = validate_pdf_signature(seal, ValidationContext(trust_roots=roots))
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_REVISION
    assert status.modification_level is ModificationLevel.LTA_UPDATES
    assert status.timestamp_validity is not None and status.timestamp_validity.valid


def test_long_term_validation_needs_no_network(sealed: bytes, room: SealingRoom) -> None:
    good, reason = judges.long_term(sealed, room.key_set, datetime.now(UTC) + timedelta(minutes=1))
    assert good, reason


@pytest.mark.parametrize("times", [0, 1, 3])
def test_our_own_check_accepts_the_seal_and_its_renewals(sealed: bytes, room: SealingRoom, times: int) -> None:
    pdf = sealed
    for _ in range(times):
        pdf = room.extend(pdf)
    findings = inspect_document(pdf, room.key_set, now=datetime.now(UTC) + timedelta(minutes=1))
    sound = {check.name: check.ok for check in findings.checks}
    for name in ("structure", "seal", "permissions", "revisions", "seal-time", "seal-certificate"):
        assert sound[name], (name, findings)


def test_a_renewal_adds_a_timestamp_over_everything(sealed: bytes, room: SealingRoom, tmp_path: Path) -> None:
    renewed = room.extend(sealed)
    assert renewed.startswith(sealed)
    (tmp_path / "renewed.pdf").write_bytes(room.extend(renewed))
    accessible = judges.outloud(tmp_path / "renewed.pdf")
    assert "0 error(s)" in accessible.stdout, accessible.stdout
    poppler = judges.run("pdfsig", "-nocert", tmp_path / "renewed.pdf")
    assert poppler.stdout.count("Signature Field Name: Archive") == 3
    assert "Syntax Error" not in poppler.stderr
    reader = PdfFileReader(io.BytesIO(renewed))
    assert [stamp.field_name for stamp in reader.embedded_timestamp_signatures] == ["Archive", "Archive2"]
    assert judges.long_term(renewed, room.key_set, datetime.now(UTC) + timedelta(minutes=1))[0]


def test_a_renewal_preserves_a_file_of_a_lower_level(room: SealingRoom, page: bytes) -> None:
    renewed = room.extend(room.seal_pdf(page, level="B-T"))
    assert judges.long_term(renewed, room.key_set, datetime.now(UTC) + timedelta(minutes=1))[0]


def test_what_cannot_be_sealed_is_refused(room: SealingRoom, page: bytes, sealed: bytes) -> None:
    before = room.seals_made
    with pypdfium2.PdfDocument.new() as blank:
        blank.new_page(100, 100)
        buffer = io.BytesIO()
        blank.save(buffer)
    for pdf, code in (
        (b"", "page-unreadable"),
        (b"%PDF-1.7 and nothing else", "page-unreadable"),
        (page[:-200], "page-unreadable"),
        (buffer.getvalue(), "page-unfit"),
        (sealed, "page-unfit"),
    ):
        with pytest.raises(InputError) as caught:
            room.seal_pdf(pdf)
        assert caught.value.code == code
    with pytest.raises(InputError) as caught:
        room.seal_pdf(page, level="B-Z")
    assert caught.value.code == "seal-level"
    with pytest.raises(InputError) as caught:
        room.extend(page)
    assert caught.value.code == "not-sealed"
    assert room.seals_made == before


def test_threads_share_a_room(room: SealingRoom, page: bytes) -> None:
    before = room.seals_made
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: room.seal_pdf(page, level="B-LTA"), range(24)))
    assert room.seals_made == before + 24
    for pdf in made:
        assert len(PdfFileReader(io.BytesIO(pdf)).embedded_signatures) == 2
