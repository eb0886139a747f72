"""Drawn portraits for invented people: clearly illustrations, the same one for the same seed."""

import io
import random

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 295, 413
SCALE = 3

Colour = tuple[int, int, int]

GROUNDS: tuple[tuple[Colour, Colour], ...] = (
    ((233, 241, 248), (198, 216, 233)),
    ((247, 247, 245), (224, 226, 228)),
    ((214, 228, 240), (170, 196, 221)),
)
SKINS: tuple[Colour, ...] = ((250, 221, 196), (243, 208, 178), (233, 192, 158), (222, 178, 143))
HAIRS: tuple[Colour, ...] = ((30, 27, 29), (44, 36, 34), (62, 49, 43), (88, 86, 88))
COATS: tuple[Colour, ...] = ((38, 52, 74), (58, 63, 71), (30, 66, 76), (88, 40, 46), (66, 74, 54))
SHIRTS: tuple[Colour, ...] = ((250, 250, 250), (226, 234, 244), (240, 232, 222))


def draw_portrait(seed: int, *, long_hair: bool | None = None) -> bytes:
    """A 295 × 413 JPEG (about 10 kB) of a person who does not exist: head, shoulders, a plain ground.

    `long_hair` None leaves it to the seed.
    """
    # Not for secrets: the same seed must give the same picture.
    chance = random.Random(seed)  # noqa: S311
    skin, hair, coat, shirt = (chance.choice(colours) for colours in (SKINS, HAIRS, COATS, SHIRTS))
    picture = _ground(*chance.choice(GROUNDS))
    pen = _Pen(ImageDraw.Draw(picture))
    drawn = chance.random() < 0.42
    long_hair = drawn if long_hair is None else long_hair
    face_width = chance.uniform(0.94, 1.05)
    if long_hair:
        _long_hair_behind(pen, hair, face_width)
    _shoulders(pen, coat, shirt, skin, tie=not long_hair and chance.random() < 0.5, tint=chance.choice(COATS))
    _head(pen, skin, face_width)
    _features(pen, skin, hair, chance)
    _fringe(pen, hair, face_width, long_hair=long_hair, parting=chance.choice((-1, 0, 1)))
    if chance.random() < 0.35:
        _glasses(pen)
    small = picture.filter(ImageFilter.GaussianBlur(0.6)).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=84, optimize=True)
    return out.getvalue()


class _Pen:
    """Draws in units of the finished picture on the enlarged canvas."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def oval(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        self._draw.ellipse(_scaled(x - rx, y - ry, x + rx, y + ry), fill=fill)

    def box(self, x: float, y: float, right: float, bottom: float, radius: float, fill: Colour) -> None:
        self._draw.rounded_rectangle(_scaled(x, y, right, bottom), radius=radius * SCALE, fill=fill)

    def shape(self, points: list[tuple[float, float]], fill: Colour) -> None:
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def arc(
        self, x: float, y: float, rx: float, ry: float, span: tuple[int, int], fill: Colour, width: float
    ) -> None:
        box = _scaled(x - rx, y - ry, x + rx, y + ry)
        self._draw.arc(box, span[0], span[1], fill=fill, width=round(width * SCALE))

    def half(self, x: float, y: float, rx: float, ry: float, span: tuple[int, int], fill: Colour) -> None:
        self._draw.chord(_scaled(x - rx, y - ry, x + rx, y + ry), span[0], span[1], fill=fill)


def _scaled(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    return left * SCALE, top * SCALE, right * SCALE, bottom * SCALE


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue


def _ground(top: Colour, bottom: Colour) -> Image.Image:
    column = Image.new("RGB", (1, 2))
    column.putpixel((0, 0), top)
    column.putpixel((0, 1), bottom)
    return column.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.BICUBIC)


MIDDLE = WIDTH / 2
FACE_Y = 168.0


def _long_hair_behind(pen: _Pen, hair: Colour, width: float) -> None:
    pen.oval(MIDDLE, FACE_Y - 12, 86 * width, 104, hair)
    pen.box(MIDDLE - 86 * width, FACE_Y - 10, MIDDLE + 86 * width, FACE_Y + 128, 38, hair)


def _shoulders(pen: _Pen, coat: Colour, shirt: Colour, skin: Colour, *, tie: bool, tint: Colour) -> None:
    pen.half(MIDDLE, 412, 146, 122, (180, 360), coat)
    pen.shape([(MIDDLE - 40, 292), (MIDDLE + 40, 292), (MIDDLE + 14, 413), (MIDDLE - 14, 413)], shirt)
    pen.box(MIDDLE - 31, FACE_Y + 60, MIDDLE + 31, 306, 26, _shade(skin, 0.9))
    pen.shape([(MIDDLE - 42, 288), (MIDDLE - 2, 330), (MIDDLE - 24, 352)], _shade(shirt, 0.97))
    pen.shape([(MIDDLE + 42, 288), (MIDDLE + 2, 330), (MIDDLE + 24, 352)], _shade(shirt, 0.97))
    if tie:
        pen.shape([(MIDDLE - 9, 326), (MIDDLE + 9, 326), (MIDDLE + 13, 413), (MIDDLE - 13, 413)], _shade(tint, 1.25))
        pen.shape([(MIDDLE - 11, 322), (MIDDLE + 11, 322), (MIDDLE + 6, 340), (MIDDLE - 6, 340)], _shade(tint, 1.1))
    for side in (-1, 1):
        lapel = [(44, 288), (58, 300), (40, 372), (13, 413), (16, 413), (30, 350)]
        pen.shape([(MIDDLE + side * x, y) for x, y in lapel], _shade(coat, 1.16))


def _head(pen: _Pen, skin: Colour, width: float) -> None:
    for side in (-1, 1):
        pen.oval(MIDDLE + side * 70 * width, FACE_Y + 12, 12, 19, _shade(skin, 0.95))
    pen.oval(MIDDLE, FACE_Y - 6, 70 * width, 84, skin)
    pen.oval(MIDDLE, FACE_Y + 28, 61 * width, 66, skin)


def _features(pen: _Pen, skin: Colour, hair: Colour, chance: random.Random) -> None:
    brow = _shade(hair, 1.15)
    lift = chance.uniform(-2, 2)
    for side in (-1, 1):
        x = MIDDLE + side * 29
        pen.arc(x, FACE_Y - 2 + lift, 17, 11, (205, 335), brow, 4.2)
        pen.oval(x, FACE_Y + 8, 10.5, 6.2, (252, 252, 252))
        pen.oval(x, FACE_Y + 8, 5.8, 6.0, (44, 32, 28))
        pen.oval(x + 1.8, FACE_Y + 5.6, 1.6, 1.6, (255, 255, 255))
        pen.arc(x, FACE_Y + 8, 11.5, 7.2, (195, 345), (50, 38, 34), 2.0)
        pen.oval(MIDDLE + side * 41, FACE_Y + 38, 11, 7, _blend(skin, (233, 140, 122), 0.28))
    pen.arc(MIDDLE, FACE_Y + 30, 9, 9, (35, 145), _shade(skin, 0.76), 2.4)
    smile = chance.uniform(7, 12)
    pen.arc(MIDDLE, FACE_Y + 54, 20, smile, (18, 162), (176, 92, 84), 3.2)


def _fringe(pen: _Pen, hair: Colour, width: float, *, long_hair: bool, parting: int) -> None:
    pen.half(MIDDLE, FACE_Y - 18, 75 * width, 84, (184, 356), hair)
    drop = 26 if long_hair else 12
    for side in (-1, 1):
        reach = 30 if parting == side else 56
        edge = [
            (MIDDLE + side * 75 * width, FACE_Y - 26),
            (MIDDLE + side * 72 * width, FACE_Y + drop),
            (MIDDLE + side * 64 * width, FACE_Y - 14),
            (MIDDLE + side * (64 - reach) * width, FACE_Y - 44),
            (MIDDLE + side * 8, FACE_Y - 70),
        ]
        pen.shape(edge, hair)
    pen.arc(MIDDLE - 12 * (parting or 1), FACE_Y - 44, 46 * width, 42, (205, 300), _shade(hair, 1.45), 3.0)


def _glasses(pen: _Pen) -> None:
    frame = (46, 48, 54)
    for side in (-1, 1):
        pen.arc(MIDDLE + side * 29, FACE_Y + 9, 19, 16, (0, 360), frame, 2.6)
        pen.arc(MIDDLE + side * 60, FACE_Y + 6, 13, 5, (200, 340), frame, 2.2)
    pen.arc(MIDDLE, FACE_Y + 8, 10, 6, (200, 340), frame, 2.6)


def _blend(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
