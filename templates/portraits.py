"""Portraits of people who do not exist: plain illustrations on the coloured grounds of ID photos.

They are drawn, not photographed, and mean to look so: nobody can be mistaken for one of them.
"""

import io
import random

from templates.brush import Brush, Colour, Point, mix

WIDTH, HEIGHT = 295, 413
"""Pixels: the one-inch ID photo at 300 dpi."""

MAX_BYTES = 12_000

_MIDDLE = WIDTH / 2
_MEN = ("short", "short", "short", "swept", "swept", "swept", "crew", "crew", "bald")
_WOMEN = ("bob", "long", "bun", "side", "waves")
_GROUNDS: tuple[tuple[Colour, Colour], ...] = (
    ((96, 158, 219), (58, 120, 190)),
    ((246, 247, 249), (222, 227, 233)),
    ((196, 62, 58), (160, 38, 40)),
)
_SKINS: tuple[Colour, ...] = ((250, 222, 198), (244, 208, 178), (233, 190, 156), (214, 166, 128), (190, 140, 104))
_HAIRS: tuple[Colour, ...] = (
    (30, 27, 30),
    (44, 34, 32),
    (66, 46, 36),
    (92, 66, 48),
    (134, 132, 134),
    (186, 186, 188),
)
_CLOTHES: tuple[Colour, ...] = (
    (38, 48, 74),
    (58, 62, 70),
    (34, 78, 84),
    (112, 50, 62),
    (92, 98, 66),
    (74, 62, 104),
    (150, 112, 74),
)
_SHIRTS: tuple[Colour, ...] = ((248, 248, 250), (222, 233, 244), (246, 236, 222), (240, 224, 228))


def draw_portrait(seed: int, *, woman: bool | None = None) -> bytes:
    """Head and shoulders as a 295 × 413 JPEG of at most 12 kB. The same arguments give the same picture.

    `woman` chooses among hair and clothes; None leaves it to the seed.
    """
    chance = random.Random(seed)  # noqa: S311 - an illustration, not a secret
    brush = Brush(WIDTH, HEIGHT)
    _Portrait(brush, chance, woman).draw()
    small = brush.finished()
    for quality in (84, 76, 66, 50, 35):
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=quality, subsampling=0)
        if buffer.tell() <= MAX_BYTES:
            break
    return buffer.getvalue()


class _Portrait:
    """One drawing. Coordinates are pixels of the finished picture; the face is centred at (147, 186)."""

    def __init__(self, brush: Brush, chance: random.Random, woman: bool | None) -> None:
        self.brush = brush
        self.chance = chance
        drawn = chance.random() < 0.48
        self.woman = drawn if woman is None else woman
        self.skin = chance.choices(_SKINS, weights=(5, 6, 5, 3, 1))[0]
        grey = chance.random() < 0.14
        self.hair = chance.choice(_HAIRS[4:] if grey else _HAIRS[:4])
        self.cloth = chance.choice(_CLOTHES)
        self.shirt = chance.choice(_SHIRTS)
        self.width = chance.uniform(56, 63) if self.woman else chance.uniform(59, 67)
        self.jaw = chance.uniform(0.66, 0.80) if self.woman else chance.uniform(0.76, 0.92)
        self.style = chance.choice(_WOMEN if self.woman else _MEN)

    def draw(self) -> None:
        """Back to front."""
        self._ground()
        self._hair_behind()
        self._shoulders()
        self._neck_and_collar()
        self._head()
        self._face()
        self._hair_in_front()
        if self.chance.random() < 0.34:
            self._glasses()

    # -- parts ------------------------------------------------------------------------------------

    def _ground(self) -> None:
        self.brush.fade(*self.chance.choice(_GROUNDS))

    def _shoulders(self) -> None:
        spread = self.chance.uniform(112, 124) if self.woman else self.chance.uniform(124, 136)
        slope = self.chance.uniform(300, 310)
        half: list[Point] = [
            (_MIDDLE + 30, slope - 22),
            (_MIDDLE + spread * 0.72, slope + 6),
            (_MIDDLE + spread, slope + 46),
            (_MIDDLE + spread + 8, 430),
        ]
        self.brush.mirrored(half, self.cloth)
        self.brush.mirrored(
            [(_MIDDLE + 26, slope - 20), (_MIDDLE + spread * 0.5, slope - 2), (_MIDDLE + 40, 430)], self.cloth
        )

    def _neck_and_collar(self) -> None:
        shade = mix(self.skin, (96, 40, 30), 0.22)
        kind = self.chance.choice(("suit", "suit", "suit", "crew", "v"))
        if kind == "suit":
            self.brush.shape(
                [(_MIDDLE - 40, 282), (_MIDDLE + 40, 282), (_MIDDLE + 22, 350), (_MIDDLE, 430), (_MIDDLE - 22, 350)],
                self.shirt,
            )
        self.brush.mirrored(
            [(_MIDDLE + 26, 214), (_MIDDLE + 26, 268), (_MIDDLE + 30, 288), (_MIDDLE + 8, 308)], self.skin
        )
        self.brush.mirrored([(_MIDDLE + 26, 222), (_MIDDLE + 27, 246), (_MIDDLE + 12, 262)], shade)
        if kind == "suit":
            self._suit()
        elif kind == "crew":
            ring = mix(self.cloth, (255, 255, 255), 0.16)
            self.brush.stroke(
                [(_MIDDLE - 38, 287), (_MIDDLE - 20, 309), (_MIDDLE, 315), (_MIDDLE + 20, 309), (_MIDDLE + 38, 287)],
                7,
                ring,
            )
        else:
            self.brush.flat([(_MIDDLE - 30, 287), (_MIDDLE + 30, 287), (_MIDDLE, 336)], self.skin)
            ring = mix(self.cloth, (255, 255, 255), 0.14)
            self.brush.stroke([(_MIDDLE - 36, 284), (_MIDDLE, 338)], 7, ring)
            self.brush.stroke([(_MIDDLE + 36, 284), (_MIDDLE, 338)], 7, ring)

    def _suit(self) -> None:
        fold = mix(self.shirt, (60, 70, 90), 0.14)
        for side in (-1, 1):
            self.brush.flat(
                [
                    (_MIDDLE + side * 36, 274),
                    (_MIDDLE + side * 2, 314),
                    (_MIDDLE + side * 26, 330),
                    (_MIDDLE + side * 44, 294),
                ],
                mix(self.shirt, (255, 255, 255), 0.5),
            )
            self.brush.stroke([(_MIDDLE + side * 2, 315), (_MIDDLE + side * 26, 330)], 1.2, fold)
            lapel = mix(self.cloth, (255, 255, 255), 0.09)
            self.brush.flat(
                [
                    (_MIDDLE + side * 43, 286),
                    (_MIDDLE + side * 66, 322),
                    (_MIDDLE + side * 48, 334),
                    (_MIDDLE + side * 4, 424),
                    (_MIDDLE + side * 26, 334),
                ],
                lapel,
            )
        if not self.woman and self.chance.random() < 0.7:
            tie = self.chance.choice(((138, 38, 46), (36, 60, 110), (44, 84, 78), (92, 84, 96)))
            self.brush.flat([(_MIDDLE - 9, 313), (_MIDDLE + 9, 313), (_MIDDLE + 6, 328), (_MIDDLE - 6, 328)], tie)
            self.brush.flat(
                [(_MIDDLE - 6, 328), (_MIDDLE + 6, 328), (_MIDDLE + 11, 414), (_MIDDLE - 11, 414)],
                mix(tie, (0, 0, 0), 0.12),
            )

    def _head(self) -> None:
        w, jaw = self.width, self.jaw
        for side in (-1, 1):
            self.brush.oval(_MIDDLE + side * (w + 1), 190, 9, 15, mix(self.skin, (120, 50, 40), 0.10))
        self.brush.mirrored(
            [
                (_MIDDLE + 1, 98),
                (_MIDDLE + w * 0.62, 108),
                (_MIDDLE + w * 0.97, 146),
                (_MIDDLE + w, 188),
                (_MIDDLE + w * 0.93, 218),
                (_MIDDLE + w * jaw * 0.80, 246),
                (_MIDDLE + w * 0.30, 264),
            ],
            self.skin,
        )

    def _face(self) -> None:
        apart = self.width * self.chance.uniform(0.41, 0.46)
        dark = mix(self.hair, (20, 16, 16), 0.6)
        high = 184
        cheek = mix(self.skin, (228, 108, 100), 0.20)
        lift = self.chance.uniform(-1.5, 2)
        for side in (-1, 1):
            x = _MIDDLE + side * apart
            self.brush.oval(x + side * 5, 216, 10, 6.5, cheek)
            self.brush.oval(x, high, 9, 5.2, (252, 251, 250))
            self.brush.oval(x, high + 0.2, 4.7, 4.9, (42, 30, 26))
            self.brush.oval(x + 1.6, high - 1.6, 1.3, 1.3, (255, 255, 255))
            self.brush.stroke(
                [(x - 10, high + 0.5), (x - 3, high - 5.2), (x + 4, high - 5.2), (x + 10, high + 0.5)], 2.0, dark
            )
            brow = 2.4 if self.woman else 4.0
            self.brush.stroke(
                [(x - side * 11, high - 15 - lift), (x + side * 2, high - 19), (x + side * 12, high - 15)], brow, dark
            )
        line = mix(self.skin, (110, 46, 36), 0.34)
        self.brush.stroke([(_MIDDLE - 7, 214), (_MIDDLE, 218), (_MIDDLE + 7, 214)], 2.2, line)
        lips = mix(self.skin, (190, 62, 66), 0.72 if self.woman else 0.45)
        smile = self.chance.uniform(6, 11)
        half = self.chance.uniform(15, 19)
        if self.woman:
            self.brush.shape(
                [
                    (_MIDDLE - half, 234),
                    (_MIDDLE - 5, 231.5),
                    (_MIDDLE, 233),
                    (_MIDDLE + 5, 231.5),
                    (_MIDDLE + half, 234),
                    (_MIDDLE, 236 + smile),
                ],
                lips,
            )
        self.brush.stroke(
            [(_MIDDLE - half, 234), (_MIDDLE, 234 + smile * 0.6), (_MIDDLE + half, 234)],
            2.4,
            mix(lips, (70, 16, 20), 0.35),
        )

    def _hair_behind(self) -> None:
        if not self.woman:
            return
        w = self.width
        low = {"bob": 262, "long": 350, "waves": 318, "side": 236, "bun": 214}[self.style]
        wide = {"bob": 20, "long": 17, "waves": 26, "side": 12, "bun": 9}[self.style]
        if self.style == "bun":
            self.brush.oval(_MIDDLE, 78, 27, 24, mix(self.hair, (255, 255, 255), 0.05))
        self.brush.mirrored(
            [
                (_MIDDLE + 1, 80),
                (_MIDDLE + w * 0.72, 94),
                (_MIDDLE + w + wide * 0.8, 150),
                (_MIDDLE + w + wide, (150 + low) / 2),
                (_MIDDLE + w + wide * 0.7, low - 8),
                (_MIDDLE + w * 0.55, low),
            ],
            self.hair,
        )

    def _hair_in_front(self) -> None:
        if self.style == "bald":
            return
        w = self.width
        part = self.chance.uniform(-0.45, 0.45)
        brow = self.chance.uniform(128, 138) if self.woman else self.chance.uniform(122, 134)
        top = 78 if self.style in ("crew", "bun") else 72
        temple = {"crew": 150, "short": 158, "swept": 156}.get(self.style, 186)
        outer = w + (5 if self.woman else 3)
        split = _MIDDLE + part * w
        points: list[Point] = [
            (_MIDDLE - outer, temple),
            (_MIDDLE - outer - 1, 138),
            (_MIDDLE - w * 0.66, top + 16),
            (_MIDDLE, top),
            (_MIDDLE + w * 0.66, top + 16),
            (_MIDDLE + outer + 1, 138),
            (_MIDDLE + outer, temple),
            (_MIDDLE + w * 0.90, temple - 14),
        ]
        if self.style == "crew":
            points += [(_MIDDLE + w * 0.62, 121), (_MIDDLE, 116), (_MIDDLE - w * 0.62, 121)]
        elif self.style in ("bob", "bun") and part < 0:
            points += [(_MIDDLE + w * 0.78, brow + 18), (_MIDDLE, brow + 22), (_MIDDLE - w * 0.78, brow + 18)]
        else:
            points += [
                (_MIDDLE + w * 0.76, brow + 10),
                (split + 14, brow - 8),
                (split, brow - 22),
                (split - 16, brow - 6),
                (_MIDDLE - w * 0.78, brow + 10),
            ]
        points.append((_MIDDLE - w * 0.90, temple - 14))
        self.brush.shape(points, self.hair)
        gloss = mix(self.hair, (255, 255, 255), 0.13)
        self.brush.stroke([(_MIDDLE - w * 0.58, 108), (_MIDDLE - w * 0.2, 93), (_MIDDLE + w * 0.2, 90)], 4.5, gloss)

    def _glasses(self) -> None:
        frame = self.chance.choice(((48, 44, 46), (96, 72, 52), (70, 82, 98)))
        for side in (-1, 1):
            x = _MIDDLE + side * self.width * 0.44
            self.brush.ring(x, 186, 19, 15, 2.2, frame)
            self.brush.stroke([(x + side * 19, 182), (_MIDDLE + side * self.width, 180)], 2.2, frame)
        gap = self.width * 0.44 - 19
        self.brush.stroke([(_MIDDLE - gap, 183), (_MIDDLE, 180), (_MIDDLE + gap, 183)], 2.2, frame)
