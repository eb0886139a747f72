"""Passkeys, identities at an OpenID provider, spent challenges; what is known of a session."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    account = "staff_accounts.username" if place is None else "issuer.staff_accounts.username"
    instant = sa.DateTime(timezone=True)
    for column in (
        sa.Column("means", sa.String(length=40), nullable=True),
        sa.Column("network", sa.LargeBinary(), nullable=True),
        sa.Column("program", sa.String(length=60), nullable=True),
        sa.Column("seen_at", instant, nullable=True),
    ):
        op.add_column("staff_sessions", column, schema=place)
    op.add_column("staff_sign_ins", sa.Column("first", sa.String(length=16), nullable=True), schema=place)
    op.create_table(
        "staff_passkeys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("credential_sha256", sa.String(length=64), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.LargeBinary(), nullable=False),
        sa.Column("synchronised", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("used_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["username"], [account], name=op.f("fk_staff_passkeys_username")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_passkeys")),
        sa.UniqueConstraint("credential_sha256", name=op.f("uq_staff_passkeys_credential_sha256")),
        schema=place,
    )
    op.create_index(op.f("ix_issuer_staff_passkeys_username"), "staff_passkeys", ["username"], schema=place)
    op.create_table(
        "staff_identities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject_index", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("username", sa.String(length=80), nullable=False),
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("linked_by", sa.String(length=80), nullable=False),
        sa.Column("linked_at", instant, nullable=False),
        sa.Column("used_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["username"], [account], name=op.f("fk_staff_identities_username")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_identities")),
        sa.UniqueConstraint("subject_index", name=op.f("uq_staff_identities_subject_index")),
        schema=place,
    )
    op.create_index(op.f("ix_issuer_staff_identities_username"), "staff_identities", ["username"], schema=place)
    op.create_table(
        "staff_spent_challenges",
        sa.Column("challenge_sha256", sa.String(length=64), nullable=False),
        sa.Column("expires_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("challenge_sha256", name=op.f("pk_staff_spent_challenges")),
        schema=place,
    )
    op.create_index(
        op.f("ix_issuer_staff_spent_challenges_expires_at"), "staff_spent_challenges", ["expires_at"], schema=place
    )
