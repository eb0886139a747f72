"""The one door to private keys: PDF seal, QR credential, status list, log checkpoint."""
