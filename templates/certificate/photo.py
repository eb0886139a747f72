"""Portrait photos made fit for the page: right ratio, sane size, no metadata."""

import io
import warnings
from functools import lru_cache

from PIL import Image, ImageOps, UnidentifiedImageError

WIDTH, HEIGHT = 295, 413
"""Pixels of the printed portrait: the one-inch ID photo at 300 dpi (25 × 35 mm)."""

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
MIN_SIDE = 60
QUALITIES = (88, 82, 76, 68, 58, 45, 30)
_END_OF_IMAGE = b"\xff\xd9"
_PLAIN = {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
TARGET_BYTES = 18_000


class PhotoError(ValueError):
    """The portrait cannot be used. `code`: photo-empty, photo-too-large, photo-undecodable, photo-too-small."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@lru_cache(maxsize=8)
def prepare_photo(data: bytes) -> bytes:
    """A 295 × 413 baseline sRGB JPEG of at most about 18 kB, cropped to the middle (heads sit high: cut below first).

    Raises PhotoError when `data` is not a JPEG or PNG that can be decoded whole, or is absurdly large or small.
    """
    if not data:
        raise PhotoError("photo-empty", "the portrait file is empty")
    if len(data) > MAX_BYTES:
        raise PhotoError("photo-too-large", f"the portrait file is larger than {MAX_BYTES} bytes")
    if _fit_already(data):
        return data
    picture = _decode(data)
    if min(picture.size) < MIN_SIDE:
        raise PhotoError("photo-too-small", f"the portrait is smaller than {MIN_SIDE} pixels on a side")
    fitted = ImageOps.fit(picture, (WIDTH, HEIGHT), Image.Resampling.LANCZOS, centering=(0.5, 0.3))
    # Pillow would write a comment or colour profile of the original again.
    fitted.info.clear()
    out = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        fitted.save(buffer, "JPEG", quality=quality, subsampling=2)
        out = buffer.getvalue()
        if len(out) <= TARGET_BYTES:
            break
    return out


def _fit_already(data: bytes) -> bool:
    """Whether `data` is what `prepare_photo` makes: of that size and kind, whole, without metadata."""
    if len(data) > TARGET_BYTES or not data.endswith(_END_OF_IMAGE):
        return False
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            plain = set(picture.info) <= _PLAIN and set(picture.app) == {"APP0"}  # type: ignore[attr-defined]
            if not plain or picture.size != (WIDTH, HEIGHT) or picture.mode != "RGB":
                return False
            # Every byte is read all the same; only the pixels are made for an eighth of the size.
            picture.draft("RGB", (1, 1))
            picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError):
        return False
    return True


def _decode(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise PhotoError("photo-too-large", f"the portrait has more than {MAX_PIXELS} pixels")
                opened.draft("RGB", (WIDTH * 2, HEIGHT * 2))
                upright = ImageOps.exif_transpose(opened)
                return _on_white(upright)
    except PhotoError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as exc:
        raise PhotoError("photo-too-large", "the portrait has too many pixels") from exc
    # What Pillow's decoders raise for broken files.
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as exc:
        raise PhotoError("photo-undecodable", "the portrait is not a readable JPEG or PNG picture") from exc


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(ground, layer).convert("RGB")
    return picture.convert("RGB")
