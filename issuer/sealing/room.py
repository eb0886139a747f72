"""The sealing room: where private keys are opened, once a process, and the only place that uses them."""

import threading
from datetime import datetime

from issuer.clock import Clock, SystemClock
from issuer.errors import ConflictError, UnavailableError, Words
from issuer.sealing.key_access import SignerSource, given_passphrase, key_maker, signer_source
from issuer.sealing.pdf_seal import PdfSealer, Timestamps
from issuer.sealing.remote_time import RemoteTimestamps
from issuer.settings import Settings
from keys.private.ceremony import DEFAULT_COMMON_NAME, DEFAULT_ORGANISATION, DEFAULT_YEARS, hold_ceremony
from keys.private.errors import KeyStoreError
from keys.private.keyring import passphrase_for
from keys.private.signer import Signer
from keys.private.timestamp_authority import TimestampAuthority
from keys.public.keyset import KeySet, KeySetMalformedError, UnknownKeyError, load_key_set
from keys.public.purposes import KeyPurpose
from templates.certificate.page import ARCHIVE_FIELD, SEAL_FIELD

__all__ = ["SealingRoom", "first_ceremony", "open_sealing_room"]


class SealingRoom:
    """Signers of every purpose, opened on first use and kept. Make one in each process; do not pass it on.

    `signer(purpose)` gives only the key of that purpose; what it signs is up to the callers in `issuer.sealing`.
    """

    def __init__(self, key_set: KeySet, source: SignerSource, clock: Clock, tsa_url: str | None = None) -> None:
        self.key_set = key_set
        self.clock = clock
        self.seals_made = 0
        self._counting = threading.Lock()
        self._source = source
        self._tsa_url = tsa_url
        self._signers: dict[KeyPurpose, Signer] = {}
        self._sealer: PdfSealer | None = None

    def signer(self, purpose: KeyPurpose) -> Signer:
        """The key in use for this purpose; raises UnavailableError when it cannot be opened or has run out."""
        signer = self._signers.get(purpose)
        if signer is None:
            try:
                signer = self._source(purpose)
            except KeyStoreError as error:
                raise _as_unavailable(error) from error
            except UnknownKeyError as error:
                raise _no_key(purpose) from error
            if signer.purpose is not purpose:
                raise _no_key(purpose)
            self._signers[purpose] = signer
        if self.clock.now() > signer.certificate.not_valid_after_utc:
            raise _expired(purpose)
        return signer

    def seal_pdf(self, pdf: bytes, *, level: str = "B-LTA") -> bytes:
        """The page with its seal, PAdES `level` (B-B, B-T, B-LT, B-LTA). Certified: no change is allowed after it.

        Raises InputError when the page cannot be sealed, UnavailableError when a key or the time service is missing.
        """
        try:
            self._refuse_stale_crls(level)
            sealed = self._sealing().seal(pdf, level)
        except KeyStoreError as error:
            raise _as_unavailable(error) from error
        with self._counting:
            self.seals_made += 1
        return sealed

    def extend(self, pdf: bytes) -> bytes:
        """A sealed file with the present CRLs and one more archive timestamp over everything (B-LTA renewal).

        Raises InputError when the file is not sealed, UnavailableError as `seal_pdf`.
        """
        try:
            self._refuse_stale_crls("B-LTA")
            return self._sealing().extend(pdf)
        except KeyStoreError as error:
            raise _as_unavailable(error) from error

    def _refuse_stale_crls(self, level: str) -> None:
        """A seal that carries an outdated CRL would be doubted by every reader from its first day."""
        if level not in ("B-LT", "B-LTA"):
            return
        now = self.clock.now()
        if any(crl.next_update_utc is not None and crl.next_update_utc < now for crl in self.key_set.crls):
            raise UnavailableError(
                "crl-outdated",
                Words("吊销列表已过期，没有盖章。", "A revocation list is out of date; nothing was sealed."),
                remedy=Words("请运行 ecert keys crl 后重启。", "Run `ecert keys crl` and start again."),
            )

    def _sealing(self) -> PdfSealer:
        signer = self.signer(KeyPurpose.DOCUMENT_SEAL)
        if self._tsa_url is None:
            self.signer(KeyPurpose.TIMESTAMP)
        if self._sealer is None:
            self._sealer = PdfSealer(
                signer,
                self._timestamps(),
                self.key_set,
                self.clock.now,
                SEAL_FIELD,
                ARCHIVE_FIELD,
            )
        return self._sealer

    def _timestamps(self) -> Timestamps:
        if self._tsa_url is not None:
            return RemoteTimestamps(self._tsa_url, self.key_set, self.clock.now)
        return TimestampAuthority(self.signer(KeyPurpose.TIMESTAMP), self.clock.now)


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
    return SealingRoom(key_set, signer_source(settings, key_set), clock or SystemClock(), settings.tsa_url)


def first_ceremony(
    settings: Settings,
    now: datetime,
    *,
    organisation: str = DEFAULT_ORGANISATION,
    common_name: str = DEFAULT_COMMON_NAME,
    years: int = DEFAULT_YEARS,
) -> KeySet:
    """Hold the key ceremony of a new data folder; raises ConflictError when keys exist (nothing is overwritten)."""
    try:
        return hold_ceremony(
            settings.keys_dir,
            passphrase_for(settings.keys_dir, given_passphrase(settings), create=True),
            now=now,
            organisation=organisation,
            common_name=common_name,
            years=years,
            maker=key_maker(settings),
        )
    except KeyStoreError as error:
        raise ConflictError(error.code, Words(error.zh, error.en)) from error


def _expired(purpose: KeyPurpose) -> UnavailableError:
    return UnavailableError(
        "key-expired",
        Words(
            f"用于 {purpose.value} 的证书已到期，什么也没有签。",
            f"The certificate for {purpose.value} has run out; nothing was signed.",
        ),
        remedy=Words(
            f"请运行 ecert keys rotate {purpose.value} 后重启。",
            f"Run `ecert keys rotate {purpose.value}` and start again.",
        ),
    )


def _as_unavailable(error: KeyStoreError) -> UnavailableError:
    return UnavailableError(error.code, Words(error.zh, error.en))


def _no_key(purpose: KeyPurpose) -> UnavailableError:
    return UnavailableError(
        "no-key-for-purpose",
        Words(f"没有用于 {purpose.value} 的密钥。", f"There is no key for {purpose.value}."),
        remedy=Words("请运行 ecert keys list 查看。", "See `ecert keys list`."),
    )
