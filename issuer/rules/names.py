"""Names of persons: any script, interpuncts, rare characters; nothing that cannot be seen (R3).

A name is what is printed on the certificate and compared with registers, so whatever hides in it
(control, bidirectional, zero-width, private-use, unassigned characters) is refused, not dropped.
"""

import re
import unicodedata

from issuer.rules.violation import RuleViolation

MAX_CHARACTERS = 60
MAX_BYTES = 120
"""Limits of a name: the QR symbol carries it, in UTF-8."""

_PLAIN = re.compile("[\u4e00-\u9fa5]+")
"""The common case, decided at once: ideographs of Unicode 1.1 only."""
_PUNCTUATION = frozenset("·-'’.,() （）、ʻʼ‐\u0f0b")  # the last is the Tibetan tsheg between syllables
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
# Ideographs added in Unicode 15 and 15.1: assigned whatever version of Unicode this Python knows.
_YOUNG_IDEOGRAPHS = ((0x31350, 0x323AF), (0x2EBF0, 0x2EE5D))


def require_printable_name(name: str) -> None:
    """Return if `name` (already normalised) can stand on a certificate; raise RuleViolation otherwise.

    Codes: name_missing, name_too_long, name_control_character, name_bidi_character,
    name_invisible_character, name_private_use, name_unassigned, name_replacement_character, name_symbol.
    """
    if not name.strip():
        _refuse("name_missing", "姓名为空", "the name is empty", "填写姓名", "fill in the name")
    if len(name) > MAX_CHARACTERS or len(name.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        _refuse(
            "name_too_long",
            f"姓名 {len(name)} 个字符",
            f"the name has {len(name)} characters",
            f"不超过 {MAX_CHARACTERS} 个字符、{MAX_BYTES} 字节",
            f"at most {MAX_CHARACTERS} characters and {MAX_BYTES} bytes",
        )
    if _PLAIN.fullmatch(name):
        return
    for place, char in enumerate(name, 1):
        fault = _fault(char)
        if fault is not None:
            code, zh, en, do_zh, do_en = fault
            where = f"U+{ord(char):04X}"
            _refuse(
                code, f"姓名第 {place} 个字符（{where}）{zh}", f"character {place} ({where}) is {en}", do_zh, do_en
            )
    if not any(unicodedata.category(char)[0] == "L" or char == "〇" or _is_young(char) for char in name):
        _refuse(
            "name_symbol", "姓名中没有文字", "the name has no letter", "填写证件上的姓名", "the name on the document"
        )


def _is_young(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _YOUNG_IDEOGRAPHS)


def _fault(char: str) -> tuple[str, str, str, str, str] | None:
    """(code, what, what in English, remedy, remedy in English) for a character no name can hold."""
    if char in _PUNCTUATION or _is_young(char):
        return None
    retype = ("重新录入姓名", "type the name again")
    category = unicodedata.category(char)
    if category == "Cc" or category in ("Zl", "Zp"):
        return "name_control_character", "是控制字符", "a control character", *retype
    if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI") or (
        char in "\u200e\u200f\u061c"
    ):
        return (
            "name_bidi_character",
            "是改变书写方向的不可见字符",
            "an invisible character that turns the writing",
            *retype,
        )
    if category == "Cf" or char in _INVISIBLE or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return "name_invisible_character", "不可见", "invisible", *retype
    if category == "Co":
        return (
            "name_private_use",
            "是私用区（造字）字符",
            "a private-use character",
            "改用 GB 18030-2022 / Unicode 正式编码的字",
            "use the character's code in GB 18030-2022 / Unicode",
        )
    if category in ("Cn", "Cs"):
        return "name_unassigned", "不是已编码的字符", "not an encoded character", *retype
    if char in "\ufffd?？□〓":
        return (
            "name_replacement_character",
            "是转换失败的替代符",
            "a stand-in for a character that was lost",
            "按证件补录原字",
            "type the character on the document",
        )
    if category[0] in "LM" or category in ("Zs", "Nl"):  # Nl: 〇
        return None
    return "name_symbol", "不是文字", "not a letter", "填写证件上的姓名", "the name on the document"


def _refuse(code: str, found: str, found_en: str, expected: str, expected_en: str) -> None:
    raise RuleViolation("R3", code, found=(found, found_en), expected=(expected, expected_en))
