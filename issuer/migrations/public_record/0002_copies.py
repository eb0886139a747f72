"""Purpose-bound copies of certificates."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "copies",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("of_token", sa.String(length=32), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("credential_sha256", sa.String(length=64), nullable=False),
        sa.Column("number_digest", sa.String(length=64), nullable=False),
        sa.Column("holder_digest", sa.String(length=64), nullable=False),
        sa.Column("identity_digest", sa.String(length=64), nullable=True),
        sa.Column("list_id", sa.String(length=32), nullable=False),
        sa.Column("list_index", sa.Integer(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["of_token"], ["public_record.certificates.token"]),
        sa.PrimaryKeyConstraint("token"),
        sa.UniqueConstraint("file_sha256"),
        sa.UniqueConstraint("number_digest"),
        schema="public_record",
    )
    op.create_index("ix_public_record_copies_of_token", "copies", ["of_token"], schema="public_record")
    op.create_index("ix_public_record_copies_holder_digest", "copies", ["holder_digest"], schema="public_record")
