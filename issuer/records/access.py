"""Staff accounts, their sessions and API tokens."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from issuer.records.base import Base, UtcInstant
from issuer.records.encryption import EncryptedText


class StaffAccount(Base):
    """A member of staff: roles from `issuer.rules.terms.Role`, scope for review bodies (R1)."""

    __tablename__ = "staff_accounts"

    username: Mapped[str] = mapped_column(String(80), primary_key=True)
    display_name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(255))
    roles: Mapped[list[str]] = mapped_column(JSON)
    programmes: Mapped[list[str]] = mapped_column(JSON, default=list)
    cities: Mapped[list[str]] = mapped_column(JSON, default=list)
    active: Mapped[bool] = mapped_column(default=True)
    failed_attempts: Mapped[int] = mapped_column(Integer, default=0)
    locked_until: Mapped[datetime | None] = mapped_column(UtcInstant)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)


class StaffSession(Base):
    """A signed-in browser; the cookie holds a secret of which only the digest is stored."""

    __tablename__ = "staff_sessions"

    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey(StaffAccount.username), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    expires_at: Mapped[datetime] = mapped_column(UtcInstant)
    means: Mapped[str | None] = mapped_column(String(40))
    """How it was opened, such as `password+totp` or `oidc`. None: opened before this was kept."""
    network: Mapped[str | None] = mapped_column(EncryptedText("staff_sessions.network"))
    """The network it was opened from, coarse: an IPv4 /24 or an IPv6 /48."""
    program: Mapped[str | None] = mapped_column(String(60))
    """Browser and system as they call themselves, without versions."""
    seen_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    """Last page asked for, to five minutes."""


class StaffSignIn(Base):
    """A first step that was right and waits for the second factor; it opens nothing by itself."""

    __tablename__ = "staff_sign_ins"

    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey(StaffAccount.username), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcInstant)
    first: Mapped[str | None] = mapped_column(String(16))
    """What the first step was: `oidc`; None or `password` is the password."""


class SecondFactor(Base):
    """An account's authenticator app (RFC 6238). It counts once `confirmed_at` is set."""

    __tablename__ = "staff_second_factors"

    username: Mapped[str] = mapped_column(ForeignKey(StaffAccount.username), primary_key=True)
    secret: Mapped[str] = mapped_column(EncryptedText("staff_second_factors.secret"))
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    last_counter: Mapped[int] = mapped_column(BigInteger, default=0)
    """The newest time step whose code was accepted: neither it nor an older one is accepted again."""
    created_at: Mapped[datetime] = mapped_column(UtcInstant)


class RecoveryCode(Base):
    """Opens the second step once, when the app is lost; only the digest is stored."""

    __tablename__ = "staff_recovery_codes"

    code_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey(StaffAccount.username), index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class Passkey(Base):
    """A WebAuthn credential of an account: public key and counter, nothing that is secret."""

    __tablename__ = "staff_passkeys"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey(StaffAccount.username), index=True)
    credential_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    credential_id: Mapped[str] = mapped_column(String(1400))
    """base64url, as browsers are told it."""
    public_key: Mapped[str] = mapped_column(Text)
    """COSE_Key as the authenticator gave it, base64url."""
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    """Highest counter seen; 0 for authenticators without one (synchronised passkeys)."""
    label: Mapped[str] = mapped_column(EncryptedText("staff_passkeys.label"))
    synchronised: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    used_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class StaffIdentity(Base):
    """A subject of an OpenID provider that may sign in as an account; linked by an operator beforehand."""

    __tablename__ = "staff_identities"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_index: Mapped[str] = mapped_column(String(64), unique=True)
    subject: Mapped[str] = mapped_column(EncryptedText("staff_identities.subject"))
    """Issuer, line feed, subject: it may be somebody's number in another register."""
    username: Mapped[str] = mapped_column(ForeignKey(StaffAccount.username), index=True)
    issuer: Mapped[str] = mapped_column(String(300))
    linked_by: Mapped[str] = mapped_column(String(80))
    linked_at: Mapped[datetime] = mapped_column(UtcInstant)
    used_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class SpentChallenge(Base):
    """A challenge or state that was answered: it is not accepted again while it could still be presented."""

    __tablename__ = "staff_spent_challenges"

    challenge_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcInstant, index=True)


class ApiToken(Base):
    """A program's access: scoped to an account's roles, expiring; only the digest is stored."""

    __tablename__ = "api_tokens"

    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    label: Mapped[str] = mapped_column(String(80))
    username: Mapped[str] = mapped_column(ForeignKey(StaffAccount.username), index=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    expires_at: Mapped[datetime] = mapped_column(UtcInstant)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class HolderSession(Base):
    """A signed-in holder; the cookie holds a secret of which only the digest is stored."""

    __tablename__ = "holder_sessions"

    secret_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(Integer, index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    expires_at: Mapped[datetime] = mapped_column(UtcInstant)
