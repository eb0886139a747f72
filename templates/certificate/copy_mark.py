"""What is drawn behind a purpose-bound copy besides the certificate's ground: slanting lines with its last day.

Outlines, not text: the mark is a drawing (an artifact), and what the page says is read from its boxes.
"""

from datetime import date
from functools import lru_cache

from templates.certificate.data import long_date
from templates.certificate.ground import PAGE_HEIGHT, PAGE_WIDTH, mix
from templates.fonts import serif_outline

_SIZE = 5.6
_ANGLE = -24
_PLACES = ((62, 72), (152, 96), (58, 134), (150, 158), (60, 196), (152, 218))
"""Middles of the lines, in millimetres: between the values as far as the page allows."""


@lru_cache(maxsize=64)
def copy_mark_svg(paper: str, ink: str, valid_until: date) -> str:
    """The mark as one SVG in millimetres; `paper` and `ink` are colours (#rrggbb)."""
    path, width = serif_outline(f"加注件 · 有效期至{long_date(valid_until)}", size=_SIZE, x=0, y=0)
    uses = "".join(
        f'<use href="#m" transform="translate({x} {y}) rotate({_ANGLE}) translate({-width / 2:.2f} 2)"/>'
        for x, y in _PLACES
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PAGE_WIDTH:g} {PAGE_HEIGHT:g}" '
        f'width="{PAGE_WIDTH:g}mm" height="{PAGE_HEIGHT:g}mm">'
        f'<defs><path id="m" d="{path}"/></defs><g fill="{mix(paper, ink, 0.15)}">{uses}</g></svg>'
    )
