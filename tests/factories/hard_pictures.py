"""Pictures of a certificate's QR code as phones take them on a bad day: blurred, tilted, noisy, small, in low light.

170 pictures of 1280 by 720, 34 of each kind, from our own symbol. All chance comes from one seed, so the set is the
same on every machine but for the last bit of a float. In each kind one fault grows step by step from what is usual to
what no decoder reads; the others stay slight, as in any picture: a turn by some degrees, light that falls off to one
side, half a pixel of blur, a little noise, JPEG at quality 85.
"""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from templates.certificate.qr import qr_matrix

SIZE: Final = (1280, 720)
KINDS: Final = ("blur", "tilt", "noise", "small", "low light")
OF_EACH: Final = 34
SEED: Final = 20240625
_QUIET: Final = 4
_FINE: Final = 8
"""Dots a module has before the picture is taken."""


@dataclass(frozen=True)
class Shot:
    """How one picture is taken. Lengths in modules of the symbol or, where said, in pixels of the picture."""

    kind: str
    grade: float
    """From 0, as usual, to 1, beyond all decoders."""
    module: float = 5.0
    """Pixels a module has across."""
    blur: float = 0.5
    """Gaussian blur, standard deviation in pixels."""
    motion: float = 0.0
    """Length of a smear in pixels."""
    tilt: float = 0.0
    """Degrees the page is turned away about its upright axis."""
    turn: float = 0.0
    """Degrees the camera is turned."""
    noise: float = 3.0
    """Standard deviation of sensor noise, in grey levels."""
    paper: float = 225.0
    ink: float = 25.0
    """Grey levels of lit paper and of ink."""
    fall: float = 0.15
    """Share of light lost from one side of the picture to the other."""


def shots() -> list[Shot]:
    """The 170 ways, in the order of KINDS."""
    chance = np.random.default_rng(SEED)
    found = []
    for kind in KINDS:
        for step in range(OF_EACH):
            grade = step / (OF_EACH - 1)
            common: dict[str, Any] = {
                "turn": float(chance.uniform(-12, 12)),
                "fall": float(chance.uniform(0.05, 0.3)),
            }
            found.append(Shot(kind, grade, **{**common, **_fault(kind, grade, step, chance)}))
    return found


def _fault(kind: str, grade: float, step: int, chance: np.random.Generator) -> dict[str, float]:
    if kind == "blur":
        # Out of focus, and every third time moved as well.
        amount = 0.8 + 2.1 * grade
        return {"blur": amount, "motion": 2 * amount if step % 3 == 2 else 0.0}
    if kind == "tilt":
        return {
            "module": 6.0,
            "tilt": (20 + 56 * grade) * (1 if step % 2 else -1),
            "turn": float(chance.uniform(-40, 40)),
        }
    if kind == "noise":
        return {"noise": 10 + 60 * grade}
    if kind == "small":
        return {"module": 3.4 - 2.3 * grade, "blur": 0.4}
    paper = 120 - 84 * grade
    return {"paper": paper, "ink": 0.32 * paper + 4, "noise": 2.5 + 4.5 * grade, "fall": 0.3 + 0.4 * grade}


def take(shot: Shot, segments: tuple[str, ...], number: int) -> bytes:
    """The picture as JPEG; `number` seeds its noise."""
    chance = np.random.default_rng((SEED, number))
    page, side = _page(segments)
    seen = page.transform(
        SIZE, Image.Transform.PERSPECTIVE, _view(shot, page.width, side), Image.Resampling.BICUBIC, fillcolor=150
    )
    if shot.motion:
        seen = _smeared(seen, shot.motion)
    grey = np.asarray(seen.filter(ImageFilter.GaussianBlur(shot.blur)), dtype=np.float64) / 255
    light = 1 - shot.fall * np.linspace(0, 1, SIZE[0])[None, :] * np.linspace(0.7, 1, SIZE[1])[:, None]
    exposed = (shot.ink + (shot.paper - shot.ink) * grey) * light
    exposed += chance.normal(0, shot.noise, exposed.shape)
    out = io.BytesIO()
    Image.fromarray(np.clip(exposed, 0, 255).round().astype(np.uint8)).convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def pictures(segments: tuple[str, ...], every: int = 1) -> Iterator[tuple[Shot, bytes]]:
    """All pictures of the set, or each `every`-th."""
    for number, shot in enumerate(shots()):
        if number % every == 0:
            yield shot, take(shot, segments, number)


def _page(segments: tuple[str, ...]) -> tuple[Image.Image, int]:
    """The symbol on a sheet with lines of print around it, drawn finely; and how many modules the symbol has."""
    rows = np.array(qr_matrix(segments), dtype=bool)
    side = len(rows)
    across = (side + 2 * _QUIET) * _FINE
    sheet = Image.new("L", (3 * across, 3 * across), 255)
    draw = ImageDraw.Draw(sheet)
    chance = np.random.default_rng(SEED)
    for line in range(0, 3 * across, 5 * _FINE):
        x = 0
        while x < 3 * across:
            length = int(chance.uniform(4, 30)) * _FINE
            draw.rectangle((x, line, x + length, line + 2 * _FINE), fill=90)
            x += length + 3 * _FINE
    draw.rectangle((across, across, 2 * across, 2 * across), fill=255)
    symbol = Image.fromarray(np.where(rows, 0, 255).astype(np.uint8)).resize(
        (side * _FINE, side * _FINE), Image.Resampling.NEAREST
    )
    sheet.paste(symbol, (across + _QUIET * _FINE, across + _QUIET * _FINE))
    # Averaged down to what a lens can still see at this size, or the lines would alias.
    return sheet.filter(ImageFilter.GaussianBlur(_FINE / 6)), side


def _view(shot: Shot, sheet: int, side: int) -> tuple[float, ...]:
    """Factors that lead from a pixel of the picture to a dot of the sheet (pinhole camera)."""
    scale = shot.module / _FINE
    far = 2.2 * side * shot.module
    tilt, turn = math.radians(shot.tilt), math.radians(shot.turn)
    half = sheet / 2
    rows: list[list[float]] = []
    right: list[float] = []
    reach = side * _FINE / 2
    for x, y in ((-reach, -reach), (reach, -reach), (reach, reach), (-reach, reach)):
        depth = far / (far + x * scale * math.sin(tilt))
        px, py = x * scale * math.cos(tilt) * depth, y * scale * depth
        u = SIZE[0] / 2 + px * math.cos(turn) - py * math.sin(turn)
        v = SIZE[1] / 2 + px * math.sin(turn) + py * math.cos(turn)
        sx, sy = x + half, y + half
        rows += [[u, v, 1, 0, 0, 0, -sx * u, -sx * v], [0, 0, 0, u, v, 1, -sy * u, -sy * v]]
        right += [sx, sy]
    return tuple(float(factor) for factor in np.linalg.solve(np.array(rows), np.array(right)))


def _smeared(picture: Image.Image, length: float) -> Image.Image:
    grey: NDArray[np.float64] = np.asarray(picture, dtype=np.float64)
    steps = max(2, round(length))
    moved = sum(np.roll(grey, round(step - steps / 2), axis=1) for step in range(steps))
    return Image.fromarray((np.asarray(moved) / steps).round().astype(np.uint8))
