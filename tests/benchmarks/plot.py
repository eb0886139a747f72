"""The benchmark's figures as one SVG: bars of time per certificate, a line of memory."""

from collections.abc import Mapping, Sequence
from pathlib import Path

_WIDTH, _HEIGHT = 760, 330
_CHAINS = (("ours", "#1d4a5c"), ("stock, fixed mask", "#c9a66b"), ("stock", "#a9824c"))


def draw_plot(path: Path, figures: Mapping[str, float], memory: Sequence[tuple[int, float]]) -> None:
    """Write the picture to `path`."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        ' font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        *_bars(figures),
        *_line(memory),
        "</svg>",
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _bars(figures: Mapping[str, float]) -> list[str]:
    longest = max(figures[f"{name} {level} ms"] for name, _ in _CHAINS for level in ("B-B", "B-LTA"))
    out = [_text(20, 28, "Processor time per certificate, ms", bold=True)]
    y = 48
    for level in ("B-B", "B-LTA"):
        out.append(_text(20, y + 14, level))
        for name, colour in _CHAINS:
            value = figures[f"{name} {level} ms"]
            width = value / longest * 250
            out.append(f'<rect x="70" y="{y}" width="{width:.1f}" height="18" fill="{colour}"/>')
            out.append(_text(76 + width, y + 14, f"{value:.1f}  {name}"))
            y += 24
        y += 22
    return out


def _line(memory: Sequence[tuple[int, float]]) -> list[str]:
    left, top, width, height = 500, 60, 230, 190
    last = memory[-1][0]
    highest = max(50.0, max(mib for _, mib in memory) * 1.15)
    spots = [(left + count / last * width, top + height - mib / highest * height) for count, mib in memory]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    return [
        _text(left, 28, "Memory of one worker, MiB", bold=True),
        f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="#888"/>',
        f'<polyline points="{points}" fill="none" stroke="#1d4a5c" stroke-width="2"/>',
        _text(left + width - 110, top + height + 18, f"{last} certificates"),
        _text(left + 6, spots[0][1] - 8, f"{memory[0][1]:.0f}"),
        _text(left + width - 24, spots[-1][1] - 8, f"{memory[-1][1]:.0f}"),
    ]


def _text(x: float, y: float, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="#17202a"{weight}>{words}</text>'
