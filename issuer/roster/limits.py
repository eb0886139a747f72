"""How large a roster may be, and the words for what is over the limit or cannot be read."""

from typing import NoReturn

from issuer.errors import InputError, TooLargeError, Words

MAX_FILE_BYTES = 200 * 1024 * 1024
MAX_ROWS = 200_000
MAX_CELLS = 4_000_000
"""Cells of one sheet, and of the smallest rectangle that holds them: the reader keeps the rectangle in memory."""
MAX_SHEET_XML = 640 * 1024 * 1024
MAX_STRINGS_XML = 160 * 1024 * 1024
MAX_OTHER_XML = 32 * 1024 * 1024
MAX_TEXT_BYTES = 256 * 1024 * 1024
"""Text of all cells together: one shared string may stand in a million cells."""
MAX_MERGED = 20_000

NOTHING_KEPT = Words("未导入任何数据。", "Nothing was imported.")


def refuse_unreadable(code: str, zh: str, en: str, remedy_zh: str, remedy_en: str) -> NoReturn:
    """Raise InputError: what was found, that nothing was imported, what to do."""
    raise InputError(
        code,
        Words(f"{zh}。{NOTHING_KEPT.zh}", f"{en}. {NOTHING_KEPT.en}"),
        remedy=Words(f"{remedy_zh}。", f"{remedy_en}."),
    )


_SMALLER_LIST = Words(
    f"只保留名单工作表并删除空白区域；超过 {MAX_ROWS} 行的名单请拆分。",
    f"Keep only the list and remove empty areas; split a list of more than {MAX_ROWS} rows.",
)


def refuse_large(code: str, zh: str, en: str, remedy: Words = _SMALLER_LIST) -> NoReturn:
    """Raise TooLargeError."""
    raise TooLargeError(code, Words(f"{zh}。{NOTHING_KEPT.zh}", f"{en}. {NOTHING_KEPT.en}"), remedy=remedy)
