"""Settings from the environment, `ECERT_*`. Unset means the embedded default under DATA_DIR."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything that differs between a laptop and a province."""

    model_config = SettingsConfigDict(env_prefix="ECERT_", extra="ignore", frozen=True)

    data_dir: Path = Path("ecert-data")
    database_url: str | None = None
    """SQLAlchemy URL of the issuer's database. Unset: `sqlite:///DATA_DIR/issuer.sqlite3`."""
    register_url: str | None = None
    """SQLAlchemy URL of the public record. Unset: `sqlite:///DATA_DIR/register.sqlite3`."""
    redis_url: str | None = None
    storage_url: str | None = None
    """Where files are kept, as obstore reads it (`s3://bucket/prefix`). Unset: `DATA_DIR/files`."""
    verify_base_url: str = "http://127.0.0.1:8000"
    """Scheme, host and port that QR codes point to, without a path."""
    key_passphrase: SecretStr | None = None
    """Unlocks the private keys. Unset: read from `DATA_DIR/keys/passphrase` (owner-only)."""
    pkcs11_module: Path | None = None
    """PKCS#11 library of the token that holds the signing keys. Unset: encrypted files under DATA_DIR."""
    pkcs11_label: str = "ecert"
    """Label of the token."""
    pkcs11_pin: SecretStr | None = None
    """The token's user PIN."""
    tsa_url: str | None = None
    """RFC 3161 time-stamp service. Unset: the built-in development authority."""
    seal_level: Literal["B-B", "B-T", "B-LT", "B-LTA"] = "B-LTA"
    """PAdES baseline level (ETSI EN 319 142-1) of new seals."""
    workers: int = 0
    """Processes that render and seal. 0: one per core."""
    jobs: Literal["embedded", "workers"] | None = None
    """Who works on batches asked for by the web: this process, or `ecert worker` on any number of machines
    (PostgreSQL only). Unset: workers on PostgreSQL, else embedded."""
    organisation: str | None = None
    """The authority whose name the key ceremony writes into certificates. Unset: an invented one."""
    seal_common_name: str | None = None
    """Subject common name of the document seal's certificate. Unset: an invented one, marked 样章."""
    sample: bool = True
    """Mark certificates as samples (示例, 样章). Turn it off only with the keys of a real authority."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of our own reverse proxies, as a JSON list; only they may say whose request it is."""
    verifier_role: str | None = None
    """PostgreSQL role of the verifier; it is granted SELECT on the schema `public_record` and nothing else."""

    @property
    def issuer_database(self) -> str:
        """URL of the issuer's database with the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'issuer.sqlite3'}"

    @property
    def jobs_engine(self) -> Literal["embedded", "workers"]:
        """Who works on batches, with the default filled in."""
        on_server = self.issuer_database.startswith("postgresql")
        return "workers" if on_server and self.jobs != "embedded" else "embedded"

    @property
    def register_database(self) -> str:
        """URL of the public record with the embedded default filled in."""
        return self.register_url or f"sqlite:///{self.data_dir.resolve() / 'register.sqlite3'}"

    @property
    def keys_dir(self) -> Path:
        """Key material: `private/` (encrypted, owner-only), `public/` and the lookup and data keys."""
        return self.data_dir / "keys"
