"""Take pictures of a demo's pages and of a certificate into docs/images: `python tools/screenshots.py URL DEMO_DIR`.

URL is a server of that demo (`make screenshots` starts one). Pictures are 390 and 1280 points wide, light and
dark, reduced to a palette to stay small.
"""

import argparse
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pylopdf_fonts_zh_cn
import pypdfium2
from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

Summary = dict[str, Any]

SCREENS: dict[str, tuple[int, int, float]] = {"phone": (390, 844, 1.5), "desk": (1280, 800, 1)}
COLOURS = 256
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
    sign_in: tuple[str, dict[str, str]] | None = None
    """Page with a sign-in form, and what to fill into its fields by name."""


def public_shots(base_url: str, summary: Summary, _folder: Path) -> list[Shot]:
    """The pages an employer sees."""
    settled = "#verdict:not([data-verdict=pending])"
    shots = [
        Shot("start", f"{base_url}/"),
        Shot("scan", f"{base_url}/scan"),
        Shot("checks", f"{base_url}/checks"),
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


def staff_shots(base_url: str, summary: Summary, folder: Path) -> list[Shot]:
    """The console, as the officer who proposes sees it."""
    passwords = json.loads((folder / "demo.json").read_text("utf-8"))["passwords"]
    username = "demo-proposer"
    door = (f"{base_url}/console/sign-in", {"username": username, "password": passwords[username]})
    valid = next(one["management_no"] for one in summary["certificates"] if one["verdict"] == "valid")
    pages = {
        "console": "",
        "console-sitting": "sittings/EJJZ-DEMO-1",
        "console-certificate": f"certificates/{valid}",
        "console-cases": "cases",
        "console-announcements": "announcements",
        "console-paper": "paper",
        "console-person": "people/1",
    }
    return [Shot(name, f"{base_url}/console/{path}", screens=("desk",), sign_in=door) for name, path in pages.items()]


def holder_shots(base_url: str, _summary: Summary, folder: Path) -> list[Shot]:
    """What the first person of the demo's roster sees."""
    sheet = load_workbook(folder / "exam-centre" / "roster.xlsx", read_only=True).worksheets[0]
    rows = list(sheet.iter_rows(min_row=2, max_row=3, values_only=True))
    first = dict(zip(rows[0], rows[1], strict=True))
    facts = {"id_no": "证件号码", "name": "姓名", "admission_no": "准考证号"}
    door = (f"{base_url}/my/", {field: str(first[head]) for field, head in facts.items()})
    return [
        Shot("holder-sign-in", f"{base_url}/my/", screens=("phone",)),
        Shot("holder", f"{base_url}/my/", screens=("phone",), sign_in=door),
    ]


SETS = {"public": public_shots, "staff": staff_shots, "holder": holder_shots}


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures; 0 when all were taken."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url", help="address of a running server of the demo, such as http://127.0.0.1:8000")
    parser.add_argument("demo", type=Path, help="the demo's data folder")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "images")
    parser.add_argument("--set", choices=sorted(SETS), action="append", help="which pages (default: all)")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args(arguments)
    summary: Summary = json.loads((options.demo / "summary.json").read_text("utf-8"))
    options.out.mkdir(parents=True, exist_ok=True)
    save_small(certificate_picture(Path(summary["certificates"][0]["pdf"])), options.out / "certificate.png")
    with chinese_fonts(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        for name in options.set or sorted(SETS):
            for shot in SETS[name](options.url.rstrip("/"), summary, options.demo):
                for path in take(browser, shot, options.out):
                    print(f"{path}  {path.stat().st_size // 1000} kB")
        browser.close()
    return 0


def certificate_picture(pdf: Path) -> bytes:
    """The first page of a PDF as a PNG 560 pixels wide."""
    document = pypdfium2.PdfDocument(pdf)
    page = document[0]
    out = io.BytesIO()
    # Drawn larger first: thin lines drawn at this size are a whole pixel wide.
    picture = page.render(scale=3 * 560 / page.get_width()).to_pil()
    picture.resize((560, round(560 * picture.height / picture.width)), Image.Resampling.LANCZOS).save(out, "PNG")
    document.close()
    return out.getvalue()


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
            if shot.sign_in:
                door, facts = shot.sign_in
                page.goto(door)
                for field, value in facts.items():
                    page.fill(f"[name={field}]", value)
                page.press(f"[name={list(facts)[-1]}]", "Enter")
                page.wait_for_load_state()
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
    # An octree keeps a colour that is rare, such as the seal's.
    image.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)


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
