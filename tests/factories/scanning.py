"""Reading a certificate as an employer does: the QR code from a picture of the page, the text from the file."""

from pathlib import Path

import zxingcpp
from PIL import Image

from tests.factories.pdf_judges import run


def scanned(pdf: Path, folder: Path, *, dpi: int = 150) -> str:
    """The text of the one QR code on the first page, read by ZXing from a picture that poppler makes of it."""
    picture = folder / f"{pdf.stem}-page"
    made = run("pdftoppm", "-png", "-r", dpi, "-f", 1, "-l", 1, "-singlefile", pdf, picture)
    assert made.returncode == 0, made.stderr
    with Image.open(picture.with_suffix(".png")) as image:
        codes = zxingcpp.read_barcodes(image.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(codes) == 1, f"{len(codes)} codes on the page"
    return str(codes[0].text)


def page_text(pdf: Path) -> str:
    """All text of the file as poppler gives it, without spaces and line ends."""
    read = run("pdftotext", "-enc", "UTF-8", pdf, "-")
    assert read.returncode == 0, read.stderr
    return "".join(read.stdout.split())
