"""A template's wording and colours (TOML), and the digest by which a certificate remembers its template."""

import hashlib
import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from templates.certificate.layout import HERE
from templates.fonts import font_files

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class UnknownTemplateError(LookupError):
    """There is no certificate template by that name."""


def template_names() -> tuple[str, ...]:
    """Names of the templates that are here, sorted."""
    return tuple(sorted(path.stem for path in HERE.glob("*.toml") if path.stem != "layout"))


@lru_cache(maxsize=32)
def wording(template: str) -> dict[str, Any]:
    """`texts`, `labels` and `inks` of a template, with what it extends filled in. Raises UnknownTemplateError."""
    own = tomllib.loads(_file(template).read_text(encoding="utf-8"))
    base = wording(own["extends"]) if "extends" in own else {}
    return {part: {**base.get(part, {}), **own.get(part, {})} for part in ("texts", "labels", "inks")}


@lru_cache(maxsize=32)
def template_version(name: str) -> str:
    """SHA-256 (hex) over everything that shapes a page of this template: wording, layout, drawing code and fonts."""
    digest = hashlib.sha256()
    sources = [*sorted(HERE.rglob("*.py")), HERE / "page.typ", HERE / "layout.toml", HERE.parent / "fonts.py"]
    for path in [*sources, *_chain(name)]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for path in font_files():
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _file(template: str) -> Path:
    path = HERE / f"{template}.toml"
    if _NAME.fullmatch(template) is None or template == "layout" or not path.is_file():
        raise UnknownTemplateError(f"no certificate template is called {template!r}")
    return path


def _chain(name: str) -> list[Path]:
    path = _file(name)
    base = tomllib.loads(path.read_text(encoding="utf-8")).get("extends")
    return [path, *(_chain(base) if base else [])]
