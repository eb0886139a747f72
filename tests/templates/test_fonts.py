"""Which characters can be drawn: all a name can hold, and nothing that would come out as a box or a blank."""

import pytest
import typst

from templates.fonts import can_draw, families, missing_glyphs, rare_font_files, typst_fonts

# The ideographs of GB 18030-2022 (first and last of each run), and twelve in the compatibility block.
RUNS = (
    (0x4E00, 0x9FEF),
    (0x3400, 0x4DB5),
    (0x20000, 0x2A6D6),
    (0x2A700, 0x2B734),
    (0x2B740, 0x2B81D),
    (0x2B820, 0x2CEA1),
    (0x2CEB0, 0x2EBE0),
)
SINGLE = "﨎﨏﨑﨓﨔﨟﨡﨣﨤﨧﨨﨩"


@pytest.mark.parametrize(
    "text",
    [
        "李㛃䶮",
        "王𠮷𣲗",
        "阿卜杜热依木·买买提明",
        "SMITH JOHN ALEXANDER",
        "O'BRIEN-LEE",
        "JOSÉ MUÑOZ MÜLLER",
        "（市政公用工程）、—",
        "",
    ],
)
def test_names_of_all_kinds_can_be_drawn(text: str) -> None:
    assert missing_glyphs(text) == ()


@pytest.mark.parametrize(
    "char",
    [
        "\ue000",  # private use, where old systems kept rare characters
        "\U000f0000",
        "\U000e0100",  # variation selector
        "\u200b",
        "\u202e",
        "\ufeff",
        "\u0000",
        "\n",
        "\t",
        "\u0085",
        "\u2028",
        "\ud800",
        "\ufffe",
        "\U000323b0",  # not assigned, or in no font
        "\u00a0",  # in the font, but blank
        "\u2003",
        "\u3164",
        "\U00012000",  # assigned, but in none of these fonts
    ],
)
def test_what_cannot_be_seen_is_missing(char: str) -> None:
    assert missing_glyphs(f"王{char}王{char}") == (char,)


def test_every_ideograph_of_gb_18030_2022_can_be_drawn() -> None:
    assert [path.name for path in rare_font_files()] == ["HanaMinA.ttf", "HanaMinB.ttf"], "install fonts-hanazono"
    characters = "".join(chr(code) for first, last in RUNS for code in range(first, last + 1)) + SINGLE
    assert len(characters) == 87_887
    assert missing_glyphs(characters) == ()


def test_without_hanazono_rare_characters_are_missing_and_common_ones_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("templates.fonts.rare_font_files", lambda: ())
    can_draw.cache_clear()
    try:
        assert missing_glyphs("王龘𪚥") == ("𪚥",)
        assert families() == ("Noto Serif SC",)
    finally:
        monkeypatch.undo()
        can_draw.cache_clear()


def test_typst_gets_these_fonts_and_no_other_can_slip_in() -> None:
    fonts = typst_fonts()
    assert isinstance(fonts, typst.Fonts)
    assert set(families()) <= set(fonts.families())
    assert not {"Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern"} & set(fonts.families())
