"""The public side: anyone checks a certificate here. It knows no person and holds no private key."""
