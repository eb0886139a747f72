"""The key ceremony: a development root, an authority for signing keys, one key a purpose, CRLs, the published set.

    root ─┬─ issuing authority ─┬─ document-seal
          │                     ├─ qr-credential
          │                     ├─ status-list
          │                     ├─ log
          │                     └─ receipt        (kept by the public side, `keys.private.receipt_key`)
          └─ timestamp                       (apart, so that a lost issuing authority cannot forge time)

Every name says 示例 and Development: nothing made here may be taken for the seal of a real authority.
"""

import json
import os
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from keys.private import authority
from keys.private.errors import KeyStoreError
from keys.private.keyring import Keyring, StoredKey
from keys.private.receipt_key import ReceiptKeys
from keys.private.signer import KeyMaker
from keys.public.keyset import KeySet, PublishedKey, key_set_path, load_key_set
from keys.public.profile import trust_faults
from keys.public.purposes import KeyPurpose
from keys.public.time_authority import time_authority

DEFAULT_ORGANISATION = "示例省人力资源和社会保障厅"
DEFAULT_COMMON_NAME = "示例省职业资格电子证书专用章（样章）"
DEFAULT_YEARS = 5
ROOT = "root-ca"
ISSUING = "issuing-ca"
_YEAR = timedelta(days=365)
_AUTHORITY_EXTRA = 10 * _YEAR

_SUBJECTS = {
    KeyPurpose.QR_CREDENTIAL: "示例 二维码凭证 Development QR Credential",
    KeyPurpose.STATUS_LIST: "示例 状态列表 Development Status List",
    KeyPurpose.LOG: "示例 透明日志 Development Log",
    KeyPurpose.TIMESTAMP: "示例 时间戳 Development Timestamp",
    KeyPurpose.RECEIPT: "示例 核验回执 Development Receipt",
}


def hold_ceremony(
    keys_dir: Path,
    passphrase: str,
    *,
    now: datetime,
    organisation: str = DEFAULT_ORGANISATION,
    common_name: str = DEFAULT_COMMON_NAME,
    years: int = DEFAULT_YEARS,
    maker: KeyMaker | None = None,
) -> KeySet:
    """Make all keys and write `private/*` and `public/ecert-keys.json`; returns the published set.

    `now` is aware; `years` is the life of the signing certificates; `maker` is where signing keys are made and kept
    (an HSM), unset for encrypted files. Raises KeyStoreError `keys-exist` when the folder
    holds keys already (nothing is ever overwritten), ValueError when a name is over 64 characters.
    """
    if key_set_path(keys_dir).exists():
        raise _already_held()
    keyring = Keyring(keys_dir, passphrase)
    keyring.create()
    lifetime = years * _YEAR
    root = authority.make_root(
        authority.distinguished_name(organisation, "示例 根 CA Development Root"), now, lifetime + _AUTHORITY_EXTRA
    )
    issuing = authority.make_intermediate(
        root,
        authority.distinguished_name(organisation, "示例 签发 CA Development Issuing"),
        now,
        lifetime + _AUTHORITY_EXTRA,
    )
    keys = []
    for purpose in KeyPurpose:
        parent = root if purpose is KeyPurpose.TIMESTAMP else issuing
        name = authority.distinguished_name(organisation, _SUBJECTS.get(purpose, common_name))
        keys.append(_make_key(_maker_of(purpose, keys_dir, maker or keyring), parent, purpose, name, now, lifetime))
    # Authorities are stored last: a folder without them is visibly a broken ceremony, and nothing was published.
    keyring.store(ISSUING, issuing)
    keyring.store(ROOT, root)
    key_set = KeySet(
        keys=tuple(keys),
        anchors=(root.certificate,),
        crls=(authority.issue_crl(root, now, 1), authority.issue_crl(issuing, now, 1)),
        generated_at=now.replace(microsecond=0),
    )
    publish(keys_dir, key_set)
    return key_set


def rotate(
    keys_dir: Path,
    passphrase: str,
    purpose: KeyPurpose,
    *,
    now: datetime,
    years: int = DEFAULT_YEARS,
    maker: KeyMaker | None = None,
) -> PublishedKey:
    """Replace the key of one purpose. The old one stays published with `retired_at`, so old signatures still check.

    A key that was revoked is replaced in the same way. Raises KeyStoreError, UnknownKeyError.
    A running process signs with the old key until it is started again.
    """
    key_set = load_key_set(keys_dir)
    keyring = Keyring(keys_dir, passphrase)
    parent = keyring.load(ROOT if purpose is KeyPurpose.TIMESTAMP else ISSUING)
    maker = _maker_of(purpose, keys_dir, maker or keyring)
    if purpose is KeyPurpose.RECEIPT and not any(key_set.for_purpose(purpose)):
        return _first_receipt_key(keys_dir, key_set, parent, maker, now, years)
    old = key_set.newest(purpose)
    # The new file is written before the set that names it: a crash in between leaves the old key in use.
    new = _make_key(maker, parent, purpose, old.certificate.subject, now, years * _YEAR)
    retired = replace(old, retired_at=old.retired_at or now.replace(microsecond=0))
    keys = tuple(retired if key == old else key for key in key_set.keys)
    publish(keys_dir, replace(key_set, keys=(*keys, new), generated_at=now.replace(microsecond=0)))
    maker.retire(old)
    return new


def renew_crls(
    keys_dir: Path,
    passphrase: str,
    *,
    now: datetime,
    revoke: str | None = None,
    reason: x509.ReasonFlags = x509.ReasonFlags.cessation_of_operation,
) -> KeySet:
    """Issue both CRLs again; with `revoke` (a key id) that key's certificate is on them from `now` on.

    Raises KeyStoreError `key-unknown` when no published key has the id.
    """
    key_set = load_key_set(keys_dir)
    victim = next((key for key in key_set.keys if key.kid == revoke), None)
    if revoke is not None and victim is None:
        raise KeyStoreError(
            "key-unknown",
            "没有这个编号的密钥。用 ecert keys list 查看。",
            "No key has this id. See `ecert keys list`.",
        )
    keyring = Keyring(keys_dir, passphrase)
    own = tuple(_next_crl(key_set, keyring.load(name), victim, reason, now) for name in (ROOT, ISSUING))
    issuers = {crl.issuer for crl in own}
    crls = (*own, *(crl for crl in key_set.crls if crl.issuer not in issuers))
    keys = key_set.keys
    if victim is not None and victim.retired_at is None:
        keys = tuple(replace(key, retired_at=now.replace(microsecond=0)) if key == victim else key for key in keys)
    renewed = replace(key_set, keys=keys, crls=crls, generated_at=now.replace(microsecond=0))
    publish(keys_dir, renewed)
    return renewed


def accept_timestamp_authority(
    keys_dir: Path,
    certificate: x509.Certificate,
    path: tuple[x509.Certificate, ...],
    crls: tuple[x509.CertificateRevocationList, ...],
    *,
    now: datetime,
) -> KeySet:
    """Publish an outside authority: its certificate, its `path` (issuer first, root last) and CRLs.

    RSA from 2048 bits on, P-256, P-384 or P-521; its root becomes an anchor, for timestamps by this key only.

    Raises KeyStoreError `tsa-unfit` when the certificate does not meet the profile or its path does not hold.
    """
    key_set = load_key_set(keys_dir)
    try:
        published = time_authority(certificate, path[:-1])
        faults: tuple[str, ...] = () if path else ("issuer-unknown",)
    except (ValueError, UnsupportedAlgorithm):
        published, faults = None, ("key-unfit",)
    issuers = {crl.issuer for crl in crls}
    extended = replace(
        key_set,
        authorities=tuple(dict.fromkeys((*key_set.authorities, *([published] if published else [])))),
        anchors=tuple(dict.fromkeys((*key_set.anchors, *path[-1:]))),
        crls=(*(crl for crl in key_set.crls if crl.issuer not in issuers), *crls),
        generated_at=now.replace(microsecond=0),
    )
    if published is not None:
        faults = (*faults, *trust_faults(published, extended, now))
    if faults:
        raise KeyStoreError(
            "tsa-unfit",
            f"这个时间戳机构不能采用（{'、'.join(faults)}），没有改动。请核对证书、上级证书和吊销列表。",
            f"This time-stamp authority cannot be accepted ({', '.join(faults)}); nothing was changed. "
            "Check its certificate, path and CRLs.",
        )
    publish(keys_dir, extended)
    return extended


def publish(keys_dir: Path, key_set: KeySet) -> None:
    """Write the published set in one step (a reader sees the old or the new one, never half)."""
    path = key_set_path(keys_dir)
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    text = json.dumps(key_set.to_json(), indent=1, ensure_ascii=False, sort_keys=True)
    with draft.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(0o644)
    draft.replace(path)


def _maker_of(purpose: KeyPurpose, keys_dir: Path, maker: KeyMaker) -> KeyMaker:
    """The receipt key belongs to the public side, wherever the others are kept."""
    return ReceiptKeys(keys_dir) if purpose is KeyPurpose.RECEIPT else maker


def _first_receipt_key(
    keys_dir: Path, key_set: KeySet, parent: StoredKey, maker: KeyMaker, now: datetime, years: int
) -> PublishedKey:
    """For a folder whose ceremony was held before there were receipts."""
    organisation = parent.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    name = authority.distinguished_name(str(organisation), _SUBJECTS[KeyPurpose.RECEIPT])
    new = _make_key(maker, parent, KeyPurpose.RECEIPT, name, now, years * _YEAR)
    publish(keys_dir, replace(key_set, keys=(*key_set.keys, new), generated_at=now.replace(microsecond=0)))
    return new


def _make_key(
    maker: KeyMaker, parent: StoredKey, purpose: KeyPurpose, name: x509.Name, now: datetime, lifetime: timedelta
) -> PublishedKey:
    def certify(public_key: ec.EllipticCurvePublicKey) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
        certificate = authority.certify(parent, purpose, public_key, name, now, lifetime)
        return certificate, (parent.certificate, *parent.chain)

    return maker.make(purpose, certify)


def _next_crl(
    key_set: KeySet, parent: StoredKey, victim: PublishedKey | None, reason: x509.ReasonFlags, now: datetime
) -> x509.CertificateRevocationList:
    old = next(crl for crl in key_set.crls if crl.issuer == parent.certificate.subject)
    number = old.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    revoked = list(old)
    if victim is not None and victim.certificate.issuer == parent.certificate.subject:
        serial = victim.certificate.serial_number
        if all(entry.serial_number != serial for entry in revoked):
            builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now)
            revoked.append(builder.add_extension(x509.CRLReason(reason), critical=False).build())
    return authority.issue_crl(parent, now, number + 1, tuple(revoked))


def _already_held() -> KeyStoreError:
    return KeyStoreError(
        "keys-exist",
        "密钥仪式已经举行过，没有改动任何文件。要更换密钥请用 ecert keys rotate。",
        "A key ceremony was already held here; nothing was changed. To replace a key use `ecert keys rotate`.",
    )
