"""A template's wording and colours, and the digest by which a certificate remembers its template."""

import hashlib
from functools import lru_cache
from typing import Any

from templates.certificate.source import HERE, TemplateError, UnknownTemplateError, chain, names, parts
from templates.fonts import font_files

__all__ = ["TemplateError", "UnknownTemplateError", "template_names", "template_version", "wording"]


def template_names() -> tuple[str, ...]:
    """Names of the templates that are here, sorted."""
    return names()


def wording(template: str) -> dict[str, Any]:
    """`texts`, `labels`, `inks` (and more, see `source`) of a template, with what it extends filled in.

    Raises UnknownTemplateError, TemplateError.
    """
    return parts(template)


@lru_cache(maxsize=32)
def template_version(name: str) -> str:
    """SHA-256 (hex) over everything that shapes a page of this template: its data, drawing code and fonts."""
    digest = hashlib.sha256()
    sources = [*sorted(HERE.rglob("*.py")), HERE / "page.typ", HERE / "layout.toml", HERE.parent / "fonts.py"]
    for path in [*sources, *chain(name)]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for path in font_files():
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
