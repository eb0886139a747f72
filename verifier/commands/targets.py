"""What a command line names: a file, an address, a code; read without asking anybody."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_READ_LIMIT: Final = 10_000_001
_MAX_TARGET: Final = 4096
WEB: Final = re.compile(r"https?://", re.IGNORECASE)


class CannotCheckError(Exception):
    """The check could not be made at all; one line."""


def receipt_in(target: str) -> bytes | None:
    """The file named by `target` when it means to be a receipt."""
    from verifier.record.receipt import looks_like_receipt

    if WEB.match(target) or not is_path(target):
        return None
    data = read_file(target)
    return data if looks_like_receipt(data) else None


def token_in(text: str) -> str:
    """The token of a code or QR text."""
    from verifier.record.qr import QrGrammarError, is_token, parse_qr

    try:
        return text.upper() if is_token(text) else parse_qr(text).token.upper()
    except QrGrammarError as error:
        raise CannotCheckError(f"不是查验码或二维码内容 / no code: {text[:60]}") from error


def is_path(target: str) -> bool:
    """Whether the target means a file."""
    if not target.strip() or len(target) > _MAX_TARGET or "\0" in target:
        return False
    try:
        return target.lower().endswith(".pdf") or "/" in target or Path(target).exists()
    except OSError:
        return False


def read_file(target: str) -> bytes:
    """At most one byte over the limit of a check, so a huge file is refused without being read."""
    path = Path(target)
    try:
        if not path.is_file():
            what = "不是文件 / not a file" if path.exists() else "没有这个文件 / no such file"
            raise CannotCheckError(f"{what}: {target}")
        with path.open("rb") as file:
            return file.read(_READ_LIMIT)
    except OSError as error:
        raise CannotCheckError(f"无法读取文件 / cannot read the file: {error.strerror}") from error


def system_clock() -> datetime:
    """The present instant, UTC: the only reading of the machine's clock in this program."""
    return datetime.now(UTC)
