"""The file a certificate was published with, found without a second table."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it, on SQLite alone: see `verifier.record.tables`."""
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(
            "ix_certificates_file_head",
            "certificates",
            [sa.text("substr(file_sha256, 1, 16)")],
            unique=False,
            schema="public_record",
        )
