"""Private keys at rest: one encrypted PKCS#12 file a key, owner-only, in an owner-only folder.

A file holds the key, its certificate and the path above it, so that a folder can be restored from backup file by
file. Names are `<purpose>-<kid>.p12` for signing keys and `<name>.p12` for authorities.
"""

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from keys.private.errors import KeyStoreError
from keys.private.signer import Certify
from keys.private.software import SoftwareSigner
from keys.public.keyset import PublishedKey, published_key
from keys.public.purposes import KeyPurpose

_KDF_ROUNDS = 50_000
_TOO_OPEN = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What one file holds. `chain` is issuer first, root last; empty for a root."""

    private_key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]


class Keyring:
    """The folder `keys_dir/private`. Every reading refuses files or folders that others may read."""

    def __init__(self, keys_dir: Path, passphrase: str) -> None:
        self._dir = keys_dir / "private"
        self._passphrase = passphrase.encode()

    @property
    def directory(self) -> Path:
        """Where the files stand."""
        return self._dir

    def create(self) -> None:
        """Make the folder; raises KeyStoreError when it already holds a key."""
        self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._dir.chmod(0o700)
        if any(self._dir.glob("*.p12")):
            raise KeyStoreError(
                "keys-exist",
                "密钥目录中已有密钥，没有改动任何文件。要更换密钥请用 ecert keys rotate。",
                "The key folder already holds keys; nothing was changed. To replace one use `ecert keys rotate`.",
            )

    def store(self, name: str, stored: StoredKey) -> None:
        """Write one new file, mode 0600; raises KeyStoreError when the name is taken."""
        encryption = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(_KDF_ROUNDS)
            .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
            .hmac_hash(hashes.SHA256())
            .build(self._passphrase)
        )
        data = pkcs12.serialize_key_and_certificates(
            name.encode(), stored.private_key, stored.certificate, stored.chain, encryption
        )
        write_secret(self._dir / f"{name}.p12", data)

    def load(self, name: str) -> StoredKey:
        """Open one file; raises KeyStoreError: `key-missing`, `key-too-open`, `wrong-passphrase`, `key-damaged`."""
        path = self._dir / f"{name}.p12"
        refuse_if_open_to_others(self._dir)
        data = read_secret(path)
        try:
            key, certificate, chain = pkcs12.load_key_and_certificates(data, self._passphrase)
        except ValueError as error:
            if "password" in str(error).lower():
                raise KeyStoreError(
                    "wrong-passphrase",
                    f"口令打不开密钥文件 {path.name}。请检查 ECERT_KEY_PASSPHRASE 或密钥目录下的 passphrase 文件。",
                    f"The passphrase does not open {path.name}. "
                    "Check ECERT_KEY_PASSPHRASE or the file `passphrase` in the key folder.",
                ) from error
            raise _damaged(path) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate is None:
            raise _damaged(path)
        return StoredKey(key, certificate, tuple(chain))

    def make(self, purpose: KeyPurpose, certify: Certify) -> PublishedKey:
        """A new signing key in a file of its own (`keys.private.signer.KeyMaker`)."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        certificate, chain = certify(private_key.public_key())
        published = published_key(purpose, certificate, chain[:-1])
        self.store(key_file_name(purpose, published.kid), StoredKey(private_key, certificate, chain))
        return published

    def retire(self, key: PublishedKey) -> None:
        """Put the file of a replaced key aside, into `private/retired`."""
        file = self._dir / f"{key_file_name(key.purpose, key.kid)}.p12"
        if file.exists():
            (self._dir / "retired").mkdir(mode=0o700, exist_ok=True)
            file.rename(self._dir / "retired" / file.name)

    def signer(self, published: PublishedKey) -> SoftwareSigner:
        """The private half of a published key; raises KeyStoreError as `load` does, or when the two differ."""
        name = key_file_name(published.purpose, published.kid)
        stored = self.load(name)
        if stored.certificate != published.certificate:
            raise _damaged(self._dir / f"{name}.p12")
        return SoftwareSigner(published.purpose, stored.private_key, stored.certificate, stored.chain)


def key_file_name(purpose: KeyPurpose, kid: str) -> str:
    """Name (without ending) of the file of a signing key."""
    return f"{purpose.value}-{kid}"


def write_secret(path: Path, data: bytes) -> None:
    """Write a new owner-only file and sync it; raises KeyStoreError `key-exists` rather than overwrite."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise KeyStoreError(
            "key-exists",
            f"{path.name} 已存在，没有覆盖。",
            f"{path.name} already exists and was not overwritten.",
        ) from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def read_secret(path: Path) -> bytes:
    """Read an owner-only file; raises KeyStoreError when it is missing or open to others."""
    refuse_if_open_to_others(path)
    return path.read_bytes()


def refuse_if_open_to_others(path: Path) -> None:
    """Raise KeyStoreError when group or others have any right on `path`, or when it is missing."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise KeyStoreError(
            "key-missing",
            f"找不到密钥文件 {path.name}。请先运行 ecert init（或 ecert keys ceremony），或从备份恢复。",
            f"{path.name} is missing. Run `ecert init` (or `ecert keys ceremony`) first, or restore a backup.",
        ) from error
    if mode & _TOO_OPEN:
        want = "700" if stat.S_ISDIR(mode) else "600"
        raise KeyStoreError(
            "key-too-open",
            f"{path.name} 的权限是 {stat.S_IMODE(mode):o}，其他用户可读，拒绝使用。请执行 chmod {want}。",
            f"{path.name} has mode {stat.S_IMODE(mode):o} and is open to others; refused. Run chmod {want} on it.",
        )


def passphrase_for(keys_dir: Path, given: str | None, *, create: bool = False) -> str:
    """The passphrase: `given`, else the file `keys_dir/passphrase` (0600), which `create` makes when missing.

    Raises KeyStoreError `passphrase-missing`, `key-too-open`.
    """
    if given:
        return given
    path = keys_dir / "passphrase"
    if not path.exists():
        if not create:
            raise KeyStoreError(
                "passphrase-missing",
                "没有密钥口令：请设置 ECERT_KEY_PASSPHRASE，或先运行 ecert init。",
                "There is no key passphrase: set ECERT_KEY_PASSPHRASE, or run `ecert init` first.",
            )
        keys_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_secret(path, secrets.token_urlsafe(32).encode())
    return read_secret(path).decode().strip()


def _damaged(path: Path) -> KeyStoreError:
    return KeyStoreError(
        "key-damaged",
        f"密钥文件 {path.name} 已损坏或与公布的证书不符。请从备份恢复。",
        f"{path.name} is damaged or does not match its published certificate. Restore it from a backup.",
    )
