"""The page's ground and border: fine guilloche lines, computed, light, and the same for every certificate.

Everything that repeats is one path used many times: after compression a repetition costs a few bytes, so a
thousand curves weigh little. Colours are plain and opaque; the run from one ink into another (split-fountain
printing) is made line by line.
"""

import math
from functools import lru_cache

from templates.certificate.curves import Point, curve_path, number, rosette
from templates.fonts import serif_outline

PAGE_WIDTH, PAGE_HEIGHT = 210.0, 297.0
CENTRE_X, CENTRE_Y = 105.0, 162.0
"""Where the great rosette lies: behind the name of the qualification."""

EMBLEM_Y = 31.5

_PANEL = (17.4, 17.4, 175.2, 262.2)  # inside the border: x, y, width, height
_BAND = 12.5  # middle line of the border, from the page's edge
_PERIOD = 8.7  # of the border's wave: 19 across, 29 down, and two, a little pressed, round each corner
_CORNER = 9.85
_REACH = 3.55


@lru_cache(maxsize=16)
def ground_svg(inks: tuple[tuple[str, str], ...], sample: bool) -> str:
    """Everything behind the text, as one SVG in millimetres. `inks` are the template's colours by name."""
    ink = dict(inks)
    x, y, width, height = _PANEL
    panel = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="5"'
    parts = [
        f'<defs><clipPath id="p">{panel}/></clipPath>{_definitions()}</defs>',
        f'{panel} fill="{ink["paper"]}"/>',
        f'<g clip-path="url(#p)">{_mesh(ink)}</g>',
        _great_rosette(ink),
        _watermark(ink) if sample else "",
        _emblem(ink),
        _border(ink),
        _frames(ink),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PAGE_WIDTH:g} {PAGE_HEIGHT:g}" '
        f'width="{PAGE_WIDTH:g}mm" height="{PAGE_HEIGHT:g}mm" fill="none" stroke-linejoin="round">'
        f"{''.join(parts)}</svg>"
    )


# -- definitions ------------------------------------------------------------------------------------

_RINGS = (  # id, mean radius, depth, lobes, turns, ink from 0 (cool) to 1 (warm)
    ("r1", 57.0, 5.2, 48, 6, 0.0),
    ("r2", 44.5, 8.6, 30, 8, 0.3),
    ("r3", 26.5, 10.5, 18, 10, 0.65),
    ("r4", 9.2, 8.6, 12, 8, 1.0),
)
_EMBLEM = (  # the small rosette over the title: id, mean radius, depth, lobes, turns, ink
    ("e1", 7.1, 0.75, 24, 3, "deep"),
    ("e2", 4.5, 2.0, 10, 5, "accent"),
    ("e3", 1.3, 0.9, 8, 3, "accent"),
)
_WAVE_LENGTH = 52.0


def _definitions() -> str:
    rings = "".join(f'<path id="{ring[0]}" d="{_ring(*ring[1:4])}"/>' for ring in (*_RINGS, *_EMBLEM))
    # Half a wave for a Bézier, from crest to trough: the closest fit for the fewest points.
    wave = curve_path(lambda x: (x, 2.9 * math.cos(x * 2 * math.pi / _WAVE_LENGTH)), -52.0, 260.0, 12)
    return (
        f'{rings}<path id="w" d="{wave}"/>'
        f'<path id="b" d="{_straight_unit(8, _REACH)}"/><path id="c" d="{_corner_unit(8, _REACH)}"/>'
        f'<path id="g" d="{_straight_unit(2, 1.5)}"/><path id="h" d="{_corner_unit(2, 1.5)}"/>'
    )


def _ring(mean: float, depth: float, lobes: int) -> str:
    return rosette(0, 0, lambda theta: mean + depth * math.cos(lobes * theta), lobes, per_lobe=2)


def _straight_unit(strands: int, reach: float) -> str:
    """One period of every strand, along x from the origin."""
    out = []
    for strand in range(strands):
        phase = 2 * math.pi * strand / strands

        def at(x: float, phase: float = phase) -> Point:
            return (x, -reach * math.sin(2 * math.pi * x / _PERIOD + phase))

        out.append(curve_path(at, 0.0, _PERIOD, 3))
    return "".join(out)


def _corner_unit(strands: int, reach: float) -> str:
    """The same strands bent round the top right corner, whose centre is the origin."""
    out = []
    for strand in range(strands):
        phase = 2 * math.pi * strand / strands

        def at(turn: float, phase: float = phase) -> Point:
            radius = _CORNER + reach * math.sin(8 * turn + phase)
            return (radius * math.sin(turn), -radius * math.cos(turn))

        out.append(curve_path(at, 0.0, math.pi / 2, 6))
    return "".join(out)


# -- parts ------------------------------------------------------------------------------------------


def _mesh(ink: dict[str, str]) -> str:
    """Two families of waves that drift against each other; the ink runs from cool through warm to cool."""
    lines = []
    count = 84
    for index in range(count):
        y = 15 + index * 3.2
        share = 0.5 - 0.5 * math.cos(2 * math.pi * index / (count - 1))
        colour = mix(ink["paper"], mix(ink["tint_cool"], ink["tint_warm"], share), 0.42)
        drift = _WAVE_LENGTH * (index * 0.045 % 1)
        away = _WAVE_LENGTH * (0.5 - index * 0.030 % 1)
        lines.append(
            f'<g stroke="{colour}"><use href="#w" x="{number(drift - 26)}" y="{number(y)}"/>'
            f'<use href="#w" x="{number(away)}" y="{number(y + 1.6)}"/></g>'
        )
    return f'<g stroke-width=".12">{"".join(lines)}</g>'


def _great_rosette(ink: dict[str, str]) -> str:
    out = []
    for name, _, _, lobes, turns, share in _RINGS:
        colour = mix(ink["paper"], mix(ink["tint_cool"], ink["tint_warm"], share), 0.55)
        out.append(f'<g stroke="{colour}">{_turned(name, lobes, turns)}</g>')
    return f'<g transform="translate({CENTRE_X} {CENTRE_Y})" stroke-width=".13">{"".join(out)}</g>'


def _emblem(ink: dict[str, str]) -> str:
    """A rosette and nothing more: no state emblem is imitated."""
    rings = "".join(
        f'<g stroke="{ink[name]}">{_turned(ring, lobes, turns)}</g>' for ring, _, _, lobes, turns, name in _EMBLEM
    )
    return f'<g transform="translate({CENTRE_X} {EMBLEM_Y})" stroke-width=".16">{rings}</g>'


def _turned(name: str, lobes: int, turns: int) -> str:
    """A ring laid over itself `turns` times within one lobe."""
    step = 360 / lobes / turns
    return "".join(f'<use href="#{name}" transform="rotate({number(turn * step)})"/>' for turn in range(turns))


def _border(ink: dict[str, str]) -> str:
    wave = _round_the_page("b", "c")
    braid = _round_the_page("g", "h")
    return (
        f'<g stroke-linecap="round"><g stroke="{ink["deep"]}" stroke-width=".15">{wave}</g>'
        f'<g stroke="{ink["accent"]}" stroke-width=".2">{braid}</g></g>'
    )


def _round_the_page(straight: str, corner: str) -> str:
    """Units along the four sides, clockwise, with a bent one at each corner."""
    right, low = PAGE_WIDTH - _BAND, PAGE_HEIGHT - _BAND
    across = round((PAGE_WIDTH - 2 * _BAND - 2 * _CORNER) / _PERIOD)
    down = round((PAGE_HEIGHT - 2 * _BAND - 2 * _CORNER) / _PERIOD)
    sides = (
        (_BAND + _CORNER, _BAND, 0, across, right - _CORNER, _BAND + _CORNER),
        (right, _BAND + _CORNER, 90, down, right - _CORNER, low - _CORNER),
        (right - _CORNER, low, 180, across, _BAND + _CORNER, low - _CORNER),
        (_BAND, low - _CORNER, 270, down, _BAND + _CORNER, _BAND + _CORNER),
    )
    out = []
    for x, y, turn, count, corner_x, corner_y in sides:
        units = "".join(f'<use href="#{straight}" x="{number(index * _PERIOD)}"/>' for index in range(count))
        out.append(f'<g transform="translate({number(x)} {number(y)}) rotate({turn})">{units}</g>')
        out.append(
            f'<use href="#{corner}" transform="translate({number(corner_x)} {number(corner_y)}) rotate({turn})"/>'
        )
    return "".join(out)


def _frames(ink: dict[str, str]) -> str:
    lines = (  # distance from the page's edge, corner radius, ink, line width
        (7.6, 14.8, "deep", 0.55),
        (8.5, 13.9, "deep", 0.14),
        (16.5, 5.9, "deep", 0.14),
        (17.4, 5.0, "deep", 0.35),
        (19.0, 3.4, "accent", 0.18),
    )
    return "".join(
        f'<rect x="{inset}" y="{inset}" width="{number(PAGE_WIDTH - 2 * inset)}" '
        f'height="{number(PAGE_HEIGHT - 2 * inset)}" rx="{corner}" stroke="{ink[name]}" stroke-width="{width}"/>'
        for inset, corner, name, width in lines
    )


_SAMPLE_PLACES = ((152, 84), (46, 166), (164, 166), (86, 197), (165, 197), (97, 246))


def _watermark(ink: dict[str, str]) -> str:
    """示例 SAMPLE in pale letters, slanting, scattered behind the text: always in sight, never in the way."""
    chinese, width = serif_outline("示例", size=8.4, x=0, y=0)
    latin, more = serif_outline("SAMPLE", size=6.2, x=width + 2.2, y=-0.5)
    middle = number(-(width + 2.2 + more) / 2)
    words = "".join(
        f'<use href="#s" transform="translate({x} {y}) rotate(-24) translate({middle} 3)"/>'
        for x, y in _SAMPLE_PLACES
    )
    colour = mix(ink["paper"], ink["seal"], 0.14)
    return f'<defs><path id="s" d="{chinese}{latin}"/></defs><g fill="{colour}">{words}</g>'


def mix(one: str, other: str, share: float) -> str:
    """`share` of the colour `other` in `one`, all as #rrggbb."""
    pairs = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)
