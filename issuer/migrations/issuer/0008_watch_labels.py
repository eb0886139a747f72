"""What a watcher calls a watched certificate."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it."""
    place = None if op.get_bind().dialect.name == "sqlite" else "issuer"
    op.add_column("watches", sa.Column("label", sa.LargeBinary(), nullable=True), schema=place)
