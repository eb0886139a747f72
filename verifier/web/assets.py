"""Scripts and styles from `templates/public`, made ready once: shrunk, and named by their SHA-256 for the CSP."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_BLANKS = re.compile(r"\s+")
_CSS_TIGHT = re.compile(r"\s*([{};,>])\s*|(?<=:)\s+")


@dataclass(frozen=True, slots=True)
class Inline:
    """Text that stands in a page itself, and the source expression that lets a CSP allow exactly it."""

    text: str
    csp: str


def source(name: str) -> str:
    """A file of `templates/public`."""
    return resources.files("templates").joinpath("public", name).read_text("utf-8")


@cache
def script(*names: str) -> Inline:
    """Scripts joined in order, without whole-line comments and indentation; nothing else is rewritten."""
    return _inline("".join(f"{line}\n" for name in names for line in _code_lines(source(name))))


@cache
def style(*names: str) -> Inline:
    """Style sheets joined in order, without comments and needless blanks."""
    text = _CSS_BLANKS.sub(" ", _CSS_COMMENT.sub("", " ".join(source(name) for name in names)))
    tight = _CSS_TIGHT.sub(lambda found: found[1] or "", text)
    return _inline(tight.replace(";}", "}").strip())


def _code_lines(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("//")]


def _inline(text: str) -> Inline:
    if "</" in text:
        raise ValueError("inlined text must not close its own element")
    return Inline(text, f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'")
