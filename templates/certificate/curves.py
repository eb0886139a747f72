"""Smooth closed and open curves as compact SVG path data."""

import math
from collections.abc import Callable

Point = tuple[float, float]
Curve = Callable[[float], Point]

_STEP = 1e-4


def number(value: float) -> str:
    """A coordinate to a hundredth of a millimetre, in as few characters as possible."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def pair(point: Point) -> str:
    """`x y`."""
    return f"{number(point[0])} {number(point[1])}"


def curve_path(curve: Curve, start: float, end: float, segments: int, *, closed: bool = False) -> str:
    """`curve` over [start, end] as cubic Béziers that share its points and tangents (Hermite form)."""
    step = (end - start) / segments
    at = [curve(start + index * step) for index in range(segments + 1)]
    slope = [_derivative(curve, start + index * step) for index in range(segments + 1)]
    parts = [f"M{pair(at[0])}"]
    for index in range(segments):
        (x0, y0), (x1, y1) = at[index], at[index + 1]
        (dx0, dy0), (dx1, dy1) = slope[index], slope[index + 1]
        first = (x0 + dx0 * step / 3, y0 + dy0 * step / 3)
        second = (x1 - dx1 * step / 3, y1 - dy1 * step / 3)
        parts.append(f"C{pair(first)} {pair(second)} {pair((x1, y1))}")
    return "".join(parts) + ("Z" if closed else "")


def _derivative(curve: Curve, t: float) -> Point:
    (x0, y0), (x1, y1) = curve(t - _STEP), curve(t + _STEP)
    return ((x1 - x0) / (2 * _STEP), (y1 - y0) / (2 * _STEP))


def rosette(cx: float, cy: float, radius: Callable[[float], float], lobes: int, *, per_lobe: int = 2) -> str:
    """A closed curve r(θ) round a centre; `per_lobe` Béziers for each of its `lobes` waves."""

    def at(theta: float) -> Point:
        reach = radius(theta)
        return (cx + reach * math.cos(theta), cy + reach * math.sin(theta))

    return curve_path(at, 0.0, 2 * math.pi, lobes * per_lobe, closed=True)
