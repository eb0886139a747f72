"""Certificate page, public, staff and holder pages: layout and words as data."""
