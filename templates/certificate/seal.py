"""The drawn seal: a ring, a star and the authority's name on a circle. Lettering is drawn as outlines, not text.

It is a picture of a seal; what can be trusted is the digital signature laid over it. No state emblem is imitated.
"""

import base64
import math
from functools import lru_cache

from templates.certificate.curves import number
from templates.fonts import serif_outline

SIDE = 42.0
"""Millimetres across, the size of a department's seal."""

_CENTRE = SIDE / 2
_EDGE = 20.2
_TEXT_RADIUS = 14.1
_FOOT = "电子证书专用章"
_SAMPLE_FOOT = "样章"


@lru_cache(maxsize=32)
def seal_svg(authority: str, ink: str, sample: bool) -> str:
    """The seal as SVG in millimetres. In samples the words 样章 stand under the star."""
    parts = [
        f'<circle cx="{_CENTRE}" cy="{_CENTRE}" r="{_EDGE}" fill="none" stroke="{ink}" stroke-width="1.15"/>',
        f'<circle cx="{_CENTRE}" cy="{_CENTRE}" r="{_EDGE - 1.15}" fill="none" stroke="{ink}" stroke-width=".18"/>',
        f'<path d="{_star(5.0)}" fill="{ink}"/>',
        _round_text(authority, ink),
        _foot(_SAMPLE_FOOT, ink, size=4.6, gap=1.6, drop=13.4)
        if sample
        else _foot(_FOOT, ink, size=2.3, gap=0.2, drop=9.3),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}mm" height="{SIDE}mm">'
        f'<g opacity=".9" style="mix-blend-mode:multiply">{"".join(parts)}</g></svg>'
    )


def pictured_seal(picture: bytes, is_png: bool, ink: str, sample: bool) -> str:
    """A template's own picture of a seal in the same square; in samples with 样章 across its foot."""
    kind = "png" if is_png else "svg+xml"
    data = base64.b64encode(picture).decode()
    foot = _foot(_SAMPLE_FOOT, ink, size=4.6, gap=1.6, drop=13.4) if sample else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}" width="{SIDE}mm" height="{SIDE}mm">'
        f'<g style="mix-blend-mode:multiply"><image width="{SIDE}" height="{SIDE}" '
        f'href="data:image/{kind};base64,{data}"/></g>{foot}</svg>'
    )


def _star(radius: float) -> str:
    inner = radius * math.sin(math.radians(18)) / math.sin(math.radians(54))
    points = []
    for index in range(10):
        reach = inner if index % 2 else radius
        angle = math.radians(-90 + 36 * index)
        points.append(f"{number(_CENTRE + reach * math.cos(angle))} {number(_CENTRE + reach * math.sin(angle))}")
    return "M" + "L".join(points) + "Z"


def _round_text(text: str, ink: str) -> str:
    count = len(text)
    span = min(252.0, 21.0 * (count - 1))
    step = span / max(count - 1, 1)
    # Letters may touch neither each other at their feet nor the ring at their heads.
    size = min(4.5, math.radians(step) * _TEXT_RADIUS * 1.16) if count > 1 else 4.5
    squeeze = min(1.0, math.radians(step) * (_TEXT_RADIUS + size * 0.3) * 0.97 / size) if count > 1 else 1.0
    out = []
    for index, char in enumerate(text):
        path, width = serif_outline(char, size=size, x=0, y=0, squeeze=squeeze)
        turn = -span / 2 + index * step
        out.append(
            f'<path transform="translate({_CENTRE} {_CENTRE}) rotate({number(turn)}) '
            f'translate({number(-width / 2)} {number(-_TEXT_RADIUS)})" d="{path}"/>'
        )
    return f'<g fill="{ink}" stroke="{ink}" stroke-width=".14">{"".join(out)}</g>'


def _foot(text: str, ink: str, *, size: float, gap: float, drop: float) -> str:
    """A straight line of text, its baseline `drop` under the centre: within the round text, under the star."""
    widths = [serif_outline(char, size=size, x=0, y=0)[1] for char in text]
    x = _CENTRE - (sum(widths) + gap * (len(text) - 1)) / 2
    out = []
    for char, width in zip(text, widths, strict=True):
        out.append(serif_outline(char, size=size, x=x, y=_CENTRE + drop)[0])
        x += width + gap
    return f'<path fill="{ink}" stroke="{ink}" stroke-width="{number(size * 0.03)}" d="{"".join(out)}"/>'
