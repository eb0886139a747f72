"""The quick way to a certificate page: what Typst drew once is kept, and only the person's part is set again.

    objects   a Typst file taken apart into its numbered objects, and templates of those that differ by person
    content   the page's drawing taken apart into marked pieces; the strings of a field made replaceable
    shapes    which values Typst lays out alike, so that one layout serves them all
    glyphs    glyph programs of the page's first font, and a CFF font program of a few of them
    font      the PDF objects of such a font
    symbol    the QR symbol
    fragment  a piece with its contents left open
    ground    the ornaments behind the text, and a file without them
    edition   what is the same for all pages of one kind, learned from Typst and proven on a second page
    assemble  a person's page from an edition

Nothing here knows the design: positions, sizes and colours are read from what Typst drew. A page this way
cannot make exactly (a name that wraps, a character of another font) is left to Typst.
"""
