"""Where a template's data stand: TOML files here, and in the folder that ECERT_TEMPLATES names.

A template says only in what it differs from the one it `extends`. Its parts:
  texts, labels, inks   wording and colours, by name
  layout.SECTION        boxes of layout.toml that stand elsewhere on this page, millimetres
  seal.image            an SVG or PNG beside the file, in place of the drawn seal
"""

import os
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).parent
FOLDER_SETTING: Final = "ECERT_TEMPLATES"
FIXED: Final = frozenset({("page", None), ("signature", None), ("pictures", "seal")})
"""What no template may move: the sheet, and the fields of the electronic seal with the picture under them."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}\.(svg|png)")
_MAX_IMAGE: Final = 300 * 1024
_FORBIDDEN = re.compile(
    rb"<script|<foreignObject|<!ENTITY|(?:href|src)\s*=\s*[\"'](?!#|data:image/(?:png|jpeg);)", re.I
)


class UnknownTemplateError(LookupError):
    """There is no certificate template by that name."""


class TemplateError(ValueError):
    """A template's data cannot be used; the text says which part and why."""


def folders() -> tuple[Path, ...]:
    """Where templates are looked for; what the installation brings comes first and cannot be replaced unseen."""
    own = os.environ.get(FOLDER_SETTING)
    return (HERE, Path(own)) if own else (HERE,)


def names() -> tuple[str, ...]:
    """Names of the templates that are here, sorted."""
    found = {path.stem for folder in folders() for path in folder.glob("*.toml")}
    return tuple(sorted(name for name in found if name != "layout" and _NAME.fullmatch(name)))


def file_of(template: str) -> Path:
    """The file of a template; raises UnknownTemplateError."""
    if _NAME.fullmatch(template) is not None and template != "layout":
        for folder in folders():
            path = folder / f"{template}.toml"
            if path.is_file():
                return path
    raise UnknownTemplateError(f"no certificate template is called {template!r}")


@lru_cache(maxsize=32)
def parts(template: str) -> dict[str, Any]:
    """`texts`, `labels`, `inks`, `layout` and `seal` with what the template extends filled in.

    Raises UnknownTemplateError, TemplateError.
    """
    path = file_of(template)
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateError(f"template {template}: not TOML ({error})") from error
    base = parts(own["extends"]) if "extends" in own else {}
    merged = {part: {**base.get(part, {}), **own.get(part, {})} for part in ("texts", "labels", "inks", "seal")}
    merged["layout"] = _layout(template, base.get("layout", {}), own.get("layout", {}))
    if "image" in own.get("seal", {}):
        merged["seal"]["file"] = _image(template, path.parent, own["seal"]["image"])
    return merged


def chain(template: str) -> list[Path]:
    """Every file of a template's own that shapes its page: it, what it extends, and their pictures."""
    path = file_of(template)
    own = tomllib.loads(path.read_text(encoding="utf-8"))
    image = [_image(template, path.parent, own["seal"]["image"])] if "image" in own.get("seal", {}) else []
    return [path, *image, *(chain(own["extends"]) if "extends" in own else [])]


@lru_cache(maxsize=1)
def base_layout() -> dict[str, Any]:
    """The parsed `layout.toml`."""
    return tomllib.loads((HERE / "layout.toml").read_text(encoding="utf-8"))


def _layout(template: str, base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    moved = {section: dict(boxes) for section, boxes in base.items()}
    known = base_layout()
    for section, boxes in own.items():
        for name, box in boxes.items():
            place = f"template {template}: layout.{section}.{name}"
            if {(section, None), (section, name)} & FIXED:
                raise TemplateError(f"{place} stands where the electronic seal needs it and cannot be moved")
            if name not in known.get(section, {}):
                raise TemplateError(f"{place} is no box of layout.toml")
            _require_box(place, box, len(known[section][name]))
            moved.setdefault(section, {})[name] = box
    return moved


def _require_box(place: str, box: Any, count: int) -> None:
    page = base_layout()["page"]
    numbers = isinstance(box, list) and len(box) == count and all(type(value) in (int, float) for value in box)
    if not numbers or min(box) < 0 or box[0] + box[2] > page["width"] or box[1] > page["height"]:
        raise TemplateError(f"{place} is not {count} numbers (millimetres) on the page")


def _image(template: str, folder: Path, name: Any) -> Path:
    if not isinstance(name, str) or _IMAGE.fullmatch(name) is None or not (folder / name).is_file():
        raise TemplateError(f"template {template}: seal.image names no .svg or .png beside it")
    path = folder / name
    content = path.read_bytes()
    genuine = content.startswith(b"\x89PNG") if path.suffix == ".png" else b"<svg" in content
    if len(content) > _MAX_IMAGE or not genuine or (path.suffix == ".svg" and _FORBIDDEN.search(content)):
        raise TemplateError(f"template {template}: {name} is over {_MAX_IMAGE // 1024} KiB, or not a plain picture")
    return path
