"""Whether a certificate was void from the beginning (R9); a digest that confirms the last four of an ID number."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; rows that stand already hold neither."""
    # ALTER TABLE does not go through the map that takes schema names away on SQLite.
    place = None if op.get_bind().dialect.name == "sqlite" else "public_record"
    void: sa.Column[bool] = sa.Column("from_beginning", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("status_changes", void, schema=place)
    op.add_column("certificates", sa.Column("identity_digest", sa.String(length=64), nullable=True), schema=place)
