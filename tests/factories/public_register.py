"""A public record on disk with its keys, as the verifier's web finds them; no issuer database behind it."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import create_engine, event, func, insert, select, update

from issuer.publication.list_writing import write_lists
from issuer.sealing.checkpoint import sign_checkpoint
from issuer.sealing.credential import sign_credential
from keys.public.keyset import key_set_path, receipt_key_path
from keys.public.purposes import KeyPurpose
from tests.factories.claims import sample_claims
from tests.factories.signing import NOW, Bench
from verifier.record import tables
from verifier.record.credential import CredentialClaims
from verifier.record.log_reading import Checkpoint, encode_leaf, origin_of
from verifier.record.lookup import holder_digest, identity_digest, number_digest
from verifier.record.merkle import Frontier, leaf_hash
from verifier.record.qr import new_token, qr_text
from verifier.record.status import CertificateStatus
from verifier.settings import VerifierSettings

LOOKUP_KEY = bytes(range(32))
LAST_FOUR = "123X"
"""How every holder's invented ID number ends."""


@dataclass(frozen=True)
class Published:
    """One certificate as its holder has it."""

    claims: CredentialClaims
    credential: bytes
    qr: str
    file: bytes

    @property
    def token(self) -> str:
        """Its token."""
        return self.claims.token

    @property
    def payload(self) -> str:
        """What stands behind the `#`."""
        return self.qr.split("#")[1]


@dataclass
class PublicRegister:
    """Writes rows, keys and signed lists under `folder`, for a verifier at `base_url`."""

    folder: Path
    base_url: str = "http://127.0.0.1:8000"
    bench: Bench = field(default_factory=Bench)
    _count: int = 0

    def __post_init__(self) -> None:
        keys = key_set_path(self.folder / "keys")
        keys.parent.mkdir(parents=True)
        keys.write_text(json.dumps(self.bench.key_set.to_json()))
        (self.folder / "keys" / "lookup.key").write_bytes(LOOKUP_KEY)
        secret = receipt_key_path(self.folder / "keys", self.bench.signer(KeyPurpose.RECEIPT).kid)
        secret.parent.mkdir(mode=0o700)
        secret.touch(mode=0o600)
        key = self.bench.signer(KeyPurpose.RECEIPT)._key
        secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self._engine = create_engine(
            f"sqlite:///{self.folder / 'register.sqlite3'}",
            execution_options={"schema_translate_map": {tables.SCHEMA: None}},
        )
        # Hundreds of these are made, and none must outlive a power cut.
        event.listen(self._engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF").close())
        tables.metadata.create_all(self._engine)
        self._write_list({})

    @property
    def settings(self) -> VerifierSettings:
        """Settings of a verifier over this register."""
        return VerifierSettings(data_dir=self.folder, verify_base_url=self.base_url)

    def publish(self, *, file_valid_until: date | None = None, **changes: Any) -> Published:
        """Put one valid certificate on record; `changes` as for `sample_claims`."""
        self._count += 1
        changes = {"token": new_token(), "list_index": self._count, **changes}
        claims = sample_claims(management_no=f"2025410000{self._count:06}", **changes)
        credential = sign_credential(self.bench, claims)
        file = b"%PDF-1.7 file of " + claims.token.encode()
        sha256 = hashlib.sha256(file).hexdigest()
        row = {
            name: getattr(claims, name)
            for name in ("token", "programme_code", "programme_name", "level", "specialty", "approved_on")
        }
        row |= {
            "status": "valid",
            "issued_on": date(2025, 10, 9),
            "file_sha256": sha256,
            "credential_sha256": hashlib.sha256(credential).hexdigest(),
            "number_digest": number_digest(LOOKUP_KEY, claims.management_no),
            "holder_digest": holder_digest(LOOKUP_KEY, claims.management_no, claims.name),
            "list_id": claims.list_id,
            "list_index": claims.list_index,
            "published_at": NOW,
            "identity_digest": identity_digest(LOOKUP_KEY, claims.management_no, claims.name, LAST_FOUR),
        }
        file_row = {"sha256": sha256, "token": claims.token, "kind": "original", "valid_until": None}
        if file_valid_until is not None:
            # Never the file its certificate was published with.
            row["file_sha256"] = hashlib.sha256(b"original of " + file).hexdigest()
            file_row |= {"kind": "extended", "valid_until": file_valid_until}
        with self._engine.begin() as connection:
            connection.execute(insert(tables.certificates).values(row))
            connection.execute(insert(tables.files).values(file_row))
            first = {"token": claims.token, "sequence": 0, "status": "valid", "effective_on": date(2025, 10, 9)}
            connection.execute(insert(tables.status_changes).values(**first, changed_at=NOW))
        return Published(claims, credential, qr_text(self.base_url, claims.token, credential), file)

    def change(self, token: str, status: str, *, from_beginning: bool = False, **columns: Any) -> None:
        """Give a certificate another status."""
        values = {"status": status, "status_changed_at": NOW, "effective_on": date(2025, 11, 3), **columns}
        changes = tables.status_changes
        with self._engine.begin() as connection:
            last = connection.scalar(select(func.max(changes.c.sequence)).where(changes.c.token == token))
            connection.execute(
                insert(changes).values(
                    token=token,
                    sequence=last + 1,
                    status=status,
                    reason_class=columns.get("reason_class"),
                    effective_on=values["effective_on"] or NOW.date(),
                    changed_at=values["status_changed_at"] or NOW,
                    from_beginning=from_beginning,
                )
            )
            connection.execute(update(tables.certificates).where(tables.certificates.c.token == token).values(values))

    def forget_ending(self, token: str) -> None:
        """As a record published before the last four were."""
        values = {"identity_digest": None}
        with self._engine.begin() as connection:
            connection.execute(update(tables.certificates).where(tables.certificates.c.token == token).values(values))

    def log(self, tokens: list[str]) -> None:
        """Log one issue for each token and sign a checkpoint."""
        frontier, leaves = Frontier(), []
        for index, token in enumerate(tokens):
            leaf = encode_leaf("issue", index + 1, token, content=bytes(32), status="valid", at=NOW)
            frontier.append(leaf_hash(leaf))
            leaves.append(
                {
                    "leaf_index": index,
                    "leaf": leaf,
                    "leaf_hash": leaf_hash(leaf),
                    "token": token,
                    "event_sequence": index + 1,
                }
            )
        note = sign_checkpoint(self.bench, Checkpoint(origin_of(self.base_url), frontier.size, frontier.root()))
        with self._engine.begin() as connection:
            connection.execute(insert(tables.log_leaves), leaves)
            connection.execute(
                insert(tables.log_checkpoints).values(
                    tree_size=frontier.size,
                    root_hash=frontier.root(),
                    frontier=frontier.to_bytes(),
                    signed_note=note,
                    signed_at=NOW,
                )
            )

    def take_away(self) -> None:
        """Make the register unreachable."""
        self._engine.dispose()
        (self.folder / "register.sqlite3").rename(self.folder / "away.sqlite3")

    def bring_back(self) -> None:
        """Undo `take_away`."""
        (self.folder / "away.sqlite3").rename(self.folder / "register.sqlite3")

    def set_list_entry(self, index: int, status: CertificateStatus) -> None:
        """Sign the status list anew with one entry changed."""
        self._write_list({index: status})

    def set_list_entries(self, entries: Mapping[int, CertificateStatus]) -> None:
        """Sign the status list anew with these entries changed."""
        self._write_list(entries)

    def sign_lists(self, now: datetime) -> None:
        """Sign the status list anew as of `now`, as a server at work would have; NOW lies in the past."""
        with self._engine.begin() as connection:
            write_lists(connection, self.bench, self.base_url, {"1": {}}, now)

    def begin_list(self, list_id: str) -> None:
        """Sign a further list in which nothing is said yet."""
        with self._engine.begin() as connection:
            write_lists(connection, self.bench, self.base_url, {list_id: {}}, NOW)

    def _write_list(self, entries: Mapping[int, CertificateStatus]) -> None:
        with self._engine.begin() as connection:
            write_lists(connection, self.bench, self.base_url, {"1": dict(entries)}, NOW)


def base32_flip(payload: str) -> str:
    """The same credential with one bit of its signature changed, in canonical base32 again."""
    raw = bytearray(base64.b32decode(payload + "=" * (-len(payload) % 8)))
    raw[-10] ^= 1
    return base64.b32encode(bytes(raw)).decode().rstrip("=")
