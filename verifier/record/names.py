"""Comparing names the way a person would: same person, same digest, whatever keyboard typed it."""

import unicodedata

INTERPUNCT = "·"  # U+00B7, the form GB/T 15835 and household registers print
_INTERPUNCTS = dict.fromkeys(map(ord, "•‧∙⋅・･．●○"), INTERPUNCT)


def normalise_name(name: str) -> str:
    """Canonical form for storage and display: NFC, one interpunct, outer blanks and runs of blanks mended.

    Full-width Latin letters become half-width. A rare ideograph is never changed into another one:
    NFC (not NFKC) is used for ideographs, because NFKC would fold compatibility ideographs such as
    U+FA0E..FA29, twelve of which are characters of their own in GB 18030-2022.
    """
    name = name.translate(_INTERPUNCTS)
    folded = "".join(
        unicodedata.normalize("NFKC", char) if "！" <= char <= "～" or char == "\u3000" else char for char in name
    )
    # The twelve unified ideographs in the compatibility block have no decomposition, so NFC keeps them.
    return " ".join(unicodedata.normalize("NFC", folded).split())


def name_key(name: str) -> str:
    """Form for matching only: normalised, no blanks, Latin letters upper-cased."""
    return normalise_name(name).replace(" ", "").upper()
