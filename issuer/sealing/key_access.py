"""Where the signing keys of this installation are: encrypted files, or a PKCS#11 token when one is configured."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cryptography import x509

from issuer.settings import Settings
from keys.private.errors import KeyStoreError
from keys.private.keyring import Keyring, passphrase_for
from keys.private.signer import KeyMaker, Signer
from keys.public.keyset import KeySet, PublishedKey
from keys.public.purposes import KeyPurpose

if TYPE_CHECKING:
    from keys.private.pkcs11 import Token

SignerSource = Callable[[KeyPurpose], Signer]
"""Opens the key in use for a purpose; raises KeyStoreError, UnknownKeyError."""


def signer_source(settings: Settings, key_set: KeySet) -> SignerSource:
    """How to open this installation's keys. Nothing is opened yet."""

    def from_files(purpose: KeyPurpose) -> Signer:
        passphrase = passphrase_for(settings.keys_dir, given_passphrase(settings))
        return Keyring(settings.keys_dir, passphrase).signer(key_set.current(purpose))

    def from_token(purpose: KeyPurpose) -> Signer:
        published = key_set.current(purpose)
        return _token(settings).signer(published, root_of(published, key_set))

    return from_files if settings.pkcs11_module is None else from_token


def key_maker(settings: Settings) -> KeyMaker | None:
    """Where the ceremony makes signing keys; None means encrypted files. Raises KeyStoreError."""
    return None if settings.pkcs11_module is None else _token(settings)


def given_passphrase(settings: Settings) -> str | None:
    """The passphrase from the environment, if any."""
    return settings.key_passphrase.get_secret_value() if settings.key_passphrase else None


def root_of(published: PublishedKey, key_set: KeySet) -> x509.Certificate:
    """The anchor above a published key; raises KeyStoreError `key-damaged` when the set holds none."""
    top = published.chain[-1] if published.chain else published.certificate
    for anchor in key_set.anchors:
        if anchor.subject == top.issuer:
            return anchor
    raise KeyStoreError(
        "key-damaged",
        f"密钥 {published.kid} 没有对应的根证书。请从备份恢复 keys/public。",
        f"Key {published.kid} stands under no root. Restore keys/public from a backup.",
    )


def _token(settings: Settings) -> "Token":
    # The binding is an optional package, needed only where a token is configured.
    try:
        from keys.private.pkcs11 import open_token
    except ImportError as error:
        raise KeyStoreError(
            "token-unsupported",
            "没有安装 PKCS#11 支持。请执行 pip install 'ecert[pkcs11]'。",
            "PKCS#11 support is not installed. Run pip install 'ecert[pkcs11]'.",
        ) from error
    pin = settings.pkcs11_pin.get_secret_value() if settings.pkcs11_pin else ""
    return open_token(str(settings.pkcs11_module), settings.pkcs11_label, pin)
