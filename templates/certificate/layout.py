"""Geometry of the page in PDF terms (points, origin at the bottom left)."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
POINTS_PER_MM = 72 / 25.4

Rectangle = tuple[float, float, float, float]
"""(left, bottom, right, top) in PDF points."""


@lru_cache(maxsize=1)
def geometry() -> dict[str, Any]:
    """The parsed `layout.toml`."""
    return tomllib.loads((HERE / "layout.toml").read_text(encoding="utf-8"))


def rectangle(section: str, name: str) -> Rectangle:
    """One box of the layout as a PDF rectangle."""
    layout = geometry()
    x, y, width, height = layout[section][name]
    top = layout["page"]["height"] - y
    return (
        round(x * POINTS_PER_MM, 2),
        round((top - height) * POINTS_PER_MM, 2),
        round((x + width) * POINTS_PER_MM, 2),
        round(top * POINTS_PER_MM, 2),
    )
