"""Large acts can be paused, and go on where they stopped."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who paused it and when; empty while it may go on."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    op.add_column("large_acts", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True), schema=place)
    op.add_column("large_acts", sa.Column("paused_by", sa.String(length=80), nullable=True), schema=place)
