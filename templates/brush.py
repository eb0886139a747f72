"""Smooth flat shapes on an oversized canvas: what an illustration is made of."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SCALE = 3  # drawn three times as large, so that edges come out smooth


class Brush:
    """Draws in the pixels of the finished picture; `middle` is the line that `mirrored` mirrors at."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height, self.middle = width, height, width / 2
        self.canvas = Image.new("RGB", (width * _SCALE, height * _SCALE))
        self.pen = ImageDraw.Draw(self.canvas)

    def finished(self) -> Image.Image:
        """The picture at its own size."""
        return self.canvas.reduce(_SCALE)

    def fade(self, top: Colour, bottom: Colour) -> None:
        """Fill everything with a colour that runs from top to bottom."""
        tall = self.height * _SCALE
        for y in range(tall):
            self.pen.line([(0, y), (self.width * _SCALE, y)], fill=mix(top, bottom, y / tall))

    def flat(self, points: Sequence[Point], colour: Colour) -> None:
        """A polygon with straight sides."""
        self.pen.polygon([(x * _SCALE, y * _SCALE) for x, y in points], fill=colour)

    def ring(self, x: float, y: float, rx: float, ry: float, width: float, colour: Colour) -> None:
        """The outline of a rounded box."""
        box = [(x - rx) * _SCALE, (y - ry) * _SCALE, (x + rx) * _SCALE, (y + ry) * _SCALE]
        self.pen.rounded_rectangle(box, radius=0.8 * ry * _SCALE, outline=colour, width=round(width * _SCALE))

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """A closed smooth shape through `points`."""
        self.pen.polygon([(x * _SCALE, y * _SCALE) for x, y in _smooth(points)], fill=colour)

    def mirrored(self, right: Sequence[Point], colour: Colour) -> None:
        """A shape and its mirror image joined at the middle line; `right` runs from top to bottom."""
        self.shape([*right, *((2 * self.middle - x, y) for x, y in reversed(right))], colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """A filled ellipse."""
        self.pen.ellipse([(x - rx) * _SCALE, (y - ry) * _SCALE, (x + rx) * _SCALE, (y + ry) * _SCALE], fill=colour)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """An open smooth line with round ends."""
        line = [(x * _SCALE, y * _SCALE) for x, y in _smooth(points, closed=False)]
        self.pen.line(line, fill=colour, width=max(1, round(width * _SCALE)), joint="curve")
        for x, y in (line[0], line[-1]):
            reach = width * _SCALE / 2
            self.pen.ellipse([x - reach, y - reach, x + reach, y + reach], fill=colour)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of `other` in `one`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def _smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 8) -> list[Point]:
    """A Catmull-Rom curve (centripetal enough for gentle shapes) through `points`."""
    count = len(points)
    out: list[Point] = []
    for index in range(count if closed else count - 1):
        if closed:
            p0, p1, p2, p3 = (points[(index + shift) % count] for shift in (-1, 0, 1, 2))
        else:
            p0, p1, p2, p3 = (points[min(max(index + shift, 0), count - 1)] for shift in (-1, 0, 1, 2))
        for step in range(steps):
            out.append(_between(p0, p1, p2, p3, step / steps))
    if not closed:
        out.append(points[-1])
    return out


def _between(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    def axis(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t)

    return (axis(p0[0], p1[0], p2[0], p3[0]), axis(p0[1], p1[1], p2[1], p3[1]))
