"""Geometry of the page in PDF terms (points, origin at the bottom left)."""

from functools import lru_cache
from typing import Any

from templates.certificate.source import HERE, base_layout, parts

__all__ = ["HERE", "POINTS_PER_MM", "Rectangle", "geometry", "rectangle"]

POINTS_PER_MM = 72 / 25.4

Rectangle = tuple[float, float, float, float]
"""(left, bottom, right, top) in PDF points."""


@lru_cache(maxsize=32)
def geometry(template: str | None = None) -> dict[str, Any]:
    """`layout.toml`, for a template with the boxes that it moves. Raises UnknownTemplateError, TemplateError."""
    moved = parts(template)["layout"] if template else {}
    return {section: {**boxes, **moved.get(section, {})} for section, boxes in base_layout().items()}


def rectangle(section: str, name: str, template: str | None = None) -> Rectangle:
    """One box of the layout as a PDF rectangle."""
    layout = geometry(template)
    x, y, width, height = layout[section][name]
    top = layout["page"]["height"] - y
    return (
        round(x * POINTS_PER_MM, 2),
        round((top - height) * POINTS_PER_MM, 2),
        round((x + width) * POINTS_PER_MM, 2),
        round(top * POINTS_PER_MM, 2),
    )
