"""What a holder can do for themselves: sign in, list, download, see why something was refused."""
