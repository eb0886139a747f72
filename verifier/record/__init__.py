"""The public language: record, status, verdict, QR grammar, status list, log. Frozen types, no personal field."""
