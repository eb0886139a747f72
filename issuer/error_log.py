"""What nobody expected: kept in DATA_DIR/logs under a reference, without anything that could be a person's."""

import logging
import re
import secrets
import traceback
from pathlib import Path

_log = logging.getLogger(__name__)

_PARAMETERS = re.compile(r"\[(?:parameters|SQL):.*", re.DOTALL)
_LONG_NUMBER = re.compile(r"[0-9]{6,}[0-9Xx]?")
_LATIN_NAME = re.compile(r"\b[A-Z]{2,}(?:[ '’-]+[A-Z]{2,})+\b")
"""Names as passports write them; a few words of SQL go with them."""
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
MAX_TEXT = 2000


def keep_traceback(exc: BaseException, data_dir: Path) -> tuple[str, Path | None]:
    """Write where `exc` came from; returns a reference and the file, or None when it cannot be written.

    Frames, exception types and scrubbed messages only: a message may carry a row's values (SQL errors do).
    """
    reference = secrets.token_hex(4)
    lines = [f"reference {reference}"]
    link: BaseException | None = exc
    while link is not None:
        lines += [line.rstrip() for line in traceback.format_tb(link.__traceback__)]
        lines.append(f"{type(link).__module__}.{type(link).__qualname__}: {scrub(str(link))}")
        link = link.__cause__ or link.__context__
    path = data_dir / "logs" / f"error-{reference}.log"
    try:
        if not data_dir.is_dir():
            return reference, None
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError:
        _log.warning("the log folder cannot be written")
        return reference, None
    return reference, path


def scrub(text: str) -> str:
    """An error text without SQL parameters, long numbers, Chinese words and names in capitals."""
    plain = _LONG_NUMBER.sub("…", _PARAMETERS.sub("[…]", text))
    return _LATIN_NAME.sub("…", _HAN.sub("…", plain))[:MAX_TEXT]
