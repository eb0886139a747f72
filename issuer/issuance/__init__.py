"""Draft, lint, seal, check, publish: from an eligible registration to a certificate."""
