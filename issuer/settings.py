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
    log_memory: Path | None = None
    """Where the newest published checkpoint of the log is noted, so that an older backup cannot publish a fork; best
    on another disk or machine than the databases. Unset: `DATA_DIR/published-checkpoint`, which is in no backup."""
    witnesses: tuple[str, ...] = ()
    """Who cosigns the log's checkpoints, `URL VKEY` each (C2SP tlog-witness), as a JSON list."""
    audit_second_place: str | None = None
    """Where signed heads of the audit trail are put every hour, a folder or `s3://bucket/prefix`; best on a machine
    whose administrators are others. While it knows of events we lack, everything is read-only. Unset: nowhere."""
    sample: bool = True
    """Mark certificates as samples (示例, 样章). Turn it off only with the keys of a real authority."""
    second_factor: Literal["off", "optional", "required"] = "optional"
    """Codes of an authenticator app at the console: never asked for, asked of those who set one up, or asked of
    everybody (who has none sets one up when signing in)."""
    console_url: str | None = None
    """Scheme, host and port staff open the console at, without a path: passkeys are bound to its host name, and an
    identity provider sends people back to it. Unset: only what is opened as localhost can use them."""
    oidc_issuer: str | None = None
    """Identity provider staff may sign in with: its issuer (OpenID Connect Discovery). Unset: local accounts only."""
    oidc_client_id: str | None = None
    """Our name at that provider."""
    oidc_client_secret: SecretStr | None = None
    """Our secret there. Neither it nor the file: a public client (PKCE is used either way)."""
    oidc_client_secret_file: Path | None = None
    """A file whose first line is that secret."""
    oidc_label: str = "统一身份认证"
    """What the button on the sign-in page says."""
    oidc_second_factor_acr: tuple[str, ...] = ()
    """Values of the provider's `acr` that count as the second factor, as a JSON list. Neither this nor the next:
    the local second factor is asked for after the provider."""
    oidc_second_factor_amr: tuple[str, ...] = ()
    """The same for one of the values in `amr` (RFC 8176), such as `["mfa"]`."""
    oidc_only: bool = False
    """Refuse local passwords and passkeys as the first step, but for the account below."""
    oidc_break_glass: str | None = None
    """The one account that may still use its password when `oidc_only` is set and the provider is down."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of our own reverse proxies, as a JSON list; only they may say whose request it is."""
    smtp_url: SecretStr | None = None
    """Mail server for messages to watchers: `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465`. Unset:
    certificates can be watched by webhook only."""
    mail_from: str | None = None
    """Sender of those messages. Unset: `ecert@` and the mail server's name."""
    watch_private_addresses: bool = False
    """Let webhooks go to http and to addresses of a closed network. Leave it off where anybody may ask for one."""
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
