"""Paper certificates; replacement is refused once an e-certificate was made (R14)."""
