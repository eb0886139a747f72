"""Private keys. Imported by `issuer.sealing` and `keys.cli` only (held by an import contract)."""
