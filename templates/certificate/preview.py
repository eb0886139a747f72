"""Look at the page with invented data: `python -m templates.certificate.preview --out page.pdf --png page.png`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from templates.certificate.lint import opened
from templates.certificate.page import UnknownTemplateError, lint_page, missing_glyphs, render, template_names
from templates.certificate.specimen import specimen
from templates.portraits import draw_portrait

_DPI = 144


def preview(out: Path, png: Path | None, *, name: str, template: str, sample: bool, seed: int) -> tuple[str, ...]:
    """Write a specimen to `out` (and a picture of it to `png`); returns what the lint found wrong, empty is good."""
    page = specimen(name=name, template=template, sample=sample, photo=draw_portrait(seed))
    pdf = render(page)
    out.write_bytes(pdf)
    if png is not None:
        with opened(pdf) as document:
            document[0].render(scale=_DPI / 72).to_pil().save(png)
    return lint_page(pdf, page)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when the page was written and says what it should, 2 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m templates.certificate.preview", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.pdf")
    parser.add_argument("--png", type=Path, metavar="FILE.png", help="also draw a picture at 144 dpi")
    parser.add_argument("--name", default="李㛃䶮")
    parser.add_argument("--template", default="constructor-2", help=f"one of {', '.join(template_names())}")
    parser.add_argument("--plain", action="store_true", help="without the marks of a sample")
    parser.add_argument("--seed", type=int, default=7, help="which invented portrait")
    chosen = parser.parse_args(arguments)
    missing = missing_glyphs(chosen.name)
    if missing:
        codes = " ".join(f"U+{ord(char):04X}" for char in missing)
        sys.stderr.write(f"preview: no glyph for {codes}; on Debian install fonts-hanazono\n")
        return 2
    try:
        problems = preview(
            chosen.out,
            chosen.png,
            name=chosen.name,
            template=chosen.template,
            sample=not chosen.plain,
            seed=chosen.seed,
        )
    except (UnknownTemplateError, OSError) as exc:
        sys.stderr.write(f"preview: {exc}\n")
        return 2
    for problem in problems:
        sys.stderr.write(f"preview: {problem}\n")
    return 2 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
