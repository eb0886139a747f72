"""Portraits rest encrypted; only the press sees them open."""

from issuer.context import Context
from issuer.records.people import PHOTO_PURPOSE


def read_photo(ctx: Context, key: str | None) -> bytes | None:
    """The portrait under a storage key, decrypted; None without a key. Raises FileMissingError, SealedValueError."""
    return None if key is None else ctx.data_key.open(PHOTO_PURPOSE, ctx.storage.get(key))
