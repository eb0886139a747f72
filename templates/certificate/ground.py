"""The page's ground and border: fine guilloche lines, computed, light, and the same for every certificate."""

import math
from collections.abc import Mapping
from functools import lru_cache, partial

from templates.certificate.curves import curve_path, number, rosette, rounded_frame
from templates.fonts import serif_outline

PAGE_WIDTH, PAGE_HEIGHT = 210, 297
CENTRE_X, CENTRE_Y = 105.0, 161.0


@lru_cache(maxsize=16)
def ground_svg(inks: tuple[tuple[str, str], ...], sample: bool) -> str:
    """Everything behind the text, as one SVG in millimetres. `inks` are the template's colours by name."""
    ink = dict(inks)
    parts = [_fountain(ink), _paper(ink), _waves(), _medallion(), _border(ink)]
    if sample:
        parts.append(_watermark(ink))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PAGE_WIDTH} {PAGE_HEIGHT}" '
        f'width="{PAGE_WIDTH}mm" height="{PAGE_HEIGHT}mm" fill="none" stroke-linejoin="round">{"".join(parts)}</svg>'
    )


def _fountain(ink: Mapping[str, str]) -> str:
    """Split-fountain inking: one plate, whose colour runs from one ink into the other and back."""
    stops = "".join(
        f'<stop offset="{offset}" stop-color="{ink[name]}"/>'
        for offset, name in ((0, "tint_cool"), (0.5, "tint_warm"), (1, "tint_cool"))
    )
    return (
        f'<defs><linearGradient id="f" gradientUnits="userSpaceOnUse" x1="0" y1="20" x2="{PAGE_WIDTH}" y2="277">'
        f"{stops}</linearGradient></defs>"
    )


def _paper(ink: Mapping[str, str]) -> str:
    return f'<rect x="17" y="17" width="176" height="263" rx="4" fill="{ink["paper"]}"/>'


def _waves() -> str:
    lines = []
    for index in range(76):
        y = 21 + index * 3.4
        phase = index * 0.42

        def at(x: float, y: float = y, phase: float = phase) -> tuple[float, float]:
            return (x, y + 2.6 * math.sin(x / 7.2 + phase))

        lines.append(curve_path(at, 19.0, 191.0, 16))
    return f'<path stroke="url(#f)" stroke-width=".14" opacity=".55" d="{"".join(lines)}"/>'


def _petal(size: float, depth: float, shift: float, angle: float) -> float:
    return size + depth * math.cos(24 * angle + shift)


def _medallion() -> str:
    rings = []
    for turn in range(4):
        for size, depth in ((58.0, 9.0), (40.0, 10.0)):
            shift = turn * math.pi / 2
            rings.append(rosette(CENTRE_X, CENTRE_Y, partial(_petal, size, depth, shift), 24))
    return f'<path stroke="url(#f)" stroke-width=".16" opacity=".8" d="{"".join(rings)}"/>'


def _border(ink: Mapping[str, str]) -> str:
    point, normal, length = rounded_frame(12.5, 12.5, PAGE_WIDTH - 25, PAGE_HEIGHT - 25, 6)
    strands = []
    periods, count, reach = 96, 6, 3.6
    for strand in range(count):
        offset = 2 * math.pi * strand / count

        def at(s: float, offset: float = offset) -> tuple[float, float]:
            (x, y), (nx, ny) = point(s), normal(s)
            lift = reach * math.sin(2 * math.pi * periods * s / length + offset)
            return (x + nx * lift, y + ny * lift)

        strands.append(curve_path(at, 0.0, length, periods * 2, closed=True))
    frames = "".join(
        f'<rect x="{number(inset)}" y="{number(inset)}" width="{number(PAGE_WIDTH - 2 * inset)}" '
        f'height="{number(PAGE_HEIGHT - 2 * inset)}" rx="{number(corner)}" '
        f'stroke="{ink[name]}" stroke-width="{width}"/>'
        for inset, corner, name, width in (
            (8.0, 9.5, "deep", 0.5),
            (17.0, 2.5, "deep", 0.25),
            (18.0, 2.0, "accent", 0.18),
        )
    )
    return f'<path stroke="{ink["deep"]}" stroke-width=".2" d="{"".join(strands)}"/>{frames}'


def _watermark(ink: Mapping[str, str]) -> str:
    path, width = serif_outline("示例", size=60, x=0, y=0)
    return (
        f'<g transform="translate({CENTRE_X} {CENTRE_Y}) rotate(-24) translate({number(-width / 2)} 20)" '
        f'opacity=".5">'
        f'<path d="{path}" stroke="{ink["tint_warm"]}" stroke-width=".3"/></g>'
    )
