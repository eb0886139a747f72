"""The sealing room: where private keys are opened, once a process, and the only place that uses them."""

from datetime import datetime
from pathlib import Path
from typing import Protocol

from issuer.clock import Clock, SystemClock
from issuer.errors import ConflictError, UnavailableError, Words
from issuer.sealing.pdf_seal import PdfSealer
from issuer.settings import Settings
from keys.private.ceremony import DEFAULT_COMMON_NAME, DEFAULT_ORGANISATION, DEFAULT_YEARS, hold_ceremony
from keys.private.errors import KeyStoreError
from keys.private.keyring import Keyring, passphrase_for
from keys.private.signer import Signer
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.keyset import KeySet, KeySetMalformedError, UnknownKeyError, load_key_set
from keys.public.purposes import KeyPurpose
from templates.certificate.page import ARCHIVE_FIELD, SEAL_FIELD

__all__ = ["SealingRoom", "first_ceremony", "open_sealing_room"]


class _SignerSource(Protocol):
    def __call__(self, purpose: KeyPurpose) -> Signer: ...


class SealingRoom:
    """Signers of every purpose, opened on first use and kept. Make one in each process; do not pass it on.

    `signer(purpose)` gives only the key of that purpose; what it signs is up to the callers in `issuer.sealing`.
    """

    def __init__(self, key_set: KeySet, source: _SignerSource, clock: Clock, tsa_url: str | None = None) -> None:
        self.key_set = key_set
        self.clock = clock
        self.seals_made = 0
        self._source = source
        self._tsa_url = tsa_url
        self._signers: dict[KeyPurpose, Signer] = {}
        self._sealer: PdfSealer | None = None

    def signer(self, purpose: KeyPurpose) -> Signer:
        """The key in use for this purpose; raises UnavailableError when it cannot be opened."""
        signer = self._signers.get(purpose)
        if signer is None:
            with_words = _as_unavailable
            try:
                signer = self._source(purpose)
            except KeyStoreError as error:
                raise with_words(error) from error
            except UnknownKeyError as error:
                raise _no_key(purpose) from error
            if signer.purpose is not purpose:
                raise _no_key(purpose)
            self._signers[purpose] = signer
        return signer

    def seal_pdf(self, pdf: bytes, *, level: str = "B-LTA") -> bytes:
        """The page with its seal, PAdES `level` (B-B, B-T, B-LT, B-LTA). Certified: no change is allowed after it.

        Raises InputError when the page cannot be sealed, UnavailableError when a key or the time service is missing.
        """
        sealed = self._sealing().seal(pdf, level)
        self.seals_made += 1
        return sealed

    def extend(self, pdf: bytes) -> bytes:
        """A sealed file with fresh revocation data and one more archive timestamp over everything (B-LTA renewal)."""
        return self._sealing().extend(pdf)

    def _sealing(self) -> PdfSealer:
        if self._sealer is None:
            self._sealer = PdfSealer(
                self.signer(KeyPurpose.DOCUMENT_SEAL),
                TimestampAuthority(self.signer(KeyPurpose.TIMESTAMP), self.clock.now),
                self.key_set,
                self.clock.now,
                SEAL_FIELD,
                ARCHIVE_FIELD,
            )
        return self._sealer


def open_sealing_room(settings: Settings, clock: Clock | None = None) -> SealingRoom:
    """The room of this process. Cheap: keys are opened when first used. Raises UnavailableError without a key set."""
    keys_dir = settings.keys_dir
    try:
        key_set = load_key_set(keys_dir)
    except FileNotFoundError as error:
        raise UnavailableError(
            "no-keys",
            Words("还没有密钥。", "There are no keys yet."),
            remedy=Words("请先运行 ecert init。", "Run `ecert init` first."),
        ) from error
    except KeySetMalformedError as error:
        raise UnavailableError(
            "key-set-damaged",
            Words("公布的密钥清单已损坏。", "The published key set is damaged."),
            remedy=Words("请从备份恢复 keys/public。", "Restore keys/public from a backup."),
        ) from error
    return SealingRoom(key_set, _software(settings, keys_dir, key_set), clock or SystemClock(), settings.tsa_url)


def _software(settings: Settings, keys_dir: Path, key_set: KeySet) -> _SignerSource:
    given = settings.key_passphrase.get_secret_value() if settings.key_passphrase else None

    def open_signer(purpose: KeyPurpose) -> Signer:
        keyring = Keyring(keys_dir, passphrase_for(keys_dir, given))
        return keyring.signer(key_set.current(purpose))

    return open_signer


def first_ceremony(
    settings: Settings,
    now: datetime,
    *,
    organisation: str = DEFAULT_ORGANISATION,
    common_name: str = DEFAULT_COMMON_NAME,
    years: int = DEFAULT_YEARS,
) -> KeySet:
    """Hold the key ceremony of a new data folder; raises ConflictError when keys exist (nothing is overwritten)."""
    given = settings.key_passphrase.get_secret_value() if settings.key_passphrase else None
    try:
        return hold_ceremony(
            settings.keys_dir,
            passphrase_for(settings.keys_dir, given, create=True),
            now=now,
            organisation=organisation,
            common_name=common_name,
            years=years,
        )
    except KeyStoreError as error:
        raise ConflictError(error.code, Words(error.zh, error.en)) from error


def _as_unavailable(error: KeyStoreError) -> UnavailableError:
    return UnavailableError(error.code, Words(error.zh, error.en))


def _no_key(purpose: KeyPurpose) -> UnavailableError:
    return UnavailableError(
        "no-key-for-purpose",
        Words(f"没有用于 {purpose.value} 的密钥。", f"There is no key for {purpose.value}."),
        remedy=Words("请运行 ecert keys list 查看。", "See `ecert keys list`."),
    )
