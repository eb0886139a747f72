"""What is filled in is, byte for byte, what pyHanko writes; whatever has another form is left to pyHanko."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pypdfium2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from issuer.clock import SimulatedClock
from issuer.errors import InputError
from issuer.sealing.laid_out import UpdateTemplate, read_page_end
from issuer.sealing.page_updates import add_archive_timestamp, add_seal
from issuer.sealing.pdf_seal import PdfSealer
from issuer.sealing.room import SealingRoom
from templates.certificate.page import CertificatePage, render, typeset
from templates.certificate.specimen import specimen
from templates.portraits import draw_portrait
from tests.factories import pdf_judges as judges
from verifier.check.document import inspect_document

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=8)))
GAP = re.compile(rb"/Contents <([0-9A-F]+)>")
FRESH = re.compile(rb"(/ID \[ <[0-9a-f]+> <)[0-9a-f]{32}(> \]\n/Prev)")


@pytest.fixture(scope="module")
def pages() -> list[CertificatePage]:
    """Three people, and one of another specialty."""
    one = specimen(photo=draw_portrait(3))
    return [
        one,
        replace(one, name="王淑芬", management_no="2025990400777", document_id="ANOTHER"),
        replace(one, name="古丽扎·阿不都", credential=b"longer" * 40, document_id="A-THIRD"),
        replace(one, specialty="机电工程", document_id="OTHER-KIND"),
    ]


@pytest.fixture
def still(room: SealingRoom) -> SealingRoom:
    """A room of its own whose clock stands still, in another zone than UTC."""
    return SealingRoom(room.key_set, room._source, SimulatedClock(AT))


def _same_but_fresh(pdf: bytes) -> bytes:
    """Without the identifiers, which are new with every update."""
    return FRESH.sub(rb"\1\2", pdf)


def _der(gap: bytes) -> bytes:
    raw = bytes.fromhex(gap.decode())
    return raw[: 4 + int.from_bytes(raw[2:4], "big")]


def _by_pyhanko(sealer: PdfSealer, page: bytes, level: str, gaps: list[bytes]) -> bytes:
    """What pyHanko makes of the same page with the same signatures."""
    sealed, field = add_seal(
        page, sealer._boxes(level), AT.astimezone(UTC), sealer._seal_reserve(level), lambda _: _der(gaps[0])
    )
    if field is None:
        return sealed
    path, reserve = sealer._validation_path(), sealer._timestamps.reserve
    return add_archive_timestamp(sealed, path, sealer._crls, field, reserve, lambda _: _der(gaps[1]))


@pytest.mark.parametrize("level", ["B-B", "B-T", "B-LTA"])
def test_what_is_filled_in_is_what_pyhanko_writes(
    still: SealingRoom, pages: list[CertificatePage], level: str
) -> None:
    for drawn in [*map(render, pages), typeset(pages[1])]:
        sealed = still.seal_pdf(drawn, level=level)
        page = drawn if drawn.endswith(b"\n") else drawn + b"\n"
        gaps = GAP.findall(sealed)
        assert len(gaps) == (2 if level == "B-LTA" else 1)
        assert sealed.startswith(page)
        assert _same_but_fresh(_by_pyhanko(still._sealing(), page, level, gaps)) == _same_but_fresh(sealed)
    # The quick edition's pages, whatever their specialty, and Typst's own: learned once each, then filled in.
    learned = still._sealing()._seals.entries()
    assert len(learned) == 2
    assert all(found is not None for _, found in learned)


def test_a_page_of_the_quick_edition_passes_every_judge(
    room: SealingRoom, pages: list[CertificatePage], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("quick")
    drawn = render(pages[2])
    room.seal_pdf(render(pages[0]))
    sealed = room.seal_pdf(drawn)
    file = folder / "sealed.pdf"
    file.write_bytes(sealed)
    assert judges.poppler(file).count("Signature is Valid.") == 1
    assert judges.openssl(sealed, room.key_set, folder).returncode == 0
    assert "No syntax or stream encoding errors found" in judges.run("qpdf", "--check", file).stdout
    assert "0 error(s)" in judges.outloud(file).stdout
    later = datetime.now(UTC) + timedelta(minutes=1)
    good, reason = judges.long_term(sealed, room.key_set, later)
    assert good, reason
    found = inspect_document(sealed, room.key_set, now=later)
    assert {check.name for check in found.checks if check.ok} >= {"structure", "seal", "revisions", "seal-time"}
    stamp = _archive_token(sealed)
    (folder / "stamp.der").write_bytes(stamp)
    last = re.findall(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\]", sealed)[-1]
    stop, start, length = map(int, last)
    (folder / "stamped").write_bytes(sealed[:stop] + sealed[start : start + length])
    (folder / "root.pem").write_bytes(room.key_set.anchors[0].public_bytes(Encoding.PEM))
    answer = judges.run(
        *("openssl", "ts", "-verify", "-token_in", "-in", folder / "stamp.der"),
        *("-data", folder / "stamped", "-CAfile", folder / "root.pem"),
    )
    assert "Verification: OK" in answer.stdout, answer.stderr
    assert _picture(sealed) == _picture(drawn)


def _archive_token(sealed: bytes) -> bytes:
    return _der(GAP.findall(sealed)[-1])


def _picture(pdf: bytes) -> bytes:
    with pypdfium2.PdfDocument(pdf) as document:
        document.init_forms()
        return bytes(document[0].render(scale=1, may_draw_forms=True).to_pil().tobytes())


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"%%EOF", b"%%EOF\r\n"), (b"/ID[(", b"/ID [(")],
    ids=["another end of line", "a space"],
)
def test_a_page_of_another_form_is_left_to_pyhanko(room: SealingRoom, page: bytes, old: bytes, new: bytes) -> None:
    assert page.count(old) == 1
    other = page.replace(old, new)
    assert read_page_end(other if other.endswith(b"\n") else other + b"\n") is None
    sealed = room.seal_pdf(other)
    found = inspect_document(sealed, room.key_set, now=datetime.now(UTC) + timedelta(minutes=1))
    assert {check.name for check in found.checks if check.ok} >= {"structure", "seal", "revisions", "seal-time"}


def test_a_page_with_another_catalogue_is_another_kind(still: SealingRoom, page: bytes) -> None:
    """Same numbers, same length, other words in an object that the seal writes again: nothing old may come back."""
    still.seal_pdf(page)
    other = page.replace(b"/Lang(zh)", b"/Lang(en)")
    assert other != page
    sealed = still.seal_pdf(other)
    assert re.findall(rb"/Lang ?\((..)\)", sealed) == [b"en"] * 3


def test_a_sealed_page_is_not_taken_for_a_page(room: SealingRoom, sealed: bytes) -> None:
    assert read_page_end(sealed) is None
    with pytest.raises(InputError) as caught:
        room.seal_pdf(sealed)
    assert caught.value.code == "page-unfit"


def test_a_template_that_does_not_give_its_own_update_again_is_refused(sealed: bytes, page: bytes) -> None:
    update = sealed[len(page) + 1 :]
    with pytest.raises(ValueError, match="form"):
        UpdateTemplate(update, len(page) + 1, None)
    with pytest.raises(ValueError, match="form"):
        UpdateTemplate(b"", 0, None)


def test_what_does_not_fit_the_gap_is_never_written(still: SealingRoom, page: bytes) -> None:
    sealer = still._sealing()
    sealer.seal(page, "B-B")
    template, _ = next(found for _, found in sealer._seals.entries() if found)
    laid_open = template.fill(1000, 500, b"00", AT)
    with pytest.raises(ValueError, match="do not fit"):
        laid_open.gap(bytes(laid_open.reserve + 1))
    assert len(laid_open.gap(b"\x30")) == 2 * laid_open.reserve + 2
