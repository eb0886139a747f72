"""Settings of the public side from the environment, `ECERT_*`. Unset means the embedded default under DATA_DIR."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class VerifierSettings(BaseSettings):
    """What the verifier needs to know; it never reads the issuer's settings."""

    model_config = SettingsConfigDict(env_prefix="ECERT_", extra="ignore", frozen=True)

    data_dir: Path = Path("ecert-data")
    register_url: str | None = None
    """SQLAlchemy URL of the public record. Unset: `sqlite:///DATA_DIR/register.sqlite3`."""
    redis_url: str | None = None
    verify_base_url: str = "http://127.0.0.1:8000"
    """Scheme, host and port that QR codes point to, without a path."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of our own proxies, whose X-Forwarded-For is believed. JSON list in the environment."""

    proof_bits: int = Field(default=17, ge=1, le=28)
    """Work asked of whoever looks up too often: 2 to the power of this many SHA-256 digests (17: a second or two)."""
    witnesses: tuple[str, ...] = ()
    """Who cosigns the log's checkpoints: `URL VKEY` or `VKEY` each (see `verifier.record.witnessing`). JSON list."""

    watching: bool = False
    """Offer to watch certificates on verdict pages: the issuer's `/watch/` is reached under the same address."""
    check_workers: int = 0
    """Processes that inspect uploaded files. 0: one per core, at most 4."""

    @property
    def register_database(self) -> str:
        """URL of the public record with the embedded default filled in."""
        return self.register_url or f"sqlite:///{self.data_dir.resolve() / 'register.sqlite3'}"

    @property
    def keys_dir(self) -> Path:
        """Folder with `public/` and `lookup.key`."""
        return self.data_dir / "keys"
