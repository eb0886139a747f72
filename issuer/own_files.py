"""Files that a command writes for whoever gave it: new ones only, for their eyes only."""

from pathlib import Path

from issuer.errors import InputError, Words


def begin_own_file(target: Path) -> None:
    """Make an empty file that only its owner may read; raises InputError when it exists or cannot be made."""
    try:
        target.touch(mode=0o600, exist_ok=False)
    except OSError as exc:
        raise _unusable() from exc


def write_own_file(target: Path, content: bytes) -> None:
    """Write a new file that only its owner may read; raises InputError when it exists or cannot be written."""
    begin_own_file(target)
    try:
        target.write_bytes(content)
    except OSError as exc:
        raise _unusable() from exc


def _unusable() -> InputError:
    return InputError(
        "target-unusable",
        Words("目标文件已存在或无法写入。", "The target file exists or cannot be written."),
        remedy=Words("请换一个文件名。", "Choose another file name."),
    )
