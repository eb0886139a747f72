"""The ordered, idempotent feed from the issuer to the public record."""
