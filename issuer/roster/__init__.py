"""Score and passer lists in, row-by-row findings out."""
