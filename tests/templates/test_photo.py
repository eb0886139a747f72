"""Portraits made fit for the page, and pictures that are refused."""

import io

import pytest
from PIL import Image

from templates.certificate.photo import HEIGHT, TARGET_BYTES, WIDTH, PhotoError, prepare_photo
from templates.portraits import MAX_BYTES, draw_portrait


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("size", [(295, 413), (600, 600), (413, 295), (90, 1000), (2400, 3200)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_any_shape_becomes_the_printed_portrait(size: tuple[int, int], kind: str) -> None:
    out = prepare_photo(encoded(Image.new("RGB", size, "#5a8fc0"), kind))
    picture = opened(out)
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (WIDTH, HEIGHT))
    assert len(out) <= TARGET_BYTES


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "I;16", "CMYK"])
def test_colour_modes_become_rgb_and_clear_becomes_white(mode: str) -> None:
    picture = Image.new("RGBA", (295, 413), (0, 0, 0, 0)) if mode == "RGBA" else Image.new(mode, (295, 413))
    out = opened(prepare_photo(encoded(picture, "JPEG" if mode == "CMYK" else "PNG")))
    assert out.mode == "RGB"
    if mode == "RGBA":
        assert out.getpixel((100, 100)) == (255, 255, 255)


def test_orientation_is_applied_and_metadata_dropped() -> None:
    picture = Image.new("RGB", (413, 295), "white")
    picture.paste("red", (0, 0, 200, 295))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter clockwise to be upright
    exif[0x8825] = {1: "N", 2: (34.0, 45.0, 0.0)}
    out = opened(prepare_photo(encoded(picture, "JPEG", exif=exif, comment=b"remark", quality=95)))
    red = out.getpixel((147, 60))
    assert isinstance(red, tuple)
    assert red[0] > 200 > 90 > red[1]
    assert not out.getexif()
    assert "comment" not in out.info


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "photo-empty"),
        (b"not a picture", "photo-undecodable"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 200, "photo-undecodable"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "photo-undecodable"),
        (draw_portrait(1)[:4000], "photo-undecodable"),
        (encoded(Image.new("RGB", (300, 400)), "GIF"), "photo-undecodable"),
        (encoded(Image.new("RGB", (300, 400)), "BMP"), "photo-undecodable"),
        (encoded(Image.new("RGB", (30, 40)), "PNG"), "photo-too-small"),
        (encoded(Image.new("1", (9000, 9000)), "PNG"), "photo-too-large"),
        (b"\xff\xd8" + b"\0" * (11 * 1024 * 1024), "photo-too-large"),
    ],
    ids=["empty", "text", "false jpeg", "false png", "cut off", "gif", "bmp", "tiny", "81 megapixels", "11 MB"],
)
def test_what_cannot_be_used_is_refused_with_a_code(data: bytes, code: str) -> None:
    with pytest.raises(PhotoError) as refused:
        prepare_photo(data)
    assert refused.value.code == code


def test_invented_portraits_are_small_varied_and_repeatable() -> None:
    drawn = [draw_portrait(seed) for seed in range(24)]
    assert len(set(drawn)) == 24
    assert max(map(len, drawn)) <= MAX_BYTES
    assert all(opened(data).size == (295, 413) for data in drawn[:3])
    assert draw_portrait(5) == drawn[5]
    assert draw_portrait(5, woman=True) != draw_portrait(5, woman=False)
