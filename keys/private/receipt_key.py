"""The key that signs receipts: made by the ceremony, kept by the public side, which has no other.

One PKCS#8 file a key under `keys_dir/receipt`, owner-only, apart from `keys_dir/private`: the verifier's machine gets
this folder and nothing else of the private keys. It has no passphrase, as the look-up key beside it has none: the
program that signs must be able to start again by itself.
"""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keys.private.keyring import write_secret
from keys.private.signer import Certify
from keys.public.keyset import PublishedKey, published_key, receipt_key_path
from keys.public.purposes import KeyPurpose


class ReceiptKeys:
    """The folder `keys_dir/receipt` (`keys.private.signer.KeyMaker`)."""

    def __init__(self, keys_dir: Path) -> None:
        self._keys_dir = keys_dir

    def make(self, purpose: KeyPurpose, certify: Certify) -> PublishedKey:
        """A new key in a file of its own; raises ValueError for any purpose but receipts."""
        if purpose is not KeyPurpose.RECEIPT:
            raise ValueError("only the receipt key is kept on the public side")
        private_key = ec.generate_private_key(ec.SECP256R1())
        certificate, chain = certify(private_key.public_key())
        published = published_key(purpose, certificate, chain[:-1])
        path = receipt_key_path(self._keys_dir, published.kid)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_secret(path, private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return published

    def retire(self, key: PublishedKey) -> None:
        """Remove the file of a replaced key: what it signed is checked by the published set alone."""
        receipt_key_path(self._keys_dir, key.kid).unlink(missing_ok=True)
