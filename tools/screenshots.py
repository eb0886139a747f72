"""Take pictures of a running server's pages into docs/images, to be looked at: `python tools/screenshots.py URL`.

With `--summary D/summary.json` (as the demo writes it) the QR page is shown for a valid and for a fallen
certificate too. Pictures are 390 and 1280 points wide, light and dark, reduced to a palette to stay small.
Other sets of pages (staff, holders) add their own list of `Shot` to `SETS`.
"""

import argparse
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pylopdf_fonts_zh_cn
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

SCREENS: dict[str, tuple[int, int, float]] = {"phone": (390, 844, 1.5), "desk": (1280, 800, 1)}
COLOURS = 96
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{folder}</dir></fontconfig>"""


@dataclass(frozen=True)
class Shot:
    """One page: file name without suffix, address, what tells that it is ready, screens, colour schemes."""

    name: str
    address: str
    ready: str = "main"
    screens: tuple[str, ...] = ("phone", "desk")
    schemes: tuple[str, ...] = ("light",)
    whole: bool = True


def public_shots(base_url: str, summary: dict[str, list[dict[str, str]]]) -> list[Shot]:
    """The pages an employer sees."""
    settled = "#verdict:not([data-verdict=pending])"
    shots = [
        Shot("start", f"{base_url}/"),
        Shot("not-found", f"{base_url}/v/{'A' * 26}", settled, screens=("phone",)),
    ]
    made = summary.get("certificates", [])
    valid = next((one for one in made if one["verdict"] == "valid"), None)
    fallen = next((one for one in made if one["verdict"] == "invalid"), None)
    if valid:
        shots.append(Shot("valid", _here(base_url, valid["qr_text"]), settled))
        shots.append(Shot("valid", _here(base_url, valid["qr_text"]), settled, screens=("phone",), schemes=("dark",)))
        shots.append(Shot("by-token", _here(base_url, valid["qr_text"]).split("#")[0], settled, screens=("phone",)))
        altered = _here(base_url, valid["qr_text"])
        flipped = "B" if altered[-40] == "A" else "A"
        shots.append(Shot("altered", f"{altered[:-40]}{flipped}{altered[-39:]}", settled, screens=("phone",)))
    if fallen:
        shots.append(Shot("invalid", _here(base_url, fallen["qr_text"]), settled, screens=("phone",)))
    return shots


SETS: dict[str, Callable[[str, dict[str, list[dict[str, str]]]], list[Shot]]] = {"public": public_shots}


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures; 0 when all were taken."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url", help="address of a running server, such as http://127.0.0.1:8000")
    parser.add_argument("--summary", type=Path, help="summary.json of the demo, for QR pages")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "images")
    parser.add_argument("--set", choices=sorted(SETS), action="append", help="which pages (default: all)")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args(arguments)
    summary = json.loads(options.summary.read_text("utf-8")) if options.summary else {}
    options.out.mkdir(parents=True, exist_ok=True)
    with chinese_fonts(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        for name in options.set or sorted(SETS):
            for shot in SETS[name](options.url.rstrip("/"), summary):
                for path in take(browser, shot, options.out):
                    print(f"{path}  {path.stat().st_size // 1000} kB")
        browser.close()
    return 0


def take(browser: Browser, shot: Shot, folder: Path) -> Iterator[Path]:
    """The pictures of one page, one for each screen and colour scheme."""
    for screen in shot.screens:
        width, height, scale = SCREENS[screen]
        for scheme in shot.schemes:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                device_scale_factor=scale,
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page = context.new_page()
            page.goto(shot.address)
            page.wait_for_selector(shot.ready)
            picture = page.screenshot(full_page=shot.whole)
            context.close()
            path = folder / f"{shot.name}-{screen}{'-dark' if scheme == 'dark' else ''}.png"
            save_small(picture, path)
            yield path


def save_small(picture: bytes, path: Path) -> None:
    """Store a picture with a palette: text and flat colour lose nothing one can see."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


@contextmanager
def chinese_fonts() -> Iterator[None]:
    """Let the browser see the fonts that certificates are set in, so that pictures look as they do on a phone."""
    fonts = Path(pylopdf_fonts_zh_cn.__file__).parent
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(_FONTS.format(folder=fonts))
        file.flush()
        before = os.environ.get("FONTCONFIG_FILE")
        os.environ["FONTCONFIG_FILE"] = file.name
        yield
        if before is None:
            del os.environ["FONTCONFIG_FILE"]
        else:
            os.environ["FONTCONFIG_FILE"] = before


def _here(base_url: str, qr_text: str) -> str:
    """The QR's address at this server, whatever host is printed in it."""
    parts = urlsplit(qr_text)
    return f"{base_url}{parts.path.replace('/V/', '/v/')}#{parts.fragment}"


if __name__ == "__main__":
    sys.exit(main())
