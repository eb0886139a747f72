"""The printed QR: sharp, small enough, and read from bad pictures by another program."""

import io
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from templates.certificate.layout import geometry
from templates.certificate.page import CertificatePage, QrTooLongError
from templates.certificate.qr import MAX_VERSION, QUIET_ZONE, qr_matrix, qr_svg

DOTS_300 = 300 / 25.4


def raster(pdf: bytes, dpi: int, folder: Path) -> Image.Image:
    """The QR and some of the page around it, in grey."""
    path = folder / "page.pdf"
    path.write_bytes(pdf)
    x, y, side, _ = geometry()["pictures"]["qr_panel"]
    dots = dpi / 25.4
    crop = [round(value * dots) for value in (x - 8, y - 8, side + 16, side + 16)]
    command = ["pdftoppm", "-r", str(dpi), "-gray", "-singlefile"]
    for flag, value in zip(("-x", "-y", "-W", "-H"), crop, strict=True):
        command += [flag, str(value)]
    done = subprocess.run([*command, str(path)], capture_output=True, check=True)
    return Image.open(io.BytesIO(done.stdout))


def decoded(picture: Image.Image) -> str:
    found = zxingcpp.read_barcodes(picture)
    return found[0].text if found else ""


def shrunk_to_28_mm(picture: Image.Image, modules: int) -> Image.Image:
    """The picture at the scale at which the symbol, without its quiet zone, is 28 mm wide at 300 dpi."""
    printed = geometry()["pictures"]["qr_panel"][2] * modules / (modules + 2 * QUIET_ZONE)
    ratio = 28 / printed
    return picture.resize((round(picture.width * ratio), round(picture.height * ratio)), Image.Resampling.BICUBIC)


def tilted(picture: Image.Image, degrees: float) -> Image.Image:
    """A flat page turned about its upright axis by `degrees`, seen from three widths away (pinhole camera)."""
    width, height = picture.size
    half, far = width / 2, 3.0 * width
    turn = math.radians(degrees)

    def seen(x: float, y: float) -> tuple[float, float]:
        depth = far / (far + x * math.sin(turn))
        return (half + x * math.cos(turn) * depth, height / 2 + y * depth)

    corners = [(-half, -height / 2), (half, -height / 2), (half, height / 2), (-half, height / 2)]
    rows, right = [], []
    for x, y in corners:
        (u, v), (sx, sy) = seen(x, y), (x + half, y + height / 2)
        rows += [[u, v, 1, 0, 0, 0, -sx * u, -sx * v], [0, 0, 0, u, v, 1, -sy * u, -sy * v]]
        right += [sx, sy]
    factors = np.linalg.solve(np.array(rows), np.array(right))
    return picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, tuple(factors), Image.Resampling.BICUBIC, fillcolor=250
    )


@pytest.mark.parametrize("dpi", [110, 150, 300])
def test_it_decodes_from_a_raster(page: CertificatePage, pdf: bytes, dpi: int, tmp_path: Path) -> None:
    assert decoded(raster(pdf, dpi, tmp_path)) == "".join(page.qr_segments)


def test_it_decodes_blurred_tilted_grey_and_at_28_mm(page: CertificatePage, pdf: bytes, tmp_path: Path) -> None:
    modules = len(qr_matrix(page.qr_segments))
    sharp = shrunk_to_28_mm(raster(pdf, 300, tmp_path), modules)
    module = 28 * DOTS_300 / modules
    for degrees in (-15, 15):
        turned = tilted(sharp, degrees).rotate(4, Image.Resampling.BICUBIC, fillcolor=250)
        blurred = turned.filter(ImageFilter.GaussianBlur(0.33 * module))
        faded = blurred.point([60 + value * 140 // 255 for value in range(256)])
        assert decoded(faded) == "".join(page.qr_segments), f"tilted by {degrees}"


def test_size_quiet_zone_and_level(page: CertificatePage, pdf: bytes, tmp_path: Path) -> None:
    modules = len(qr_matrix(page.qr_segments))
    panel = geometry()["pictures"]["qr_panel"][2]
    assert modules <= 17 + 4 * MAX_VERSION
    assert panel * modules / (modules + 2 * QUIET_ZONE) >= 28
    (found,) = zxingcpp.read_barcodes(raster(pdf, 300, tmp_path))
    assert found.ec_level == "M"
    picture = np.asarray(raster(pdf, 300, tmp_path))
    inside = round(8.3 * DOTS_300)
    quiet = round(QUIET_ZONE * panel / (modules + 2 * QUIET_ZONE) * DOTS_300) - 6
    assert picture[inside : inside + quiet, inside:-inside].min() >= 250


def test_the_budget_is_held() -> None:
    address = "HTTPS://ZS.EXAMPLE.ORG.CN/V/K7QWERTYUIOPASDFGHJKLZXCVB"
    assert len(qr_matrix((address, "#", "A" * 320))) <= 65
    # A name of many rare characters costs error correction before it costs size.
    assert len(qr_matrix((address, "#", "A" * 460))) == 65
    with pytest.raises(QrTooLongError):
        qr_matrix((address, "#", "A" * 500))
    whole = qr_matrix((address + "#" + "A" * 200,))
    assert len(qr_matrix((address, "#", "A" * 200))) < len(whole)


def test_the_drawing_is_the_matrix() -> None:
    segments = ("HTTPS://A.CN/V/ABC", "#", "MFRGG")
    rows = qr_matrix(segments)
    path = qr_svg(segments).split(' d="')[1].split('"')[0]
    loops = [
        [tuple(map(int, point.split())) for point in loop.rstrip("Z").split("L")] for loop in path.split("M") if loop
    ]

    def inside(x: float, y: float) -> bool:
        crossings = 0
        for loop in loops:
            for (x0, y0), (x1, y1) in zip(loop, [*loop[1:], loop[0]], strict=True):
                assert x0 == x1 or y0 == y1
                crossings += x0 == x1 and x0 > x and min(y0, y1) < y < max(y0, y1)
        return crossings % 2 == 1

    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            assert inside(x + QUIET_ZONE + 0.5, y + QUIET_ZONE + 0.5) == dark
