"""Names of any script stand; whatever hides in a name is refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.rules.names import require_printable_name
from issuer.rules.violation import RuleViolation


@pytest.mark.parametrize(
    "name",
    [
        "付怡",
        "李㛃䶮",
        "王𠮷𣲗",
        "欧阳𬭚",
        "张〇",
        "阿卜杜热依木·买买提明",
        "古丽米热·阿布都拉",
        "SMITH JOHN ALEXANDER",
        "O'Neill-Jørgensen, Åse",
        "ئابدۇرېھىم",
        "བསྟན་འཛིན་རྒྱ་མཚོ"[:6],
        "Нгуен Тхи",
        "山田 太郎",
        "김철수",
        chr(0x31350) + "一",
        chr(0x2EBF0),
    ],
)
def test_names_of_any_script_stand(name: str) -> None:
    require_printable_name(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_missing"),
        ("  ", "name_missing"),
        ("李\x07四", "name_control_character"),
        ("李\n四", "name_control_character"),
        ("李\u2028四", "name_control_character"),
        ("李\u202e四", "name_bidi_character"),
        ("李\u2066四", "name_bidi_character"),
        ("李\u200f四", "name_bidi_character"),
        ("李\u200b四", "name_invisible_character"),
        ("李\ufeff四", "name_invisible_character"),
        ("李\u3164四", "name_invisible_character"),
        ("葛\U000e0100城", "name_invisible_character"),
        ("赵\ue815", "name_private_use"),
        ("赵\U000f0000", "name_private_use"),
        ("赵\U0003ffff", "name_unassigned"),
        ("赵\ud800", "name_unassigned"),
        ("赵?", "name_replacement_character"),
        ("赵\ufffd", "name_replacement_character"),
        ("张三2", "name_symbol"),
        ("<b>张三</b>", "name_symbol"),
        ("=1+1", "name_symbol"),
        ("·", "name_symbol"),
        ("长" * 41, "name_too_long"),
        ("A" * 61, "name_too_long"),
        ("x" * 10_000, "name_too_long"),
    ],
)
def test_what_cannot_be_printed_is_refused_with_its_code(name: str, code: str) -> None:
    with pytest.raises(RuleViolation) as refusal:
        require_printable_name(name)
    assert refusal.value.code == code


@given(st.text(max_size=30))
def test_no_name_with_a_hidden_character_stands(name: str) -> None:
    hidden = any(unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") for char in name)
    try:
        require_printable_name(name)
    except RuleViolation:
        return
    assert not hidden
    assert name.strip()
