"""Two invented people, unlike in everything personal, from whose pages an edition is learned."""

import hashlib
import io
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from PIL import Image

from templates.certificate.data import CertificatePage
from templates.certificate.photo import HEIGHT, WIDTH
from templates.certificate.qr import is_alphanumeric

# The first person's texts are also what the edition's own font holds beyond the fixed wording: the commonest values.
_TEXTS: tuple[dict[str, Any], ...] = (
    {
        "name": "男女",
        "gender": "甲",
        "id_type": "居民身份证",
        "id_number": "012345678909876543",
        "management_no": "X98765432101234",
        "document_id": "FIRSTINVENTEDPERSON0000000",
    },
    {
        "name": "国家",
        "gender": "乙",
        "id_type": "外国人护照",
        "id_number": "112233445566778899",
        "management_no": "998877665544332",
        "document_id": "SECONDINVENTEDPERSON222222",
    },
)
_MADE_AT = (datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(2009, 10, 11, 12, 13, 14, tzinfo=UTC))
# Like signatures, of no pattern: Typst would pack what can be packed.
_CREDENTIALS = tuple(hashlib.shake_128(seed).digest(length) for seed, length in ((b"first", 1237), (b"second", 1361)))
_GREYS = (0, 255)


def person(page: CertificatePage, which: int) -> CertificatePage:
    """`page` with everything personal replaced; its QR symbol keeps its size."""
    return replace(
        page,
        **_TEXTS[which],
        made_at=_MADE_AT[which],
        credential=_CREDENTIALS[which],
        qr_segments=same_size(page.qr_segments, which),
        photo=None if page.photo is None else _photo(which),
    )


def same_size(segments: tuple[str, str, str], which: int) -> tuple[str, str, str]:
    """Segments that need the same symbol and say nothing."""
    first, second, third = (("A7"[which] if is_alphanumeric(one) else "#?"[which]) * len(one) for one in segments)
    return first, second, third


@lru_cache(maxsize=2)
def _photo(which: int) -> bytes:
    picture = Image.new("RGB", (WIDTH, HEIGHT), (_GREYS[which],) * 3)
    for step in range(0, WIDTH, 40 - 20 * which):  # unlike pictures, unlike lengths
        picture.paste((200, 120, 40), (step, 0, step + 9, HEIGHT))
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()
